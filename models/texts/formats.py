"""Money and dates as people of each language write them; integers in, no float anywhere."""

from datetime import date
from typing import Final

# Minor units per currency (ISO 4217 exponent), where it is not two.
_EXPONENTS: Final = {"JPY": 0, "KRW": 0, "VND": 0}
_SYMBOLS: Final = {"CNY": "¥"}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_BASIS_POINTS: Final = 100


def format_money(amount_minor: int, *, currency: str = "CNY") -> str:
    """`1234567` is `¥12,345.67`; others go by their code: `USD 12,345.67`. The same in each language."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{_SYMBOLS.get(currency, f'{currency} ')}{format_amount(abs(amount_minor), currency=currency)}"


def format_amount(amount_minor: int, *, currency: str = "CNY") -> str:
    """As `format_money` without the currency, for columns whose heading names it: `12,345.67`."""
    exponent = _EXPONENTS.get(currency, 2)
    whole, part = divmod(abs(amount_minor), 10**exponent)
    fraction = f".{part:0{exponent}d}" if exponent else ""
    return f"{'-' if amount_minor < 0 else ''}{whole:,}{fraction}"


def format_date(day: date, *, locale: str) -> str:
    """`2026年11月21日` or `21 November 2026`."""
    if locale == "zh-CN":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def format_percent(basis_points: int) -> str:
    """`1250` is `12.50%`."""
    whole, part = divmod(abs(basis_points), _BASIS_POINTS)
    return f"{'-' if basis_points < 0 else ''}{whole}.{part:02d}%"
