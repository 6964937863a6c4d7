"""Amounts as files write them (金额): to minor units and back, exactly; what is not exact is refused."""

import re
import unicodedata
from typing import Final

from models.domain.batches.files.layout import MOST_MINOR
from models.domain.batches.files.words import AmountUnit

_SIGNS: Final = re.compile(r"\A(?:CNY|RMB|人民币|[¥¥])\s*|\s*(?:元|CNY|RMB)\Z")
_YUAN: Final = re.compile(r"\A([+-]?)([0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,20})(?:\.([0-9]+))?\Z")
_MINOR: Final = re.compile(r"\A([+-]?)([0-9]{1,20})\Z")
_SCIENTIFIC: Final = re.compile(r"\A[+-]?[0-9]+(?:\.[0-9]+)?[Ee][+-]?[0-9]+\Z")


def read_amount(text: str, unit: AmountUnit) -> tuple[int | None, str | None]:
    """Minor units, and the rule that the text breaks.

    Neither zero nor anything below is an amount of a row: money moves one way in a batch.
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if _SCIENTIFIC.match(plain) is not None:
        return None, "number-lost-digits"
    if plain[:1] in {"=", "@"}:
        return None, "formula"
    if unit is AmountUnit.MINOR:
        match = _MINOR.match(plain)
        if match is None:
            return None, "amount-decimals" if _YUAN.match(plain) is not None else "amount-unreadable"
        minor = int(match[2])
    else:
        match = _YUAN.match(_SIGNS.sub("", plain))
        if match is None:
            return None, "amount-unreadable"
        decimals = match[3] or ""
        if len(decimals.rstrip("0")) > 2:  # noqa: PLR2004 - yuan and fen
            return None, "amount-decimals"
        minor = int(match[2].replace(",", "")) * 100 + int(decimals[:2].ljust(2, "0"))
    if match[1] == "-" and minor:
        return None, "amount-negative"
    if minor == 0:
        return None, "amount-zero"
    return (minor, None) if minor <= MOST_MINOR else (None, "amount-too-large")


def write_amount(minor: int, unit: AmountUnit) -> str:
    """As `read_amount` reads it."""
    return str(minor) if unit is AmountUnit.MINOR else f"{minor // 100}.{minor % 100:02d}"
