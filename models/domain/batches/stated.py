"""What people state for a run because no record can tell it (陈述事实); part of what is approved by a second person.

Stands in the run's criteria under `stated`, by the names of the facts. What a record can tell is never taken from here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from models.errors import FieldFault, FormInvalid

_MOST_CODES: Final = 20


def _yes_no(value: object) -> bool:
    return isinstance(value, bool)


def _count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 2**53 - 1


def _codes(value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_CODES and all(isinstance(each, str) for each in value)


# Names of `compliance.rules.fact_table`: screening (AML-40, AFR-18), recipients and channels of a file (NDSR-12,
# JR/T 0171), what the customer's statement shows (CCM-61).
STATABLE: Final[dict[str, Callable[[object], bool]]] = {
    "parties_screened": _yes_no,
    "listed_parties": _count,
    "abnormal_accounts": _count,
    "abnormal_accounts_checked": _count,
    "fraud_data_elsewhere": _yes_no,
    "recipient_contract": _yes_no,
    "recipient_supervised": _yes_no,
    "channel_encrypted": _yes_no,
    "backup_encrypted": _yes_no,
    "log_scan_hits": _count,
    "c1_outside": _yes_no,
    "unmasked_views": _count,
    "unmasked_views_approved": _count,
    "statement_issued": _yes_no,
    "statement_shows": _codes,
    "card_number_masked": _yes_no,
}


def read_stated(raw: object, *, at: str = "/criteria/stated") -> dict[str, object]:
    """Statements of the types that rules expect.

    Raises:
        FormInvalid: naming every statement at fault; unknown ones too.
    """
    if not isinstance(raw, Mapping):
        raise FormInvalid(faults=(FieldFault(pointer=at, code="wrong-type", params={"expected": "object"}),))
    faults = [FieldFault(pointer=f"{at}/{name}", code="unknown-field") for name in sorted(set(raw) - set(STATABLE))]
    for name, value in raw.items():
        if name in STATABLE and not STATABLE[name](value):
            faults.append(FieldFault(pointer=f"{at}/{name}", code="wrong-type", params={"expected": _EXPECTED[name]}))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return {name: tuple(value) if isinstance(value, list) else value for name, value in raw.items()}


_NAMES: Final[dict[Callable[[object], bool], str]] = {_yes_no: "boolean", _count: "integer", _codes: "array"}
_EXPECTED: Final[dict[str, str]] = {name: _NAMES[check] for name, check in STATABLE.items()}


def stated_of(criteria: Mapping[str, Any]) -> dict[str, object]:
    """What stands in a run's criteria; of a run that nobody has stated anything for, nothing."""
    return read_stated(criteria.get("stated", {}))
