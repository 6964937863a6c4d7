"""How each family asks for its schedule. A family that cannot be had says why instead."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Final

from models.domain.plans.negotiation import Family, NegotiationInput
from models.domain.rates.calendars import months_before, whole_months
from models.domain.schedules.build import Plan, build_plan
from models.domain.schedules.conventions import CONVENTIONS
from models.domain.schedules.faults import ScheduleInvalid
from models.domain.schedules.request import CustomRow, Fee, Grace, ScheduleRequest, Step

_SEGMENTS: Final = 3


class Refusal(StrEnum):
    """Why a family is not offered."""

    NO_CAPACITY = "no-capacity"  # nothing can be paid
    CAPACITY_BELOW_INTEREST = "capacity-below-interest"  # the amount would never bring the debt down
    TERM_ABOVE_MAXIMUM = "term-above-maximum"
    TERM_TOO_SHORT = "term-too-short"  # not enough rows for the shape of the family
    NO_INTEREST = "no-interest"  # the family only makes sense with interest
    STEP_BELOW_INTEREST = "step-below-interest"  # a low step would let the debt grow
    NOT_POSSIBLE = "not-possible"  # the schedule cannot be built


class NotOffered(Exception):
    """The family cannot be had; `reason` says why."""

    def __init__(self, reason: Refusal) -> None:
        super().__init__(reason.value)
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A family's schedule and the request it came from."""

    request: ScheduleRequest
    plan: Plan


def draft(family: Family, about: NegotiationInput) -> Draft:
    """Build the schedule of one family.

    Raises:
        NotOffered: it cannot be had, with the reason.
    """
    try:
        made = _DRAFTS[family](about)
    except ScheduleInvalid as invalid:
        known = invalid.fault.code == "quote-amount-below-interest"
        raise NotOffered(Refusal.CAPACITY_BELOW_INTEREST if known else Refusal.NOT_POSSIBLE) from invalid
    if any(row.total_minor <= 0 for row in made.plan.schedule.rows):
        raise NotOffered(Refusal.TERM_TOO_SHORT)
    return made


def longest_rows(about: NegotiationInput) -> int:
    """How many monthly rows end within the longest term, counted from the start of the plan."""
    end = months_before(about.start, -about.max_term_months)
    return min(about.max_term_months, whole_months(about.first_due, end)[0] + 1)


def _asked(about: NegotiationInput, *, least: int = 1) -> int:
    if about.term_months < least:
        raise NotOffered(Refusal.TERM_TOO_SHORT)
    if about.term_months > longest_rows(about):
        raise NotOffered(Refusal.TERM_ABOVE_MAXIMUM)
    return about.term_months


def _request(about: NegotiationInput, convention: str, *, concession_bps: int | None = None) -> ScheduleRequest:
    bps = about.rate_concession_bps if concession_bps is None else concession_bps
    return ScheduleRequest(
        convention=CONVENTIONS[convention],
        start=about.start,
        first_due=about.first_due,
        balances=about.balances_at(about.offered_rate(bps)),
    )


def _made(request: ScheduleRequest) -> Draft:
    return Draft(request=request, plan=build_plan(request))


def _fixed_term(about: NegotiationInput) -> Draft:
    return _made(replace(_request(about, "cn-level"), rows=_asked(about)))


def _affordable(about: NegotiationInput) -> Draft:
    if not about.capacity_minor:
        raise NotOffered(Refusal.NO_CAPACITY)
    least, most = about.rate_concession_bps, max(about.rate_concession_bps, about.concession_limit_bps)
    made = _with_amount(about, least)
    if made is None:
        made = _with_amount(about, most)
        if made is None:
            _made(_amount_request(about, most))  # says so where the amount is below the interest
            raise NotOffered(Refusal.TERM_ABOVE_MAXIMUM)
        while most - least > 1:  # the term only shortens as more is conceded
            middle = (least + most) // 2
            tried = _with_amount(about, middle)
            least, most, made = (least, middle, tried) if tried else (middle, most, made)
    return made


def _amount_request(about: NegotiationInput, concession_bps: int) -> ScheduleRequest:
    request = _request(about, "cn-level", concession_bps=concession_bps)
    return replace(request, amount_minor=about.capacity_minor)


def _with_amount(about: NegotiationInput, concession_bps: int) -> Draft | None:
    try:
        made = _made(_amount_request(about, concession_bps))
    except ScheduleInvalid:
        return None
    return made if len(made.plan.schedule.rows) <= longest_rows(about) else None


def _step_up(about: NegotiationInput) -> Draft:
    rows = _asked(about, least=_SEGMENTS)
    lengths = (rows // _SEGMENTS, rows // _SEGMENTS, rows - 2 * (rows // _SEGMENTS))
    steps = tuple(
        Step(rows=number, weight=weight) for number, weight in zip(lengths, about.terms.step_weights, strict=True)
    )
    made = _made(replace(_request(about, "cn-step-up"), steps=steps))
    if any(row.principal_minor <= 0 for row in made.plan.schedule.rows):
        raise NotOffered(Refusal.STEP_BELOW_INTEREST)
    return made


def _interest_free(about: NegotiationInput) -> Draft:
    request = replace(_request(about, "cn-fee"), balances=about.balances_at(Decimal(0)))
    return _made(replace(request, rows=_asked(about), fee=Fee(rate=about.terms.monthly_fee_rate)))


def _interest_pause(about: NegotiationInput) -> Draft:
    request = _bearing(about, "cn-pause")
    rows = _asked(about, least=about.terms.pause_rows + 1)
    return _made(replace(request, rows=rows, grace=Grace(interest_rows=about.terms.pause_rows)))


def _principal_first(about: NegotiationInput) -> Draft:
    """As few rows of interest as the terms want, but enough that none of them is above a row of principal."""
    least = about.terms.interest_rows
    rows = _asked(about, least=least + 1)
    request = _bearing(about, "cn-principal-first")
    for interest_rows in range(least, rows):
        made = _made(_principal_then_interest(request, rows - interest_rows, interest_rows, about))
        if made.plan.schedule.rows[-1].total_minor <= made.plan.schedule.rows[0].total_minor:
            return made
    raise NotOffered(Refusal.TERM_TOO_SHORT)


def _principal_then_interest(
    request: ScheduleRequest, principal_rows: int, interest_rows: int, about: NegotiationInput
) -> ScheduleRequest:
    total = about.balances.total_minor
    share = total // principal_rows
    principals = [share] * (principal_rows - 1) + [total - share * (principal_rows - 1)] + [0] * interest_rows
    custom = tuple(
        CustomRow(due=months_before(about.first_due, -at), principal_minor=principal)
        for at, principal in enumerate(principals)
    )
    return replace(request, custom_rows=custom, grace=Grace(interest_rows=principal_rows))


def _bearing(about: NegotiationInput, convention: str) -> ScheduleRequest:
    request = _request(about, convention)
    if not any(balance.annual_rate for balance in request.balances):
        raise NotOffered(Refusal.NO_INTEREST)
    return request


_DRAFTS: Final[dict[Family, Callable[[NegotiationInput], Draft]]] = {
    Family.FIXED_TERM: _fixed_term,
    Family.AFFORDABLE: _affordable,
    Family.STEP_UP: _step_up,
    Family.INTEREST_FREE: _interest_free,
    Family.INTEREST_PAUSE: _interest_pause,
    Family.PRINCIPAL_FIRST: _principal_first,
}
