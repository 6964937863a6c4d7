"""Another try: what each reason brings, on which day, for how much; and what no policy can bring about."""

import ast
import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.domain.batches.retrying import decide as decide_module
from models.domain.batches.retrying.decide import Decision, End, Next, decide
from models.domain.batches.retrying.orders import Attempt, AttemptState, Mandate, RetryOrder
from models.domain.batches.retrying.policy import (
    DEFAULT_POLICY,
    Parts,
    ReasonRule,
    RetryAction,
    RetryPolicy,
    general_form,
)
from models.domain.batches.retrying.reasons import REASON_OF_CODE, Reason
from models.domain.batches.retrying.simulate import simulate
from models.domain.servicing.retry_policy import DEFAULT_RETRY_POLICY, next_try
from models.domain.shanghai import SHANGHAI
from models.errors import FormInvalid
from models.texts.render import LOCALES, catalogue, placeholders

DUE = date(2026, 3, 10)  # a Tuesday
POLICY = RetryPolicy(
    version="retry/test",
    source="a test",
    reasons={
        Reason.INSUFFICIENT_FUNDS: ReasonRule(
            action=RetryAction.RETRY, after_days=(3, 5), salary_aware=True, part=True
        ),
        Reason.TECHNICAL: ReasonRule(action=RetryAction.RETRY, after_days=(1,)),
        Reason.MANDATE_GONE: ReasonRule(action=RetryAction.STOP),
    },
    otherwise=ReasonRule(action=RetryAction.ASK_CUSTOMER),
    attempts=4,
    minimum_gap_days=2,
    window_days=20,
    salary_wait_days=7,
    cut_off=time(17, 0),
    parts=Parts(from_attempt=3, share_bps=5_000, least_minor=10_000, step_minor=1_000, rest_after_days=4),
)


def weekday(day: date) -> bool:
    return day.weekday() < 5


def moment(day: date, hour: int = 9, minute: int = 0, second: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=SHANGHAI)


def failed(on: date, code: str = "AM04", *, amount: int = 150_000, answer: int = 1) -> Attempt:
    return Attempt(
        on=on,
        amount_minor=amount,
        state=AttemptState.FAILED,
        code=code,
        answered_on=on + timedelta(days=answer),
    )


def settled(on: date, amount: int) -> Attempt:
    return Attempt(on=on, amount_minor=amount, state=AttemptState.SETTLED)


def ask(*attempts: Attempt, policy: RetryPolicy = POLICY, at: datetime | None = None, **order) -> Decision:
    last = max([each.answered_on or each.on for each in attempts], default=DUE)
    claim = RetryOrder(**{"amount_minor": 150_000, "due": DUE} | order)
    return decide(policy, claim, attempts, at=at or moment(last), is_bank_day=weekday)


def codes(decision: Decision) -> list[str]:
    return [step.code for step in decision.steps]


def test_the_first_presentment_is_for_the_due_date_or_the_bank_day_after_it():
    assert (ask().on, ask().number, codes(ask())) == (DUE, 1, ["due"])
    saturday = ask(due=date(2026, 3, 14), at=moment(DUE))
    assert (saturday.on, codes(saturday)) == (date(2026, 3, 16), ["due", "bank-day"])


def test_the_cut_off_itself_is_in_time_and_a_second_later_is_not():
    assert ask(at=moment(DUE, 17)).on == DUE
    late = ask(at=moment(DUE, 17, 0, 1))
    assert (late.on, codes(late)) == (DUE + timedelta(days=1), ["due", "cut-off"])
    friday = date(2026, 3, 13)
    assert ask(at=moment(friday, 18)).on == date(2026, 3, 16)  # past the due date, past the cut-off, then a week-end


def test_no_second_debit_while_one_is_open():
    waits = ask(Attempt(on=DUE, amount_minor=150_000, state=AttemptState.OPEN))
    assert (waits.what, waits.cause, waits.rule, waits.on) == (Next.WAIT, "order-open", "BATCH-ONCE", None)


