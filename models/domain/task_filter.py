"""The filter of the inbox as typed tests, and the one parser of what a client sends. Nothing sent is ever ignored."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.filter_language import (
    MAX_VALUES,
    MEMBERSHIP,
    NULLABLE,
    RANGE,
    FieldTest,
    FilterLanguage,
    Op,
    Value,
    boolean,
    instant,
    integer,
    one_of,
    text,
)
from models.domain.roles import Role
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType

__all__ = ("MAX_VALUES", "FieldTest", "Op", "Value")

OPEN_GROUP: Final = "open"
ME: Final = "me"
NOBODY: Final = "none"


class TaskField(StrEnum):
    """What can be filtered; the value is the member's name in the API."""

    TYPE = "type"
    STATE = "state"
    BRANCH = "branch"
    CANDIDATE_ROLE = "candidateRole"
    ASSIGNEE = "assignee"  # a staff id, "me" or "none"
    CASE_TOKEN = "caseToken"  # noqa: S105 - the business key of a case, not a secret
    AMOUNT = "amountMinor"
    DUE = "dueAt"
    CREATED = "createdAt"
    OVERDUE = "overdue"  # open, and due before now


TaskTest = FieldTest[TaskField]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFilter:
    """All tests must hold. Without tests: every task, closed ones too."""

    tests: tuple[TaskTest, ...] = ()


_OPEN: Final = tuple(state.value for state in OPEN_TASK_STATES)
ONLY_OPEN: Final[TaskTest] = FieldTest(field=TaskField.STATE, op=Op.IN, values=_OPEN)

_LANGUAGE: Final = FilterLanguage(
    members=TaskField,
    reads={
        TaskField.TYPE: (MEMBERSHIP, one_of(*TaskType)),
        TaskField.STATE: (MEMBERSHIP, one_of(OPEN_GROUP, *TaskState)),
        TaskField.BRANCH: (MEMBERSHIP, text),
        TaskField.CANDIDATE_ROLE: (MEMBERSHIP, one_of(*Role)),
        TaskField.ASSIGNEE: (MEMBERSHIP | NULLABLE, text),
        TaskField.CASE_TOKEN: (frozenset({"$eq", "$in"}), text),
        TaskField.AMOUNT: (MEMBERSHIP | RANGE | NULLABLE, integer),
        TaskField.DUE: (RANGE, instant),
        TaskField.CREATED: (RANGE, instant),
        TaskField.OVERDUE: (frozenset({"$eq"}), boolean),
    },
    groups={(TaskField.STATE, OPEN_GROUP): _OPEN},
)


def parse_filter(raw: object, *, at: str = "/filter") -> TaskFilter:
    """Read a filter; each member is a literal or an object of operators. Without `state` only open tasks are meant.

    Args:
        raw: what the client sent, or None.
        at: where it stands in the body, for the pointers of the faults.

    Raises:
        FormInvalid: naming every member, operator and value at fault; unknown ones too.
    """
    if raw is None:
        return TaskFilter(tests=(ONLY_OPEN,))
    tests = _LANGUAGE.tests(raw, at=at)
    has_state = isinstance(raw, dict) and TaskField.STATE in raw
    return TaskFilter(tests=tests if has_state else (*tests, ONLY_OPEN))
