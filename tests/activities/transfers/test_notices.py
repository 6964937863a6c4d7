"""Customers of a transfer are told: once, by the first channel that reaches them, with proof; and nobody is left."""

import json
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from compliance.transfers.notice_receipts import DeliveryReceipt, Receipts, Taken
from deploy.demo.receivers import Fault
from models.contracts.transfers import ChunkStep, JobStep
from models.domain.shanghai import SHANGHAI
from models.domain.transfers.notice_course import Event
from models.domain.transfers.notice_ids import message_of_attempt
from models.domain.transfers.states import NoticeState, RowOutcome
from models.tables.audit import AuditEvent
from models.tables.transfer_notices import TransferNotice
from models.tables.transfer_telling import TransferNoticeText
from models.tables.transfers import TransferRow
from tests.support.telling import Telling, customer

DAY = timedelta(days=1)


def receipt(telling: Telling, number: int = 1, *, event: Event = Event.DELIVERED, attempt: int = -1) -> Taken:
    made = telling.attempts(number)[attempt]
    told = DeliveryReceipt(message=message_of_attempt(made.id), event=event, reason="5.1.1")
    return telling.notices.take_receipt(told, actor="sms")


def test_each_customer_gets_one_text_message_and_a_receipt_ends_it(telling: Telling) -> None:
    telling.open(customer(1), customer(2, language="en"))
    telling.plan()
    telling.plan()  # again: nothing new
    telling.send()
    telling.send()
    sent = list(telling.hooks.inbox.messages.values())
    assert len(sent) == 2
    assert all(times == 1 for times in telling.hooks.inbox.times.values())
    zh = telling.hooks.inbox.to("+8613800000001")[0]["text"]
    en = telling.hooks.inbox.to("+8613800000002")[0]["text"]
    assert "乙银行" in zh
    assert "400-000-0000" in zh
    assert "/v1/links/" in zh
    assert "Bank B" in en
    assert telling.states() == ["sent", "sent"]
    assert telling.left().left == 2
    assert receipt(telling) is Taken.NEWS
    assert receipt(telling) is Taken.KNOWN
    notice = telling.notice()
    assert notice.state == NoticeState.DELIVERED
    with telling.database.read() as session:
        words = session.exec(
            select(TransferNoticeText).where(
                TransferNoticeText.job == telling.job,
                TransferNoticeText.language == "zh-CN",
                TransferNoticeText.channel == "sms",
            )
        ).one()
    assert notice.evidence["text_hash"] == words.text_hash
    assert notice.evidence["attempt"] == telling.attempts()[0].id
    assert telling.left().left == 1


def test_nothing_clear_is_kept(telling: Telling) -> None:
    telling.open(customer(1))
    telling.plan()
    telling.send()
    with telling.database.read() as session:
        kept = [*session.exec(select(TransferNotice)), *telling.attempts(), *session.exec(select(AuditEvent))]
    spelt = repr([each.model_dump() for each in kept])
    for secret in ("13800000001", "customer1@", "客户1", "海淀区", "/v1/links/"):
        assert secret not in spelt


def test_channels_follow_in_order_to_the_letter_and_the_public_notice(telling: Telling) -> None:
    telling.open(customer(1), customer(2, mobile=None, email=None, address=None), customer(3, mobile=None))
    telling.plan()
    telling.send()
    assert telling.states() == ["sent", "pending", "sent"]  # by text message; by none; by mail
    assert [each.reason_code for each in telling.attempts(2)] == ["no-contact-point"] * 3
    telling.clock.advance(days=1, seconds=1)  # no receipt of the text message
    telling.send()
    assert telling.notice(1).channel == "email"
    receipt(telling, event=Event.BOUNCED)
    telling.send()
    assert [each.channel for each in telling.attempts(1)] == ["sms", "email", "post"]
    letter = json.loads(telling.letters()[0].read_text())
    assert (letter["to"], letter["address"]) == ("客户1", "北京市海淀区某路1号")
    # Silence of the mail system is delivery; that of the post proves nothing.
    telling.clock.advance(days=3)
    telling.send()
    assert telling.state(3) is NoticeState.FALLBACK_DELIVERED
    telling.clock.advance(days=30)
    telling.send()
    assert telling.states() == ["pending", "pending", "fallback-delivered"]
    left = telling.left()
    assert (left.left, left.due_in_s) == (2, None)
    telling.notices.publish_notice(JobStep(job=telling.job))
    telling.notices.publish_notice(JobStep(job=telling.job))
    assert telling.states() == ["public-notice", "public-notice", "fallback-delivered"]
    assert telling.left().left == 0
    pages = sorted((telling.folder / "public").iterdir())
    assert len(pages) == 2
    assert "乙银行" in pages[1].read_text()
    assert telling.notice(2).evidence["text_hash"] in pages[1].read_text()


