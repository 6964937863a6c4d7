"""What carries a transfer's notices: the house's gateways for text messages and mail, and letters for the post.

A letter is a file for the bank's printer, named by the attempt. The number under which the post registers it (挂号信)
and the receipt (回执) come back through `compliance.transfers.notice_receipts`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from activities.gateways.messages import Message, MessageGateway, NotConnected, Receipt
from activities.gateways.spool import Spool
from models.domain.mobile import check_mobile
from models.domain.notices import NoticeChannel
from models.domain.rule_broken import RuleBroken
from models.domain.transfers.notice_policy import Way
from models.errors import GatewayRefused

CHANNEL_OF = {Way.SMS: NoticeChannel.SMS, Way.EMAIL: NoticeChannel.MAIL}


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Letter:
    """A letter to one person. Lives in memory until it is in the spool."""

    id: str
    name: str
    address: str
    postcode: str | None
    subject: str
    text: str
    at: datetime


class PostGateway(ABC):
    """Who prints and posts letters."""

    @abstractmethod
    def hand_in(self, letter: Letter) -> Receipt:
        """Hand in one letter; handed in twice under one id, it is one letter.

        Raises:
            GatewayUnavailable: try again.
            GatewayRefused: refused for good, with a reason code.
        """


class LetterSpool(Spool, PostGateway):
    """A folder of letters, `letter-<id>.json`, for the bank's printer. It lies in the exchange, in clear."""

    def hand_in(self, letter: Letter) -> Receipt:
        """Write the letter, durable when this returns."""
        name = f"letter-{letter.id}.json"
        told = {
            "id": letter.id,
            "to": letter.name,
            "address": letter.address,
            "postcode": letter.postcode,
            "subject": letter.subject,
            "text": letter.text,
            "at": letter.at.isoformat(timespec="seconds"),
            "registered": True,
        }
        self.keep(name, (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode())
        return Receipt(ref=name)


class NoPost(PostGateway):
    """Nobody posts letters: each is refused at once, and the next channel is taken."""

    def hand_in(self, letter: Letter) -> Receipt:  # noqa: ARG002 - the port's signature
        """Refuses for good.

        Raises:
            GatewayRefused: always.
        """
        raise GatewayRefused(params={"reason": "not-connected"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Carriers:
    """Who carries each channel."""

    messages: Mapping[NoticeChannel, MessageGateway]
    post: PostGateway = field(default_factory=NoPost)

    def carry(self, way: Way, letter: Letter, *, to: str) -> Receipt:
        """Hand over one notice by one channel.

        Args:
            way: never the public notice.
            letter: id, words and the person's name.
            to: mobile number, mail address or postal address, as the record has it.

        Raises:
            GatewayUnavailable: try again under the same id.
            GatewayRefused: refused for good, with a reason code.
        """
        if way is Way.POST:
            return self.post.hand_in(letter)
        channel = CHANNEL_OF[way]
        return self.messages.get(channel, NotConnected()).send(
            Message(
                id=letter.id,
                channel=channel,
                to=_number(to) if way is Way.SMS else to,
                subject=letter.subject,
                text=letter.text,
                at=letter.at,
            )
        )


def _number(mobile: str) -> str:
    try:
        return check_mobile(mobile)
    except RuleBroken:
        raise GatewayRefused(params={"reason": "address"}) from None
