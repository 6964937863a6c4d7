"""A notice goes out once per business key, to the newest contact point, and leaves no trace of the person behind."""

import io
import logging
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from sqlmodel import col, select

from activities.duties.notifier import Notifier
from activities.gateways.mail_smtp import MailSmtp, SmtpServer, SmtpTls
from activities.gateways.messages import Message, MessageGateway, Receipt
from activities.gateways.notices import SqlNotices
from activities.gateways.sms_http import SmsHttp
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.telemetry.logs import configure_logging
from compliance.vault.keyring import Vault
from compliance.vault.notice_secrets import seal_secrets
from deploy.demo.receivers import LOOPBACK, Fault, HookReceiver, MailReceiver
from models.contracts.notices import SendNoticeInput
from models.database.engine import Database
from models.domain.collection_policy import DEFAULT_POLICY
from models.domain.notices import NoticeChannel, NoticeKind, NoticeState, case_tail
from models.domain.tokens import new_token
from models.errors import GatewayUnavailable
from models.operations.notices import NewNotice, queue_notice
from models.operations.products import set_terms
from models.queries.notices import channel_for, notice_by_key, notices_of_case
from models.tables.audit import AuditEvent
from models.tables.installments import RuleVerdict
from models.tables.notices import Notice
from models.tables.tenants import Tenant
from tests.support.clock import FakeClock
from tests.support.customers import MAIL, MOBILE, NAME, TENANT, Counter, Customer

LINK = "https://casework.bank.example/v1/links/" + "Ab1-" * 30 + ".x"


@dataclass
class Desk:
    """A customer, the providers, and the step under test."""

    counter: Counter
    customer: Customer
    sender: SqlNotices

    @property
    def database(self) -> Database:
        return self.counter.database

    def queue(self, kind: NoticeKind = NoticeKind.DUE_REMINDER, *, key: str = "1", **changes: Any) -> str:
        params: dict[NoticeKind, dict[str, int | str]] = {
            NoticeKind.DUE_REMINDER: {"amount": 123_456, "due": "2026-12-01", "row": 3, "rows": 12},
            NoticeKind.MISSED_PAYMENT: {"amount": 123_456, "due": "2026-11-01", "days": 22},
            NoticeKind.SIGN_INVITATION: {"amount": 3_000_000, "months": 36, "until": "2026-11-30"},
        }
        fields: dict[str, Any] = {
            "id": new_token("ntc"),
            "tenant": TENANT,
            "subject_id": self.customer.subject_id,
            "case_token": self.customer.case_token,
            "business_key": f"{self.customer.case_token}/{kind}/{key}",
            "kind": kind,
            "channel": NoticeChannel.SMS,
            "params": params[kind] | {"case": case_tail(self.customer.case_token)},
        }
        notice = NewNotice(**(fields | changes))
        with unit_of_work(self.database, self.deed()) as unit:
            return queue_notice(unit.session, notice, now=self.counter.clock())

    def deed(self) -> Deed:
        return Deed(tenant=TENANT, action="test", target="test", actor="test", at=self.counter.clock())

    def row(self, notice_id: str) -> Notice:
        with self.database.read() as session:
            return session.get_one(Notice, notice_id)

    def deeds(self) -> list[str]:
        with self.database.read() as session:
            actions = session.exec(select(AuditEvent.action).where(col(AuditEvent.action).startswith("notice.")))
            return sorted(actions.all())  # events of one instant have no order


@pytest.fixture
def desk(
    counter: Counter, vault: Vault, clock: FakeClock, hooks: HookReceiver, mail_server: MailReceiver
) -> Iterator[Desk]:
    sms = SmsHttp(url=hooks.url, token="t0ken")
    mail = MailSmtp(
        server=SmtpServer(host=LOOPBACK, port=mail_server.port, tls=SmtpTls.NONE), sender="notices@bank.example"
    )
    gateways = {NoticeChannel.SMS: sms, NoticeChannel.MAIL: mail}
    yield Desk(counter, counter.customer(), SqlNotices(counter.database, vault, gateways, clock))
    sms.close()


def test_a_reminder_reaches_the_phone_with_amount_and_date(desk: Desk, hooks: HookReceiver) -> None:
    notice_id = desk.queue()
    answer = desk.sender.send(SendNoticeInput(notice_id=notice_id))
    assert answer.state == NoticeState.SENT
    [got] = hooks.inbox.to(MOBILE)
    assert "【某某银行】" in got["text"]
    assert "¥1,234.56" in got["text"]
    assert "2026年12月1日" in got["text"]
    row = desk.row(notice_id)
    assert row.sent_at == desk.counter.clock()
    assert row.provider_ref == f"r-{got['id'][:8]}"
    assert row.attempts == 1
    assert desk.deeds() == ["notice.sent", "notice.tried"]


