"""The filter of the inbox as typed tests, and the one parser of what a client sends. Nothing sent is ever ignored."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from models.domain.pointers import pointer_of
from models.domain.roles import Role
from models.domain.states import OPEN_TASK_STATES, TaskState, TaskType
from models.errors import FieldFault, FormInvalid

MAX_VALUES: Final = 50  # of one $in list
_MAX_TEXT: Final = 64
_MAX_INT: Final = 2**53 - 1
OPEN_GROUP: Final = "open"
ME: Final = "me"
NOBODY: Final = "none"

Value = str | int | bool | datetime


class Op(StrEnum):
    """What a test asks of a column."""

    IN = "$in"
    NOT_IN = "$notIn"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    EXISTS = "$exists"


_MEMBERSHIP: Final = frozenset({"$eq", "$neq", "$in", "$notIn"})
_RANGE: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
_NULLABLE: Final = frozenset({"$exists"})


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


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldTest:
    """One test. `values` holds one value, but for `$in` and `$notIn`. An absent column is in no set and in no range."""

    field: TaskField
    op: Op
    values: tuple[Value, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskFilter:
    """All tests must hold. Without tests: every task, closed ones too."""

    tests: tuple[FieldTest, ...] = ()


ONLY_OPEN: Final = FieldTest(field=TaskField.STATE, op=Op.IN, values=tuple(state.value for state in OPEN_TASK_STATES))


class _Refused(Exception):
    """A value that does not fit, with the code of its fault."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def _one_of(*allowed: str) -> Callable[[object], Value]:
    def read(raw: object) -> Value:
        if not isinstance(raw, str):
            raise _Refused("wrong-type", expected="string")
        if raw not in allowed:
            raise _Refused("not-one-of", allowed=", ".join(allowed))
        return raw

    return read


def _text(raw: object) -> Value:
    if not isinstance(raw, str):
        raise _Refused("wrong-type", expected="string")
    if not 1 <= len(raw) <= _MAX_TEXT:
        raise _Refused("too-long" if raw else "too-short", limit=_MAX_TEXT if raw else 1)
    if not raw.isprintable():
        raise _Refused("pattern")
    return raw


def _integer(raw: object) -> Value:
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _Refused("wrong-type", expected="integer")
    if abs(raw) > _MAX_INT:
        raise _Refused("too-large", limit=_MAX_INT)
    return raw


def _boolean(raw: object) -> Value:
    if not isinstance(raw, bool):
        raise _Refused("wrong-type", expected="boolean")
    return raw


def _instant(raw: object) -> Value:
    if not isinstance(raw, str):
        raise _Refused("wrong-type", expected="string")
    try:
        value = datetime.fromisoformat(raw)
        if value.tzinfo is None:
            raise _Refused("pattern")  # an instant without a zone is no instant
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Refused("pattern") from None


_FIELDS: Final[dict[TaskField, tuple[frozenset[str], Callable[[object], Value]]]] = {
    TaskField.TYPE: (_MEMBERSHIP, _one_of(*TaskType)),
    TaskField.STATE: (_MEMBERSHIP, _one_of(OPEN_GROUP, *TaskState)),
    TaskField.BRANCH: (_MEMBERSHIP, _text),
    TaskField.CANDIDATE_ROLE: (_MEMBERSHIP, _one_of(*Role)),
    TaskField.ASSIGNEE: (_MEMBERSHIP | _NULLABLE, _text),
    TaskField.CASE_TOKEN: (frozenset({"$eq", "$in"}), _text),
    TaskField.AMOUNT: (_MEMBERSHIP | _RANGE | _NULLABLE, _integer),
    TaskField.DUE: (_RANGE, _instant),
    TaskField.CREATED: (_RANGE, _instant),
    TaskField.OVERDUE: (frozenset({"$eq"}), _boolean),
}


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
    if not isinstance(raw, dict):
        raise FormInvalid(faults=(FieldFault(pointer=at, code="wrong-type", params={"expected": "object"}),))
    tests: list[FieldTest] = []
    faults: list[FieldFault] = []
    for name, value in raw.items():
        pointer = at + pointer_of([str(name)])
        try:
            field = TaskField(name)
        except ValueError:
            faults.append(FieldFault(pointer=pointer, code="unknown-field"))
            continue
        for outcome in _tests_of(field, value, pointer):
            (tests if isinstance(outcome, FieldTest) else faults).append(outcome)  # type: ignore[arg-type]
    if faults:
        raise FormInvalid(faults=tuple(faults))
    if TaskField.STATE not in raw:
        tests.append(ONLY_OPEN)
    return TaskFilter(tests=tuple(tests))


def _tests_of(field: TaskField, raw: object, pointer: str) -> Iterator[FieldTest | FieldFault]:
    if not isinstance(raw, dict):
        yield _test(field, "$eq", raw, pointer)
        return
    if not raw:
        yield FieldFault(pointer=pointer, code="missing")
    for operator, value in raw.items():
        if operator not in _FIELDS[field][0]:
            allowed = ", ".join(sorted(_FIELDS[field][0]))
            yield FieldFault(
                pointer=pointer + pointer_of([str(operator)]), code="not-one-of", params={"allowed": allowed}
            )
            continue
        yield _test(field, operator, value, f"{pointer}/{operator}")


def _test(field: TaskField, operator: str, raw: object, pointer: str) -> FieldTest | FieldFault:
    if operator not in _FIELDS[field][0]:  # a literal where only operators make sense
        return FieldFault(pointer=pointer, code="wrong-type", params={"expected": "object"})
    try:
        if operator == "$exists":
            return FieldTest(field=field, op=Op.EXISTS, values=(_boolean(raw),))
        if operator in _RANGE:
            return FieldTest(field=field, op=Op(operator), values=(_FIELDS[field][1](raw),))
        several = operator in {"$in", "$notIn"}
        values = tuple(_values(field, raw, several=several))
    except _Refused as refused:
        return FieldFault(pointer=pointer, code=refused.code, params=refused.params)
    return FieldTest(field=field, op=Op.NOT_IN if operator in {"$neq", "$notIn"} else Op.IN, values=values)


def _values(field: TaskField, raw: object, *, several: bool) -> Iterator[Value]:
    if several and (not isinstance(raw, list) or not raw):
        raise _Refused("wrong-type", expected="array")
    items = raw if several and isinstance(raw, list) else [raw]
    if len(items) > MAX_VALUES:
        raise _Refused("too-long", limit=MAX_VALUES)
    for item in items:
        value = _FIELDS[field][1](item)
        if field is TaskField.STATE and value == OPEN_GROUP:
            yield from ONLY_OPEN.values
        else:
            yield value
