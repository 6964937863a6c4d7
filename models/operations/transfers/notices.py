"""Writes of a transfer's notices. Each change is a compare-and-set by the notice's version.

Who comes late changes nothing and is told so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, update

from models.domain.application import LinkPurpose
from models.domain.transfers.notice_course import AttemptState, Course
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import MoveState, NoticeState, RowOutcome
from models.tables.parties import CustomerLink
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.tables.transfers import TransferRow

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
    return _insert(session, TransferNotice, rows)


def add_texts(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    """Keep words that are not kept yet: what a customer read never changes."""
    return _insert(session, model, rows)


def _insert(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> int:
    if not rows:
        return 0
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    once = insert(model).values([dict(row) for row in rows]).on_conflict_do_nothing()
    return len(session.execute(once.returning(model.id)).all())


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
    changed = session.exec(
        update(TransferNotice)
        .where(col(TransferNotice.id) == step.notice.id, col(TransferNotice.version) == step.notice.version)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


def add_attempt(
    session: Session, notice: TransferNotice, *, id: str, number: int, channel: str, now: datetime, **values: Any
) -> None:
    """Put an attempt on record, before anything is sent."""
    session.add(
        TransferNoticeAttempt(
            id=id,
            tenant=notice.tenant,
            notice=notice.id,
            number=number,
            channel=channel,
            at=now,
            **({"state": AttemptState.SENDING.value} | values),
        )
    )


def settle_attempt(
    session: Session, attempt_id: str, *, state: AttemptState, now: datetime, reason_code: str | None = None
) -> bool:
    """What became of an attempt. A bounce may come after a delivery, never the other way round; False: no news."""
    weaker = {
        AttemptState.HANDED_OVER: [AttemptState.SENDING],
        AttemptState.FAILED: [AttemptState.SENDING, AttemptState.HANDED_OVER],
        AttemptState.DELIVERED: [AttemptState.SENDING, AttemptState.HANDED_OVER, AttemptState.FAILED],
        AttemptState.BOUNCED: [
            AttemptState.SENDING,
            AttemptState.HANDED_OVER,
            AttemptState.FAILED,
            AttemptState.DELIVERED,
        ],
    }[state]
    changed = session.exec(
        update(TransferNoticeAttempt)
        .where(col(TransferNoticeAttempt.id) == attempt_id, col(TransferNoticeAttempt.state).in_(weaker))
        .values(state=state.value, settled_at=now, reason_code=reason_code)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


def add_link(
    session: Session, *, id: str, tenant: str, branch: str, attempt: str, expires_at: datetime, now: datetime
) -> None:
    """The customer's link of an attempt."""
    session.add(
        CustomerLink(
            id=id,
            tenant=tenant,
            purpose=LinkPurpose.TRANSFER,
            branch=branch,
            terms={"attempt": attempt},
            created_by="workflow",
            created_at=now,
            expires_at=expires_at,
        )
    )


def hold_row(session: Session, notice: TransferNotice, *, reason_code: str) -> bool:
    """Keep a row from moving whose customer does not consent. False: it has moved already, or is held."""
    held = session.exec(
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
    return bool(held.rowcount)
