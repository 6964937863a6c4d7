"""What the fields of one record say of each other (一致性), and whether its document still holds.

Together with `spelling` this is the whole check of a row by itself; that two rows are one person is found by matching.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final

from models.domain.customers.faults import Fault
from models.domain.customers.record import LONG_TERM
from models.domain.customers.spelling import Spelled, spell_record
from models.domain.identifiers import IdType

# Numbers of 18 characters that tell birth date and sex.
_TELLING: Final = frozenset(
    {
        IdType.RESIDENT_ID.value,
        IdType.HK_MACAO_RESIDENCE.value,
        IdType.TAIWAN_RESIDENCE.value,
        IdType.FOREIGN_RESIDENT.value,
    }
)
# By kind of document; a kind that is not named says nothing of the nationality.
_NATIONALITIES: Final[dict[str, frozenset[str]]] = {
    IdType.RESIDENT_ID.value: frozenset({"CHN"}),
    IdType.HK_MACAO_RESIDENCE.value: frozenset({"CHN", "HKG", "MAC"}),
    IdType.HK_MACAO_PERMIT.value: frozenset({"CHN", "HKG", "MAC"}),
    IdType.TAIWAN_RESIDENCE.value: frozenset({"CHN", "TWN"}),
    IdType.TAIWAN_PERMIT.value: frozenset({"CHN", "TWN"}),
}
_LONGEST_YEARS: Final = 30  # no document of a limited time is issued for longer (20 years for an identity card)
_EIGHTEEN: Final = 18


def check_record(values: Mapping[str, str | None], *, today: date, as_read: Iterable[Fault] = ()) -> Spelled:
    """Spell a record and ask every rule.

    Args:
        values: by field.
        today: for birth dates and the validity of documents.
        as_read: what reading found; it stays beside what is found here, unless the field's own rule says more.

    Raises:
        ValueError: a field that a record does not have.
    """
    spelled = spell_record(values, today=today)
    spelled.faults[:0] = as_read
    spelled.faults.extend(_contradictions(spelled, today))
    return spelled if len(spelled.faults) < 2 else Spelled(spelled.values, list(dict.fromkeys(spelled.faults)))  # noqa: PLR2004


def _contradictions(spelled: Spelled, today: date) -> Iterable[Fault]:
    values = spelled.values
    broken = {fault.field for fault in spelled.faults if fault.rule != "id-legacy"}
    id_type, number = values.get("id_type"), values.get("id_number")
    if "id_type" not in broken and id_type is not None:
        if number is not None and "id_number" not in broken and id_type in _TELLING and len(number) == _EIGHTEEN:
            yield from _against_number(values, broken, number)
        allowed, nationality = _NATIONALITIES.get(id_type), values.get("nationality")
        known = nationality is not None and "nationality" not in broken
        if allowed is not None and known and nationality not in allowed:
            yield Fault("nationality", "nationality-contradicts-id")
    valid = values.get("id_valid_until")
    if valid is not None and valid != LONG_TERM and "id_valid_until" not in broken:
        if valid < today.isoformat():
            yield Fault("id_valid_until", "id-expired")
        elif int(valid[:4]) > today.year + _LONGEST_YEARS:
            yield Fault("id_valid_until", "id-valid-too-far")


def _against_number(values: Mapping[str, str], broken: set[str], number: str) -> Iterable[Fault]:
    sex = values.get("sex")
    if sex is not None and "sex" not in broken and sex != ("M" if int(number[16]) % 2 else "F"):
        yield Fault("sex", "sex-contradicts-id")
    born = values.get("birth_date")
    if born is not None and "birth_date" not in broken and born.replace("-", "") != number[6:14]:
        yield Fault("birth_date", "birth-date-contradicts-id")