def test_a_late_bounce_opens_the_notice_again_and_without_a_channel_a_person_is_asked(telling: Telling) -> None:
    telling.open(customer(1, mobile=None, address=None))
    telling.plan()
    telling.send()
    telling.clock.advance(days=3, seconds=1)
    telling.send()
    assert telling.state() is NoticeState.FALLBACK_DELIVERED
    telling.clock.advance(days=2)
    assert receipt(telling, event=Event.BOUNCED) is Taken.NEWS
    assert telling.state() is NoticeState.PENDING
    assert telling.notice().told_at is None
    telling.send()  # no address: only the public notice is left
    assert telling.left().left == 1
    telling.notices.publish_notice(JobStep(job=telling.job))
    assert telling.state() is NoticeState.PUBLIC_NOTICE


def test_receipts_that_come_together_count_each_once_and_in_their_order(telling: Telling) -> None:
    telling.open(*(customer(number) for number in range(1, 51)))
    telling.plan()
    telling.send()
    ids = [message_of_attempt(telling.attempts(number)[-1].id) for number in range(1, 51)]
    told = [DeliveryReceipt(message=each, event=Event.DELIVERED) for each in ids]
    both = [*told, told[0], DeliveryReceipt(message=ids[0], event=Event.BOUNCED, reason="late")]
    stranger = DeliveryReceipt(message="0" * 32, event=Event.DELIVERED)
    receipts = Receipts(telling.database, telling.clock)
    took = receipts.take_all([stranger, *both], actor="provider")
    assert took == [Taken.UNKNOWN, *[Taken.NEWS] * 50, Taken.KNOWN, Taken.NEWS]
    assert telling.states() == ["pending", *["delivered"] * 49]
    assert receipts.take_all(both, actor="provider") == [Taken.KNOWN] * 52
    with telling.database.read() as session:
        actions = Counter(session.exec(select(AuditEvent.action)).all())
    assert (actions["transfer.notice-delivered"], actions["transfer.notice-bounced"]) == (50, 1)


def test_a_bounce_of_the_last_channel_asks_a_person(telling: Telling) -> None:
    telling.open(customer(1), plan=_channels("email"))
    telling.plan()
    telling.send()
    receipt(telling, event=Event.BOUNCED)
    receipt(telling, event=Event.BOUNCED)
    assert telling.notices.follow_ups_open(JobStep(job=telling.job)).count == 1


def test_nobody_is_roused_at_night(telling: Telling) -> None:
    telling.clock.set(datetime(2026, 11, 23, 23, tzinfo=SHANGHAI))
    telling.open(customer(1))
    telling.plan()
    telling.send()
    assert telling.hooks.inbox.messages == {}
    assert telling.left().due_in_s == 9 * 3600
    telling.clock.set(datetime(2026, 11, 24, 8, tzinfo=SHANGHAI))
    telling.send()
    assert len(telling.hooks.inbox.messages) == 1


@pytest.mark.parametrize("classes", [["A"], ["B"]])
def test_classes_without_a_duty_to_tell_are_exempt(telling: Telling, classes: list[str]) -> None:
    telling.open(customer(1), classes=classes)
    telling.plan()
    telling.send()
    assert telling.states() == ["exempt"]
    assert telling.notice().evidence["kind"] == "class-needs-no-notice"
    assert telling.left().left == 0
    assert telling.hooks.inbox.messages == {}


def test_one_person_in_two_rows_is_told_once(telling: Telling) -> None:
    telling.open(customer(1), customer(1), customer(3))
    telling.change_row(2, outcome="merged", same_row=1)
    telling.change_row(3, outcome="rejected")
    telling.plan()
    telling.send()
    assert telling.states() == ["sent", "exempt"]
    assert telling.notice(2).evidence == {"kind": "same-customer", "at": telling.clock().isoformat(), "row": 1}
    assert len(telling.hooks.inbox.messages) == 1


