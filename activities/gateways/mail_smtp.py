"""Mail over SMTP (RFC 5321): one message per connection, its `Message-ID` out of the business key.

SMTP has no idempotency key; what repeats a mail after a lost answer repeats its `Message-ID`, by which mail systems
drop the second copy. The connection is encrypted unless the server is on this machine (`deploy.safety`).
"""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from activities.gateways.messages import Message, MessageGateway, Receipt
from models.errors import GatewayRefused, GatewayUnavailable

_STEP_TIMEOUT_S: Final = 4
_ID: Final = re.compile(r"\A[0-9a-f]{32}\Z")
# One plain address. Quoted local parts, several addresses, routes and line ends are refused before anything is sent.
_ADDRESS: Final = re.compile(
    r"\A[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)\Z"
)
_MAX_ADDRESS: Final = 254
_FOR_GOOD: Final = range(500, 600)
_OF_THIS_MAIL: Final = (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError)


class SmtpTls(StrEnum):
    """How the connection is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"  # from the first byte
    NONE = "none"  # on this machine only


@dataclass(frozen=True, kw_only=True, slots=True)
class SmtpServer:
    """Where mail is handed over."""

    host: str
    port: int
    tls: SmtpTls
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca_file: Path | None = None


def is_plain_address(text: str) -> bool:
    """Whether this is one address that can stand in a header and in the envelope as it is."""
    return len(text) <= _MAX_ADDRESS and _ADDRESS.match(text) is not None


@dataclass(slots=True)
class MailSmtp(MessageGateway):
    """One mail server and the address that mail comes from.

    Raises:
        ValueError: the sender's address is none.
    """

    server: SmtpServer
    sender: str
    _domain: str = field(init=False)

    def __post_init__(self) -> None:
        """Judge the sender's address."""
        if not is_plain_address(self.sender):
            raise ValueError("the sender is no plain mail address")
        self._domain = self.sender.rpartition("@")[2]

    def send(self, message: Message) -> Receipt:
        """Hand over one mail.

        Raises:
            GatewayUnavailable: no answer, or one that says to try again (4xx).
            GatewayRefused: `address` before the server is asked, else `smtp-<code>`.
        """
        mail = self._mail(message)
        try:
            with self._connected() as smtp:
                smtp.send_message(mail, from_addr=self.sender, to_addrs=[message.to])
        except _OF_THIS_MAIL as error:
            raise _refused(_code_of(error)) from None
        except (smtplib.SMTPException, OSError) as error:
            # Their words may quote addresses. A refused sender or log-in is for operations to mend: tried again too.
            raise GatewayUnavailable(detail=f"smtp: {type(error).__name__}") from None
        return Receipt(ref=str(mail["Message-ID"])[1:-1])

    def _mail(self, message: Message) -> EmailMessage:
        if not is_plain_address(message.to):
            raise GatewayRefused(params={"reason": "address"})
        if _ID.match(message.id) is None:
            raise ValueError("the id of a message is 32 hex digits")
        mail = EmailMessage(policy=SMTP_POLICY)
        mail["From"] = Address(addr_spec=self.sender)
        mail["To"] = Address(addr_spec=message.to)
        # A line end in a subject would begin another header.
        mail["Subject"] = " ".join(message.subject.split())
        mail["Date"] = format_datetime(message.at)
        mail["Message-ID"] = f"<{message.id}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
        mail.set_content(message.text, cte="base64")
        return mail

    @contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        server = self.server
        # The name is given: asking for this machine's own can wait long for a name server.
        if server.tls is SmtpTls.TLS:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                server.host, server.port, local_hostname=self._domain, timeout=_STEP_TIMEOUT_S, context=self._context()
            )
        else:
            smtp = smtplib.SMTP(server.host, server.port, local_hostname=self._domain, timeout=_STEP_TIMEOUT_S)
        try:
            if server.tls is SmtpTls.STARTTLS:
                smtp.starttls(context=self._context())
            if server.user is not None:
                smtp.login(server.user, server.password or "")
            yield smtp
            with suppress(smtplib.SMTPException, OSError):  # the mail is taken, however they part
                smtp.quit()
        finally:
            smtp.close()

    def _context(self) -> ssl.SSLContext:
        ca_file = self.server.ca_file
        return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


def _code_of(error: smtplib.SMTPException) -> int:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), 0)
    return int(error.smtp_code) if isinstance(error, smtplib.SMTPResponseException) else 0


def _refused(code: int) -> GatewayRefused | GatewayUnavailable:
    if code in _FOR_GOOD:
        return GatewayRefused(params={"reason": f"smtp-{code}"})
    return GatewayUnavailable(detail=f"smtp: code {code}")