@pytest.mark.parametrize(
    ("attempts", "order", "cause", "rule", "end"),
    [
        ((settled(DUE, 150_000),), {}, "settled", "BATCH-ONCE", End.SETTLED),
        ((failed(DUE),), {"owed_minor": 0}, "nothing-due", "BATCH-CUT", End.NOTHING_DUE),
        ((failed(DUE),), {"mandate": Mandate(revoked=True)}, "mandate-revoked", "DDB-REVOKE", End.STOPPED),
        ((failed(DUE, "MD01"),), {}, "reason", "RETRY-REASON", End.STOPPED),
        ((failed(DUE, "AC04"),), {}, "reason", "RETRY-REASON", End.ASK_CUSTOMER),
        ((failed(DUE, "ZZ99"),), {}, "reason", "RETRY-REASON", End.ASK_CUSTOMER),
        (
            tuple(failed(DUE + timedelta(days=4 * at)) for at in range(4)),
            {},
            "attempts",
            "RETRY-CAP",
            End.ASK_CUSTOMER,
        ),
        ((failed(DUE),), {"mandate": Mandate(limit_minor=149_999)}, "above-limit", "DDB-LIMIT", End.ASK_CUSTOMER),
        ((failed(DUE),), {"mandate": Mandate(valid_to=DUE)}, "mandate-ended", "DDB-AUTH", End.ASK_CUSTOMER),
        ((failed(DUE + timedelta(days=18)),), {}, "too-late", "RETRY-WINDOW", End.ASK_CUSTOMER),
    ],
)  # fmt: skip
def test_every_end_says_its_state_its_reason_and_its_rule(attempts, order, cause, rule, end):
    decision = ask(*attempts, **order)
    assert (decision.what, decision.cause, decision.rule, decision.end) == (Next.END, cause, rule, end)
    assert (decision.on, decision.amount_minor, decision.number) == (None, 0, 0)


def test_the_mandates_limit_and_last_day_are_included():
    assert ask(failed(DUE), mandate=Mandate(limit_minor=150_000)).amount_minor == 150_000
    assert ask(failed(DUE), mandate=Mandate(valid_to=date(2026, 3, 16))).on == date(2026, 3, 16)


def test_the_gap_holds_where_a_reason_would_be_sooner():
    decision = ask(failed(DUE, "AB05", answer=0))
    assert (decision.on, codes(decision)) == (DUE + timedelta(days=2), ["after-refusal", "gap"])


def test_a_salary_soon_is_waited_for_and_one_on_a_holiday_comes_before_it():
    assert ask(failed(DUE), salary_day=18).on == date(2026, 3, 18)
    assert ask(failed(DUE), salary_day=21).on == date(2026, 3, 23)  # a Saturday: tried on Monday
    early = POLICY.model_copy(update={"payday_before_holiday": True})
    assert ask(failed(DUE), salary_day=21, policy=early).on == date(2026, 3, 20)  # paid on Friday
    assert ask(failed(DUE), salary_day=22).on == date(2026, 3, 16)  # eight days behind: not worth it
    assert ask(failed(DUE, "AB05"), salary_day=18).on == date(2026, 3, 12)  # money is not the trouble


def test_a_part_is_asked_for_from_the_third_time_where_the_mandate_allows_it():
    twice = (failed(DUE), failed(date(2026, 3, 16)))
    assert ask(*twice).amount_minor == 150_000
    allowed = Mandate(parts_allowed=True)
    assert ask(failed(DUE), mandate=allowed).amount_minor == 150_000
    part = ask(*twice, mandate=allowed)
    assert (part.amount_minor, codes(part)[0]) == (75_000, "part")
    assert ask(*twice, mandate=allowed, owed_minor=31_999).amount_minor == 15_000  # down to whole steps
    assert ask(*twice, mandate=allowed, owed_minor=15_000).amount_minor == 10_000  # never below the least
    assert ask(*twice, mandate=allowed, owed_minor=9_000).amount_minor == 9_000  # or all of it


