"""Shapes of a re-evaluation (重新评估): what is asked again, how far it has come, and what it found."""

from datetime import date, datetime
from typing import Self

from api.bodies import Answer, Body, Token
from api.wording import worded
from compliance.rules.results import reason_key
from models.tables.rule_desk import RuleFlip, RuleReevaluation


class ReevaluationBody(Body):
    """Ask the open cases again.

    `asOf`: as if the legal fact happened on this date; today if left out, or the first day of the policy that is tried.
    `policyId`: a policy to try, drafted or approved; left out, the one in force on that date. `withTasks`: open a task
    for the officer of each case that would be stopped now; not for a draft that nobody has approved.
    """

    as_of: date | None = None
    policy_id: Token | None = None
    with_tasks: bool | None = None


class ReevaluationAnswer(Answer):
    """One pass. `factsChanged` counts answers that differ because the facts have moved on; they are no flips."""

    id: str
    state: str
    as_of: date
    rules_version: str
    policy_id: str | None
    with_tasks: bool
    total: int
    cases: int
    verdicts: int
    flips: int
    now_failing: int
    facts_changed: int
    failed_cases: int
    tasks_made: int
    started_by: str
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, row: RuleReevaluation) -> Self:
        """The answer for a pass."""
        same = {name: getattr(row, name) for name in cls.model_fields if name != "policy_id"}
        return cls(**same, policy_id=row.policy_draft_id)


class ReevaluationList(Answer):
    """Passes, newest first."""

    items: list[ReevaluationAnswer]


class FlipAnswer(Answer):
    """An answer that the rules give differently now; `before` is `NOT_ASKED` for a rule that is new at its gate."""

    case_token: str
    gate: str
    rule: str
    title: str
    citation: str
    before: str
    before_severity: str
    after: str
    after_severity: str
    blocks_now: bool
    reason: str
    reason_text: str
    task_id: str | None

    @classmethod
    def of(cls, row: RuleFlip, *, locale: str) -> Self:
        """The answer for a flip, in the reader's language."""
        told = row.params.get("text", {})
        return cls(
            case_token=row.case_token,
            gate=row.gate,
            rule=row.rule_id,
            title=worded(f"rule.{row.rule_id}.title", locale),
            citation=worded(f"rule.{row.rule_id}.citation", locale),
            before=row.before,
            before_severity=row.before_severity,
            after=row.after,
            after_severity=row.after_severity,
            blocks_now=row.blocks_now,
            reason=row.reason,
            reason_text=worded(reason_key(row.rule_id, row.reason), locale, told if isinstance(told, dict) else {}),
            task_id=row.task_id,
        )


class FlipPage(Answer):
    """Flips by case, gate and rule; `endCursor` is null on the last page."""

    items: list[FlipAnswer]
    end_cursor: str | None
