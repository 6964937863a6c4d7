"""What can be wrong with a customer's record: field and rule, never a value; and how much each rule weighs, as data.

Title and fix of a rule are the texts `record-fault.<rule>` and `record-fix.<rule>`.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Severity(StrEnum):
    """What a fault does to its row."""

    WARN = "warn"  # goes on; counted in the quality report
    HOLD = "hold"  # into quarantine until a person has corrected it
    REJECT = "reject"  # there is nothing that could be corrected


ROW: Final = "row"  # stands for a field where the whole row is meant


class Fault(NamedTuple):
    """One broken rule of one field."""

    field: str
    rule: str


SEVERITIES: Final[dict[str, Severity]] = {
    # The row as it was read
    "row-empty": Severity.REJECT,
    "row-unreadable": Severity.REJECT,
    "row-oversize": Severity.REJECT,
    "row-ragged": Severity.HOLD,
    "nul-bytes": Severity.HOLD,
    "garbled": Severity.HOLD,
    "too-long": Severity.HOLD,
    "formula": Severity.HOLD,
    "formula-cell": Severity.HOLD,
    "cell-error": Severity.HOLD,
    "number-lost-digits": Severity.HOLD,
    "value-unmapped": Severity.HOLD,
    "missing": Severity.HOLD,
    # Who somebody is
    "customer-no": Severity.HOLD,
    "name-characters": Severity.HOLD,
    "name-length": Severity.HOLD,
    "name-placeholder": Severity.HOLD,
    "name-private-use": Severity.WARN,
    "id-type-unknown": Severity.HOLD,
    "id-length": Severity.HOLD,
    "id-checksum": Severity.HOLD,
    "id-birth-date": Severity.HOLD,
    "id-region": Severity.HOLD,
    "id-type": Severity.HOLD,
    "id-permit-hk-macao": Severity.HOLD,
    "id-permit-taiwan": Severity.HOLD,
    "id-passport": Severity.HOLD,
    "id-legacy": Severity.WARN,
    "date-unreadable": Severity.HOLD,
    "id-expired": Severity.WARN,
    "id-valid-too-far": Severity.WARN,
    "sex-unknown": Severity.HOLD,
    "sex-contradicts-id": Severity.HOLD,
    "birth-date-future": Severity.HOLD,
    "birth-date-contradicts-id": Severity.HOLD,
    "nationality-unknown": Severity.HOLD,
    "nationality-contradicts-id": Severity.HOLD,
    # How somebody is reached
    "mobile": Severity.HOLD,
    "email": Severity.HOLD,
    "account-length": Severity.HOLD,
    "account-characters": Severity.HOLD,
    "card-luhn": Severity.HOLD,
    "uscc-length": Severity.HOLD,
    "uscc-characters": Severity.HOLD,
    "uscc-checksum": Severity.HOLD,
    "address-short": Severity.HOLD,
    "address-coarse": Severity.WARN,
    "postcode": Severity.WARN,
    "language-unknown": Severity.WARN,
}
# What shows in a row only as it was read: spelling mends or drops it, so it is kept when the row is checked again.
OF_READING: Final = frozenset(
    {
        "row-empty", "row-unreadable", "row-oversize", "row-ragged", "nul-bytes", "garbled", "too-long", "formula-cell",
        "cell-error", "number-lost-digits", "value-unmapped", "id-legacy",
    }
)  # fmt: skip
_ORDER: Final = {Severity.WARN: 0, Severity.HOLD: 1, Severity.REJECT: 2}


def severity_of(rule: str, stricter: Mapping[str, str] | None = None) -> Severity:
    """What a rule does; a job may ask for more than the product does, never for less.

    A rule that nobody knows holds the row: it was written by a newer version.
    """
    product = SEVERITIES.get(rule, Severity.HOLD)
    asked = Severity(stricter[rule]) if stricter and rule in stricter else product
    return max(product, asked, key=_ORDER.__getitem__)


def worst_of(faults: Iterable[Fault], stricter: Mapping[str, str] | None = None) -> Severity | None:
    """The weightiest of several faults; None where there is none."""
    found = {severity_of(fault.rule, stricter) for fault in faults}
    return max(found, key=_ORDER.__getitem__, default=None)


def as_document(faults: Iterable[Fault]) -> list[dict[str, str]]:
    """As `TransferRow.faults` keeps them: each once, in their order."""
    return [{"field": field, "rule": rule} for field, rule in dict.fromkeys(faults)]


def from_document(kept: Iterable[Mapping[str, str]]) -> list[Fault]:
    """What `as_document` kept."""
    return [Fault(each["field"], each["rule"]) for each in kept]