def test_after_a_part_the_rest_is_asked_for_and_no_more():
    rest = ask(failed(DUE), failed(date(2026, 3, 16)), settled(date(2026, 3, 19), 75_000))
    assert (rest.amount_minor, rest.taken_minor, rest.on) == (75_000, 75_000, date(2026, 3, 23))
    assert codes(rest) == ["rest"]


def test_the_mandates_limit_makes_parts_of_an_order_above_it():
    part = ask(mandate=Mandate(limit_minor=100_000, parts_allowed=True))
    assert (part.amount_minor, codes(part)) == (100_000, ["mandate-limit", "due"])


def test_a_late_return_opens_the_order_again():
    back = failed(DUE, "AM04", answer=9)
    assert ask(back).on == date(2026, 3, 23)  # three days after the return was known, a Sunday


def test_a_year_that_nobody_has_announced_is_waited_for():
    def known(day: date) -> bool:
        if day.year > 2026:
            raise LookupError(day)
        return weekday(day)

    order = RetryOrder(amount_minor=1, due=date(2026, 12, 30))
    decision = decide(POLICY, order, (failed(date(2026, 12, 30), amount=1),), at=moment(DUE), is_bank_day=known)
    assert (decision.what, decision.cause) == (Next.WAIT, "calendar-unknown")


def test_a_broken_calendar_and_a_moment_without_a_zone_are_refused():
    with pytest.raises(ValueError, match="calendar"):
        decide(POLICY, RetryOrder(amount_minor=1, due=DUE), (), at=moment(DUE), is_bank_day=lambda day: False)
    with pytest.raises(ValueError, match="zone"):
        ask(at=datetime(2026, 3, 10, 9))
    with pytest.raises(ValueError, match="order"):
        ask(failed(date(2026, 3, 16)), failed(DUE))


def test_the_moment_is_read_in_shanghai():
    assert ask(at=datetime(2026, 3, 10, 9, 0, tzinfo=UTC)).on == DUE  # 17:00 there
    assert ask(at=datetime(2026, 3, 10, 9, 1, tzinfo=UTC)).on == DUE + timedelta(days=1)


reason_words = st.sampled_from([*REASON_OF_CODE, "insufficient-funds", "technical", "ZZ99"])
days_after_due = st.integers(0, 400)


@st.composite
def policies(draw) -> RetryPolicy:
    def rule() -> ReasonRule:
        if draw(st.integers(0, 5)) == 0:
            return ReasonRule(action=draw(st.sampled_from([RetryAction.ASK_CUSTOMER, RetryAction.STOP])))
        return ReasonRule(
            action=RetryAction.RETRY,
            after_days=tuple(draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))),
            salary_aware=draw(st.booleans()),
            part=draw(st.booleans()),
        )

    parts = Parts(
        from_attempt=draw(st.integers(2, 4)),
        share_bps=draw(st.integers(1, 10_000)),
        least_minor=draw(st.integers(1, 50_000)),
        step_minor=draw(st.sampled_from([1, 100, 1_000])),
        rest_after_days=draw(st.integers(1, 9)),
    )
    return RetryPolicy(
        version="retry/any",
        source="drawn",
        reasons={reason: rule() for reason in draw(st.sets(st.sampled_from(Reason), max_size=6))},
        otherwise=rule(),
        attempts=draw(st.integers(1, 6)),
        minimum_gap_days=draw(st.integers(1, 6)),
        window_days=draw(st.integers(0, 90)),
        salary_wait_days=draw(st.integers(0, 15)),
        payday_before_holiday=draw(st.booleans()),
        cut_off=draw(st.sampled_from([None, time(17, 0), time(0, 0)])),
        parts=draw(st.sampled_from([None, parts])),
    )


