"""The filter language of searches: members, each a literal or an object of operators. Nothing sent is ever ignored."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Final, Generic, TypeVar

from models.domain.pointers import pointer_of
from models.errors import FieldFault, FormInvalid

MAX_VALUES: Final = 50  # of one $in list
_MAX_TEXT: Final = 64
_MAX_INT: Final = 2**53 - 1

Value = str | int | bool | datetime | date
Reader = Callable[[object], Value]
Member = TypeVar("Member", bound=StrEnum)


class Op(StrEnum):
    """What a test asks of a column."""

    IN = "$in"
    NOT_IN = "$notIn"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    EXISTS = "$exists"


MEMBERSHIP: Final = frozenset({"$eq", "$neq", "$in", "$notIn"})
RANGE: Final = frozenset({"$gt", "$gte", "$lt", "$lte"})
NULLABLE: Final = frozenset({"$exists"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldTest(Generic[Member]):
    """One test. `values` holds one value, but for `$in` and `$notIn`. An absent column is in no set and in no range."""

    field: Member
    op: Op
    values: tuple[Value, ...]


class _Refused(Exception):
    """A value that does not fit, with the code of its fault."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


def one_of(*allowed: str) -> Reader:
    """One word of a closed set."""

    def read(raw: object) -> Value:
        if not isinstance(raw, str):
            raise _Refused("wrong-type", expected="string")
        if raw not in allowed:
            raise _Refused("not-one-of", allowed=", ".join(allowed))
        return raw

    return read


def text(raw: object) -> Value:
    """Printable text of at most 64 characters."""
    if not isinstance(raw, str):
        raise _Refused("wrong-type", expected="string")
    if not 1 <= len(raw) <= _MAX_TEXT:
        raise _Refused("too-long" if raw else "too-short", limit=_MAX_TEXT if raw else 1)
    if not raw.isprintable():
        raise _Refused("pattern")
    return raw


def integer(raw: object) -> Value:
    """A number that JSON carries without loss."""
    if not isinstance(raw, int) or isinstance(raw, bool):
        raise _Refused("wrong-type", expected="integer")
    if abs(raw) > _MAX_INT:
        raise _Refused("too-large", limit=_MAX_INT)
    return raw


def boolean(raw: object) -> Value:
    """Yes or no."""
    if not isinstance(raw, bool):
        raise _Refused("wrong-type", expected="boolean")
    return raw


def instant(raw: object) -> Value:
    """An instant in ISO 8601; without a zone it is none."""
    if not isinstance(raw, str):
        raise _Refused("wrong-type", expected="string")
    try:
        value = datetime.fromisoformat(raw)
        if value.tzinfo is None:
            raise _Refused("pattern")
        return value.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Refused("pattern") from None


def day(raw: object) -> Value:
    """A calendar date in ISO 8601."""
    if not isinstance(raw, str):
        raise _Refused("wrong-type", expected="string")
    try:
        return date.fromisoformat(raw)
    except ValueError:
        raise _Refused("pattern") from None


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterLanguage(Generic[Member]):
    """What one search can be asked.

    Attributes:
        members: their names, as an enumeration.
        reads: of each member the operators that fit it, and how a value of it is read.
        groups: a word that stands for several values of a member.
    """

    members: type[Member]
    reads: Mapping[Member, tuple[frozenset[str], Reader]]
    groups: Mapping[tuple[Member, str], tuple[str, ...]] = field(default_factory=dict)

    def tests(self, raw: object, *, at: str) -> tuple[FieldTest[Member], ...]:
        """Read a filter; all of its tests must hold.

        Args:
            raw: what the client sent.
            at: where it stands in the body, for the pointers of the faults.

        Raises:
            FormInvalid: naming every member, operator and value at fault; unknown ones too.
        """
        if not isinstance(raw, dict):
            raise FormInvalid(faults=(FieldFault(pointer=at, code="wrong-type", params={"expected": "object"}),))
        tests: list[FieldTest[Member]] = []
        faults: list[FieldFault] = []
        for name, value in raw.items():
            pointer = at + pointer_of([str(name)])
            try:
                member = self.members(name)
            except ValueError:
                faults.append(FieldFault(pointer=pointer, code="unknown-field"))
                continue
            for outcome in self._tests_of(member, value, pointer):
                if isinstance(outcome, FieldTest):
                    tests.append(outcome)
                else:
                    faults.append(outcome)
        if faults:
            raise FormInvalid(faults=tuple(faults))
        return tuple(tests)

    def _tests_of(self, member: Member, raw: object, pointer: str) -> Iterator[FieldTest[Member] | FieldFault]:
        if not isinstance(raw, dict):
            yield self._test(member, "$eq", raw, pointer)
            return
        if not raw:
            yield FieldFault(pointer=pointer, code="missing")
        for operator, value in raw.items():
            if operator not in self.reads[member][0]:
                allowed = ", ".join(sorted(self.reads[member][0]))
                yield FieldFault(
                    pointer=pointer + pointer_of([str(operator)]), code="not-one-of", params={"allowed": allowed}
                )
                continue
            yield self._test(member, operator, value, f"{pointer}/{operator}")

    def _test(self, member: Member, operator: str, raw: object, pointer: str) -> FieldTest[Member] | FieldFault:
        operators, read = self.reads[member]
        if operator not in operators:  # a literal where only operators make sense
            return FieldFault(pointer=pointer, code="wrong-type", params={"expected": "object"})
        try:
            if operator == "$exists":
                return FieldTest(field=member, op=Op.EXISTS, values=(boolean(raw),))
            if operator in RANGE:
                return FieldTest(field=member, op=Op(operator), values=(read(raw),))
            several = operator in {"$in", "$notIn"}
            values = tuple(self._values(member, raw, several=several))
        except _Refused as refused:
            return FieldFault(pointer=pointer, code=refused.code, params=refused.params)
        return FieldTest(field=member, op=Op.NOT_IN if operator in {"$neq", "$notIn"} else Op.IN, values=values)

    def _values(self, member: Member, raw: object, *, several: bool) -> Iterator[Value]:
        if several and (not isinstance(raw, list) or not raw):
            raise _Refused("wrong-type", expected="array")
        items = raw if several and isinstance(raw, list) else [raw]
        if len(items) > MAX_VALUES:
            raise _Refused("too-long", limit=MAX_VALUES)
        for item in items:
            value = self.reads[member][1](item)
            yield from self.groups.get((member, str(value)), (value,))
