"""The facts of an audit report, gathered from the records of one job. Counts, codes and hashes; nothing is opened."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists
from sqlmodel import Session, case, col, func, select

from models.domain.states import OPEN_TASK_STATES, DecisionState
from models.domain.transfers.report import (
    Approval,
    BackupFact,
    FollowUpFact,
    GateAnswer,
    Hop,
    IncidentFact,
    MatchFact,
    QualityLine,
    SourceFact,
    WaveFact,
)
from models.domain.transfers.report_intervals import share_interval
from models.domain.transfers.states import MatchVerdict, MoveState, RowOutcome, Side
from models.tables.all import METADATA
from models.tables.customers import CustomerRecord
from models.tables.incidents import IncidentReport, SecurityIncident
from models.tables.installments import RuleVerdict
from models.tables.tasks import Decision, Task
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfers import (
    TransferBackup,
    TransferChange,
    TransferJob,
    TransferPair,
    TransferRow,
    TransferSource,
    TransferToken,
    TransferWave,
)

QUALITY_TABLE: Final = "transfer_quality"
PLAN_APPROVAL: Final = "transfers.plan-approval"
# Asked by the job's own workflow, which waits for them by itself; all others are tasks about single records.
_STEP_TASKS: Final = tuple(
    f"transfers.{name}"
    for name in ("classification", "gate", "plan-approval", "go-no-go", "wave-stopped", "rollback", "close")
)


def job_decisions(session: Session, job: str) -> Sequence[tuple[Decision, Task | None]]:
    """What persons decided about the job, the oldest first, with the task it was about."""
    return [
        (decision, task)
        for decision, task in session.exec(
            select(Decision, Task)
            .outerjoin(Task, col(Task.id) == col(Decision.task_id))
            .where(Decision.case_token == job, col(Decision.staff_id).is_not(None))
            .order_by(col(Decision.created_at), col(Decision.id))
        ).all()
    ]


def approvals_of(session: Session, job: TransferJob) -> tuple[Approval, ...]:
    """Both companies' accepted decisions on the plan as it stands. The task says for which company each is."""
    found = []
    for decision, task in job_decisions(session, job.token):
        if task is None or task.type != PLAN_APPROVAL or decision.state == DecisionState.REFUSED:
            continue
        if task.shown.get("planHash", job.plan_hash) != job.plan_hash:
            continue  # of a plan that was changed since: nobody has approved this one by it
        company = task.shown.get("side")
        by_tenant = job.source_tenant is not None and decision.tenant == job.source_tenant != job.tenant
        of_source = company == Side.SOURCE or (company is None and by_tenant)
        found.append(
            Approval(
                company=(Side.SOURCE if of_source else Side.TARGET).value,
                task=task.type,
                staff=decision.staff_id,
                decision=decision.id,
                outcome=decision.outcome,
                shown=decision.shown_hash,
                at=decision.created_at,
            )
        )
    return tuple(found)


def gates_of(session: Session, job: str) -> tuple[GateAnswer, ...]:
    """The last answer of every rule at every gate of the job."""
    rows = session.exec(
        select(RuleVerdict)
        .where(RuleVerdict.case_token == job)
        .order_by(col(RuleVerdict.evaluated_at), col(RuleVerdict.gate_key), col(RuleVerdict.rule_id))
    ).all()
    newest = {(row.gate, row.rule_id): row for row in rows}
    return tuple(
        GateAnswer(
            gate=row.gate,
            rule=row.rule_id,
            rule_set=row.rule_set_version,
            result=row.result,
            severity=row.severity,
            reason=row.reason,
            missing=tuple(row.missing),
            inputs_hash=row.inputs_hash,
            as_of=row.as_of,
            at=row.evaluated_at,
        )
        for _, row in sorted(newest.items())
    )


def backups_of(session: Session, job: str) -> tuple[BackupFact, ...]:
    """The backups of both sides."""
    rows = session.exec(
        select(TransferBackup)
        .where(TransferBackup.job == job)
        .order_by(col(TransferBackup.side), col(TransferBackup.number))
    ).all()
    return tuple(
        BackupFact(
            side=row.side,
            number=row.number,
            state=row.state,
            records=row.records,
            root=row.root,
            manifest_hash=row.manifest_hash,
            fault=str(row.fault.get("code", "unnamed")) if row.fault else None,
            made_at=row.made_at,
            proven_at=row.proven_at,
        )
        for row in rows
    )