@st.composite
def orders(draw) -> RetryOrder:
    due = date(2026, 1, 1) + timedelta(days=draw(days_after_due))
    return RetryOrder(
        amount_minor=draw(st.integers(1, 10_000_000)),
        due=due,
        mandate=Mandate(
            limit_minor=draw(st.none() | st.integers(1, 10_000_000)),
            valid_to=draw(st.none() | st.integers(0, 60).map(lambda days: due + timedelta(days=days))),
            parts_allowed=draw(st.booleans()),
        ),
        salary_day=draw(st.none() | st.integers(1, 31)),
    )


@settings(max_examples=80, deadline=None)
@given(
    policy=policies(),
    order=orders(),
    came_back=st.lists(reason_words, max_size=7),
    reply_days=st.integers(0, 6),
    closed=st.frozensets(st.integers(0, 500), max_size=60),
    behind=st.integers(0, 40),
    hour=st.times(),
)
def test_no_policy_can_break_what_must_hold(*, policy, order, came_back, reply_days, closed, behind, hour):
    closed_days = {date(2026, 1, 1) + timedelta(days=at) for at in closed}
    begun = datetime.combine(order.due + timedelta(days=behind), hour.replace(tzinfo=None), tzinfo=SHANGHAI)

    def open_days(day: date) -> bool:
        return weekday(day) and day not in closed_days

    done = simulate(policy, order, came_back, is_bank_day=open_days, reply_days=reply_days, at=begun)
    made = [each.decision for each in done.presentments]
    assert len(made) <= policy.attempts
    assert all(open_days(each.on) for each in made)
    assert all(begun.date() <= each.on <= order.due + timedelta(days=policy.window_days) for each in made)
    assert not [each for each in made if each.on == begun.date() and policy.cut_off and begun.time() > policy.cut_off]
    assert all((later.on - earlier.on).days >= policy.minimum_gap_days for earlier, later in itertools.pairwise(made))
    assert all(0 < each.amount_minor <= (order.mandate.limit_minor or order.amount_minor) for each in made)
    assert order.mandate.valid_to is None or all(each.on <= order.mandate.valid_to for each in made)
    taken = sum(each.decision.amount_minor for each in done.presentments if each.code is None)
    assert (taken, taken + done.last.open_minor) == (done.last.taken_minor, order.amount_minor)
    assert order.mandate.parts_allowed or {each.amount_minor for each in made} <= {order.amount_minor}
    assert done.last.what in (Next.END, Next.WAIT)
    assert [each.number for each in made] == list(range(1, len(made) + 1))
    again = simulate(policy, order, came_back, is_bank_day=open_days, reply_days=reply_days, at=begun)
    assert again == done
    for each in [*made, done.last]:
        for locale in LOCALES:
            texts = catalogue(locale)
            for step in each.steps:
                wanted = {one.partition(":")[0] for one in placeholders(texts[f"retry-step.{step.code}"])}
                assert wanted <= step.params.keys()
            if each.cause:
                wanted = {one.partition(":")[0] for one in placeholders(texts[f"retry-cause.{each.cause}"])}
                assert wanted <= each.params.keys()


@settings(max_examples=60, deadline=None)
@given(policies(), orders(), reason_words, st.integers(0, 200))
def test_deciding_sooner_or_later_changes_nothing_while_the_day_lies_ahead(policy, order, code, hours):
    attempt = failed(order.due, code, amount=order.amount_minor)
    first = moment(attempt.answered_on, 0)
    plain = decide(policy, order, (attempt,), at=first, is_bank_day=weekday)
    later = first + timedelta(hours=hours)
    if plain.on is not None and later.date() < plain.on:
        # On a weekend before the day the same day is found by one step more.
        sooner = decide(policy, order, (attempt,), at=later, is_bank_day=weekday)
        assert replace(sooner, steps=()) == replace(plain, steps=())


