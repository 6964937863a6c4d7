"""What every gateway of messages must do, shown on each of them against a real counterpart."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from activities.gateways.mail_smtp import MailSmtp, SmtpServer, SmtpTls
from activities.gateways.messages import Message, MessageGateway, NotConnected
from activities.gateways.sms_http import SmsHttp
from activities.gateways.spool import Spool
from deploy.demo.receivers import LOOPBACK, Fault, HookReceiver, Inbox, MailReceiver
from models.domain.notices import NoticeChannel
from models.errors import GatewayRefused, GatewayUnavailable
from tests.support.clock import MONDAY_MORNING
from tests.support.customers import MAIL, MOBILE

ID = "0123456789abcdef" * 2
OTHER = "f" * 32
WORDS = "【某某银行】您的个性化分期第 3/12 期 ¥1,234.56 将于 2026年12月1日 到期。\n如有困难，请与我行联系。"


@dataclass
class Line:
    """One gateway with its counterpart. `inbox` is None where nothing can fail on demand."""

    gateway: MessageGateway
    channel: NoticeChannel
    received: Callable[[], list[dict[str, str]]]
    inbox: Inbox | None = None

    def message(self, message_id: str = ID, *, to: str | None = None, **changes: str) -> Message:
        good = MOBILE if self.channel is NoticeChannel.SMS else MAIL
        words = {"subject": "还款提醒", "text": WORDS} | changes
        return Message(id=message_id, channel=self.channel, to=to or good, at=MONDAY_MORNING, **words)


@pytest.fixture
def sms(hooks: HookReceiver) -> Iterator[Line]:
    gateway = SmsHttp(url=hooks.url, token="t0ken")
    yield Line(gateway, NoticeChannel.SMS, lambda: list(hooks.inbox.messages.values()), hooks.inbox)
    gateway.close()


@pytest.fixture
def mail(mail_server: MailReceiver) -> Line:
    server = SmtpServer(host=LOOPBACK, port=mail_server.port, tls=SmtpTls.NONE)
    gateway = MailSmtp(server=server, sender="notices@bank.example")
    return Line(gateway, NoticeChannel.MAIL, lambda: list(mail_server.inbox.messages.values()), mail_server.inbox)


@pytest.fixture
def spool(tmp_path: Path) -> Line:
    folder = tmp_path / "data.exchange" / "spool"

    def received() -> list[dict[str, str]]:
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.iterdir())]

    return Line(Spool(folder), NoticeChannel.SMS, received)


@pytest.fixture(params=["sms", "mail", "spool"])
def line(request: pytest.FixtureRequest) -> Line:
    chosen: Line = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture(params=["sms", "mail"])
def outside(request: pytest.FixtureRequest) -> tuple[Line, Inbox]:
    """Those behind which somebody can fail."""
    chosen: Line = request.getfixturevalue(request.param)
    assert chosen.inbox is not None
    return chosen, chosen.inbox


def test_the_words_arrive_whole_at_the_right_address(line: Line) -> None:
    receipt = line.gateway.send(line.message())
    [got] = line.received()
    assert got["text"].replace("\r\n", "\n").rstrip("\n") == WORDS
    assert got["to"] == line.message().to
    assert receipt.ref


def test_a_message_sent_again_is_one_message(line: Line) -> None:
    line.gateway.send(line.message())
    line.gateway.send(line.message())
    assert len(line.received()) == 1
    line.gateway.send(line.message(OTHER))
    assert len(line.received()) == 2


@pytest.mark.parametrize("fault", [Fault.DOWN, Fault.BUSY])
def test_a_provider_that_cannot_now_is_asked_again(outside: tuple[Line, Inbox], fault: Fault) -> None:
    line, inbox = outside
    inbox.fail_next(fault)
    with pytest.raises(GatewayUnavailable):
        line.gateway.send(line.message())
    assert line.received() == []
    line.gateway.send(line.message())
    assert len(line.received()) == 1


def test_a_lost_answer_does_not_double_the_message(outside: tuple[Line, Inbox]) -> None:
    line, inbox = outside
    inbox.fail_next(Fault.LOST_ANSWER)
    with pytest.raises(GatewayUnavailable):
        line.gateway.send(line.message())
    assert len(line.received()) == 1
    line.gateway.send(line.message())
    assert len(line.received()) == 1
    assert list(inbox.times.values()) == [2]  # the provider saw both, under one id


def test_a_provider_that_refuses_is_not_asked_again(outside: tuple[Line, Inbox]) -> None:
    line, inbox = outside
    inbox.fail_next(Fault.REJECTED)
    with pytest.raises(GatewayRefused) as refused:
        line.gateway.send(line.message())
    assert refused.value.params["reason"] in {"http-422", "smtp-550"}
    assert line.received() == []


def test_a_provider_that_does_not_answer_is_left_after_seconds(
    outside: tuple[Line, Inbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    line, inbox = outside
    if isinstance(line.gateway, SmsHttp):
        line.gateway._client.timeout = 0.3
    monkeypatch.setattr("activities.gateways.mail_smtp._STEP_TIMEOUT_S", 0.3)
    inbox.fail_next(Fault.SLOW)
    with pytest.raises(GatewayUnavailable):
        line.gateway.send(line.message())


def test_nobody_listens(outside: tuple[Line, Inbox], tmp_path: Path) -> None:
    line, _ = outside
    with HookReceiver() as closed:
        url, port = closed.url, closed._server.server_port
    if isinstance(line.gateway, SmsHttp):
        line.gateway.url = url
    if isinstance(line.gateway, MailSmtp):
        line.gateway.server = SmtpServer(host=LOOPBACK, port=port, tls=SmtpTls.NONE)
    with pytest.raises(GatewayUnavailable):
        line.gateway.send(line.message())


@pytest.mark.parametrize(
    "to",
    [
        "nobody",
        "xiaowen@example.com\r\nBcc: everybody@example.com",
        "xiaowen@example.com, other@example.com",
        "xiaowen@example.com\n",
        "Xiaowen <xiaowen@example.com>",
        "13812345678",
        "+8613812345678\n",
        "+86138123456789012345",
    ],
)
def test_what_is_no_address_is_refused_before_anybody_is_asked(outside: tuple[Line, Inbox], to: str) -> None:
    line, inbox = outside
    with pytest.raises(GatewayRefused) as refused:
        line.gateway.send(line.message(to=to))
    assert refused.value.params == {"reason": "address"}
    assert not inbox.times


def test_no_failure_quotes_the_person(outside: tuple[Line, Inbox]) -> None:
    line, inbox = outside
    for fault in (Fault.DOWN, Fault.BUSY, Fault.REJECTED, Fault.LOST_ANSWER):
        inbox.fail_next(fault)
        with pytest.raises((GatewayUnavailable, GatewayRefused)) as caught:
            line.gateway.send(line.message())
        told = f"{caught.value!s} {caught.value!r} {caught.value.__cause__!r}"
        assert MOBILE[3:] not in told
        assert MAIL not in told
        assert "1,234.56" not in told
    assert WORDS not in repr(line.message())


def test_who_is_not_connected_refuses() -> None:
    line = Line(NotConnected(), NoticeChannel.SMS, list)
    with pytest.raises(GatewayRefused) as refused:
        line.gateway.send(line.message())
    assert refused.value.params == {"reason": "not-connected"}


# Text messages --------------------------------------------------------------------------------------------------------


def test_a_wrong_token_costs_no_customer_a_notice(hooks: HookReceiver, sms: Line) -> None:
    stranger = SmsHttp(url=hooks.url, token="another")
    with pytest.raises(GatewayUnavailable):
        stranger.send(sms.message())
    stranger.close()
    assert not hooks.inbox.times


def test_a_text_too_long_for_five_parts_is_refused(sms: Line) -> None:
    with pytest.raises(GatewayRefused) as refused:
        sms.gateway.send(sms.message(text="款" * 336))
    assert refused.value.params == {"reason": "too-long"}
    sms.gateway.send(sms.message(text="款" * 335))
    assert len(sms.received()) == 1


# The spool ------------------------------------------------------------------------------------------------------------


def test_a_spooled_message_is_for_the_bank_alone_and_whole(spool: Line, tmp_path: Path) -> None:
    spool.gateway.send(spool.message())
    [path] = (tmp_path / "data.exchange" / "spool").iterdir()
    assert path.name == f"sms-{ID}.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_spool_that_cannot_be_written_is_tried_again(tmp_path: Path, spool: Line) -> None:
    (tmp_path / "file").write_text("-")
    with pytest.raises(GatewayUnavailable):
        Spool(tmp_path / "file" / "spool").send(spool.message())


def test_an_id_that_is_a_path_is_no_id(spool: Line, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32 hex"):
        spool.gateway.send(spool.message("../../elsewhere"))
    assert not (tmp_path / "data.exchange").exists()