def test_by_mail_and_in_english(desk: Desk, mail_server: MailReceiver) -> None:
    desk.sender.send(SendNoticeInput(notice_id=desk.queue(channel=NoticeChannel.MAIL, locale="en")))
    [got] = mail_server.inbox.to(MAIL)
    assert got["subject"] == "Your next payment"
    assert "1 December 2026" in got["text"]


def test_every_step_repeated_changes_nothing(desk: Desk, hooks: HookReceiver) -> None:
    first = desk.queue()
    assert desk.queue() == first
    for _ in range(3):
        assert desk.sender.send(SendNoticeInput(notice_id=first)).state == NoticeState.SENT
    assert desk.queue() == first
    assert list(hooks.inbox.times.values()) == [1]
    assert desk.row(first).attempts == 1
    with desk.database.read() as session:
        assert len(notices_of_case(session, desk.customer.case_token)) == 1
        found = notice_by_key(
            session, tenant=TENANT, business_key=f"{desk.customer.case_token}/{NoticeKind.DUE_REMINDER}/1"
        )
    assert found is not None
    assert found.id == first


def test_after_a_lost_answer_the_same_message_goes_again_and_is_one(
    desk: Desk, hooks: HookReceiver, clock: FakeClock
) -> None:
    notice_id = desk.queue()
    hooks.inbox.fail_next(Fault.LOST_ANSWER)
    with pytest.raises(GatewayUnavailable):
        desk.sender.deliver(notice_id)
    assert desk.row(notice_id).state == NoticeState.QUEUED
    with pytest.raises(GatewayUnavailable):  # the pause is not over
        desk.sender.deliver(notice_id)
    clock.advance(seconds=2)
    assert desk.sender.deliver(notice_id).state == NoticeState.SENT
    assert list(hooks.inbox.times.values()) == [2]
    assert len(hooks.inbox.messages) == 1
    assert desk.deeds() == ["notice.delayed", "notice.sent", "notice.tried", "notice.tried"]


class Killed(BaseException):
    """The process ends here."""


@dataclass
class KilledAfterSending(MessageGateway):
    """Hands over, then the process dies before anything is marked."""

    behind: MessageGateway

    def send(self, message: Message) -> Receipt:
        self.behind.send(message)
        raise Killed


def test_a_kill_between_sending_and_marking_does_not_double(desk: Desk, hooks: HookReceiver, clock: FakeClock) -> None:
    notice_id = desk.queue()
    dying = {NoticeChannel.SMS: KilledAfterSending(desk.sender.gateways[NoticeChannel.SMS])}
    with pytest.raises(Killed):
        replace(desk.sender, gateways=dying).deliver(notice_id)
    clock.advance(seconds=59)
    with pytest.raises(GatewayUnavailable):  # for all we know that try is still under way
        desk.sender.deliver(notice_id)
    clock.advance(seconds=1)
    assert desk.sender.deliver(notice_id).state == NoticeState.SENT
    assert len(hooks.inbox.messages) == 1


