"""What the routes of erasure and legal holds do: one unit of work each, bound to what was shown."""

from collections.abc import Callable
from typing import Any

from api.bodies import known_token
from api.deps import ApiDeps
from api.erasures.bodies import ErasureBody, HoldBody, ReleaseBody
from api.four_eyes import by, refuse_maker
from api.identity.principal import Principal
from api.parties.reveal import subject_for
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import Unit, unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.privacy.erasing import ErasureState, HoldState
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import NotFound, ShownChanged, WrongState
from models.operations import erasure, legal_holds
from models.operations.erasure import NewErasure, Word
from models.operations.idempotency import KeySlot, open_key
from models.operations.legal_holds import NewHold
from models.queries import erasure as erasures
from models.queries.retention import obstacles_of, periods_of
from models.tables.erasure import ErasureRequest, LegalHold

CREATED = 201
Along = Callable[[Unit], None]
"""What goes into the same commit, before the request moves: the inbox takes its task there, and keeps the decision."""


def alone(unit: Unit) -> None:
    """Nothing: the request was decided at its own address."""
    del unit


def request_for(deps: ApiDeps, principal: Principal, request_id: str) -> ErasureRequest:
    """The request that a path names; blocking.

    Raises:
        NotFound: there is none of the caller's institution.
    """
    with deps.database.read() as session:
        found = erasures.request_by_id(session, known_token(request_id), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def hold_for(deps: ApiDeps, principal: Principal, hold_id: str) -> LegalHold:
    """The hold that a path names; blocking.

    Raises:
        NotFound: there is none of the caller's institution.
    """
    with deps.database.read() as session:
        found = erasures.hold_by_id(session, known_token(hold_id), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def request_erasure(
    deps: ApiDeps, principal: Principal, subject_id: str, body: ErasureBody, *, slot: KeySlot, digest: str
) -> str:
    """Record a request, or its refusal; returns its id.

    Raises:
        NotFound, WrongState, Conflict: no such person, erased already, or a request is under way.
    """
    subject, _ = subject_for(deps, principal, known_token(subject_id))
    return request_for_person(deps, principal, subject.id, body, target=subject.id, slot=slot, digest=digest)


def request_for_person(
    deps: ApiDeps, principal: Principal, subject: str, body: ErasureBody, *, target: str, slot: KeySlot, digest: str
) -> str:
    """As `request_erasure`, for a person of the caller's institution whom a route has found; `target` is the event's.

    Raises:
        WrongState, Conflict: erased already, or a request is under way.
    """
    now, request_id = deps.clock(), new_token("era")
    cell = None
    if body.note is not None:
        address = CellAddress(principal.tenant, "erasure_requests", "note_cell", request_id, subject)
        cell = deps.vault.seal(address, body.note)
    new = NewErasure(
        id=request_id,
        tenant=principal.tenant,
        subject_id=subject,
        ground=body.ground,
        note_cell=cell,
        by=by(principal),
    )
    bound = shown_hash(erasure.shown(new))
    deed = _deed(deps, principal, "erasure.requested", target)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=request_id, now=now, status=CREATED)
        erasure.hold_person(unit.session, subject)
        standing = obstacles_of(unit.session, subject, tenant=principal.tenant, today=shanghai_date(now))
        periods = periods_of(unit.session, subject, tenant=principal.tenant)
        made = erasure.make(unit.session, new, shown_hash=bound, standing=standing, now=now, periods=periods)
        deed.facts = {"erasure": request_id, "ground": body.ground.value, "shown": bound}
        if made.state == ErasureState.REFUSED:
            deed.action = "erasure.refused"
            deed.facts["obstacles"] = made.obstacles
    return request_id


def endorse(
    deps: ApiDeps, principal: Principal, request_id: str, *, shown: str, along: Along = alone
) -> ErasureRequest:
    """Make a proposal one's own."""
    request = request_for(deps, principal, request_id)
    if request.subject_id is None:
        raise WrongState(params={"state": request.state})
    deed = _deed(deps, principal, "erasure.endorsed", request.id, shown=shown)
    with unit_of_work(deps.database, deed) as unit:
        erasure.hold_person(unit.session, request.subject_id, erased_too=True)
        along(unit)
        erasure.endorse(unit.session, request, shown_hash=shown, by=by(principal), now=deed.at)
    return request_for(deps, principal, request_id)


def decide(
    deps: ApiDeps,
    principal: Principal,
    request_id: str,
    *,
    shown: str,
    reason: str | None = None,
    along: Along = alone,
) -> ErasureRequest:
    """The second person's word: approved without a reason, rejected with one; a proposal can be rejected by one person.

    Raises:
        NotFound, FourEyesViolation, WrongState, ShownChanged: why not.
    """
    request = request_for(deps, principal, request_id)
    refuse_maker(deps, principal, shown_hash=request.shown_hash)
    waiting = erasure.waits_for_word(rejects=reason is not None)
    if request.state not in waiting or request.subject_id is None:
        raise WrongState(params={"state": request.state})
    if request.shown_hash != shown:
        raise ShownChanged
    deed = _deed(deps, principal, "erasure.approved" if reason is None else "erasure.rejected", request.id, shown=shown)
    with unit_of_work(deps.database, deed) as unit:
        erasure.hold_person(unit.session, request.subject_id, erased_too=True)
        along(unit)
        standing = obstacles_of(unit.session, request.subject_id, tenant=request.tenant, today=shanghai_date(deed.at))
        word = Word(by=by(principal), shown_hash=shown, reason_code=reason, standing=standing)
        decided = erasure.decide(unit.session, request, word, now=deed.at)
        if decided.state == ErasureState.REFUSED:
            deed.action = "erasure.refused"
            deed.facts["obstacles"] = decided.obstacles
        elif reason is not None:
            deed.facts["reason"] = reason
    return request_for(deps, principal, request_id)


def place_hold(
    deps: ApiDeps, principal: Principal, subject_id: str, body: HoldBody, *, slot: KeySlot, digest: str
) -> str:
    """Place a hold, which protects at once; returns its id.

    Raises:
        NotFound, WrongState: no such person, or erased already.
    """
    subject, _ = subject_for(deps, principal, known_token(subject_id))
    return hold_for_person(deps, principal, subject.id, body, target=subject.id, slot=slot, digest=digest)


def hold_for_person(
    deps: ApiDeps, principal: Principal, subject: str, body: HoldBody, *, target: str, slot: KeySlot, digest: str
) -> str:
    """As `place_hold`, for a person of the caller's institution whom a route has found; `target` is the event's.

    Raises:
        WrongState: erased already.
    """
    new = NewHold(
        id=new_token("lhd"),
        tenant=principal.tenant,
        subject_id=subject,
        reason=body.reason,
        reference=body.reference,
        by=by(principal),
    )
    shown = {"hold": new.id, "subject": new.subject_id, "reason": new.reason.value, "reference": new.reference}
    bound = shown_hash(shown)
    deed = _deed(deps, principal, "legal-hold.placed", target, **shown, shown=bound)
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=new.id, now=deed.at, status=CREATED)
        erasure.hold_person(unit.session, subject)
        legal_holds.place(unit.session, new, shown_hash=bound, now=deed.at)
    return new.id


