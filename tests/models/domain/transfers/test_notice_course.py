"""The course of a notice under any sequence of events: one state, told only with proof, nobody forgotten."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.shanghai import SHANGHAI
from models.domain.transfers.notice_course import Course, Event, after, begin
from models.domain.transfers.notice_policy import NoticePolicy, PlanFault, Way, notice_policy
from models.domain.transfers.states import TOLD, NoticeState

NOON = datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)
POLICY = NoticePolicy()
PROOF = {Event.DELIVERED, Event.OPENED, Event.OBJECTED, Event.PUBLISHED, Event.SILENCE}
ORDERS = st.lists(st.sampled_from([Way.SMS, Way.EMAIL, Way.POST]), unique=True).map(tuple)
EVENTS = st.lists(st.tuples(st.sampled_from(Event), st.sampled_from(Way)), max_size=40)


def play(course: Course, *events: Event, way: Way = Way.SMS) -> Course:
    for event in events:
        course = after(course, event, way=way, policy=POLICY, now=NOON)
    return course


@given(order=ORDERS, events=EVENTS)
def test_whatever_happens_it_is_told_only_by_proof_and_undone_only_by_a_bounce(
    order: tuple[Way, ...], events: list[tuple[Event, Way]]
) -> None:
    policy = NoticePolicy(channels=order)
    course, now = begin(policy, NOON), NOON
    for event, way in events:
        now += timedelta(minutes=1)
        before, course = course, after(course, event, way=way, policy=policy, now=now)
        if course.is_told and not before.is_told:
            assert event in PROOF
        if before.is_told and not course.is_told:
            assert event is Event.BOUNCED
            assert way is before.way
            assert not before.seen
        if before.state is NoticeState.OBJECTION:
            assert course.state is NoticeState.OBJECTION
        if before.state is NoticeState.PUBLIC_NOTICE:
            assert course.state in {NoticeState.PUBLIC_NOTICE, NoticeState.OBJECTION}
        # The same event again changes nothing that counts, but for a provider that is asked once more.
        if event is not Event.NO_ANSWER and event is not Event.REFUSED:
            assert after(course, event, way=way, policy=policy, now=now).state in {course.state, NoticeState.PENDING}


@given(order=ORDERS, events=EVENTS)
def test_nobody_is_forgotten_the_channels_end_at_the_public_notice(
    order: tuple[Way, ...], events: list[tuple[Event, Way]]
) -> None:
    """From wherever it stands, refusals and silence lead to the end in as many steps as there are channels."""
    policy = NoticePolicy(channels=order)
    course = begin(policy, NOON)
    for event, way in events:
        course = after(course, event, way=way, policy=policy, now=NOON)
    for _ in range(2 * len(order) + 1):
        if course.is_told or course.way is Way.PUBLIC:
            break
        event = Event.SILENCE if course.state is NoticeState.SENT else Event.REFUSED
        course = after(course, event, way=course.way, policy=policy, now=NOON)
    course = after(course, Event.PUBLISHED, way=Way.PUBLIC, policy=policy, now=NOON)
    assert course.state in TOLD


def test_a_later_channel_is_a_fallback() -> None:
    assert play(begin(POLICY, NOON), Event.HANDED_OVER, Event.DELIVERED).state is NoticeState.DELIVERED
    second = play(begin(POLICY, NOON), Event.REFUSED)
    assert second.way is Way.EMAIL
    told = play(second, Event.HANDED_OVER, Event.DELIVERED, way=Way.EMAIL)
    assert told.state is NoticeState.FALLBACK_DELIVERED


def test_a_bounce_after_delivery_opens_the_notice_again_unless_the_customer_came() -> None:
    told = play(begin(POLICY, NOON), Event.HANDED_OVER, Event.DELIVERED)
    again = play(told, Event.BOUNCED)
    assert (again.state, again.way) == (NoticeState.PENDING, Way.EMAIL)
    assert play(told, Event.OPENED, Event.BOUNCED).state is NoticeState.DELIVERED


def test_silence_proves_delivery_of_a_mail_and_of_nothing_else() -> None:
    by_sms = play(begin(POLICY, NOON), Event.HANDED_OVER, Event.SILENCE)
    assert (by_sms.state, by_sms.way) == (NoticeState.PENDING, Way.EMAIL)
    by_mail = play(by_sms, Event.HANDED_OVER, Event.SILENCE, way=Way.EMAIL)
    assert by_mail.state is NoticeState.FALLBACK_DELIVERED


def test_a_provider_that_does_not_answer_is_asked_again_after_growing_rests() -> None:
    first = play(begin(POLICY, NOON), Event.NO_ANSWER)
    second = play(first, Event.NO_ANSWER)
    assert first.due_at - NOON == timedelta(minutes=10)
    assert second.due_at - NOON == timedelta(minutes=20)
    assert play(second, Event.NO_ANSWER).way is Way.EMAIL


@pytest.mark.parametrize(
    ("hour", "minute", "day", "until"),
    [(21, 59, 23, None), (22, 0, 23, 24), (7, 59, 23, 23), (8, 0, 23, None)],
)
def test_nobody_is_roused_between_ten_and_eight(hour: int, minute: int, day: int, until: int | None) -> None:
    now = datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)
    expected = now if until is None else datetime(2026, 11, until, 8, tzinfo=SHANGHAI)
    assert POLICY.may_rouse(Way.SMS, now) == expected
    assert POLICY.may_rouse(Way.POST, now) == now


def test_a_plan_says_what_it_wants_otherwise_and_faults_are_named() -> None:
    policy = notice_policy({"notices": {"channels": ["email"], "tries": 1, "waits": {"email": 0}}})
    assert (policy.channels, policy.tries, policy.wait(Way.EMAIL)) == ((Way.EMAIL,), 1, timedelta())
    for wrong, named in (
        ({"channels": ["pigeon"]}, "channels"),
        ({"channels": ["sms", "sms"]}, "channels"),
        ({"channels": ["public"]}, "channels"),
        ({"tries": 0}, "tries"),
        ({"quiet_from": "late"}, "quiet_from"),
        ({"waits": {"sms": -1}}, "sms"),
    ):
        with pytest.raises(PlanFault, match=named):
            notice_policy({"notices": wrong})
