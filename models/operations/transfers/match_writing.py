"""Writes of duplicate detection: tokens, pairs, the outcome of rows, the tasks of pairs that a person decides."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, delete, func, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.canonical import digest
from models.domain.matching.settling import Stands, is_proven, row_name, settle, with_ambiguity
from models.domain.roles import CANDIDATE_ROLE
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.domain.tokens import named_token
from models.domain.transfers.states import MatchVerdict
from models.tables.tasks import Task
from models.tables.transfer_scopes import in_question
from models.tables.transfers import TransferJob, TransferPair, TransferRow, TransferToken

MATCHING: Final = "matching"  # where a job's counts keep the figures of this step
_REVIEW_WITHIN: Final = timedelta(days=5)
_PRIORITY: Final = 50
_RISKY: Final = 60
# Past the compiler of statements, which would take as long as the database.
_INTO_TOKENS: Final = (
    "INSERT INTO transfer_record_tokens (job, record, tokens) VALUES ({0}, {0}, {0}) "
    "ON CONFLICT (job, record) DO UPDATE SET tokens = excluded.tokens"
)
_ROWS: Final = TransferRow.__table__  # type: ignore[attr-defined]
_SETTLE: Final = (
    update(_ROWS)
    .where(
        _ROWS.c.job == bindparam("of_job"),
        _ROWS.c.number == bindparam("of_number"),
        _ROWS.c.version == bindparam("of_version"),
    )
    .values({name: bindparam(name) for name in ("outcome", "reason_code", "target_record", "same_row", "version")})
)
_PAIRS: Final = TransferPair.__table__  # type: ignore[attr-defined]
_AT_ONCE: Final = 500


@dataclass(frozen=True, kw_only=True, slots=True)
class NewPair:
    """A pair that is worth keeping. `weights` is field → [level, milli-bits]."""

    row: int
    other: str
    score: int
    weights: Mapping[str, Any]
    vetoes: tuple[str, ...]
    verdict: MatchVerdict


def pair_id(job: str, row: int, other: str) -> str:
    """A pair is called by its job and its two records, so that a repeated step makes no second one."""
    return named_token("tpr", f"{job}/{row}/{other}")


def put_tokens(session: Session, job: str, tokens: Mapping[str, bytes]) -> int:
    """Give records their tokens, packed, instead of those that they had; returns how many records there are."""
    if tokens:
        connection = session.connection()
        mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
        connection.exec_driver_sql(_INTO_TOKENS.format(mark), [(job, record, row) for record, row in tokens.items()])
    return len(tokens)


def drop_tokens(session: Session, job: str, *, limit: int) -> int:
    """Take away some of a job's tokens; returns how many."""
    records = session.exec(select(TransferToken.record).where(col(TransferToken.job) == job).limit(limit)).all()
    if not records:
        return 0
    gone = session.execute(
        delete(TransferToken).where(col(TransferToken.job) == job, col(TransferToken.record).in_(set(records)))
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]  # a DELETE gives a CursorResult


def note_figures(session: Session, job: str, figures: Mapping[str, Any]) -> dict[str, Any]:
    """Set figures of matching in the job's counts; returns all of them."""
    row = session.exec(
        select(TransferJob)
        .where(col(TransferJob.token) == job)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    known = {**row.counts.get(MATCHING, {}), **figures}
    row.counts = {**row.counts, MATCHING: known}
    session.add(row)
    session.flush()
    return known


def figures_of(job: TransferJob) -> dict[str, Any]:
    """What is known of a job's matching so far."""
    return dict(job.counts.get(MATCHING, {}))


def keep_pairs(session: Session, job: TransferJob, pairs: Sequence[NewPair]) -> int:
    """Keep pairs that are not there yet; returns how many are new. What was decided about a pair stays."""
    rows = {
        pair_id(job.token, pair.row, pair.other): {
            "tenant": job.tenant,
            "job": job.token,
            "row_number": pair.row,
            "other": pair.other,
            "score_milli": pair.score,
            "weights": dict(pair.weights),
            "vetoes": list(pair.vetoes),
            "verdict": pair.verdict.value,
        }
        for pair in pairs
    }
    there = {pair.id for pair in _pairs_by_id(session, rows)}
    new = [{"id": name, **row} for name, row in rows.items() if name not in there]
    if new:
        insert_once = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.connection().execute(insert_once(_PAIRS).on_conflict_do_nothing(), new)
    return len(new)


def open_reviews(session: Session, job: TransferJob, ids: Collection[str], *, now: datetime) -> int:
    """Ask a person about each of these pairs that waits for one and has no open task; returns how many are new."""
    made = 0
    for pair in _pairs_by_id(session, ids):
        if pair.verdict == MatchVerdict.REVIEW.value and pair.task_id is None:
            pair.task_id = review_task(session, job, pair, now=now).id
            session.add(pair)
            made += 1
    session.flush()
    return made


def review_task(
    session: Session, job: TransferJob, pair: TransferPair, *, now: datetime, excluded: Sequence[str] = ()
) -> Task:
    """A new task about a pair; `excluded` are persons who may not decide it. Repeated, it is the one that is open."""
    row = session.get_one(TransferRow, (pair.job, pair.row_number))
    workflow_id = f"transfer-matches/{pair.id}/{row.subject_id}"
    known = session.exec(
        select(Task).where(col(Task.workflow_id) == workflow_id).order_by(col(Task.task_no).desc()).limit(1)
    ).first()
    if known is not None and known.state in OPEN_TASK_STATES:
        return known
    number = 1 if known is None else known.task_no + 1
    shown = {
        "job": pair.job,
        "pair": pair.id,
        "row": pair.row_number,
        "other": pair.other,
        "scoreMilli": pair.score_milli,
        "weights": pair.weights,
        "vetoes": pair.vetoes,
        "look": number,
    }
    task = Task(
        id=named_token("tsk", f"{workflow_id}/{number}"),
        tenant=job.tenant,
        workflow_id=workflow_id,
        task_no=number,
        type=TaskType.MATCH_REVIEW.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.MATCH_REVIEW].value,
        branch=job.branch,
        priority=_RISKY if pair.vetoes else _PRIORITY,
        due_at=now + _REVIEW_WITHIN,
        title_params={"row": pair.row_number},
        shown=shown,
        shown_hash=digest(shown),
        excluded_persons=list(excluded),
        created_at=now,
        updated_at=now,
    )
    session.add(task)
    session.flush()
    return task


