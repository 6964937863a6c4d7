"""Money in suspense (暂收) assigned to an agreement: asked for by an operator, confirmed by an approver."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.agreements.access import agreement_for, assignment_for, deed_on, open_date
from api.agreements.answers import AssignmentAnswer
from api.agreements.bodies import AssignmentBody, SecondPersonBody
from api.agreements.views import assignment_answer
from api.deps import ApiDeps, Deps, Locale
from api.four_eyes import by, refuse_maker
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from compliance.audit.deeds import shown_hash
from compliance.audit.unit import unit_of_work
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, ShownChanged, WrongState
from models.operations import suspense
from models.operations.idempotency import KeySlot, open_key
from models.operations.money_notices import tell_received
from models.operations.payments import lock_agreement
from models.queries.servicing import suspense_entry_by_id
from models.tables.agreements import Agreement
from models.tables.suspense import SuspenseAssignment

PATH = "/v1/suspense-assignments"


class AgreementSuspenseController(Controller):
    """Assignments that are asked for."""

    path = "/v1/agreements/{agreement_id:str}"
    tags = ("Agreements",)

    @post("/suspense-assignments", guards=[requires(Permission.SUSPENSE_ASSIGN)], operation_id="ProposeAssignment")
    async def propose(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[AssignmentBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[AssignmentAnswer]:
        """Say that money in suspense is a payment on this agreement; nothing is booked before another confirms."""
        agreement = await in_thread(agreement_for, deps, principal, agreement_id)
        slot = key_slot(principal, route=f"suspense-assignments.propose/{agreement.id}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(assignment_id: str) -> Stored:
            assignment, _ = assignment_for(deps, principal, assignment_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=assignment_answer(assignment, locale=locale).model_dump(mode="json"),
                headers={"Location": f"{PATH}/{assignment_id}"},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _propose(deps, principal, agreement, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )


class SuspenseAssignmentController(Controller):
    """Assignments that wait for, or have had, their second person."""

    path = f"{PATH}/{{assignment_id:str}}"
    tags = ("Agreements",)

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="GetAssignment")
    def get_assignment(
        self, assignment_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> AssignmentAnswer:
        """One assignment."""
        return assignment_answer(assignment_for(deps, principal, assignment_id)[0], locale=locale)

    @post(
        "/confirmation",
        guards=[requires(Permission.SUSPENSE_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmAssignment",
    )
    def confirm(
        self,
        *,
        assignment_id: FromPath[str],
        data: JSONBody[SecondPersonBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> AssignmentAnswer:
        """Confirm as the second person, and book the payment. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        decided = _decide(deps, principal, assignment_id, shown=data.shown_hash, confirm=True)
        return assignment_answer(decided, locale=locale)

    @post(
        "/rejection",
        guards=[requires(Permission.SUSPENSE_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectAssignment",
    )
    def reject(
        self,
        *,
        assignment_id: FromPath[str],
        data: JSONBody[SecondPersonBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> AssignmentAnswer:
        """Reject as the second person; the money stays in suspense."""
        decided = _decide(deps, principal, assignment_id, shown=data.shown_hash, confirm=False)
        return assignment_answer(decided, locale=locale)


def _propose(
    deps: ApiDeps, principal: Principal, agreement: Agreement, body: AssignmentBody, *, slot: KeySlot, digest: str
) -> str:
    now, maker, assignment_id = deps.clock(), by(principal), new_token("sua")
    deed = deed_on(agreement, "suspense.assignment-proposed", by=principal, at=now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=assignment_id, now=now, status=HTTPStatus.CREATED)
        locked = lock_agreement(unit.session, agreement.id)
        reply = suspense_entry_by_id(unit.session, body.entry_id, tenant=agreement.tenant)
        if reply is None:
            raise FormInvalid(faults=(FieldFault(pointer="/entryId", code="unknown-entry"),))
        assignment = suspense.draft(
            unit.session,
            reply,
            locked,
            assignment_id=assignment_id,
            reason_code=body.reason_code.value,
            by=maker,
            on=open_date(unit.session, tenant=agreement.tenant, clock=deps.clock),
            now=now,
        )
        assignment.shown_hash = shown_hash(suspense.shown(assignment))
        suspense.propose(unit.session, assignment, by=maker, now=now)
        deed.facts |= {**suspense.shown(assignment), "shown": assignment.shown_hash}
    return assignment_id


def _decide(
    deps: ApiDeps, principal: Principal, assignment_id: str, *, shown: str, confirm: bool
) -> SuspenseAssignment:
    """The second person's word.

    Raises:
        NotFound, FourEyesViolation, WrongState, ShownChanged, AlreadyBooked: why not.
    """
    assignment, agreement = assignment_for(deps, principal, assignment_id)
    refuse_maker(deps, principal, shown_hash=assignment.shown_hash)
    if assignment.state != suspense.PROPOSED:
        raise WrongState(params={"state": assignment.state})
    if assignment.shown_hash != shown:
        raise ShownChanged
    now = deps.clock()
    action = "suspense.assignment-confirmed" if confirm else "suspense.assignment-rejected"
    deed = deed_on(agreement, action, by=principal, at=now)
    deed.facts |= {**suspense.shown(assignment), "shown": shown}
    with unit_of_work(deps.database, deed) as unit:
        locked = lock_agreement(unit.session, agreement.id)
        decided = suspense.decide(
            unit.session, assignment, shown_hash=shown, confirm=confirm, by=by(principal), now=now
        )
        if confirm:
            on = open_date(unit.session, tenant=agreement.tenant, clock=deps.clock)
            booked = suspense.book_assignment(unit.session, locked, decided, on=on, now=now)
            tell_received(unit.session, locked, booked, on=on, now=now)
            after = booked.booked.after
            deed.facts |= {
                "booked": booked.event.id,
                "status": after.status.value,
                "owedMinor": after.owed_now_minor,
                "news": booked.told.value if booked.told is not None else None,
            }
    return assignment_for(deps, principal, assignment_id)[0]
