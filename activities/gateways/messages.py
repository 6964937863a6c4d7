"""What carries a message to a customer: one door for all providers, and an id by which a repeated one is known."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import datetime

from models.domain.notices import NoticeChannel
from models.errors import GatewayRefused


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Message:
    """A message to one person. Lives in memory for the length of one try.

    Attributes:
        id: 32 hex digits out of the business key: the same at every try, and nobody can tell a person from it.
        to: a mobile number in E.164, or a mail address.
        at: when it is sent.
    """

    id: str
    channel: NoticeChannel
    to: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The provider has taken the message; `ref` is its own name for it, if it has one."""

    ref: str | None = field(default=None)


class MessageGateway(ABC):
    """A provider, or what stands for one."""

    @abstractmethod
    def send(self, message: Message) -> Receipt:
        """Hand over one message; handed over twice under one id, it is one message.

        Raises:
            GatewayUnavailable: no answer; the message may have arrived, and is to be sent again under the same id.
            GatewayRefused: refused for good, with a reason code.
        """


class NotConnected(MessageGateway):
    """No provider is connected: each message is refused at once, and staff see which."""

    def send(self, message: Message) -> Receipt:  # noqa: ARG002
        """Refuses for good.

        Raises:
            GatewayRefused: always.
        """
        raise GatewayRefused(params={"reason": "not-connected"})
