"""Mail as a mail server sees it: one header each, encrypted where it must be, and nobody's but the customer's."""

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activities.gateways.mail_smtp import MailSmtp, SmtpServer, SmtpTls, is_plain_address
from activities.gateways.messages import Message
from deploy.demo.receivers import MailReceiver
from models.domain.notices import NoticeChannel
from models.errors import GatewayUnavailable
from tests.support.clock import MONDAY_MORNING
from tests.support.customers import MAIL

ID = "0123456789abcdef" * 2
SENDER = "notices@bank.example"


def message(subject: str = "还款提醒") -> Message:
    return Message(id=ID, channel=NoticeChannel.MAIL, to=MAIL, subject=subject, text="您好", at=MONDAY_MORNING)


def gateway(receiver: MailReceiver, *, tls: SmtpTls = SmtpTls.NONE, **changes: object) -> MailSmtp:
    server = {"host": "localhost", "port": receiver.port, "tls": tls} | changes
    return MailSmtp(server=SmtpServer(**server), sender=SENDER)  # type: ignore[arg-type]


def test_the_message_id_comes_from_the_business_key_and_headers_say_that_a_machine_wrote(
    mail_server: MailReceiver,
) -> None:
    receipt = gateway(mail_server).send(message())
    [got] = mail_server.inbox.messages.values()
    assert got["id"] == f"<{ID}@bank.example>"
    assert receipt.ref == f"{ID}@bank.example"
    assert got["from"] == SENDER
    assert got["subject"] == "还款提醒"
    assert "Auto-Submitted" in got["headers"].split("\n")


@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\x0b", "\u2028"])
def test_a_subject_cannot_begin_another_header(mail_server: MailReceiver, ending: str) -> None:
    gateway(mail_server).send(message(f"还款提醒{ending}Bcc: everybody@example.com"))
    [got] = mail_server.inbox.messages.values()
    assert "Bcc" not in got["headers"].split("\n")
    assert got["subject"] == "还款提醒 Bcc: everybody@example.com"
    assert got["to"] == MAIL


def test_a_long_chinese_subject_stays_one_header(mail_server: MailReceiver) -> None:
    gateway(mail_server).send(message("请阅读并签署个性化分期还款协议" * 8))
    [got] = mail_server.inbox.messages.values()
    assert got["subject"] == "请阅读并签署个性化分期还款协议" * 8


@pytest.mark.parametrize("address", ["a@b", "a.b+c@d-e.example", "o'hara@example.com"])
def test_plain_addresses(address: str) -> None:
    assert is_plain_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "a",
        "a@",
        "@b",
        "a b@c",
        '"a b"@c',
        "a@b\n",
        "a@b\r\nX: y",
        "a@b,c@d",
        "<a@b>",
        "a@b>",
        "a..b@c",
        "张@b",
        "a" * 250 + "@b.cn",
    ],
)
def test_others(address: str) -> None:
    assert not is_plain_address(address)


def test_a_sender_that_is_no_address_is_refused_at_once(mail_server: MailReceiver) -> None:
    with pytest.raises(ValueError, match="sender"):
        MailSmtp(server=gateway(mail_server).server, sender="Bank <a@b>")


# Encryption -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Certificate:
    """A certificate of this test for `localhost`, signed by itself."""

    ca_file: Path
    context: ssl.SSLContext


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(MONDAY_MORNING - timedelta(days=3650))
        .not_valid_after(MONDAY_MORNING + timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    ca_file, key_file = folder / "ca.pem", folder / "key.pem"
    ca_file.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(ca_file, key_file)
    return Certificate(ca_file, context)


@pytest.fixture
def guarded(certificate: Certificate) -> Iterator[MailReceiver]:
    """A server that wants TLS, then a log-in."""
    with MailReceiver(
        user="casework", password="s3cret", tls_context=certificate.context, require_starttls=True
    ) as receiver:
        yield receiver


def test_mail_goes_over_starttls_with_a_log_in(guarded: MailReceiver, certificate: Certificate) -> None:
    sender = gateway(guarded, tls=SmtpTls.STARTTLS, user="casework", password="s3cret", ca_file=certificate.ca_file)
    sender.send(message())
    assert len(guarded.inbox.messages) == 1


def test_a_wrong_password_is_for_operations_to_mend_and_costs_no_notice(
    guarded: MailReceiver, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activities.gateways.mail_smtp._STEP_TIMEOUT_S", 0.5)
    sender = gateway(guarded, tls=SmtpTls.STARTTLS, user="casework", password="x", ca_file=certificate.ca_file)
    with pytest.raises(GatewayUnavailable) as caught:
        sender.send(message())
    assert "casework" not in str(caught.value)
    assert not guarded.inbox.messages


def test_a_server_nobody_vouches_for_gets_nothing(guarded: MailReceiver) -> None:
    with pytest.raises(GatewayUnavailable):
        gateway(guarded, tls=SmtpTls.STARTTLS, user="casework", password="s3cret").send(message())
    assert not guarded.inbox.messages


def test_a_server_without_starttls_gets_nothing_in_clear(mail_server: MailReceiver) -> None:
    with pytest.raises(GatewayUnavailable):
        gateway(mail_server, tls=SmtpTls.STARTTLS).send(message())
    assert not mail_server.inbox.messages


def test_mail_goes_over_tls_from_the_first_byte(certificate: Certificate) -> None:
    with MailReceiver(ssl_context=certificate.context) as receiver:
        gateway(receiver, tls=SmtpTls.TLS, ca_file=certificate.ca_file).send(message())
        assert len(receiver.inbox.messages) == 1
