"""Bank profiles as data: which message version a bank reads, how it names accounts and banks, what it can spell."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final


class Sequence(StrEnum):
    """Where a debit stands in the life of its mandate (ISO 20022 SeqTp)."""

    FIRST = "FRST"
    RECURRING = "RCUR"
    FINAL = "FNAL"
    ONE_OFF = "OOFF"


class AccountScheme(StrEnum):
    """How an account is named."""

    IBAN = "IBAN"
    OTHER = "Othr"  # the bank's own number


class AgentScheme(StrEnum):
    """How a bank is named."""

    BIC = "BIC"
    CLEARING = "ClrSysMmbId"  # member number of a clearing system


PAIN_008_02: Final = "pain.008.001.02"
PAIN_008_08: Final = "pain.008.001.08"
PAIN_001_09: Final = "pain.001.001.09"

# Basic Latin set of the EPC's guidelines (EPC217-08): what every bank of the scheme passes on unchanged.
_SEPA_TEXT: Final = r"A-Za-z0-9/\-?:().,'+ "
# Printable ASCII, the dot in names of minorities (·), Chinese punctuation in common use, and Chinese characters (汉字).
_CHINESE_TEXT: Final = (
    r"\x20-\x7e\u00b7\u2014\u2018\u2019\u201c\u201d\u2026\u3001\u3002\u3007"
    r"\u300a\u300b\u3010\u3011\uff01-\uff5e\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af"
)
_ID: Final = r"A-Za-z0-9/\-?:().,'+"


@dataclass(frozen=True, kw_only=True, slots=True)
class BankProfile:
    """What one bank wants.

    Attributes:
        name: under which mandates and settings name the profile.
        pain008: identifier of the direct debit message that the bank reads.
        pain001: identifier of the credit transfer message that the bank reads.
        currency: the one currency of its files.
        accounts, agents: how accounts and banks are named.
        clearing_system: ISO external code of the clearing system, where banks are named by one.
        account_pattern, bank_pattern: regular expressions; an IBAN's check digits are tested besides.
        id_characters, text_characters: contents of a character class.
        id_length, name_length, text_length: most characters.
        service_level, local_instrument, scheme: codes of the payment type; None leaves the element out.
        sequences: the sequence types that the bank takes; a batch has exactly one.
        most_orders: of one file.
    """

    name: str
    pain008: str
    currency: str
    accounts: AccountScheme
    agents: AgentScheme
    clearing_system: str | None
    account_pattern: str
    bank_pattern: str
    id_characters: str
    text_characters: str
    id_length: int
    name_length: int
    text_length: int
    service_level: str | None
    local_instrument: str | None
    scheme: str | None
    sequences: frozenset[Sequence]
    most_orders: int
    pain001: str = PAIN_001_09

    @property
    def namespace(self) -> str:
        """XML namespace of the direct debit message."""
        return f"urn:iso:std:iso:20022:tech:xsd:{self.pain008}"

    @property
    def bic_element(self) -> str:
        """The element of a BIC was renamed after version 02."""
        return "BIC" if self.pain008 == PAIN_008_02 else "BICFI"

    def speaking(self, pain008: str) -> "BankProfile":
        """The same bank with another version of the direct debit message.

        Raises:
            ValueError: we write no such version.
        """
        if pain008 not in {PAIN_008_02, PAIN_008_08}:
            raise ValueError(f"no writer for {pain008}")
        return replace(self, pain008=pain008)


GENERIC_CNY: Final = BankProfile(
    name="generic-cny",
    pain008=PAIN_008_08,
    currency="CNY",
    accounts=AccountScheme.OTHER,
    agents=AgentScheme.CLEARING,
    clearing_system="CNAPS",  # 现代化支付系统; member numbers are 联行号, twelve digits
    account_pattern=r"[0-9]{6,34}",
    bank_pattern=r"[0-9]{12}",
    id_characters=_ID,
    text_characters=_CHINESE_TEXT,
    id_length=35,
    name_length=70,
    text_length=140,
    service_level=None,
    local_instrument=None,
    scheme=None,
    sequences=frozenset(Sequence),
    most_orders=1_000_000,
)

SEPA: Final = BankProfile(
    name="sepa",
    pain008=PAIN_008_08,
    currency="EUR",
    accounts=AccountScheme.IBAN,
    agents=AgentScheme.BIC,
    clearing_system=None,
    account_pattern=r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}",
    bank_pattern=r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}(?:[A-Z0-9]{3})?",
    id_characters=_ID,
    text_characters=_SEPA_TEXT,
    id_length=35,
    name_length=70,
    text_length=140,
    service_level="SEPA",
    local_instrument="CORE",
    scheme="SEPA",
    sequences=frozenset(Sequence),
    most_orders=1_000_000,
)

PROFILES: Final = {profile.name: profile for profile in (GENERIC_CNY, SEPA)}
