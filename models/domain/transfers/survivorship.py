"""Which value survives (数据存续规则) when a row of a job turns out to be a customer whom the target knows already.

- The target's own number of the customer (客户号) always stays: it is the target's name for the person.
- A field that the target lacks is filled.
- A key field that both have and that differs is never decided here: it is a clash, for a person.
- The end of a document's validity: the later day of the same document stays.
- Sex, birth date, nationality and language stay as the target has them.
- Whatever else differs: the row's, if the job says that its sources are younger than the record; else the target's.
  Fields that only mean something together (address and postcode, employer and its code) go together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from models.domain.customers.record import FIELDS, KEY_FIELDS, LONG_TERM


class KeyDifference(StrEnum):
    """What happens where a key field differs. A plan may say so field by field; both companies approve the plan."""

    PERSON = "person"  # the default: a conflict for a person
    KEEP = "keep"  # the target's stays


# Fields of which a difference means no more than that one of the two is older; the first of a group leads it.
_AGEING: Final = (("address", "postcode"), ("employer", "employer_uscc"), ("email",), ("occupation",))
_LASTING: Final = ("sex", "birth_date", "nationality", "language")
_DOCUMENT: Final = ("id_type", "id_number")
_VALIDITY: Final = "id_valid_until"


@dataclass(frozen=True, kw_only=True, slots=True)
class Survivor:
    """What a record is after a row was merged into it.

    Attributes:
        values: all fields of the record.
        changed: the fields whose value is another one than before, in the order of `FIELDS`.
        clashes: key fields that differ and wait for a person, in that order; then nothing is changed.
    """

    values: dict[str, str]
    changed: tuple[str, ...]
    clashes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Survivor(changed={self.changed!r}, clashes={self.clashes!r})"


def survive(
    target: Mapping[str, str | None],
    row: Mapping[str, str | None],
    *,
    row_is_newer: bool,
    key_differences: Mapping[str, KeyDifference] | None = None,
) -> Survivor:
    """Merge a row into the target's record. Values are canonical on both sides.

    Args:
        target: the record as it is.
        row: what the job has read.
        row_is_newer: the job's sources are younger than the record's last change.
        key_differences: by key field, what the plan says about a difference; a field not named waits for a person.
    """
    rules = key_differences or {}
    old = {name: value for name, value in target.items() if value is not None}
    new = {name: value for name, value in row.items() if value is not None}
    differing = [
        name for name in FIELDS if name in KEY_FIELDS and name in old and name in new and old[name] != new[name]
    ]
    clashes = tuple(name for name in differing if rules.get(name, KeyDifference.PERSON) is not KeyDifference.KEEP)
    if clashes:
        return Survivor(values=old, changed=(), clashes=clashes)
    kept = {name: value for name, value in new.items() if name not in differing}
    return _merged(old, kept, row_is_newer=row_is_newer)


def take(target: Mapping[str, str | None], row: Mapping[str, str | None]) -> Survivor:
    """As a person decided that the row is right: key fields too, but never the target's own number of the customer."""
    old = {name: value for name, value in target.items() if value is not None}
    new = {name: value for name, value in row.items() if value is not None}
    return _merged(old, new, row_is_newer=True)


def _merged(old: dict[str, str], new: Mapping[str, str], *, row_is_newer: bool) -> Survivor:
    values = dict(old)
    values |= {name: new[name] for name in KEY_FIELDS if name in new}
    values |= {name: new[name] for name in _LASTING if name in new and name not in old}
    for group in _AGEING:
        _settle_group(values, old, new, group, row_is_newer=row_is_newer)
    _settle_validity(values, old, new)
    return Survivor(values=values, changed=tuple(name for name in FIELDS if old.get(name) != values.get(name)))


def _settle_group(
    values: dict[str, str],
    old: Mapping[str, str],
    new: Mapping[str, str],
    group: tuple[str, ...],
    *,
    row_is_newer: bool,
) -> None:
    """A new address does not keep the postcode of the old one, nor the other way round."""
    leader = group[0]
    if leader in old and leader in new and old[leader] != new[leader]:
        if row_is_newer:
            for name in group:
                values.pop(name, None)
            values |= {name: new[name] for name in group if name in new}
        return
    for name in group:
        if name in new and (name not in old or row_is_newer):
            values[name] = new[name]


def _settle_validity(values: dict[str, str], old: Mapping[str, str], new: Mapping[str, str]) -> None:
    """Of one document the later day; of another document its own, or none."""
    if any(old.get(name) != values.get(name) for name in _DOCUMENT):
        values.pop(_VALIDITY, None)
        if _VALIDITY in new:
            values[_VALIDITY] = new[_VALIDITY]
        return
    known = [each[_VALIDITY] for each in (old, new) if _VALIDITY in each]
    if known and all(new.get(name, old.get(name)) == old.get(name) for name in _DOCUMENT):
        values[_VALIDITY] = max(known, key=lambda value: (value == LONG_TERM, value))