def sources_of(session: Session, job: str) -> tuple[SourceFact, ...]:
    """Every source and where its rows ended, counted row by row and never taken from a note."""
    counted: dict[tuple[str, str | None], int] = {
        (source, outcome): count
        for source, outcome, count in session.exec(
            select(TransferRow.source, TransferRow.outcome, func.count())
            .where(TransferRow.job == job)
            .group_by(col(TransferRow.source), col(TransferRow.outcome))
        ).all()
    }
    rows = session.exec(
        select(TransferSource).where(TransferSource.job == job).order_by(col(TransferSource.number))
    ).all()
    return tuple(
        SourceFact(
            number=row.number,
            kind=row.kind,
            read=row.read_rows,
            accepted=counted.get((row.id, RowOutcome.ACCEPTED), 0),
            rejected=counted.get((row.id, RowOutcome.REJECTED), 0),
            merged=counted.get((row.id, RowOutcome.MERGED), 0),
            held=counted.get((row.id, RowOutcome.HELD), 0),
            undecided=counted.get((row.id, None), 0),
            mapping_hash=row.mapping_hash,
            finished=row.finished_at is not None,
        )
        for row in rows
    )


def hops_of(session: Session, job: str, sources: Sequence[SourceFact]) -> tuple[Hop, ...]:
    """Conservation at every border (逐跳守恒): read → decided → moved → in the journal → in the book."""
    ends = ("accepted", "rejected", "merged", "held", "undecided")
    read = Hop(
        name="read",
        taken=sum(each.read for each in sources),
        parts=tuple((end, sum(getattr(each, end) for each in sources)) for end in ends),
    )
    goes = and_(col(TransferRow.job) == job, col(TransferRow.outcome).in_((RowOutcome.ACCEPTED, RowOutcome.MERGED)))
    waved = case((col(TransferRow.wave).is_(None), "without-wave"), else_=TransferRow.move)
    moves = _counted(session, waved, goes)
    moved = Hop(
        name="moved",
        taken=sum(each.accepted + each.merged for each in sources),
        parts=tuple((name, moves.get(name, 0)) for name in (*(state.value for state in MoveState), "without-wave")),
    )
    kinds = _counted(
        session, TransferChange.kind, and_(col(TransferChange.job) == job, col(TransferChange.undone_at).is_(None))
    )
    journal = Hop(
        name="journal",
        taken=moves.get(MoveState.MOVED, 0),
        parts=(
            ("insert", kinds.get("insert", 0)),
            ("update", kinds.get("update", 0)),
            ("unchanged", _unchanged(session, job)),
        ),
    )
    arrived = session.exec(select(func.count()).select_from(CustomerRecord).where(CustomerRecord.origin == job)).one()
    book = Hop(name="book", taken=kinds.get("insert", 0), parts=(("in-book", arrived),))
    return read, moved, journal, book


def _unchanged(session: Session, job: str) -> int:
    """Merged rows that told the book nothing new: they alone may have moved without a line in the journal."""
    line = exists().where(
        col(TransferChange.job) == col(TransferRow.job),
        col(TransferChange.row_number) == col(TransferRow.number),
        col(TransferChange.undone_at).is_(None),
    )
    return session.exec(
        select(func.count())
        .select_from(TransferRow)
        .where(
            TransferRow.job == job,
            TransferRow.outcome == RowOutcome.MERGED,
            TransferRow.move == MoveState.MOVED,
            ~line,
        )
    ).one()


def quality_of(session: Session, job: TransferJob) -> tuple[QualityLine, ...]:
    """Data quality as the two reports of the job counted it: by rule, and by field what is missing or not valid."""
    table = METADATA.tables.get(QUALITY_TABLE)
    if table is None:
        return ()
    found = session.connection().execute(
        table.select().with_only_columns(table.c.moment, table.c.figures).where(table.c.job == job.token)
    )
    figures = {moment: _quality_counts(told) for moment, told in found}
    before = figures.get("before", {})
    after = figures.get("after", before)
    return tuple(
        QualityLine(field=name, rule=rule, before=before.get((name, rule), 0), after=after.get((name, rule), 0))
        for name, rule in sorted({*before, *after})
        if before.get((name, rule)) or after.get((name, rule))
    )


def _quality_counts(told: Mapping[str, Any]) -> dict[tuple[str, str], int]:
    rows = int(told.get("rows", 0))
    counts = {("", str(rule)): int(count) for rule, count in told.get("rules", {}).items()}
    for name, each in told.get("fields", {}).items():
        counts[name, "missing"] = rows - int(each["filled"])
        counts[name, "invalid"] = int(each["filled"]) - int(each["valid"])
    return counts


def matching_of(session: Session, job: str) -> MatchFact:
    """Pairs by verdict. An automatic merge counts as audited when a person has confirmed it or taken it apart."""
    verdicts = _counted(session, TransferPair.verdict, col(TransferPair.job) == job)
    of_job = and_(col(TransferPair.job) == job)
    confirmed = session.exec(
        select(func.count())
        .select_from(TransferPair)
        .where(of_job, TransferPair.verdict == MatchVerdict.AUTO, col(TransferPair.decided_by).is_not(None))
    ).one()
    wrong = verdicts.get(MatchVerdict.UNMERGED, 0)
    audited = confirmed + wrong
    vetoed = sum(
        bool(vetoes)
        for vetoes in session.exec(select(TransferPair.vetoes).where(of_job).execution_options(yield_per=1000))
    )
    low, high = share_interval(confirmed, audited)
    tokens = session.exec(select(func.count()).select_from(TransferToken).where(TransferToken.job == job)).one()
    return MatchFact(
        auto=verdicts.get(MatchVerdict.AUTO, 0),
        review=verdicts.get(MatchVerdict.REVIEW, 0),
        same=verdicts.get(MatchVerdict.SAME, 0),
        different=verdicts.get(MatchVerdict.DIFFERENT, 0),
        unmerged=wrong,
        vetoed=vetoed,
        audited=audited,
        wrong=wrong,
        low_ppm=low,
        high_ppm=high,
        tokens_left=tokens,
    )


