"""The field catalogue (个人信息字段目录) and the retention register (保存期限): what is held, and for how long."""

from litestar import Controller, get
from litestar.params import FromPath

from api.bodies import known_token
from api.deps import Deps, Locale
from api.erasures.bodies import PersonalFieldList, RetentionReport, SubjectRetentionAnswer
from api.erasures.views import field_answer, obstacle_answer, period_answer, rule_answer
from api.identity.authenticate import LOGGED_IN, requires
from api.identity.principal import Caller
from api.parties.reveal import subject_for
from models.domain.privacy.erasing import ErasureState
from models.domain.privacy.fields import FIELDS
from models.domain.privacy.retention import RULES, periods, until_when
from models.domain.roles import Permission
from models.domain.shanghai import shanghai_date
from models.queries import erasure as erasures
from models.queries.products import masks_of, retention_of
from models.queries.retention import locked, obstacles_of, person_dates


class PersonalFieldController(Controller):
    """The catalogue, for everyone who works here."""

    path = "/v1/personal-fields"
    tags = ("Personal data",)

    @get("/", guards=[LOGGED_IN], sync_to_thread=True, operation_id="ListPersonalFields")
    def show_all(self, deps: Deps, principal: Caller, locale: Locale) -> PersonalFieldList:
        """Every personal field that the product holds, with class, mask, purpose and period."""
        with deps.database.read() as session:
            policy, masks = retention_of(session, principal.tenant), masks_of(session, principal.tenant)
        return PersonalFieldList(
            items=[field_answer(entry, policy=policy, locale=locale) for entry in FIELDS.values()],
            masks_version=masks.version,
            retention_version=policy.version,
        )


class SubjectRetentionController(Controller):
    """How long one person's data are kept."""

    path = "/v1/subjects/{subject_id:str}/retention"
    tags = ("Personal data",)

    @get("/", guards=[requires(Permission.SUBJECTS_READ)], sync_to_thread=True, operation_id="GetSubjectRetention")
    def show(self, subject_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> SubjectRetentionAnswer:
        """Every period that runs or ran, and what stands against erasing the person today."""
        subject, _ = subject_for(deps, principal, known_token(subject_id))
        today = shanghai_date(deps.clock())
        with deps.database.read() as session:
            policy = retention_of(session, principal.tenant)
            found = periods(person_dates(session, subject.id), policy)
            standing = obstacles_of(session, subject.id, tenant=subject.tenant, today=today)
            lock = locked(session, subject.id)
        return SubjectRetentionAnswer(
            subject_id=subject.id,
            periods=[period_answer(each, today=today, locale=locale) for each in found],
            obstacles=[obstacle_answer(each, locale=locale) for each in standing],
            until=until_when(standing),
            locked_until=None if lock is None else lock.until,
        )


class RetentionController(Controller):
    """The register as a whole."""

    path = "/v1/retention"
    tags = ("Personal data",)

    @get("/", guards=[requires(Permission.PRIVACY_READ)], sync_to_thread=True, operation_id="GetRetentionReport")
    def show(self, deps: Deps, principal: Caller, locale: Locale) -> RetentionReport:
        """The rules as the institution has set them, and what is proposed, waiting, locked and held today."""
        with deps.database.read() as session:
            policy = retention_of(session, principal.tenant)
            counts = erasures.counts_by_state(session, tenant=principal.tenant)
            holds = erasures.standing_count(session, tenant=principal.tenant)
            locks, next_unlock = erasures.locks_standing(session, tenant=principal.tenant)
        return RetentionReport(
            version=policy.version,
            rules=[rule_answer(rule, policy=policy, locale=locale) for rule in RULES.values()],
            proposed=counts.get(ErasureState.PROPOSED, 0),
            waiting=counts.get(ErasureState.REQUESTED, 0),
            approved=counts.get(ErasureState.APPROVED, 0),
            refused=counts.get(ErasureState.REFUSED, 0),
            erased=counts.get(ErasureState.ERASED, 0) + counts.get(ErasureState.CERTIFIED, 0),
            locked=locks,
            holds=holds,
            next_unlock=next_unlock,
        )
