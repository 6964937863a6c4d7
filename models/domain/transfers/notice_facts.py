"""What a transfer's customers must be told (告知内容), by the class of the legal event, and whether they are asked.

个人信息保护法 Art. 22 (classes C, D, F): the recipient's name and contacts. Arts. 23, 39 (E, G): purpose, method and
kinds of data as well, and the request for separate consent (单独同意) unless a legal opinion is on record (class E).
民法典 Art. 546: where claims move, the debtor is told of that too. 消费者权益保护法 Art. 29: nothing is advertised.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from models.domain.transfers.notice_policy import PlanFault
from models.domain.transfers.states import CONSENT_FIRST, LegalClass
from models.domain.transfers_words import PROVISION_NOTICE, RECIPIENT_NOTICE

TEXT_VERSION: Final = "2026-11"  # a changed text is a new version
LANGUAGES: Final = ("zh-CN", "en")

_MOST_CHARS: Final = 300
_ITEM_OF: Final = {
    "recipient-name": "recipient",
    "recipient-contacts": "contacts",
    "purpose": "purpose",
    "method": "method",
    "data-kinds": "kinds",
}
# What advertises (CONS-29). A notice that the law demands carries none of it, whoever wrote the plan.
_MARKETING: Final = re.compile(
    r"优惠|促销|特惠|折扣|抽奖|红包|礼品|积分|限时|立减|提额|申办|办卡|理财产品|推荐好友|点击领取"
    r"|\b(?:discounts?|promotions?|special offer|apply now|rewards?|cashback|prizes?|gifts?|bonus)\b",
    re.IGNORECASE,
)


class NoticeKind(StrEnum):
    """Which items the law asks for."""

    RECIPIENT = "recipient"  # PIPL-22
    PROVISION = "provision"  # PIPL-23, PIPL-39


# What each kind holds at the least.
ITEMS: Final[Mapping[NoticeKind, tuple[str, ...]]] = {
    NoticeKind.RECIPIENT: RECIPIENT_NOTICE,
    NoticeKind.PROVISION: PROVISION_NOTICE,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Duty:
    """What the law asks of a job.

    Attributes:
        kind: None: nobody need be told (classes A and B); `exempt_for` says why.
        asks_consent: of each customer, before anything of theirs moves.
        event: the class whose words say what happened.
        claims: claims move, and the debtor is told (CC-546).
        abroad: the recipient is abroad.
    """

    kind: NoticeKind | None
    asks_consent: bool
    event: LegalClass | None
    claims: bool
    abroad: bool
    exempt_for: str | None = None


def duty_of(classes: Sequence[str], facts: Mapping[str, Any]) -> Duty:
    """What a job of these classes owes its customers. `facts` are those of the rules (`transfer_classes`, …)."""
    known = {LegalClass(each) for each in classes}
    abroad = LegalClass.G in known
    event = next((each for each in LegalClass if each in known and each is not LegalClass.G), None)
    given_on = event is LegalClass.B and bool(facts.get("data_given_to_shareholder"))
    claims = event is LegalClass.E or bool(facts.get("claims_move"))
    if event in {LegalClass.A, LegalClass.B, None} and not abroad and not given_on:
        return Duty(
            kind=None, asks_consent=False, event=event, claims=False, abroad=False, exempt_for="class-needs-no-notice"
        )
    if event is LegalClass.F and facts.get("has_successor") is False:
        return Duty(kind=None, asks_consent=False, event=event, claims=False, abroad=abroad, exempt_for="no-recipient")
    provides = bool(known & CONSENT_FIRST) or given_on
    # The opinion settles whether Art. 22 covers a sale of business; it says nothing of a recipient abroad (Art. 39).
    has_opinion = bool(facts.get("notice_only_opinion")) and not abroad and not given_on
    return Duty(
        kind=NoticeKind.PROVISION if provides else NoticeKind.RECIPIENT,
        asks_consent=provides and not has_opinion,
        event=event,
        claims=claims,
        abroad=abroad,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeFacts:
    """What the words are made of, in one language. Nothing of a customer.

    Attributes:
        source: who held the data so far.
        contacts: where the recipient is reached.
        kinds: kinds of data, in words.
    """

    source: str
    recipient: str
    contacts: str
    purpose: str
    method: str
    kinds: str


def notice_facts(plan: Mapping[str, Any], *, source: str, recipient: str, language: str, duty: Duty) -> NoticeFacts:
    """What the plan says under `notice`, in one language.

    Args:
        plan: as approved. Each item is a text, or a table of texts by language.
        source: name of the institution that transfers, where the plan names none.
        recipient: name of the one that receives, likewise.
        language: one of `LANGUAGES`.
        duty: which items are needed.

    Raises:
        PlanFault: an item that the law demands is missing, is too long, holds braces or line ends, or advertises.
    """
    told = plan.get("notice") or {}
    if not isinstance(told, Mapping):
        raise PlanFault("notice: is no table of texts")
    found = {
        "source": _text(told, "source", language) or source,
        "recipient": _text(told, "recipient", language) or recipient,
        **{name: _text(told, name, language) for name in ("contacts", "purpose", "method", "kinds")},
    }
    if duty.kind is not None:
        for item in ITEMS[duty.kind]:
            if not found[_ITEM_OF[item]]:
                raise PlanFault(f"notice.{_ITEM_OF[item]}: is missing in {language}; the law asks for {item}")
    return NoticeFacts(**found)


def advertises(text: str) -> bool:
    """Whether a text says something that only an advertisement says (CONS-29)."""
    return _MARKETING.search(text) is not None


def _text(told: Mapping[str, Any], name: str, language: str) -> str:
    value = told.get(name)
    if isinstance(value, Mapping):
        value = value.get(language)
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        value = ("、" if language == "zh-CN" else ", ").join(str(each) for each in value)
    if not isinstance(value, str) or not value.isprintable() or len(value) > _MOST_CHARS or set(value) & set("{}"):
        raise PlanFault(f"notice.{name}: is no line of at most {_MOST_CHARS} characters without braces")
    if advertises(value):
        raise PlanFault(f"notice.{name}: advertises, which a notice may not (CONS-29)")
    return value.strip()
