"""Words of a payroll's rows (代发工资): what the client's file says of a wage, and the agreed day. Pure."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

RECORD_YEARS: Final = 10  # rows and orders of a payroll are kept as long as the books, past two and three years
_LONGEST_HOLIDAY: Final = 31
_DAMAGES: Final = "damages"  # of `batches_words.DEDUCTIONS`
_YES: Final = {"yes": True, "no": False}
# Names of fields in a row of a payroll's file, by the fact that each is.
FLAGS: Final = {
    "payee_is_worker": "own-account",
    "wage_sheet_signed": "sheet-signed",
    "worker_card_held": "card-held",
    "contractor_told": "contractor-told",
}
AMOUNTS: Final = {
    "wage_gross_minor": "gross-minor",
    "wage_damages_minor": "damages-minor",
    "minimum_wage_minor": "minimum-wage-minor",
}
LISTS: Final = {"wage_deductions": "deductions", "wage_ledger_items": "ledger-items"}


def declared(fields: Mapping[str, str]) -> dict[str, object]:
    """What a row says of its wage, as facts; what it does not say, or says in no known form, is left out and blocks.

    Args:
        fields: of the row in their canonical spelling: yes or no, minor units, words between spaces.
    """
    facts: dict[str, object] = {}
    for fact, name in FLAGS.items():
        if fields.get(name) in _YES:
            facts[fact] = _YES[fields[name]]
    for fact, name in AMOUNTS.items():
        if fields.get(name, "").isascii() and fields.get(name, "").isdigit():
            facts[fact] = int(fields[name])
    for fact, name in LISTS.items():
        if name in fields:
            facts[fact] = tuple(fields[name].split())
    deductions = fields.get(LISTS["wage_deductions"])
    if deductions is not None and _DAMAGES not in deductions.split():
        facts.setdefault("wage_damages_minor", 0)  # the list names every deduction: none of them is damages
    return facts


def agreed_date(month: date, day: int, *, is_bank_day: Callable[[date], bool]) -> date:
    """The agreed day of a date's month, or the nearest bank day before it (WAGE-P7).

    Raises:
        LookupError: nobody has announced the bank days of that year.
    """
    following = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    last = (following - timedelta(days=1)).day
    agreed = month.replace(day=min(day, last))
    return next(
        each for each in (agreed - timedelta(days=back) for back in range(_LONGEST_HOLIDAY)) if is_bank_day(each)
    )


def kept_until(paid_on: date) -> date:
    """Until when amount, time and recipient of a wage are kept at least."""
    return date(paid_on.year + RECORD_YEARS, 12, 31)


def months_between(earlier: date, later: date) -> int:
    """Whole months of the calendar between two payments: of the next month, 1."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month
