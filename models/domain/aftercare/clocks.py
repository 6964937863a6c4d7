"""How long the bank may take to answer a customer (工单时限), by kind of ticket, as data with a version. Pure.

Days count from the day after the ticket came in and end with the last day in Shanghai (民法典 Art. 201, 203; a last
day that is no working day is not moved, which is stricter).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from models.domain.shanghai import SHANGHAI, shanghai_date

WorkingDay = Callable[[date], bool]
CLOCKS_VERSION: Final = "2026-11"
MAX_OPEN_THROUGH_LINK: Final = 5  # tickets of one case that a customer may have open at once


class TicketKind(StrEnum):
    """What the customer wants."""

    COMPLAINT = "complaint"  # 投诉
    CONDUCT = "conduct"  # 催收行为投诉: how somebody of the bank behaved; no outgoing call while it is open (CCM-68b)
    DISPUTE = "dispute"  # 异议: against what is charged or debited; no debit while it is open (CCM-69b)
    CREDIT_OBJECTION = "credit-objection"  # 征信异议
    QUESTION = "question"  # 咨询
    EXPLANATION = "explanation"  # 说明请求: of a decision, or of the use of personal data


class DayUnit(StrEnum):
    """Which days count."""

    CALENDAR = "calendar"  # 日
    WORKING = "working"  # 工作日


class Basis(StrEnum):
    """How sure the source is."""

    LAW = "law"  # the text was seen
    PROVISIONAL = "provisional"  # law, from memory: to be checked before use
    POLICY = "policy"  # the bank's own promise


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketClock:
    """The periods of one kind.

    Attributes:
        days: of the first period, then of each extension, all counted from the day the ticket came in.
        source: law and article, or the policy.
        checked_rejection: whether a rejection takes a second person (四眼).
    """

    days: tuple[int, ...]
    unit: DayUnit
    source: str
    basis: Basis
    checked_rejection: bool


_COMPLAINTS: Final = "银行业保险业消费投诉处理管理办法（银保监会令2020年第3号）：15日，情况复杂的30日，经批准再延长30日"
_COMPLAINT: Final = TicketClock(
    days=(15, 30, 60), unit=DayUnit.CALENDAR, source=_COMPLAINTS, basis=Basis.PROVISIONAL, checked_rejection=True
)

CLOCKS: Final[Mapping[TicketKind, TicketClock]] = {
    TicketKind.COMPLAINT: _COMPLAINT,
    TicketKind.CONDUCT: _COMPLAINT,
    TicketKind.DISPUTE: _COMPLAINT,
    TicketKind.CREDIT_OBJECTION: TicketClock(
        days=(20,),
        unit=DayUnit.CALENDAR,
        source="征信业管理条例（国务院令第631号）第二十五条：20日内核查、处理并书面答复",
        basis=Basis.LAW,
        checked_rejection=True,
    ),
    TicketKind.QUESTION: TicketClock(
        days=(5, 10), unit=DayUnit.WORKING, source="bank policy", basis=Basis.POLICY, checked_rejection=False
    ),
    TicketKind.EXPLANATION: TicketClock(
        days=(15,),
        unit=DayUnit.CALENDAR,
        source="bank policy; 个人信息保护法 Art. 24, 48 set no number of days",
        basis=Basis.POLICY,
        checked_rejection=True,
    ),
}


def due_at(kind: TicketKind, *, opened_at: datetime, extensions: int, is_working_day: WorkingDay) -> datetime:
    """The first moment at which the answer is late: midnight in Shanghai after the period's last day.

    Args:
        kind: of the ticket.
        opened_at: when it came in.
        extensions: how often the period was extended.
        is_working_day: the calendar. Days for which it raises LookupError are not announced yet: there Monday to
            Friday count, which can only make the period shorter than the calendar will.

    Raises:
        IndexError: the kind knows no such extension.
    """
    clock = CLOCKS[kind]
    days, last = clock.days[extensions], shanghai_date(opened_at)
    if clock.unit is DayUnit.CALENDAR:
        last += timedelta(days=days)
    else:
        for _ in range(days):
            last = _next_working_day(last, is_working_day)
    return datetime.combine(last + timedelta(days=1), time(), SHANGHAI)


def can_extend(kind: TicketKind, *, extensions: int) -> bool:
    """Whether there is another period after `extensions` of them."""
    return extensions + 1 < len(CLOCKS[kind].days)


def _next_working_day(day: date, is_working_day: WorkingDay) -> date:
    day += timedelta(days=1)
    while not _works(day, is_working_day):
        day += timedelta(days=1)
    return day


def _works(day: date, is_working_day: WorkingDay) -> bool:
    try:
        return is_working_day(day)
    except LookupError:
        return monday_to_friday(day)


def monday_to_friday(day: date) -> bool:
    """A calendar for where none is installed: it knows no holidays."""
    return day.weekday() < 5  # noqa: PLR2004 - Saturday is 5