def test_a_paused_job_sends_nothing(telling: Telling) -> None:
    telling.open(customer(1))
    telling.plan()
    with_pause = {"paused_at": telling.clock()}
    _change_job(telling, **with_pause)
    assert telling.notices.send_notices(ChunkStep(job=telling.job)).paused
    assert telling.hooks.inbox.messages == {}


def test_a_plan_without_the_items_of_the_law_tells_nobody(telling: Telling) -> None:
    telling.open(customer(1), plan={})
    assert telling.notices.plan_notices(ChunkStep(job=telling.job)).stopped == "notice-incomplete"


def test_who_was_asked_and_does_not_answer_is_held(telling: Telling) -> None:
    telling.open(customer(1), customer(2), classes=["E"])
    telling.plan()
    telling.send()
    receipt(telling, 1)
    receipt(telling, 2)
    assert telling.left().left == 2  # told, but not answered
    telling.clock.advance(days=31)
    assert telling.left().left == 0
    with telling.database.read() as session:
        rows = session.exec(select(TransferRow)).all()
    assert {(row.outcome, row.reason_code) for row in rows} == {(RowOutcome.HELD, "consent-not-given")}
    assert telling.notice().consent == "no-answer"


def test_an_opinion_on_record_switches_the_question_off(telling: Telling) -> None:
    telling.open(customer(1), classes=["E"], facts={"notice_only_opinion": "LO-2026-7"})
    telling.plan()
    telling.send()
    receipt(telling)
    assert telling.notice().consent == "not-needed"
    assert telling.left().left == 0


def test_a_provider_that_is_away_is_asked_again_under_the_same_key(telling: Telling) -> None:
    telling.open(customer(1))
    telling.plan()
    telling.hooks.inbox.fail_next(Fault.BUSY, Fault.LOST_ANSWER)
    for _ in range(3):
        telling.send()
        telling.clock.advance(hours=1)
    assert len(telling.attempts()) == 1
    assert list(telling.hooks.inbox.times.values()) == [2]  # kept once; the second was known by its id
    assert telling.state() is NoticeState.SENT


class Killed(BaseException):
    """The worker is gone."""


STEPS = ["_begun", "_links", "_sent", "_settled"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_between_any_two_steps_nobody_is_told_twice_and_nobody_forgotten(
    telling: Telling, monkeypatch: pytest.MonkeyPatch, step: str, after: bool
) -> None:
    telling.open(*(customer(number) for number in range(1, 6)), customer(6, mobile=None))
    telling.plan()
    notices = telling.notices
    original = getattr(type(notices._sending), step)

    def dies(self: Any, *given: Any) -> Any:
        if after:
            original(self, *given)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(type(notices._sending), step, dies)
        with pytest.raises(Killed):
            notices.send_notices(ChunkStep(job=telling.job))
    for _ in range(4):
        telling.clock.advance(minutes=5)
        telling.send()
    assert set(telling.states()) == {"sent"}
    inboxes = {**telling.hooks.inbox.messages, **telling.mail.inbox.messages}
    assert len(inboxes) == 6  # one message each, by its key
    assert len({message["to"] for message in inboxes.values()}) == 6


def test_two_workers_at_once_send_each_message_once(telling: Telling) -> None:
    telling.open(*(customer(number) for number in range(1, 31)))
    telling.plan()
    first, second = telling.notices, telling.notices
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda each: each.send_notices(ChunkStep(job=telling.job)), [first, second]))
    assert set(telling.states()) == {"sent"}
    assert set(telling.hooks.inbox.times.values()) == {1}
    assert len(telling.hooks.inbox.messages) == 30


def _channels(*names: str) -> dict[str, Any]:
    from tests.support.telling import PLAN

    return {**PLAN, "notices": {"channels": list(names)}}


def _change_job(telling: Telling, **values: Any) -> None:
    from compliance.audit.unit import unit_of_work
    from models.tables.transfers import TransferJob

    with unit_of_work(telling.database, telling.deed()) as unit:
        job = unit.session.get_one(TransferJob, telling.job)
        for name, value in values.items():
            setattr(job, name, value)
        unit.session.add(job)
