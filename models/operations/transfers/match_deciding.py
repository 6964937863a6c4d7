"""What people do with pairs: say same or different, take a merge apart, check a sample of the automatic ones.

Calling a pair with a veto one person takes two persons. Whatever is decided, the row follows by `settle`.
"""

from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, select, update

from models.domain.matching.policy import is_high_risk
from models.domain.matching.sampling import SAMPLE_RIGHT, SAMPLE_WRONG
from models.domain.states import Outcome
from models.domain.transfers.states import MatchVerdict, MoveState
from models.errors import FourEyesViolation, NotFound, WrongState
from models.operations.four_eyes import stand_as_makers
from models.operations.transfers.match_writing import close_review, review_task, settle_rows
from models.tables.tasks import Task
from models.tables.transfers import TransferJob, TransferPair, TransferRow

_MERGED: Final = (MatchVerdict.AUTO.value, MatchVerdict.SAME.value)
_BEFORE_MOVING: Final = (MoveState.WAITING.value, MoveState.UNDONE.value)


def decide_by_task(
    session: Session, task: Task, outcome: Outcome, *, reason: str, staff_id: str, person_id: str, now: datetime
) -> dict[str, Any]:
    """Apply what a person has said about the pair of a task; returns facts for the event.

    Raises:
        WrongState: the pair waits for nobody any more.
        FourEyesViolation: the same person stands as the first and the second.
    """
    pair = _held(session, str(task.shown["pair"]))
    if pair.verdict != MatchVerdict.REVIEW.value or pair.task_id != task.id:
        raise WrongState(params={"state": pair.verdict})
    first = pair.decided_by is None
    if outcome is Outcome.SAME and is_high_risk(pair.vetoes) and first:
        return _first_word(session, pair, reason=reason, staff_id=staff_id, person_id=person_id, now=now)
    if not first:
        if pair.decided_by == staff_id:
            raise FourEyesViolation
        pair.second_by = staff_id
    else:
        pair.decided_by = staff_id
    pair.verdict = (MatchVerdict.SAME if outcome is Outcome.SAME else MatchVerdict.DIFFERENT).value
    pair.reason_code, pair.decided_at, pair.task_id = reason, now, None
    session.add(pair)
    session.flush()
    return _facts(session, pair)


def _first_word(
    session: Session, pair: TransferPair, *, reason: str, staff_id: str, person_id: str, now: datetime
) -> dict[str, Any]:
    """One person calls a risky pair one person: another one is asked the same."""
    pair.decided_by, pair.reason_code = staff_id, reason
    job = session.get_one(TransferJob, pair.job)
    second = review_task(session, job, pair, now=now, excluded=[person_id])
    stand_as_makers(session, tenant=pair.tenant, subject=second.shown_hash, persons=(person_id,), now=now)
    pair.task_id = second.id
    session.add(pair)
    session.flush()
    return {"pair": pair.id, "verdict": pair.verdict, "second": second.id}


def unmerge(
    session: Session, pair_id: str, *, tenant: str, reason: str, staff_id: str, now: datetime
) -> dict[str, Any]:
    """Take a merge apart: the row is again what its other pairs say. Repeating it changes nothing.

    Raises:
        NotFound: no such pair.
        WrongState: the two are not merged; or a wave has moved the row, which has to be rolled back first.
    """
    pair = _held(session, pair_id, tenant=tenant)
    if pair.verdict == MatchVerdict.UNMERGED.value:
        return {"pair": pair.id, "verdict": pair.verdict, "outcomes": {}}
    if pair.verdict not in _MERGED:
        raise WrongState(params={"state": pair.verdict})
    _take_apart(session, pair, reason=reason, staff_id=staff_id, now=now)
    return _facts(session, pair)


def check_sampled(
    session: Session, pair_id: str, *, tenant: str, right: bool, staff_id: str, now: datetime
) -> dict[str, Any]:
    """Note whether an automatic merge of the audit sample is right; a wrong one is taken apart.

    Raises:
        NotFound: no such pair.
        WrongState: no automatic merge, or checked already; or the row has moved and must be rolled back first.
    """
    pair = _held(session, pair_id, tenant=tenant)
    if pair.verdict != MatchVerdict.AUTO.value or pair.reason_code is not None:
        raise WrongState(params={"state": pair.reason_code or pair.verdict})
    if right:
        pair.reason_code, pair.decided_by, pair.decided_at = SAMPLE_RIGHT, staff_id, now
        session.add(pair)
        session.flush()
        return {"pair": pair.id, "check": SAMPLE_RIGHT}
    _take_apart(session, pair, reason=SAMPLE_WRONG, staff_id=staff_id, now=now)
    return _facts(session, pair) | {"check": SAMPLE_WRONG}


def _take_apart(session: Session, pair: TransferPair, *, reason: str, staff_id: str, now: datetime) -> None:
    """Set a merge back. Raises `WrongState` where a wave has moved the row: the compare-and-set asks in one go."""
    held = session.execute(
        update(TransferRow)
        .where(
            col(TransferRow.job) == pair.job,
            col(TransferRow.number) == pair.row_number,
            col(TransferRow.move).in_(_BEFORE_MOVING),
        )
        .values(version=TransferRow.version + 1)
        .execution_options(synchronize_session=False)
    )
    if not held.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise WrongState(
            detail=f"row {pair.row_number} has moved: roll its record back first", params={"state": "moved"}
        )
    close_review(session, pair, now=now)
    pair.verdict, pair.reason_code, pair.decided_at = MatchVerdict.UNMERGED.value, reason, now
    if pair.decided_by is None:
        pair.decided_by = staff_id
    else:
        pair.second_by = staff_id
    session.add(pair)
    session.flush()


def _facts(session: Session, pair: TransferPair) -> dict[str, Any]:
    outcomes = settle_rows(session, pair.job, [pair.row_number])
    return {"pair": pair.id, "verdict": pair.verdict, "reason": pair.reason_code, "outcomes": outcomes}


def _held(session: Session, pair_id: str, *, tenant: str | None = None) -> TransferPair:
    wanted = select(TransferPair).where(col(TransferPair.id) == pair_id).with_for_update()
    if tenant is not None:
        wanted = wanted.where(col(TransferPair.tenant) == tenant)
    pair = session.exec(wanted.execution_options(populate_existing=True)).one_or_none()
    if pair is None:
        raise NotFound(detail=pair_id)
    return pair
