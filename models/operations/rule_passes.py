"""Writes of a re-evaluation: a chunk's findings, its tasks, and how far it has come, in one transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from models.domain.notices import case_tail
from models.domain.roles import CANDIDATE_ROLE
from models.domain.rule_desk import PassState
from models.domain.states import TaskState, TaskType
from models.domain.tokens import named_token
from models.tables.installments import InstallmentCase
from models.tables.rule_desk import RuleFlip, RuleReevaluation
from models.tables.tasks import Task

_REVIEW_WITHIN: Final = timedelta(days=5)
_PRIORITY: Final = 55


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """An answer that the rules give differently now.

    Attributes:
        before: result on record; `NOT_ASKED` of a rule that is new at the gate.
        blocks_now: it stops the case, and did not.
        params: parameters and text values of the new answer, as verdicts keep them.
    """

    case_token: str
    gate: str
    rule_id: str
    verdict_id: str
    before: str
    before_severity: str
    after: str
    after_severity: str
    blocks_now: bool
    reason: str
    params: dict[str, Any]


@dataclass(slots=True)
class Found:
    """What a chunk of cases came to."""

    cases: int = 0
    verdicts: int = 0
    facts_changed: int = 0
    failed_cases: int = 0
    flips: list[Flip] = field(default_factory=list)

    @property
    def now_failing(self) -> set[str]:
        """Cases that would be stopped now."""
        return {flip.case_token for flip in self.flips if flip.blocks_now}


def keep_chunk(
    session: Session,
    about: RuleReevaluation,
    found: Found,
    *,
    cursor: str,
    shown_hashes: Mapping[str, tuple[dict[str, Any], str]],
    now: datetime,
) -> int | None:
    """Keep what a chunk found, once: the pass must stand where it stood when the chunk was read.

    Args:
        session: of the unit.
        about: the pass as it was read.
        found: what the chunk came to.
        cursor: the chunk's last case.
        shown_hashes: by the key of a task (`review_key`), what it shows and its hash.
        now: when it is kept.

    Returns:
        How many tasks are new; None if somebody else has kept this chunk.
    """
    made, flips = 0, []
    cases = _cases(session, [flip.case_token for flip in found.flips])
    for flip in found.flips:
        key = review_key(flip, about.rules_version)
        task_id = None
        if key in shown_hashes:
            task_id, is_new = _review_task(
                session, cases[flip.case_token], flip, key=key, shown=shown_hashes[key], now=now
            )
            made += is_new
        flips.append(_row(about, flip, task_id=task_id, now=now))
    moved = session.exec(
        update(RuleReevaluation)
        .where(
            col(RuleReevaluation.id) == about.id,
            col(RuleReevaluation.cursor) == about.cursor,
            col(RuleReevaluation.state) == PassState.RUNNING.value,
        )
        .values(
            cursor=cursor,
            cases=RuleReevaluation.cases + found.cases,
            verdicts=RuleReevaluation.verdicts + found.verdicts,
            flips=RuleReevaluation.flips + len(found.flips),
            now_failing=RuleReevaluation.now_failing + len(found.now_failing),
            facts_changed=RuleReevaluation.facts_changed + found.facts_changed,
            failed_cases=RuleReevaluation.failed_cases + found.failed_cases,
            tasks_made=RuleReevaluation.tasks_made + made,
        )
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount == 0:
        return None
    session.add_all(flips)
    session.flush()
    return made


def end_pass(session: Session, about: RuleReevaluation, *, now: datetime) -> bool:
    """No case is left; returns False if the pass was over, or has moved on."""
    ended = session.exec(
        update(RuleReevaluation)
        .where(
            col(RuleReevaluation.id) == about.id,
            col(RuleReevaluation.cursor) == about.cursor,
            col(RuleReevaluation.state) == PassState.RUNNING.value,
        )
        .values(state=PassState.DONE.value, ended_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(ended.rowcount)


def review_key(flip: Flip, rules_version: str) -> str:
    """The business key of a review: case, rule and version of the rules. It stands where a workflow's id would."""
    return f"rule-reviews/{flip.case_token}/{named_token('rvw', f'{flip.rule_id}/{rules_version}')}"


def _review_task(
    session: Session,
    case: InstallmentCase,
    flip: Flip,
    *,
    key: str,
    shown: tuple[dict[str, Any], str],
    now: datetime,
) -> tuple[str, bool]:
    """The task of a review: its id, and whether it is new. `shown` is what it shows, and the hash of that."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    task = Task(
        id=named_token("tsk", key),
        tenant=case.tenant,
        workflow_id=key,
        task_no=1,
        case_token=case.token,
        type=TaskType.RULE_REVIEW.value,
        state=TaskState.READY.value,
        candidate_role=CANDIDATE_ROLE[TaskType.RULE_REVIEW].value,
        branch=case.branch,
        priority=_PRIORITY,
        due_at=now + _REVIEW_WITHIN,
        title_params={"rule": flip.rule_id, "case": case_tail(case.token)},
        shown=shown[0],
        shown_hash=shown[1],
        created_at=now,
        updated_at=now,
    )
    once = insert(Task).values(**task.model_dump()).on_conflict_do_nothing(index_elements=["workflow_id", "task_no"])
    made = session.execute(once.returning(col(Task.id))).scalar_one_or_none()
    return task.id, made is not None


def _cases(session: Session, tokens: Sequence[str]) -> dict[str, InstallmentCase]:
    found = session.exec(select(InstallmentCase).where(col(InstallmentCase.token).in_(set(tokens)))).all()
    return {case.token: case for case in found}


def _row(about: RuleReevaluation, flip: Flip, *, task_id: str | None, now: datetime) -> RuleFlip:
    return RuleFlip(
        id=named_token("rfl", f"{about.id}/{flip.case_token}/{flip.gate}/{flip.rule_id}"),
        tenant=about.tenant,
        reevaluation_id=about.id,
        case_token=flip.case_token,
        gate=flip.gate,
        rule_id=flip.rule_id,
        verdict_id=flip.verdict_id,
        before=flip.before,
        before_severity=flip.before_severity,
        after=flip.after,
        after_severity=flip.after_severity,
        blocks_now=flip.blocks_now,
        reason=flip.reason,
        params=flip.params,
        task_id=task_id,
        created_at=now,
    )
