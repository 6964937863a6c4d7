"""Writes of a transfer's notices. Each change is a compare-and-set by the notice's version.

Who comes late changes nothing and is told so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Table, bindparam, or_, select, update
from sqlmodel import Session, col

from models.database.bulk import insert_many, insert_new, update_many
from models.domain.application import LinkPurpose
from models.domain.transfers.notice_course import AttemptState, Course
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import MoveState, NoticeState, RowOutcome
from models.tables.parties import CustomerLink
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.tables.transfer_telling import TransferNoticeText
from models.tables.transfers import TransferRow

_NOTICES: Final[Table] = TransferNotice.__table__  # type: ignore[attr-defined]
_ATTEMPTS: Final[Table] = TransferNoticeAttempt.__table__  # type: ignore[attr-defined]
_TEXTS: Final[Table] = TransferNoticeText.__table__  # type: ignore[attr-defined]
_LINKS: Final[Table] = CustomerLink.__table__  # type: ignore[attr-defined]
_STEP: Final = (
    update(_NOTICES)
    .where(_NOTICES.c.id == bindparam("b_id"), _NOTICES.c.version == bindparam("b_version"))
    .values(
        {
            name: bindparam(f"n_{name}")
            for name in ("state", "channel", "due_at", "evidence", "told_at", "attempts", "consent", "version")
        }
    )
)
_SETTLE: Final = (
    update(_ATTEMPTS)
    .where(_ATTEMPTS.c.id == bindparam("b_id"))
    .values(state=bindparam("n_state"), settled_at=bindparam("n_settled_at"), reason_code=bindparam("n_reason"))
)
# A try that was killed is over by then: longer than every time-out of a gateway together.
LEASE_S: Final = 120


def course_of(notice: TransferNotice) -> Course:
    """Where a notice stands, as the pure rules see it."""
    return Course(
        state=NoticeState(notice.state),
        way=Way(notice.channel or Way.PUBLIC),
        due_at=notice.due_at,
        tries=int(notice.evidence.get("tries", 0)),
        seen=bool(notice.evidence.get("seen", False)),
    )


def add_notices(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert notices that are not there yet; returns how many are new."""
    return len(insert_new(session, _NOTICES, rows))


