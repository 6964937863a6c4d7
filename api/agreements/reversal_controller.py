"""Reversals (冲正): asked for by a case officer, confirmed by an approver who is another person, then booked."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.agreements.access import agreement_for, deed_on, open_date, reversal_for
from api.agreements.answers import ReversalAnswer
from api.agreements.bodies import ReversalBody, SecondPersonBody
from api.agreements.views import reversal_answer
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
from models.errors import ShownChanged, WrongState
from models.operations import reversals
from models.operations.idempotency import KeySlot, open_key
from models.operations.money_notices import tell_reversed
from models.operations.payments import lock_agreement
from models.operations.reversals import PROPOSED
from models.tables.agreements import Agreement
from models.tables.reversals import Reversal

PATH = "/v1/reversals"


class AgreementReversalController(Controller):
    """Reversals that are asked for."""

    path = "/v1/agreements/{agreement_id:str}"
    tags = ("Agreements",)

    @post("/reversals", guards=[requires(Permission.REVERSALS_PROPOSE)], operation_id="ProposeReversal")
    async def propose(
        self,
        *,
        agreement_id: FromPath[str],
        data: JSONBody[ReversalBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[ReversalAnswer]:
        """Ask to take back money that was recorded by hand; nothing is booked before another person confirms."""
        agreement = await in_thread(agreement_for, deps, principal, agreement_id)
        slot = key_slot(principal, route=f"reversals.propose/{agreement.id}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(reversal_id: str) -> Stored:
            reversal, _ = reversal_for(deps, principal, reversal_id)
            return Stored(
                status=HTTPStatus.CREATED,
                body=reversal_answer(reversal, locale=locale).model_dump(mode="json"),
                headers={"Location": f"{PATH}/{reversal_id}"},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _propose(deps, principal, agreement, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )


class ReversalController(Controller):
    """Reversals that wait for, or have had, their second person."""

    path = f"{PATH}/{{reversal_id:str}}"
    tags = ("Agreements",)

    @get("/", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="GetReversal")
    def get_reversal(self, reversal_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> ReversalAnswer:
        """One reversal."""
        return reversal_answer(reversal_for(deps, principal, reversal_id)[0], locale=locale)

    @post(
        "/confirmation",
        guards=[requires(Permission.REVERSALS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmReversal",
    )
    def confirm(
        self,
        *,
        reversal_id: FromPath[str],
        data: JSONBody[SecondPersonBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> ReversalAnswer:
        """Confirm as the second person, and book it. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        decided = _decide(deps, principal, reversal_id, shown=data.shown_hash, confirm=True)
        return reversal_answer(decided, locale=locale)

    @post(
        "/rejection",
        guards=[requires(Permission.REVERSALS_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectReversal",
    )
    def reject(
        self,
        *,
        reversal_id: FromPath[str],
        data: JSONBody[SecondPersonBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> ReversalAnswer:
        """Reject as the second person; the books stay as they are."""
        decided = _decide(deps, principal, reversal_id, shown=data.shown_hash, confirm=False)
        return reversal_answer(decided, locale=locale)


def _propose(
    deps: ApiDeps, principal: Principal, agreement: Agreement, body: ReversalBody, *, slot: KeySlot, digest: str
) -> str:
    now, maker, reversal_id = deps.clock(), by(principal), new_token("rev")
    deed = deed_on(agreement, "reversal.proposed", by=principal, at=now)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=reversal_id, now=now, status=HTTPStatus.CREATED)
        locked = lock_agreement(unit.session, agreement.id)
        reversal = reversals.draft(
            unit.session,
            locked,
            reversal_id=reversal_id,
            event_id=body.event_id,
            reason_code=body.reason_code.value,
            by=maker,
            now=now,
        )
        reversal.shown_hash = shown_hash(reversals.shown(reversal))
        reversals.propose(unit.session, reversal, by=maker, now=now)
        deed.facts |= {**reversals.shown(reversal), "shown": reversal.shown_hash}
    return reversal_id


def _decide(deps: ApiDeps, principal: Principal, reversal_id: str, *, shown: str, confirm: bool) -> Reversal:
    """The second person's word.

    Raises:
        NotFound, FourEyesViolation, WrongState, ShownChanged: why not.
    """
    reversal, agreement = reversal_for(deps, principal, reversal_id)
    refuse_maker(deps, principal, shown_hash=reversal.shown_hash)
    if reversal.state != PROPOSED:
        raise WrongState(params={"state": reversal.state})
    if reversal.shown_hash != shown:
        raise ShownChanged
    now = deps.clock()
    action = "reversal.confirmed" if confirm else "reversal.rejected"
    deed = deed_on(agreement, action, by=principal, at=now)
    deed.facts |= {**reversals.shown(reversal), "shown": shown}
    with unit_of_work(deps.database, deed) as unit:
        locked = lock_agreement(unit.session, agreement.id)
        decided = reversals.decide(unit.session, reversal, shown_hash=shown, confirm=confirm, by=by(principal), now=now)
        if confirm:
            on = open_date(unit.session, tenant=agreement.tenant, clock=deps.clock)
            booked = reversals.book_reversal(unit.session, locked, decided, on=on, now=now)
            tell_reversed(unit.session, locked, decided, booked, now=now)
            after = booked.booked.after
            deed.facts |= {
                "booked": booked.event.id,
                "status": after.status.value,
                "owedMinor": after.owed_now_minor,
                "daysPastDue": after.days_past_due,
            }
    return reversal_for(deps, principal, reversal_id)[0]
