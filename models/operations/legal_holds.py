"""Legal holds (法律保全) by two persons: placed at once, confirmed or rejected by another; released by two likewise."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlmodel import Session, col

from models.domain.privacy.erasing import HoldReason, HoldState, ReleaseReason
from models.errors import WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.tables.erasure import LegalHold


@dataclass(frozen=True, kw_only=True, slots=True)
class NewHold:
    """A hold to be placed; `reference` names the matter."""

    id: str
    tenant: str
    subject_id: str
    reason: HoldReason
    reference: str | None
    by: By


@dataclass(frozen=True, kw_only=True, slots=True)
class _Turn:
    """From which state a second person's word leads where, and to what it is bound."""

    before: HoldState
    after: HoldState
    bound_to: str  # the column with the hash of what was shown
    who: str
    when: str


_CONFIRM: Final = _Turn(
    before=HoldState.PLACED, after=HoldState.CONFIRMED, bound_to="shown_hash", who="confirmed_by", when="confirmed_at"
)
_REJECT: Final = _Turn(
    before=HoldState.PLACED, after=HoldState.REJECTED, bound_to="shown_hash", who="confirmed_by", when="ended_at"
)
_RELEASE: Final = _Turn(
    before=HoldState.RELEASE_ASKED,
    after=HoldState.RELEASED,
    bound_to="release_hash",
    who="released_by",
    when="ended_at",
)
_KEEP: Final = _Turn(
    before=HoldState.RELEASE_ASKED,
    after=HoldState.CONFIRMED,
    bound_to="release_hash",
    who="confirmed_by",
    when="confirmed_at",
)


def shown(hold: LegalHold) -> dict[str, object]:
    """What is placed, as both persons see it."""
    return {"hold": hold.id, "subject": hold.subject_id, "reason": hold.reason_code, "reference": hold.reference}


def shown_release(hold: LegalHold, *, reason: ReleaseReason, asked_at: datetime) -> dict[str, object]:
    """The release, as both persons see it; each asking is another."""
    return shown(hold) | {"release": reason.value, "askedAt": asked_at.isoformat()}


def place(session: Session, new: NewHold, *, shown_hash: str, now: datetime) -> LegalHold:
    """Place a hold; it protects from now on, whatever the second person will say."""
    hold = LegalHold(
        id=new.id,
        tenant=new.tenant,
        subject_id=new.subject_id,
        reason_code=new.reason.value,
        reference=new.reference,
        state=HoldState.PLACED.value,
        shown_hash=shown_hash,
        placed_by=new.by.staff_id,
        placed_at=now,
    )
    session.add(hold)
    session.flush()
    _stand_as_maker(session, hold, subject=shown_hash, by=new.by, now=now)
    session.flush()
    return hold


def ask_release(
    session: Session, hold: LegalHold, *, reason: ReleaseReason, release_hash: str, by: By, now: datetime
) -> LegalHold:
    """Ask that a confirmed hold ends; it goes on standing until another person has agreed.

    Raises:
        WrongState: the hold is not confirmed.
    """
    asked = session.exec(
        update(LegalHold)
        .where(col(LegalHold.id) == hold.id, col(LegalHold.state) == HoldState.CONFIRMED)
        .values(
            state=HoldState.RELEASE_ASKED.value,
            release_reason=reason.value,
            release_hash=release_hash,
            release_asked_by=by.staff_id,
            release_asked_at=now,
        )
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(LegalHold, hold.id, populate_existing=True)
    if not asked:
        raise WrongState(params={"state": after.state})
    _stand_as_maker(session, after, subject=release_hash, by=by, now=now)
    session.flush()
    return after


def confirm(session: Session, hold: LegalHold, *, agree: bool, shown_hash: str, by: By, now: datetime) -> LegalHold:
    """The second person's word on a hold that was placed; if they do not agree, it ends.

    Raises:
        FourEyesViolation, WrongState, ShownChanged: why not.
    """
    return _turn(session, hold, _CONFIRM if agree else _REJECT, shown_hash=shown_hash, by=by, now=now)


def release(session: Session, hold: LegalHold, *, agree: bool, shown_hash: str, by: By, now: datetime) -> LegalHold:
    """The second person's word on a release; if they do not agree, the hold stands as before.

    Raises:
        FourEyesViolation, WrongState, ShownChanged: why not.
    """
    return _turn(session, hold, _RELEASE if agree else _KEEP, shown_hash=shown_hash, by=by, now=now)


def _turn(session: Session, hold: LegalHold, turn: _Turn, *, shown_hash: str, by: By, now: datetime) -> LegalHold:
    bound = getattr(LegalHold, turn.bound_to)
    barred = is_maker(shown_hash=shown_hash, person_id=by.person_id)
    turned = session.exec(
        update(LegalHold)
        .where(col(LegalHold.id) == hold.id, col(LegalHold.state) == turn.before, bound == shown_hash, ~barred)
        .values({"state": turn.after.value, turn.who: by.staff_id, turn.when: now})
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(LegalHold, hold.id, populate_existing=True)
    if not turned:
        raise why_not(
            session,
            state=after.state,
            waiting=turn.before,
            shown_hash=str(getattr(after, turn.bound_to)),
            person_id=by.person_id,
        )
    stand_as_checker(
        session, tenant=after.tenant, subject=shown_hash, person_id=by.person_id, record_id=after.id, now=now
    )
    return after


def _stand_as_maker(session: Session, hold: LegalHold, *, subject: str, by: By, now: datetime) -> None:
    stand_as_maker(session, tenant=hold.tenant, subject=subject, person_id=by.person_id, record_id=hold.id, now=now)
