"""Shapes of texts (告知与同意文本): what a draft takes, how a draft and a published version are told."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from api.bodies import Answer, Body, Instant, Sha256Hex
from api.installments.bodies import TextVersion
from models.domain.consent_texts import TextKind
from models.domain.rule_words import LegalBasis, SensitiveData

MAX_WORDS = 12_000  # characters of one text in one language
MAX_PARAGRAPH = 2_000

Words = Annotated[str, Field(min_length=1, max_length=MAX_WORDS, pattern=r"\S")]
Paragraph = Annotated[str, Field(min_length=1, max_length=MAX_PARAGRAPH, pattern=r"\S")]
DataCode = Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]
ReturnReason = Literal["words-unclear", "law-not-met", "translation-differs", "dates-wrong", "not-needed"]


class TwoLanguagesBody(Body):
    """The same words twice; the Chinese ones are the original."""

    zh: Words
    en: Words


class ParagraphBody(Body):
    """What stands under one heading, in both languages."""

    zh: Paragraph
    en: Paragraph


class NoticeBody(Body):
    """A notice about personal data: its ground, its paragraphs, and the sensitive data for which it names a purpose.

    `items`: `handler`, `contacts`, `purpose`, `method`, `data-kinds`, `retention`, `rights` (个人信息保护法 Art. 17),
    and about sensitive data `necessity` and `effect` (Art. 30). The customer reads these paragraphs and nothing else.
    """

    basis: LegalBasis
    items: Annotated[dict[str, ParagraphBody], Field(max_length=20)]
    sensitive_data: Annotated[list[SensitiveData], Field(max_length=20)]


class ScopeBody(Body):
    """Which kinds of data and documents an application may hold: always, and besides by cause of hardship."""

    always: Annotated[list[DataCode], Field(min_length=1, max_length=60)]
    by_hardship: Annotated[dict[str, Annotated[list[DataCode], Field(max_length=60)]], Field(max_length=20)]


class TextBody(Body):
    """A text: `notice` for kind `privacy-notice`, of which it is printed; else `text`; with `data-scope` also `scope`.

    `material`: whoever agreed to an earlier version must be asked again. `validFrom`: at the earliest from publication.
    """

    kind: TextKind
    version: TextVersion
    material: bool
    text: TwoLanguagesBody | None = None
    notice: NoticeBody | None = None
    scope: ScopeBody | None = None
    valid_from: Instant | None = None
    valid_until: Instant | None = None


class ShownBody(Body):
    """What the second person was shown."""

    shown_hash: Sha256Hex


class ReturnBody(ShownBody):
    """Why it goes back to its makers."""

    reason_code: ReturnReason


class TextWords(Answer):
    """The words in both languages."""

    zh: str
    en: str


class TextDraftAnswer(Answer):
    """A draft; `shownHash` once it is submitted. `contentHash` is what a published version will be known by."""

    id: str
    kind: str
    kind_text: str
    version: str
    state: str
    state_text: str
    text: TextWords
    definition: dict[str, Any] | None
    material: bool
    valid_from: datetime | None
    valid_until: datetime | None
    content_hash: str
    shown_hash: str | None
    drafted_by: str
    decided_by: str | None
    return_reason: str | None
    return_reason_text: str | None
    revision: int
    created_at: datetime
    updated_at: datetime


class TextDraftPage(Answer):
    """Drafts, newest first; `endCursor` is null on the last page."""

    items: list[TextDraftAnswer]
    end_cursor: str | None


class TextVersionAnswer(Answer):
    """A published text. `validUntil`: its own end, or where the next version begins."""

    id: str
    kind: str
    kind_text: str
    version: str
    text: TextWords
    definition: dict[str, Any] | None
    material: bool
    content_hash: str
    valid_from: datetime
    valid_until: datetime | None
    in_force: bool
    drafted_by: str
    published_by: str
    published_at: datetime


class TextVersionList(Answer):
    """Every version of a kind, in the order in which they hold."""

    items: list[TextVersionAnswer]


class LinkTextAnswer(Answer):
    """A text as the customer reads it."""

    purpose: str
    purpose_text: str
    version: str
    content_hash: str
    text: TextWords
    valid_from: datetime


class LinkTextList(Answer):
    """What holds now: one text of each purpose that has one."""

    items: list[LinkTextAnswer]
