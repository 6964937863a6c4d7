"""Re-evaluations (法律法规更新): open cases are asked again under the rules as they are, or under a policy."""

from datetime import date

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.paging import DEFAULT_LIMIT, After, Limit, decode_cursor, encode_cursor
from api.rules import drafts
from api.rules.pass_bodies import FlipAnswer, FlipPage, ReevaluationAnswer, ReevaluationBody, ReevaluationList
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.desk.policy import BankPolicy
from compliance.policy import policy_of, policy_on, rules_version
from models.domain.roles import Permission
from models.domain.rule_desk import DraftKind, DraftState, PassState
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, NotFound
from models.operations.idempotency import open_key
from models.queries.rule_passes import count_open_cases, list_flips, list_passes
from models.tables.rule_desk import RuleReevaluation

_SHOWN = 50


class RuleReevaluationController(Controller):
    """Passes over the open cases of the caller's institution."""

    path = "/v1/rule-reevaluations"
    tags = ("Rules",)

    @get("/", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="ListRuleReevaluations")
    def list_all(self, deps: Deps, principal: Caller) -> ReevaluationList:
        """The newest passes."""
        with deps.database.read() as session:
            found = list_passes(session, principal.tenant, limit=_SHOWN)
        return ReevaluationList(items=[ReevaluationAnswer.of(row) for row in found])

    @get(
        "/{pass_id:str}",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        operation_id="GetRuleReevaluation",
    )
    def get_one(self, pass_id: FromPath[str], deps: Deps, principal: Caller) -> ReevaluationAnswer:
        """One pass: how far it has come, and its counts."""
        return ReevaluationAnswer.of(_pass(deps, principal, pass_id))

    @get(
        "/{pass_id:str}/flips",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        operation_id="ListRuleFlips",
    )
    def flips(
        self,
        pass_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        *,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> FlipPage:
        """What flips: case, gate, rule, before and after, with reason and citation."""
        start = decode_cursor(after, kind="flips", types=(str, str, str))
        key = (str(start[0]), str(start[1]), str(start[2])) if start is not None else None
        row = _pass(deps, principal, pass_id)
        with deps.database.read() as session:
            found = list_flips(session, row.id, after=key, limit=limit + 1)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        return FlipPage(
            items=[FlipAnswer.of(each, locale=locale) for each in page],
            end_cursor=encode_cursor("flips", last.case_token, last.gate, last.rule_id) if last is not None else None,
        )

    @post("/", guards=[requires(Permission.RULES_PROPOSE)], operation_id="StartRuleReevaluation")
    async def start(
        self, data: JSONBody[ReevaluationBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[ReevaluationAnswer]:
        """Begin a pass; a worker carries it on. To ask the same again makes no second task for a case."""
        slot = key_slot(principal, route="rule-reevaluations.start", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            row = _new_pass(deps, principal, data)
            deed = Deed(
                tenant=principal.tenant,
                action="rules.reevaluation-started",
                target=row.id,
                actor=principal.staff_id,
                at=row.created_at,
                facts={"asOf": row.as_of.isoformat(), "rulesVersion": row.rules_version, "cases": row.total},
            )
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=row.id, status=201, now=row.created_at)
                unit.session.add(row)
            return row.id

        def rebuild(pass_id: str) -> Stored:
            body = ReevaluationAnswer.of(_pass(deps, principal, pass_id)).model_dump(mode="json")
            return Stored(status=201, body=body, headers={"Location": f"/v1/rule-reevaluations/{pass_id}"})

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)


def _new_pass(deps: ApiDeps, principal: Principal, data: ReevaluationBody) -> RuleReevaluation:
    now = deps.clock()
    policy, as_of = _policy(deps, principal, data, today=shanghai_date(now))
    with deps.database.read() as session:
        total = count_open_cases(session, principal.tenant)
    return RuleReevaluation(
        id=new_token("rrv"),
        tenant=principal.tenant,
        state=PassState.RUNNING.value,
        rules_version=rules_version(policy),
        as_of=as_of,
        policy_draft_id=data.policy_id,
        with_tasks=data.policy_id is None if data.with_tasks is None else data.with_tasks,
        total=total,
        started_by=principal.staff_id,
        created_at=now,
    )


def _policy(deps: ApiDeps, principal: Principal, data: ReevaluationBody, *, today: date) -> tuple[BankPolicy, date]:
    if data.policy_id is None:
        as_of = data.as_of or today
        with deps.database.read() as session:
            return policy_on(session, principal.tenant, on=as_of), as_of
    found = drafts.record(deps, principal, data.policy_id, kind=DraftKind.POLICY)
    if data.with_tasks and found.state is not DraftState.APPROVED:
        raise FormInvalid(faults=(FieldFault(pointer="/withTasks", code="reevaluation-not-approved"),))
    return policy_of(found.row), data.as_of or found.row.valid_from


def _pass(deps: ApiDeps, principal: Principal, pass_id: str) -> RuleReevaluation:
    with deps.database.read() as session:
        row = session.get(RuleReevaluation, known_token(pass_id))
    if row is None or row.tenant != principal.tenant:
        raise NotFound
    return row
