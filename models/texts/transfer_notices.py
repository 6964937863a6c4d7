"""The words of a transfer's notices, put together from the pieces of the catalogue; versioned, with their hash.

The words are the same for every customer of a job, channel and language. Only `{link}` is put in for each of them,
when their message is sent.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Final

from models.domain.transfers.notice_facts import TEXT_VERSION, Duty, NoticeFacts
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import LegalClass
from models.texts.render import render

LINK: Final = "{link}"


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferWords:
    """What a customer reads.

    Attributes:
        version: of the catalogue, with kind and class: what `transfer_notices.text_version` names.
        text_hash: SHA-256 over version, channel, language, subject and text.
    """

    version: str
    way: Way
    language: str
    subject: str
    text: str

    @property
    def text_hash(self) -> str:
        """What evidence and consents are bound to."""
        spelt = json.dumps([self.version, self.way, self.language, self.subject, self.text], ensure_ascii=False)
        return hashlib.sha256(spelt.encode()).hexdigest()

    def for_link(self, url: str) -> str:
        """The text with a customer's own link."""
        return self.text.replace(LINK, url)


def text_version(duty: Duty) -> str:
    """What the words of a duty are called, in whichever language."""
    event = duty.event or LegalClass.G
    return f"transfer-notice/{duty.kind or 'none'}/{event}{'+G' if duty.abroad and duty.event else ''}/{TEXT_VERSION}"


def transfer_words(duty: Duty, facts: NoticeFacts, *, way: Way, language: str, consent_days: int) -> TransferWords:
    """The words of one channel and language.

    Raises:
        ValueError: the class needs no notice.
        MissingTextError: a class has no words.
    """
    if duty.kind is None:
        raise ValueError("nobody need be told")
    values: dict[str, str | int] = {
        "source": facts.source,
        "recipient": facts.recipient,
        "contacts": facts.contacts,
        "purpose": facts.purpose,
        "method": facts.method,
        "kinds": facts.kinds,
        "days": consent_days,
        "link": LINK,
    }

    def piece(name: str) -> str:
        return render(f"transfer-notice.{name}", values, language)

    is_short = way is Way.SMS
    size = "sms" if is_short else "full"
    pieces = [piece(f"event.{duty.event or 'G'}"), piece(f"{duty.kind}.{size}")]
    if duty.abroad:
        pieces.append(piece(f"abroad.{size}"))
    if duty.claims:
        pieces.append(piece(f"claims.{size}"))
    if way is Way.PUBLIC:
        pieces.append(piece("public.consent" if duty.asks_consent else "public.rights"))
    else:
        pieces.append(piece(f"{'consent' if duty.asks_consent else 'rights'}.{size}"))
    if is_short:
        head = f"[{facts.recipient}] " if language == "en" else f"【{facts.recipient}】"
        text = head + ("" if language == "zh-CN" else " ").join(pieces)
    else:
        text = "\n\n".join([*pieces, f"{facts.source}\n{facts.recipient}"])
    return TransferWords(
        version=text_version(duty),
        way=way,
        language=language,
        subject=piece("subject"),
        text=text,
    )
