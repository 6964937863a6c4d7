"""One value against a profile: what is wrong with an id, a name, an account or a bank code."""

import re
from dataclasses import dataclass, field
from typing import Final

from activities.gateways.bank.profiles import AccountScheme, BankProfile
from activities.gateways.bank.rules import BankRule

# Stands in place of a bank code that is not known; the scheme's rulebooks give this word.
NOT_PROVIDED: Final = "NOTPROVIDED"
_IBAN_BASE: Final = 36


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a value breaks, and what its text needs."""

    rule: BankRule
    params: dict[str, str | int] = field(default_factory=dict)


class FieldRules:
    """The rules of a profile for single values. Each method answers None when the value is in order."""

    def __init__(self, profile: BankProfile) -> None:
        self._profile = profile
        self._id = re.compile(rf"(?!/)(?!.*//)[{profile.id_characters}]{{1,{profile.id_length}}}(?<!/)")
        self._text = re.compile(rf"[{profile.text_characters}]+")
        self._account = re.compile(profile.account_pattern)
        self._bank = re.compile(profile.bank_pattern)

    def identifier(self, value: str) -> Broken | None:
        """MsgId, PmtInfId, InstrId, EndToEndId, mandate id: they come back in replies and must survive every system."""
        if self._id.fullmatch(value):
            return None
        return self._measured(value, self._profile.id_length) or Broken(BankRule.IDENTIFIER)

    def name(self, value: str) -> Broken | None:
        """A party's name."""
        return self._worded(value, self._profile.name_length)

    def text(self, value: str) -> Broken | None:
        """Remittance text."""
        return self._worded(value, self._profile.text_length)

    def account(self, value: str) -> Broken | None:
        """An account in the profile's scheme, an IBAN with its check digits (ISO 13616)."""
        iban = self._profile.accounts is AccountScheme.IBAN
        if self._account.fullmatch(value) and (not iban or iban_holds(value)):
            return None
        return self._measured(value, 34) or Broken(BankRule.IBAN if iban else BankRule.ACCOUNT)

    def bank(self, value: str) -> Broken | None:
        """A bank in the profile's scheme; the word for "not known" is in order."""
        if value == NOT_PROVIDED or self._bank.fullmatch(value):
            return None
        return Broken(BankRule.BANK_CODE if value else BankRule.REQUIRED)

    def _worded(self, value: str, limit: int) -> Broken | None:
        if len(value) <= limit and self._text.fullmatch(value) and not value.isspace():
            return None
        return self._measured(value, limit) or Broken(BankRule.CHARSET)

    @staticmethod
    def _measured(value: str, limit: int) -> Broken | None:
        if not value.strip():
            return Broken(BankRule.REQUIRED)
        return Broken(BankRule.LENGTH, {"limit": limit}) if len(value) > limit else None


def iban_holds(iban: str) -> bool:
    """Whether the check digits of an IBAN agree with the rest: modulo 97 gives 1 (ISO 13616, ISO 7064 MOD 97-10)."""
    rest = 0
    for character in iban[4:] + iban[:4]:
        value = int(character, _IBAN_BASE)
        rest = (rest * (10 if value < 10 else 100) + value) % 97  # noqa: PLR2004 - one digit or two of the decimal spelling
    return rest == 1
