"""Subjects (自然人): masked, revealed field by field for a reason, found by an exact number in the body."""

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from api.audit.readings import Shown, note_search, note_shown
from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.parties.bodies import (
    FoundSubjectAnswer,
    FoundSubjectsAnswer,
    RevealAnswer,
    RevealBody,
    SubjectSearchBody,
)
from api.parties.reveal import reveal, subject_for
from api.parties.views import MaskedSubjectAnswer, masked_subject
from compliance.vault.blind import BlindField
from models.domain.application import RevealField
from models.domain.roles import Permission
from models.errors import FieldFault, FormInvalid
from models.queries import parties
from models.tables.parties import Subject


class SubjectController(Controller):
    """Customers of the caller's institution who have a case in the caller's branch."""

    path = "/v1/subjects"
    tags = ("Parties",)

    @get(
        "/{subject_id:str}", guards=[requires(Permission.SUBJECTS_READ)], sync_to_thread=True, operation_id="GetSubject"
    )
    def get_subject(
        self, subject_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> MaskedSubjectAnswer:
        """One person, masked."""
        subject, points = subject_for(deps, principal, known_token(subject_id))
        answer = masked_subject(deps, subject, points, locale=locale)
        note_shown(deps, [answer], tenant=principal.tenant, actor=principal.staff_id, purpose=Shown.SUBJECT_FILE)
        return answer

    @post(
        "/search",
        guards=[requires(Permission.SUBJECTS_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SearchSubjects",
    )
    def search(
        self, data: JSONBody[SubjectSearchBody], deps: Deps, principal: Caller, locale: Locale
    ) -> FoundSubjectsAnswer:
        """Who has exactly this identity document or mobile number, however it is spaced or hyphenated."""
        subjects = find_subjects(deps, principal, data)
        items = []
        for subject in subjects:
            with deps.database.read() as session:
                points = parties.contact_points(session, subject.id)
                tokens = parties.case_tokens_of_subject(session, subject.id, branch=principal.branch)
            masked = masked_subject(deps, subject, points, locale=locale)
            items.append(FoundSubjectAnswer(subject=masked, case_tokens=tokens))
        note_search(
            deps,
            [item.subject for item in items],
            tenant=principal.tenant,
            actor=principal.staff_id,
            field=RevealField.ID_NUMBER if data.id_number is not None else RevealField.MOBILE,
        )
        return FoundSubjectsAnswer(items=items)

    @post(
        "/{subject_id:str}/reveals",
        guards=[requires(Permission.SUBJECTS_REVEAL)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RevealSubjectField",
    )
    def reveal_field(
        self, subject_id: FromPath[str], data: JSONBody[RevealBody], deps: Deps, principal: Caller
    ) -> RevealAnswer:
        """Show one field in clear, once. Who looked, at what and why is recorded before it is shown."""
        value, event_id = reveal(deps, principal, known_token(subject_id), data)
        return RevealAnswer(field=data.field, value=value, event_id=event_id)


def find_subjects(deps: ApiDeps, principal: Principal, body: SubjectSearchBody) -> list[Subject]:
    """Look a number up by its blind index; blocking.

    Raises:
        FormInvalid: not exactly one number, or an empty one.
    """
    if (body.id_number is None) == (body.mobile is None):
        raise FormInvalid(faults=(FieldFault(pointer="", code="exactly-one", params={"allowed": "idNumber, mobile"}),))
    field = BlindField.ID_NUMBER if body.id_number is not None else BlindField.MOBILE
    try:
        value = body.id_number or body.mobile or ""
        indexes = deps.vault.blind_indexes(tenant=principal.tenant, field=field, value=value)
    except ValueError:  # nothing but blanks and hyphens
        pointer = "/idNumber" if body.id_number is not None else "/mobile"
        raise FormInvalid(faults=(FieldFault(pointer=pointer, code="pattern"),)) from None
    with deps.database.read() as session:
        scope = {"tenant": principal.tenant, "branch": principal.branch}
        if field is BlindField.ID_NUMBER:
            return parties.visible_subjects_by_id_index(session, **scope, id_indexes=indexes)
        return parties.visible_subjects_by_mobile(session, **scope, value_indexes=indexes)