def waves_of(session: Session, job: str) -> tuple[WaveFact, ...]:
    """The waves as they stand; every attempt before the last one was rolled back."""
    rows = session.exec(select(TransferWave).where(TransferWave.job == job).order_by(col(TransferWave.number))).all()
    return tuple(
        WaveFact(
            number=row.number,
            attempt=row.attempt,
            state=row.state,
            rows=row.rows,
            moved=row.moved,
            failed=row.failed,
            conflicts=row.conflicts,
            rollbacks=row.attempt - 1,
            root_before=row.root_before,
            root_after=row.root_after,
            root_undone=row.root_undone,
            begun_at=row.begun_at,
            ended_at=row.ended_at,
        )
        for row in rows
    )


def change_counts(session: Session, job: str) -> tuple[int, int, int]:
    """Lines of the journal, those that were undone, and rows whose conflict nobody has decided."""
    changes = session.exec(select(func.count()).select_from(TransferChange).where(TransferChange.job == job)).one()
    undone = session.exec(
        select(func.count())
        .select_from(TransferChange)
        .where(TransferChange.job == job, col(TransferChange.undone_at).is_not(None))
    ).one()
    conflicts = session.exec(
        select(func.count())
        .select_from(TransferRow)
        .where(TransferRow.job == job, TransferRow.move == MoveState.CONFLICT)
    ).one()
    return changes, undone, conflicts


def follow_ups_of(session: Session, job: str, *, now: datetime) -> tuple[FollowUpFact, ...]:
    """Follow-ups by kind, and how many were done late or are late."""
    found: dict[str, list[int]] = {}
    rows = session.exec(
        select(TransferFollowUp.kind, TransferFollowUp.state, TransferFollowUp.due_at, TransferFollowUp.done_at).where(
            TransferFollowUp.job == job
        )
    )
    for kind, state, due_at, done_at in rows:
        counts = found.setdefault(kind, [0, 0, 0])
        counts[0 if state == "open" else 1] += 1
        counts[2] += (done_at or now).astimezone(UTC) > due_at.astimezone(UTC)
    return tuple(
        FollowUpFact(kind=kind, open=counts[0], done=counts[1], late=counts[2])
        for kind, counts in sorted(found.items())
    )


def incidents_of(session: Session, job: TransferJob) -> tuple[IncidentFact, ...]:
    """Security incidents that the receiving institution recorded since the job began."""
    rows = session.exec(
        select(SecurityIncident)
        .where(SecurityIncident.tenant == job.tenant, col(SecurityIncident.discovered_at) >= job.created_at)
        .order_by(col(SecurityIncident.discovered_at), col(SecurityIncident.id))
    ).all()
    late = dict(
        session.exec(
            select(IncidentReport.incident_id, func.count())
            .where(
                col(IncidentReport.incident_id).in_([row.id for row in rows]),
                col(IncidentReport.reported_at) > col(IncidentReport.due_at),
            )
            .group_by(col(IncidentReport.incident_id))
        ).all()
    )
    return tuple(
        IncidentFact(
            id=row.id,
            kind=row.kind,
            grade=row.grade,
            state=row.state,
            discovered_at=row.discovered_at,
            late_reports=late.get(row.id, 0),
        )
        for row in rows
    )


def open_tasks(session: Session, job: str) -> int:
    """Record tasks of the job that still wait for a person; its step tasks are the workflow's own."""
    return session.exec(
        select(func.count())
        .select_from(Task)
        .where(Task.case_token == job, col(Task.state).in_(OPEN_TASK_STATES), col(Task.type).not_in(_STEP_TASKS))
    ).one()


def decisions_count(session: Session, job: str) -> int:
    """How often a person decided something: tasks, pairs and follow-ups."""
    tasks = session.exec(
        select(func.count())
        .select_from(Decision)
        .where(Decision.case_token == job, col(Decision.staff_id).is_not(None))
    ).one()
    pairs = session.exec(
        select(func.count())
        .select_from(TransferPair)
        .where(TransferPair.job == job, col(TransferPair.decided_by).is_not(None), col(TransferPair.task_id).is_(None))
    ).one()
    return tasks + pairs


def _counted(session: Session, by: Any, where: ColumnElement[bool]) -> dict[str, int]:
    rows = session.exec(select(by, func.count()).where(where).group_by(by)).all()
    return {str(name): count for name, count in rows}
