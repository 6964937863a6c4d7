"""Messages outside of notices: once under their key, by the channel that reaches the customer, at decent hours."""

from datetime import datetime, timedelta

from sqlmodel import select

from activities.transfers.customer_messages import CustomerMessenger
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from deploy.demo.receivers import Fault
from models.domain.shanghai import SHANGHAI
from models.domain.transfers.notice_ids import customer_message_id
from models.operations.transfers.follow_ups import queue_message
from models.tables.transfer_telling import CustomerMessage
from tests.support.telling import TARGET, Telling, customer


def queued(telling: Telling, *, key: str = "1", to: str | None = None, channel: str = "sms") -> None:
    """A message to the customer of row 1, or to a point of its own."""
    notice = telling.notice()
    cell = None
    if to is not None:
        message = customer_message_id(TARGET, key)
        address = CellAddress(TARGET, "customer_messages", "to_cell", message, notice.subject_id)
        cell = telling.vault.seal(address, to)
    params = {"kind": "correction", "answer": "data-corrected", "opened": "2026-11-20", "notice": notice.id}
    with unit_of_work(telling.database, telling.deed()) as unit:
        queue_message(
            unit.session,
            tenant=TARGET,
            subject_id=notice.subject_id,
            record_id=None,
            business_key=key,
            kind="follow-up-answered",
            channel=channel,
            language="zh-CN",
            params=params,
            now=telling.clock(),
            to_cell=cell,
        )


def messenger(telling: Telling) -> CustomerMessenger:
    return CustomerMessenger(telling.database, telling.vault, telling.notices.carriers, telling.clock)


def kept(telling: Telling) -> CustomerMessage:
    with telling.database.read() as session:
        return session.exec(select(CustomerMessage)).one()


def test_an_answer_reaches_the_customer_once(telling: Telling) -> None:
    telling.open(customer(1)).plan()
    queued(telling)
    queued(telling)
    telling.hooks.inbox.fail_next(Fault.LOST_ANSWER)
    for _ in range(3):
        messenger(telling).send_due(telling.clock())
        telling.clock.advance(minutes=10)
    (message,) = telling.hooks.inbox.messages.values()
    assert "信息已更正" in message["text"]
    assert "2026" in message["text"]
    assert kept(telling).state == "SENT"


def test_without_a_number_it_goes_by_mail(telling: Telling) -> None:
    telling.open(customer(1, mobile=None)).plan()
    queued(telling)
    messenger(telling).send_due(telling.clock())
    messenger(telling).send_due(telling.clock())
    (mail,) = telling.mail.inbox.messages.values()
    assert mail["to"] == "customer1@example.com"


def test_a_point_of_its_own_is_used_alone_and_dropped(telling: Telling) -> None:
    telling.open(customer(1)).plan()
    queued(telling, to="+8613900000009")
    messenger(telling).send_due(telling.clock())
    assert len(telling.hooks.inbox.to("+8613900000009")) == 1
    assert (kept(telling).state, kept(telling).to_cell) == ("SENT", None)


def test_a_refused_point_of_its_own_fails_and_is_dropped(telling: Telling) -> None:
    telling.open(customer(1)).plan()
    queued(telling, to="+8613900000009")
    telling.hooks.inbox.fail_next(Fault.REJECTED)
    messenger(telling).send_due(telling.clock())
    assert (kept(telling).state, kept(telling).reason_code, kept(telling).to_cell) == ("FAILED", "http-422", None)
    assert telling.mail.inbox.messages == {}


def test_nobody_is_roused_and_what_is_too_old_is_not_sent(telling: Telling) -> None:
    telling.clock.set(datetime(2026, 11, 23, 23, tzinfo=SHANGHAI))
    telling.open(customer(1)).plan()
    queued(telling)
    assert messenger(telling).send_due(telling.clock()) == 0
    assert telling.hooks.inbox.messages == {}
    telling.clock.advance(timedelta(days=15))
    messenger(telling).send_due(telling.clock())
    assert (kept(telling).state, kept(telling).reason_code) == ("FAILED", "expired")
