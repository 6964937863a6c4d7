"""What deciding a record task does besides closing it, in the same commit; each gives facts for the event."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from models.domain.forms import DecisionForm
from models.domain.ids import care_item
from models.domain.states import Outcome
from models.operations.batches.importing import discard_row
from models.operations.batches.suggestions import decide_suggestion
from models.operations.transfers.follow_ups import end_follow_up
from models.operations.transfers.match_deciding import decide_by_task
from models.operations.transfers.quarantine import discard_by_task
from models.tables.tasks import Task


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """What was decided, by whom and when."""

    form: DecisionForm
    staff_id: str
    person_id: str
    at: datetime


Settle = Callable[[Session, Task, Word], dict[str, Any]]


def discard_quarantined(session: Session, task: Task, word: Word) -> dict[str, Any]:
    """The row of a quarantine task (隔离) is rejected for good.

    Raises:
        WrongState: it is not in quarantine any more.
    """
    discard_by_task(session, task, reason_code=word.form.reason_code or "")
    return {}


def discard_batch_row(session: Session, task: Task, word: Word) -> dict[str, Any]:
    """The row of a batch's quarantine task (隔离) is rejected for good.

    Raises:
        WrongState: it is not in quarantine any more.
    """
    reason = word.form.reason_code or ""
    return {"row": discard_row(session, care_item(task.workflow_id), tenant=task.tenant, reason_code=reason)}


def answer_follow_up(session: Session, task: Task, word: Word) -> dict[str, Any]:
    """A follow-up (跟进) is done; the customer who asked for it is told."""
    answer = word.form.reason_code or word.form.outcome
    return end_follow_up(session, task, answer=answer, staff_id=word.staff_id, now=word.at)


def decide_pair(session: Session, task: Task, word: Word) -> dict[str, Any]:
    """A pair is the same person or not (查重); a risky one asks a second person.

    Raises:
        WrongState: the pair waits for nobody any more.
        FourEyesViolation: the same person stands as the first and the second.
    """
    return decide_by_task(
        session,
        task,
        word.form.outcome,
        reason=word.form.reason_code or "",
        staff_id=word.staff_id,
        person_id=word.person_id,
        now=word.at,
    )


def decide_on_suggestion(session: Session, task: Task, word: Word) -> dict[str, Any]:
    """A suggestion of a batch (改进建议) is adopted or dismissed; the rule set changes by two persons alone.

    Raises:
        WrongState: it was decided before.
    """
    adopt = word.form.outcome == Outcome.ADOPT
    found = decide_suggestion(session, task.shown["suggestion"], adopt=adopt, staff_id=word.staff_id, now=word.at)
    return {"suggestion": found.id, "code": found.code, "draft": found.draft_version}
