"""Bank card numbers (银行卡号): 16 to 19 digits, the last one by Luhn (ISO/IEC 7812)."""

import re
from typing import Final

from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact

MIN_DIGITS: Final = 16
MAX_DIGITS: Final = 19
# Issuer prefixes of generated books and test data. No real card may be put under them, no real prefix among them.
SYNTHETIC_BINS: Final = ("622999", "625999", "628999")

_DIGITS: Final = re.compile(r"\A[0-9]+\Z")
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def luhn_digit(body: str) -> str:
    """The check digit that makes `body` (ASCII digits) and itself pass."""
    digits = [ord(character) - 48 for character in reversed(body)]
    total = sum(_DOUBLED[digit] for digit in digits[::2]) + sum(digits[1::2])
    return str(-total % 10)


def check_bank_card(value: str) -> str:
    """The digits alone.

    Raises:
        RuleBroken: `card-length` (not 16 to 19 digits) or `card-luhn` (a digit is wrong or two are swapped).
    """
    text = compact(value)
    if _DIGITS.match(text) is None or not MIN_DIGITS <= len(text) <= MAX_DIGITS:
        raise RuleBroken("card-length", {"min": MIN_DIGITS, "max": MAX_DIGITS})
    if luhn_digit(text[:-1]) != text[-1]:
        raise RuleBroken("card-luhn")
    return text


def is_synthetic_card(digits: str) -> bool:
    """Whether the number belongs to generated data."""
    return digits.startswith(SYNTHETIC_BINS)
