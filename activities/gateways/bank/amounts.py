"""Amounts on the wire: minor units in the program, a decimal point in the file, and no float between."""

import re
from typing import Final

# ISO 4217 minor-unit digits of the currencies that the profiles use.
CURRENCY_DIGITS: Final = {"CNY": 2, "EUR": 2, "USD": 2, "HKD": 2, "GBP": 2, "JPY": 0}
# ISO 20022 allows 18 digits in all; one more would be refused by the bank's own reader.
MOST_DIGITS: Final = 18
_DECIMAL: Final = re.compile(r"\+?(\d{1,18})(?:\.(\d{0,17}))?", re.ASCII)


class NotAnAmountError(ValueError):
    """Not a plain decimal number of the currency's digits."""


def amount_text(amount_minor: int, currency: str) -> str:
    """Minor units as the file spells them: `123456` in CNY is `1234.56`.

    Raises:
        NotAnAmountError: negative, or the currency is unknown.
    """
    digits = CURRENCY_DIGITS.get(currency)
    if digits is None or amount_minor < 0:
        raise NotAnAmountError
    if digits == 0:
        return str(amount_minor)
    scale = 10**digits
    return f"{amount_minor // scale}.{amount_minor % scale:0{digits}d}"


def amount_minor(text: str, currency: str) -> int:
    """What the file spells as minor units: `1234.5` in CNY is `123450`.

    Raises:
        NotAnAmountError: not a decimal number, finer than the currency, longer than 18 digits, or an unknown currency.
    """
    digits = CURRENCY_DIGITS.get(currency)
    match = _DECIMAL.fullmatch(text)
    if digits is None or match is None:
        raise NotAnAmountError
    whole, fraction = match[1], (match[2] or "").rstrip("0")
    if len(fraction) > digits or len(whole.lstrip("0")) + digits > MOST_DIGITS:
        raise NotAnAmountError
    return int(whole + fraction.ljust(digits, "0"))