def close_review(session: Session, pair: TransferPair, *, now: datetime) -> None:
    """Whatever was asked about a pair needs no answer any more."""
    if pair.task_id is None:
        return
    session.execute(
        update(Task)
        .where(col(Task.id) == pair.task_id, col(Task.state).in_(OPEN_TASK_STATES))
        .values(state=TaskState.CANCELLED.value, version=Task.version + 1, updated_at=now, closed_at=now)
        .execution_options(synchronize_session=False)
    )
    pair.task_id = None
    session.add(pair)
    session.flush()


def settle_rows(session: Session, job: str, numbers: Collection[int]) -> dict[str, int]:
    """Bring rows to what their pairs say; returns how many changed, by outcome. Rows that have moved stay."""
    changed: dict[str, int] = defaultdict(int)
    pairs, wanted, updates = _pairs_of_rows(session, job, numbers), sorted(numbers), []
    for first in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(
            _ROWS.select()
            .with_only_columns(
                _ROWS.c.number, _ROWS.c.outcome, _ROWS.c.target_record, _ROWS.c.same_row, _ROWS.c.version
            )
            .where(_ROWS.c.job == job, _ROWS.c.number.in_(wanted[first : first + _AT_ONCE]), *in_question())
            .with_for_update()
        )
        for number, outcome, target, same_row, version in rows:
            settled = settle(pairs.get(number, ()))
            if (settled.outcome, settled.target_record, settled.same_row) != (outcome, target, same_row):
                updates.append(
                    {
                        "of_job": job,
                        "of_number": number,
                        "of_version": version,
                        "outcome": settled.outcome.value,
                        "reason_code": settled.reason,
                        "target_record": settled.target_record,
                        "same_row": settled.same_row,
                        "version": version + 1,
                    }
                )
                changed[settled.outcome.value] += 1
    if updates:
        session.connection().execute(_SETTLE, updates)
    return dict(changed)


def _pairs_of_rows(session: Session, job: str, numbers: Collection[int]) -> dict[int, list[Stands]]:
    found: dict[int, list[Stands]] = defaultdict(list)
    wanted = sorted(numbers)
    for first in range(0, len(wanted), _AT_ONCE):
        rows = session.execute(
            select(TransferPair.row_number, TransferPair.other, TransferPair.score_milli, TransferPair.verdict).where(
                col(TransferPair.job) == job, col(TransferPair.row_number).in_(wanted[first : first + _AT_ONCE])
            )
        )
        for number, other, score, verdict in rows:
            found[number].append(Stands(other, score, MatchVerdict(verdict)))
    return found


def _pairs_by_id(session: Session, ids: Collection[str]) -> list[TransferPair]:
    wanted = sorted(ids)
    return [
        pair
        for first in range(0, len(wanted), _AT_ONCE)
        for pair in session.exec(
            select(TransferPair)
            .where(col(TransferPair.id).in_(wanted[first : first + _AT_ONCE]))
            .order_by(col(TransferPair.id))
        )
    ]


def targets_of_many(session: Session, job: str, *, after: str, limit: int) -> Sequence[str]:
    """Records into which several rows would be merged by themselves, by name."""
    return session.exec(
        select(TransferPair.other)
        .where(
            col(TransferPair.job) == job,
            col(TransferPair.verdict) == MatchVerdict.AUTO.value,
            col(TransferPair.other) > after,
        )
        .group_by(col(TransferPair.other))
        .having(func.count() > 1)
        .order_by(col(TransferPair.other))
        .limit(limit)
    ).all()


def demote_ambiguous(session: Session, job: TransferJob, other: str, *, now: datetime) -> set[int]:
    """Of rows that fit one record but are not one person themselves, none is merged without a proven number.

    Returns:
        The rows whose pair goes to a person now.
    """
    pairs = session.exec(
        select(TransferPair).where(
            col(TransferPair.job) == job.token,
            col(TransferPair.other) == other,
            col(TransferPair.verdict) == MatchVerdict.AUTO.value,
        )
    ).all()
    rows = {pair.row_number for pair in pairs}
    barred = session.exec(
        select(TransferPair.vetoes).where(
            col(TransferPair.job) == job.token,
            col(TransferPair.row_number).in_(rows),
            col(TransferPair.other).in_([row_name(number) for number in rows]),
        )
    ).all()
    if not any(barred):
        return set()
    demoted = set()
    for pair in pairs:
        if not is_proven(pair.weights["identity"][0]):
            pair.verdict, pair.vetoes = MatchVerdict.REVIEW.value, with_ambiguity(pair.vetoes)
            session.add(pair)
            demoted.add(pair.row_number)
    session.flush()
    open_reviews(session, job, [pair.id for pair in pairs if pair.row_number in demoted], now=now)
    return demoted
