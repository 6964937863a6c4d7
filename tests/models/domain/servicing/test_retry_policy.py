"""The retry policy: what each reason brings, caps, salary days, working days, and the calendar beforehand."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from models.domain.servicing.retry_policy import (
    DEFAULT_RETRY_POLICY,
    RETRY_POLICIES,
    NextTry,
    RetryAction,
    RetryRule,
    StopCause,
    next_try,
    render_calendar,
    simulate,
)

_DUE = date(2026, 3, 10)  # a Tuesday


def _next(reason: str = "AM04", attempt: int = 1, failed: date = date(2026, 3, 11), **more) -> NextTry:
    return next_try(DEFAULT_RETRY_POLICY, reason=reason, attempt=attempt, due=_DUE, failed_on=failed, **more)


def test_missing_money_is_tried_again_after_three_then_five_days():
    assert _next().on == date(2026, 3, 14)
    assert _next(attempt=2, failed=date(2026, 3, 15)).on == date(2026, 3, 20)


def test_the_third_presentment_is_the_last():
    after = _next(attempt=3)
    assert (after.action, after.on, after.cause) == (RetryAction.ASK_CUSTOMER, None, StopCause.ATTEMPTS)


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        ("AC04", RetryAction.ASK_CUSTOMER),
        ("MD01", RetryAction.STOP),
        ("MD07", RetryAction.STOP),
        ("ZZ99", RetryAction.ASK_CUSTOMER),  # unknown codes are for a person
    ],
)
def test_what_money_cannot_mend_is_not_tried_again(reason: str, action: RetryAction):
    after = _next(reason)
    assert (after.action, after.on, after.cause) == (action, None, StopCause.REASON)


def test_a_salary_day_soon_is_waited_for_and_one_far_off_is_not():
    assert _next(salary_day=18).on == date(2026, 3, 18)
    assert _next(salary_day=18).moved_by == ("salary-day",)
    assert _next(salary_day=21).on == date(2026, 3, 21)  # seven days behind the plain date
    assert _next(salary_day=22).on == date(2026, 3, 14)
    assert _next(salary_day=12).on == date(2026, 3, 14)  # paid before the plain date anyway


def test_the_last_of_a_month_is_a_salary_day_in_february_too():
    policy = replace(DEFAULT_RETRY_POLICY, window_days=40)
    after = next_try(
        policy, reason="AM04", attempt=1, due=date(2026, 2, 20), failed_on=date(2026, 2, 21), salary_day=31
    )
    assert after.on == date(2026, 2, 28)


def test_the_salary_plays_no_part_where_money_is_not_the_trouble():
    assert _next("TM01", salary_day=15).on == date(2026, 3, 12)


def test_a_holiday_moves_the_try_and_the_window_ends_it():
    def weekday(day: date) -> bool:
        return day.weekday() < 5

    moved = _next(is_working_day=weekday)
    assert (moved.on, moved.moved_by) == (date(2026, 3, 16), ("working-day",))
    late = _next(failed=_DUE + timedelta(days=18))
    assert (late.action, late.cause) == (RetryAction.ASK_CUSTOMER, StopCause.TOO_LATE)
    assert _next(failed=_DUE + timedelta(days=17)).on == _DUE + timedelta(days=20)
    with pytest.raises(ValueError, match="calendar"):
        _next(is_working_day=lambda day: False)


def test_an_order_keeps_the_version_it_was_sent_under():
    newer = replace(DEFAULT_RETRY_POLICY, version="retry/test", attempts=9)
    assert RETRY_POLICIES[DEFAULT_RETRY_POLICY.version] is DEFAULT_RETRY_POLICY
    assert _next().policy_version == DEFAULT_RETRY_POLICY.version
    assert next_try(newer, reason="AM04", attempt=3, due=_DUE, failed_on=_DUE).policy_version == "retry/test"


def test_the_calendar_can_be_read_before_the_policy_is_released():
    tries = simulate(DEFAULT_RETRY_POLICY, due=_DUE, reasons=["AM04", "AM04", "AM04", "AM04"], salary_day=18)
    assert [item.on for item in tries] == [_DUE, date(2026, 3, 18), date(2026, 3, 24)]
    assert render_calendar(DEFAULT_RETRY_POLICY, tries).splitlines() == [
        "policy retry/2026-01: at most 3 presentments in 20 days",
        "1. 2026-03-10 Tue  AM04  -> again on 2026-03-18 [salary-day]",
        "2. 2026-03-18 Wed  AM04  -> again on 2026-03-24",
        "3. 2026-03-24 Tue  AM04  -> ask-customer (attempts)",
    ]


def test_rules_and_attempts_that_make_no_sense_are_refused():
    with pytest.raises(ValueError, match="days"):
        RetryRule(action=RetryAction.RETRY)
    with pytest.raises(ValueError, match="days"):
        RetryRule(action=RetryAction.STOP, after_days=(1,))
    with pytest.raises(ValueError, match="from 1"):
        _next(attempt=0)