def test_two_at_once_hand_over_once(desk: Desk, hooks: HookReceiver) -> None:
    notice_id = desk.queue()
    barrier = threading.Barrier(4)
    results: list[str] = []

    def one() -> None:
        barrier.wait()
        try:
            results.append(desk.sender.deliver(notice_id).state)
        except GatewayUnavailable:
            results.append("later")

    threads = [threading.Thread(target=one) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(NoticeState.SENT) >= 1
    assert set(results) <= {NoticeState.SENT, "later"}
    assert list(hooks.inbox.times.values()) == [1]


def test_a_refusal_ends_the_notice_with_its_reason(desk: Desk, hooks: HookReceiver) -> None:
    notice_id = desk.queue()
    hooks.inbox.fail_next(Fault.REJECTED)
    answer = desk.sender.deliver(notice_id)
    assert (answer.state, answer.reason_code) == (NoticeState.FAILED, "http-422")
    assert desk.sender.deliver(notice_id) == answer
    assert desk.deeds() == ["notice.failed", "notice.tried"]


def test_words_that_are_banned_in_collection_are_not_sent_and_the_rule_is_on_record(
    desk: Desk, hooks: HookReceiver
) -> None:
    policy = replace(DEFAULT_POLICY, version="policy/strict", banned_phrases=("1,234.56",))
    with unit_of_work(desk.database, desk.deed()) as unit:
        set_terms(unit.session, policy, tenant=TENANT, by="test", now=desk.counter.clock())
    notice_id = desk.queue()
    for _ in range(2):
        answer = desk.sender.send(SendNoticeInput(notice_id=notice_id))
        assert (answer.state, answer.reason_code) == (NoticeState.FAILED, "blocked-by-rule")
    assert hooks.inbox.to(MOBILE) == []
    with desk.database.read() as session:
        [verdict] = session.exec(select(RuleVerdict)).all()
    assert (verdict.rule_id, verdict.result, verdict.gate_key) == ("COLL-CBA-BAN", "FAIL", f"notice/{notice_id}")


def test_the_newest_number_is_the_one_that_is_used(desk: Desk, hooks: HookReceiver) -> None:
    desk.counter.new_mobile(desk.customer, "+8613900000000")
    desk.sender.deliver(desk.queue())
    assert [got["to"] for got in hooks.inbox.messages.values()] == ["+8613900000000"]


def test_who_left_no_number_is_not_tried(desk: Desk, hooks: HookReceiver) -> None:
    desk.customer = desk.counter.customer(mobile=None)
    with desk.database.read() as session:
        assert channel_for(session, desk.customer.subject_id) is NoticeChannel.MAIL
    answer = desk.sender.deliver(desk.queue())
    assert (answer.state, answer.reason_code) == (NoticeState.SKIPPED, "no-contact-point")
    assert not hooks.inbox.times


def test_who_was_erased_is_not_told(desk: Desk, vault: Vault) -> None:
    notice_id = desk.queue()
    vault.shred_subject(tenant=TENANT, subject_id=desk.customer.subject_id)
    answer = desk.sender.deliver(notice_id)
    assert (answer.state, answer.reason_code) == (NoticeState.SKIPPED, "subject-shredded")


def test_a_channel_without_a_provider_fails_for_staff_to_see(desk: Desk) -> None:
    answer = replace(desk.sender, gateways={}).deliver(desk.queue())
    assert (answer.state, answer.reason_code) == (NoticeState.FAILED, "not-connected")


def test_what_is_late_is_not_sent(desk: Desk, hooks: HookReceiver, clock: FakeClock) -> None:
    untried, tried = desk.queue(key="1"), desk.queue(key="2")
    hooks.inbox.fail_next(Fault.BUSY)
    with pytest.raises(GatewayUnavailable):
        desk.sender.deliver(tried)
    clock.advance(days=2)
    assert desk.sender.deliver(untried).state == NoticeState.SKIPPED
    assert desk.sender.deliver(tried).state == NoticeState.FAILED
    assert not hooks.inbox.times


def test_the_pause_doubles_up_to_a_quarter_of_an_hour(desk: Desk, hooks: HookReceiver, clock: FakeClock) -> None:
    notice_id = desk.queue()
    pauses = []
    for _ in range(12):
        hooks.inbox.fail_next(Fault.BUSY)
        with pytest.raises(GatewayUnavailable):
            desk.sender.deliver(notice_id)
        retry_at = desk.row(notice_id).retry_at
        assert retry_at is not None
        pauses.append((retry_at - clock()).total_seconds())
        clock.set(retry_at)
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses[-2:] == [900, 900]


def test_at_night_nobody_is_asked_for_what_is_overdue(desk: Desk, hooks: HookReceiver, clock: FakeClock) -> None:
    clock.set(datetime(2026, 11, 23, 14, 0, tzinfo=UTC))  # 22:00 in Shanghai
    overdue, reminder = desk.queue(NoticeKind.MISSED_PAYMENT), desk.queue()
    assert desk.sender.deliver(overdue).state == NoticeState.QUEUED
    assert desk.sender.deliver(overdue).state == NoticeState.QUEUED
    assert desk.sender.deliver(reminder).state == NoticeState.SENT
    assert desk.row(overdue).send_after == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    assert desk.deeds().count("notice.postponed") == 1
    clock.set(datetime(2026, 11, 24, 0, 0, tzinfo=UTC))  # 08:00
    assert desk.sender.deliver(overdue).state == NoticeState.SENT
    assert len(hooks.inbox.messages) == 2


def test_in_a_sandbox_there_is_nobody_to_wake(desk: Desk, clock: FakeClock) -> None:
    with unit_of_work(desk.database, desk.deed()) as unit:
        unit.session.get_one(Tenant, TENANT).sandbox = True
    clock.set(datetime(2026, 11, 23, 18, 0, tzinfo=UTC))
    assert desk.sender.deliver(desk.queue(NoticeKind.MISSED_PAYMENT)).state == NoticeState.SENT


def test_what_is_for_later_waits(desk: Desk, clock: FakeClock) -> None:
    notice_id = desk.queue(send_after=clock() + timedelta(hours=1))
    assert desk.sender.deliver(notice_id).state == NoticeState.QUEUED
    clock.advance(hours=1)
    assert desk.sender.deliver(notice_id).state == NoticeState.SENT


def test_a_link_travels_sealed_and_is_gone_when_it_is_sent(desk: Desk, hooks: HookReceiver, vault: Vault) -> None:
    notice_id = new_token("ntc")
    cell = seal_secrets(
        vault,
        tenant=TENANT,
        subject_id=desk.customer.subject_id,
        notice_id=notice_id,
        kind=NoticeKind.SIGN_INVITATION,
        secrets={"link": LINK},
    )
    desk.queue(NoticeKind.SIGN_INVITATION, id=notice_id, secrets_cell=cell)
    assert LINK.encode() not in (desk.row(notice_id).secrets_cell or b"")
    desk.sender.deliver(notice_id)
    [got] = hooks.inbox.messages.values()
    assert got["text"].endswith(LINK)
    assert desk.row(notice_id).secrets_cell is None


@pytest.mark.parametrize(
    "params",
    [
        {"amount": 1, "due": "2026-12-01", "row": 1},
        {"amount": 1, "due": "2026-12-01", "row": 1, "rows": 2, "name": "欧阳晓雯"},
        {"amount": "欧阳晓雯", "due": "2026-12-01", "row": 1, "rows": 2},
        {"amount": -1, "due": "2026-12-01", "row": 1, "rows": 2},
        {"amount": 1, "due": "13812345678", "row": 1, "rows": 2},
        {"amount": 1, "due": "2026-12-01", "row": 13_812_345_678, "rows": 2},
    ],
)
def test_words_about_a_person_do_not_get_into_the_queue(desk: Desk, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="due-reminder") as caught:
        desk.queue(params=params | {"case": "abcdef"})
    assert "欧阳" not in str(caught.value)
    with pytest.raises(ValueError, match="case of a notice"):
        desk.queue(params={"amount": 1, "due": "2026-12-01", "row": 1, "rows": 2, "case": NAME})


def test_a_kind_with_a_secret_is_not_queued_without_it(desk: Desk) -> None:
    with pytest.raises(ValueError, match="link"):
        desk.queue(NoticeKind.SIGN_INVITATION)


# The notifier ---------------------------------------------------------------------------------------------------------


async def test_the_notifier_sends_what_is_due_and_passes_what_fails(
    desk: Desk, hooks: HookReceiver, clock: FakeClock
) -> None:
    for number in range(10):
        desk.queue(key=str(number))
    desk.queue(key="later", send_after=clock() + timedelta(hours=1))
    notifier = Notifier(desk.database, desk.sender)
    hooks.inbox.fail_next(Fault.BUSY, Fault.REJECTED, Fault.DOWN)
    assert await notifier.run_once(clock()) == 7
    assert await notifier.run_once(clock()) == 0
    clock.advance(seconds=2)
    assert await notifier.run_once(clock()) == 2
    clock.advance(hours=1)
    assert await notifier.run_once(clock()) == 1
    assert len(hooks.inbox.messages) == 10


# Nothing of the person stays ------------------------------------------------------------------------------------------


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What the process logs, at its most talkative."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    stream = io.StringIO()
    configure_logging(stream=stream, level="DEBUG")
    logging.captureWarnings(capture=False)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


async def test_neither_logs_nor_records_hold_the_person_or_the_words(
    desk: Desk, hooks: HookReceiver, clock: FakeClock, log: io.StringIO
) -> None:
    for number, fault in enumerate((Fault.BUSY, Fault.REJECTED, Fault.DOWN, Fault.LOST_ANSWER)):
        desk.queue(key=str(number))
        hooks.inbox.fail_next(fault)
    notifier = Notifier(desk.database, desk.sender)
    await notifier.run_once(clock())
    clock.advance(minutes=5)
    await notifier.run_once(clock())
    with desk.database.read() as session:
        rows = [repr(row.model_dump()) for row in session.exec(select(Notice)).all()]
        events = list(session.exec(select(AuditEvent.body)).all())
    told = "\n".join([log.getvalue(), *rows, *events])
    assert "notice.not-sent" in told
    for clear in (MOBILE, MOBILE[3:], MAIL, NAME, "个性化分期", "1,234.56", "t0ken"):
        assert clear not in told
