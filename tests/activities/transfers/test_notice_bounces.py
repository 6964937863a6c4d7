"""What comes back by file: delivery reports as mail servers write them, and receipts of providers and the post."""

import json
import mailbox
from email.message import EmailMessage
from email.mime.base import MIMEBase
from email.mime.message import MIMEMessage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

import pytest

from activities.transfers.notice_bounces import FolderReceipts, MaildirReports
from compliance.transfers.notice_receipts import Taken
from compliance.transfers.receipt_spelling import receipt_of
from models.domain.transfers.notice_ids import message_of_attempt
from models.domain.transfers.states import NoticeState
from tests.support.telling import PLAN, Telling, customer


def dsn(message_id: str, *, action: str = "failed", status: str = "5.1.1", whole: bool = False) -> MIMEMultipart:
    """A report as RFC 3464 has it: words, status, and the mail that came back or its headers."""
    mail = MIMEMultipart("report", report_type="delivery-status")
    mail["From"] = "MAILER-DAEMON@mx.example.net"
    mail["Subject"] = "Undelivered Mail Returned to Sender"
    mail.attach(MIMEText("The mail could not be delivered to <customer1@example.com>."))
    status_part = MIMEBase("message", "delivery-status")
    reporting, recipient = EmailMessage(), EmailMessage()
    reporting["Reporting-MTA"] = "dns; mx.example.net"
    recipient["Final-Recipient"] = "rfc822; customer1@example.com"
    recipient["Action"] = action
    recipient["Status"] = status
    status_part.set_payload([reporting, recipient])
    mail.attach(status_part)
    if whole:
        original = EmailMessage()
        original["Message-ID"] = message_id
        original.set_content("x")
        mail.attach(MIMEMessage(original))
    else:
        headers = MIMEText(f"From: notices@bank.example\r\nMessage-ID: {message_id}\r\n", "rfc822-headers")
        mail.attach(headers)
    return mail


@pytest.fixture
def by_mail(telling: Telling, tmp_path: Path) -> Telling:
    """A customer who was told by mail, and a Maildir for what comes back."""
    box = mailbox.Maildir(tmp_path / "returned")
    telling.sources = [MaildirReports(Path(box._path)), FolderReceipts(tmp_path / "receipts")]  # type: ignore[attr-defined]
    telling.open(customer(1), plan={**PLAN, "notices": {"channels": ["email", "post"]}})
    telling.plan()
    telling.send()
    return telling


def returned(telling: Telling, mail: MIMEMultipart | EmailMessage) -> None:
    mailbox.Maildir(telling.folder / "returned").add(mail)


@pytest.mark.parametrize("whole", [False, True])
def test_a_bounce_leads_to_the_next_channel(by_mail: Telling, whole: bool) -> None:
    message_id = next(iter(by_mail.mail.inbox.messages))
    returned(by_mail, dsn(message_id, whole=whole))
    assert by_mail.notices.take_in()[Taken.NEWS] == 1
    assert by_mail.notices.take_in() == dict.fromkeys(Taken, 0)  # let go of
    (attempt,) = by_mail.attempts()
    assert (attempt.state, attempt.reason_code) == ("bounced", "5.1.1")
    by_mail.send()
    assert by_mail.notice().channel == "post"
    assert len(by_mail.letters()) == 1


def test_delays_and_absent_readers_are_no_bounces(by_mail: Telling) -> None:
    message_id = next(iter(by_mail.mail.inbox.messages))
    away = EmailMessage()
    away["Auto-Submitted"] = "auto-replied"
    away["In-Reply-To"] = message_id
    away.set_content("I am away.")
    returned(by_mail, away)
    returned(by_mail, dsn(message_id, action="delayed", status="4.4.1"))
    returned(by_mail, dsn("<" + "0" * 32 + "@bank.example>"))  # of nothing of ours
    assert by_mail.notices.take_in() == {Taken.NEWS: 0, Taken.KNOWN: 0, Taken.UNKNOWN: 3}
    assert by_mail.state() is NoticeState.SENT


def test_a_report_of_success_is_a_receipt(by_mail: Telling) -> None:
    returned(by_mail, dsn(next(iter(by_mail.mail.inbox.messages)), action="delivered", status="2.0.0"))
    by_mail.notices.take_in()
    assert by_mail.state() is NoticeState.DELIVERED


def test_the_posts_receipt_carries_the_number_of_the_registered_letter(by_mail: Telling) -> None:
    returned(by_mail, dsn(next(iter(by_mail.mail.inbox.messages))))
    by_mail.notices.take_in()
    by_mail.send()
    folder = by_mail.folder / "receipts"
    folder.mkdir()
    told = {"id": message_of_attempt(by_mail.attempts()[1].id), "state": "delivered", "register": "XA12345678911"}
    (folder / "1.json").write_text(json.dumps(told))
    (folder / "2.json").write_text("{")
    assert by_mail.notices.take_in()[Taken.NEWS] == 1
    assert by_mail.state() is NoticeState.FALLBACK_DELIVERED
    assert by_mail.notice().evidence["register"] == "XA12345678911"
    assert [path.name for path in folder.iterdir()] == ["2.bad"]


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"id": 1, "state": "delivered"},
        {"id": "x", "state": "read"},
        {"id": "x", "state": "bounced", "reason": "to <a@b.c>"},
    ],
)
def test_what_is_no_receipt_is_none(told: object) -> None:
    assert receipt_of(told) is None