def confirm_hold(deps: ApiDeps, principal: Principal, hold_id: str, *, shown: str, agree: bool) -> LegalHold:
    """The second person's word on a hold that was placed."""
    hold = hold_for(deps, principal, hold_id)
    refuse_maker(deps, principal, shown_hash=hold.shown_hash)
    action = "legal-hold.confirmed" if agree else "legal-hold.rejected"
    deed = _deed(deps, principal, action, hold.subject_id, hold=hold.id, shown=shown)
    with unit_of_work(deps.database, deed) as unit:
        legal_holds.confirm(unit.session, hold, agree=agree, shown_hash=shown, by=by(principal), now=deed.at)
    return hold_for(deps, principal, hold_id)


def ask_release(deps: ApiDeps, principal: Principal, hold_id: str, body: ReleaseBody) -> LegalHold:
    """Ask that a hold ends."""
    hold = hold_for(deps, principal, hold_id)
    deed = _deed(deps, principal, "legal-hold.release-asked", hold.subject_id, hold=hold.id, reason=body.reason.value)
    bound = shown_hash(legal_holds.shown_release(hold, reason=body.reason, asked_at=deed.at))
    deed.facts["shown"] = bound
    with unit_of_work(deps.database, deed) as unit:
        legal_holds.ask_release(
            unit.session, hold, reason=body.reason, release_hash=bound, by=by(principal), now=deed.at
        )
    return hold_for(deps, principal, hold_id)


def release_hold(deps: ApiDeps, principal: Principal, hold_id: str, *, shown: str, agree: bool) -> LegalHold:
    """The second person's word on a release."""
    hold = hold_for(deps, principal, hold_id)
    if hold.state != HoldState.RELEASE_ASKED or hold.release_hash is None:
        raise WrongState(params={"state": hold.state})
    refuse_maker(deps, principal, shown_hash=hold.release_hash)
    action = "legal-hold.released" if agree else "legal-hold.kept"
    deed = _deed(deps, principal, action, hold.subject_id, hold=hold.id, shown=shown)
    with unit_of_work(deps.database, deed) as unit:
        legal_holds.release(unit.session, hold, agree=agree, shown_hash=shown, by=by(principal), now=deed.at)
    return hold_for(deps, principal, hold_id)


def _deed(deps: ApiDeps, principal: Principal, action: str, target: str, **facts: Any) -> Deed:
    return Deed(
        tenant=principal.tenant, action=action, target=target, actor=principal.staff_id, at=deps.clock(), facts=facts
    )