def add_texts(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep words that are not kept yet: what a customer read never changes."""
    return len(insert_new(session, _TEXTS, rows))


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What one event does to a notice that was read in a version.

    Attributes:
        evidence: what is kept beside it; `tries` and `seen` come from the course.
        told: whether it is told by this event.
        untold: whether what told it was proved false.
    """

    notice: TransferNotice
    course: Course
    evidence: Mapping[str, Any]
    told: bool = False
    untold: bool = False
    attempts: int | None = None
    consent: str | None = None


def take_step(session: Session, step: Step, *, now: datetime) -> bool:
    """Bring a notice to its new course. False: somebody has changed it meanwhile, and nothing was done."""
    course = step.course
    values: dict[str, Any] = {
        "state": course.state.value,
        "channel": course.way.value,
        "due_at": course.due_at,
        "evidence": {**step.notice.evidence, **step.evidence, "tries": course.tries, "seen": course.seen},
        "version": step.notice.version + 1,
    }
    if step.told:
        values["told_at"] = now
    if step.untold:
        values["told_at"] = None
    if step.attempts is not None:
        values["attempts"] = step.attempts
    if step.consent is not None:
        values["consent"] = step.consent
    changed = session.execute(
        update(TransferNotice)
        .where(col(TransferNotice.id) == step.notice.id, col(TransferNotice.version) == step.notice.version)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def take_steps(session: Session, steps: Sequence[Step], *, now: datetime) -> set[str]:
    """As `take_step`, of different notices at once; the ids of those that nobody has changed meanwhile."""
    if not steps:
        return set()
    ids = [step.notice.id for step in steps]
    present = select(_NOTICES.c.id, _NOTICES.c.version).where(_NOTICES.c.id.in_(ids)).order_by(_NOTICES.c.id)
    versions = dict(cast("Sequence[tuple[str, int]]", session.connection().execute(present.with_for_update()).all()))
    mine = [step for step in steps if versions.get(step.notice.id) == step.notice.version]
    update_many(session, _STEP, [_stepped(step, now) for step in mine])
    return {step.notice.id for step in mine}


def _stepped(step: Step, now: datetime) -> dict[str, Any]:
    """Every column of a step; what it does not change is as it was read, in the version that still stands."""
    notice, course = step.notice, step.course
    told_at = None if step.untold else now if step.told else notice.told_at
    return {
        "b_id": notice.id,
        "b_version": notice.version,
        "n_state": course.state.value,
        "n_channel": course.way.value,
        "n_due_at": course.due_at,
        "n_evidence": {**notice.evidence, **step.evidence, "tries": course.tries, "seen": course.seen},
        "n_told_at": told_at,
        "n_attempts": notice.attempts if step.attempts is None else step.attempts,
        "n_consent": notice.consent if step.consent is None else step.consent,
        "n_version": notice.version + 1,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAttempt:
    """An attempt that is put on record before anything is sent, with the customer's link that it carries."""

    notice: TransferNotice
    id: str
    number: int
    channel: str
    link: str
    link_expires_at: datetime


def add_attempts(session: Session, attempts: Sequence[NewAttempt], *, branch: str, now: datetime) -> None:
    """Put attempts on record, each with its link."""
    insert_many(
        session,
        _ATTEMPTS,
        [
            {
                "id": each.id,
                "tenant": each.notice.tenant,
                "notice": each.notice.id,
                "number": each.number,
                "channel": each.channel,
                "state": AttemptState.SENDING.value,
                "reason_code": None,
                "at": now,
                "settled_at": None,
            }
            for each in attempts
        ],
    )
    insert_many(
        session,
        _LINKS,
        [
            {
                "id": each.link,
                "tenant": each.notice.tenant,
                "purpose": LinkPurpose.TRANSFER.value,
                "case_token": None,
                "branch": branch,
                "terms": {"attempt": each.id},
                "created_by": "workflow",
                "created_at": now,
                "expires_at": each.link_expires_at,
                "used_at": None,
            }
            for each in attempts
        ],
    )


# A bounce may come after a delivery, never the other way round.
_WEAKER: Final = {
    AttemptState.HANDED_OVER: (AttemptState.SENDING,),
    AttemptState.FAILED: (AttemptState.SENDING, AttemptState.HANDED_OVER),
    AttemptState.DELIVERED: (AttemptState.SENDING, AttemptState.HANDED_OVER, AttemptState.FAILED),
    AttemptState.BOUNCED: (
        AttemptState.SENDING,
        AttemptState.HANDED_OVER,
        AttemptState.FAILED,
        AttemptState.DELIVERED,
    ),
}


class Settled(NamedTuple):
    """What became of an attempt."""

    attempt: str
    state: AttemptState
    reason_code: str | None = None


def settle_attempts(session: Session, settled: Sequence[Settled], *, now: datetime) -> None:
    """As `settle_attempt`, of different attempts at once."""
    if not settled:
        return
    ids = [each.attempt for each in settled]
    present = select(_ATTEMPTS.c.id, _ATTEMPTS.c.state).where(_ATTEMPTS.c.id.in_(ids)).order_by(_ATTEMPTS.c.id)
    states = dict(cast("Sequence[tuple[str, str]]", session.connection().execute(present.with_for_update()).all()))
    values = [
        {"b_id": each.attempt, "n_state": each.state.value, "n_settled_at": now, "n_reason": each.reason_code}
        for each in settled
        if states.get(each.attempt) in _WEAKER[each.state]
    ]
    update_many(session, _SETTLE, values)


def settle_attempt(
    session: Session, attempt_id: str, *, state: AttemptState, now: datetime, reason_code: str | None = None
) -> bool:
    """What became of an attempt. A bounce may come after a delivery, never the other way round; False: no news."""
    changed = session.execute(
        update(TransferNoticeAttempt)
        .where(col(TransferNoticeAttempt.id) == attempt_id, col(TransferNoticeAttempt.state).in_(_WEAKER[state]))
        .values(state=state.value, settled_at=now, reason_code=reason_code)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)  # type: ignore[attr-defined]


def hold_row(session: Session, notice: TransferNotice, *, reason_code: str) -> bool:
    """Keep a row from moving whose customer does not consent. False: it has moved already, or is held."""
    held = session.execute(
        update(TransferRow)
        .where(
            col(TransferRow.job) == notice.job,
            # Rows that are the same person wait with it.
            or_(col(TransferRow.number) == notice.row_number, col(TransferRow.same_row) == notice.row_number),
            col(TransferRow.outcome).in_([RowOutcome.ACCEPTED.value, RowOutcome.MERGED.value]),
            col(TransferRow.move).in_([MoveState.WAITING.value, MoveState.UNDONE.value]),
        )
        .values(outcome=RowOutcome.HELD.value, reason_code=reason_code, version=TransferRow.version + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(held.rowcount)  # type: ignore[attr-defined]
