"""What a file for or from the bank can break, as codes; the words for each stand under `field.<code>` in the texts."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from models.errors import FieldFault

MOST_FAULTS: Final = 1_000


class BankRule(StrEnum):
    """One rule of a bank file. A fault names rule and place and never repeats the value, which may be personal."""

    REQUIRED = "bank-required"
    LENGTH = "bank-length"  # limit: characters
    CHARSET = "bank-charset"
    IDENTIFIER = "bank-identifier"  # characters of an id, and no "/" at an end or twice
    IBAN = "bank-iban"
    ACCOUNT = "bank-account"
    BANK_CODE = "bank-bank-code"
    AMOUNT = "bank-amount"
    CURRENCY = "bank-currency"  # expected
    DATE = "bank-date"
    DATE_PAST = "bank-date-past"
    BANK_DAY = "bank-bank-day"
    MANDATE_DATE = "bank-mandate-date"
    SEQUENCE = "bank-sequence"
    SEQUENCE_MIXED = "bank-sequence-mixed"
    DUPLICATE = "bank-duplicate"
    COUNT = "bank-count"  # stated, found
    SUM = "bank-sum"  # stated, found
    EMPTY = "bank-empty"
    TOO_LARGE = "bank-too-large"  # limit: bytes or orders
    XML = "bank-xml"  # line
    DOCTYPE = "bank-doctype"
    MESSAGE = "bank-message"  # expected
    SCHEMA = "bank-schema"  # line, type
    STATUS = "bank-status"
    ENTRY_SUM = "bank-entry-sum"


@dataclass(slots=True)
class Faults:
    """Collects every fault of a file, in order. Past `MOST_FAULTS` they are counted and no longer kept."""

    found: list[FieldFault] = field(default_factory=list)
    beyond: int = 0

    def add(self, rule: BankRule, pointer: str, **params: str | int) -> None:
        """Note that what lies at `pointer` breaks `rule`."""
        if len(self.found) < MOST_FAULTS:
            self.found.append(FieldFault(pointer=pointer, code=rule.value, params=params))
        else:
            self.beyond += 1

    def __bool__(self) -> bool:
        return bool(self.found)
