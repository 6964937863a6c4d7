"""Texts that customers are shown before they agree, or that tell them something (告知与同意文本): content and its hash.

A text exists in versions; the words of a published version never change. Which version somebody was given is on record
beside the consents, so that it can be shown years later what they were told (个人信息保护法 Arts. 14, 17).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from models.domain.canonical import digest
from models.domain.privacy_notice import PrivacyNotice
from models.domain.rule_words import NOTICE_ITEMS, SENSITIVE_ITEMS


class TextKind(StrEnum):
    """What a text is about: one purpose of consent or notice each, and the list of data that an application holds."""

    PRIVACY_NOTICE = "privacy-notice"  # 个人信息处理告知
    ADVERSE_REPORT_NOTICE = "adverse-report-notice"  # 报送不良信息前告知
    CREDIT_REPORT_QUERY = "credit-report-query"  # 征信查询授权
    PERSONAL_DATA = "personal-data"  # 处理个人信息的同意
    SENSITIVE_DATA = "sensitive-data"  # 处理敏感个人信息的单独同意
    CONTACT_HOURS = "contact-hours"  # 夜间联系的同意
    DATA_SCOPE = "data-scope"  # 最小必要清单: shown to nobody for consent, kept and approved like the others


class TextState(StrEnum):
    """Where a draft stands. A published text is a row of its own, which nobody can change."""

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    PUBLISHED = "PUBLISHED"


# The order in which the headings of a notice are printed.
HEADINGS: Final = (*NOTICE_ITEMS, *SENSITIVE_ITEMS)


@dataclass(frozen=True, kw_only=True, slots=True)
class TextContent:
    """What is approved and hashed: the words in both languages, and what the rules read of them.

    Attributes:
        zh, en: the words as the customer reads them; the Chinese ones are the original.
        definition: of a notice or a data scope, the record that the rules judge (`as_record`); else None.
        material: whoever agreed to an earlier version must be asked again (个人信息保护法 Art. 14(2)).
    """

    kind: str
    version: str
    zh: str
    en: str
    definition: Mapping[str, Any] | None
    material: bool

    def digest(self) -> str:
        """SHA-256, in hex, over the canonical JSON of the content."""
        record = {
            "kind": self.kind,
            "version": self.version,
            "zh-CN": self.zh,
            "en": self.en,
            "definition": self.definition,
            "material": self.material,
        }
        return digest(record)


def printed(items: Mapping[str, str]) -> str:
    """The words of a notice from those under its headings, a paragraph each: nothing else is shown to the customer."""
    return "\n\n".join(items[heading] for heading in HEADINGS if items.get(heading, "").strip())


def missing_headings(items: Mapping[str, str]) -> tuple[str, ...]:
    """The headings of 个人信息保护法 Art. 17 under which nothing is said."""
    return tuple(heading for heading in NOTICE_ITEMS if not items.get(heading, "").strip())


def notice_content(notice: PrivacyNotice, *, english: Mapping[str, str], material: bool) -> TextContent:
    """A notice as a text: its Chinese words are those that the rules read."""
    return TextContent(
        kind=TextKind.PRIVACY_NOTICE.value,
        version=notice.version,
        zh=printed(notice.items),
        en=printed(english),
        definition=notice.as_record(),
        material=material,
    )