def test_nothing_in_the_package_can_ask_a_clock():
    for path in Path(decide_module.__file__).parent.glob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        assert not names & {"now", "today", "utcnow", "monotonic", "time_ns"}, path.name


@settings(max_examples=80, deadline=None)
@given(
    st.sampled_from([*DEFAULT_RETRY_POLICY.rules, "ZZ99", ""]),
    st.integers(1, 4),
    days_after_due,
    st.integers(0, 15),
    st.none() | st.integers(1, 31),
)
def test_the_daily_runs_policy_says_the_same_in_its_general_form(code, attempt, due_at, answer, salary_day):
    due = date(2026, 1, 1) + timedelta(days=due_at)
    last = due + timedelta(days=attempt)
    daily = next_try(
        DEFAULT_RETRY_POLICY,
        reason=code,
        attempt=attempt,
        due=due,
        failed_on=last + timedelta(days=answer),
        salary_day=salary_day,
        is_working_day=weekday,
    )
    made = [failed(due + timedelta(days=at + 1), code, answer=answer) for at in range(attempt)]
    order = RetryOrder(amount_minor=150_000, due=due, salary_day=salary_day)
    decision = decide(DEFAULT_POLICY, order, made, at=moment(made[-1].answered_on, 0), is_bank_day=weekday)
    assert decision.on == daily.on
    assert (decision.end is End.STOPPED) is (daily.action is RetryAction.STOP)


def test_codes_that_the_daily_policy_does_not_list_are_for_a_person_in_both_forms():
    listed = {code: rule for code, rule in DEFAULT_RETRY_POLICY.rules.items() if code != "AM14"}
    policy = general_form(replace(DEFAULT_RETRY_POLICY, rules=listed))
    assert policy.rule_for("AM14", Reason.LIMIT).action is RetryAction.ASK_CUSTOMER
    assert policy.rule_for("AM02", Reason.LIMIT).action is RetryAction.RETRY


def test_a_policy_is_frozen_by_its_content():
    kept = POLICY.as_record()
    assert RetryPolicy.from_record(kept) == POLICY
    assert RetryPolicy.from_record(kept).hash == POLICY.hash
    assert POLICY.model_copy(update={"attempts": 5}).hash != POLICY.hash
    assert RetryPolicy.from_record(kept | {"attempts": 5}).hash != POLICY.hash
    assert ask().policy_hash == POLICY.hash


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"attempts": 0}, "/attempts", "too-small"),
        ({"otherwise": {"action": "retry"}}, "/otherwise", "retry-days"),
        ({"otherwise": {"action": "stop", "afterDays": [1]}}, "/otherwise", "retry-days"),
        ({"cutOff": "17:00:00+08:00"}, "", "retry-cut-off-zone"),
        ({"more": 1}, "/more", "unknown-field"),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_the_field(change, pointer, code):
    with pytest.raises(FormInvalid) as caught:
        RetryPolicy.from_record(POLICY.as_record() | change)
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(pointer, code)]
    assert all(f"field.{code}" in catalogue(locale) for locale in LOCALES)


def test_every_reason_and_end_has_words():
    for locale in LOCALES:
        texts = catalogue(locale)
        assert {f"retry-reason.{reason}" for reason in Reason} <= texts.keys()
        assert {f"retry-end.{end}" for end in (*End, Next.WAIT)} <= texts.keys()


def test_attempts_and_orders_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="answer"):
        Attempt(on=DUE, amount_minor=1, state=AttemptState.FAILED)
    with pytest.raises(ValueError, match="one minor unit"):
        settled(DUE, 0)
    with pytest.raises(ValueError, match="one minor unit"):
        RetryOrder(amount_minor=0, due=DUE)
    with pytest.raises(ValueError, match="salary"):
        RetryOrder(amount_minor=1, due=DUE, salary_day=32)
