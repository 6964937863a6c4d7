"""Payroll (代发工资): on which day, from which account, and whether a file is what its sender says of it. Pure.

Payday: 工资支付暂行规定 Art. 7 (WAGE-P7): the agreed day; on a holiday or rest day, paid before it, on the nearest
working day. Source: 保障农民工工资支付条例 Arts. 26, 31, 33: wages of a construction project come from the project's
special account, and nothing else is taken from that account.
"""

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from models.domain.rule_words import AccountKind

_LONGEST_HOLIDAY: Final = 20  # days in a row on which no bank works; none was ever that long


def payday(year: int, month: int, agreed_day: int, *, is_bank_day: Callable[[date], bool]) -> date:
    """The day on which a month's wages have to be there.

    Args:
        year: in which the agreed day lies.
        month: the same.
        agreed_day: 1 to 31; a month that is shorter has its last day.
        is_bank_day: of the tenant's calendar.

    Raises:
        ValueError: no day of a month.
        LookupError: nobody has announced that year's bank days; nothing is moved by guess.
    """
    if not 1 <= agreed_day <= 31:  # noqa: PLR2004 - days of a month
        raise ValueError(agreed_day)
    agreed = date(year, month, min(agreed_day, calendar.monthrange(year, month)[1]))
    for back in range(_LONGEST_HOLIDAY):
        if is_bank_day(agreed - timedelta(days=back)):
            return agreed - timedelta(days=back)
    raise LookupError(agreed)


def source_fault(account_kind: str, *, wage_project: bool) -> str | None:
    """Why wages may not come from an account of this kind; None: they may.

    A special wage account serves a construction project's wages alone, and these come from nowhere else.
    """
    special = account_kind == AccountKind.WAGE_SPECIAL
    if wage_project and not special:
        return "not-from-special"
    if special and not wage_project:
        return "special-for-other"
    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlTotal:
    """What a sender says of a file, or what it holds (控制总数). Minor units; None: nobody says, or can tell."""

    count: int | None
    amount_minor: int | None


def control_differences(told: ControlTotal, found: ControlTotal) -> tuple[str, ...]:
    """Codes of what the sender's figures and the file disagree on; what nobody said or can read is no fault."""
    codes = []
    if told.count is not None and told.count != found.count:
        codes.append("control-count")
    if told.amount_minor is not None and found.amount_minor is not None and told.amount_minor != found.amount_minor:
        codes.append("control-total")
    return tuple(codes)
