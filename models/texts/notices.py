"""The words of a notice (通知) for one channel: a text message is short and says who writes; a mail is signed."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.domain.notices import NoticeChannel, NoticeKind
from models.texts.render import has_text, render


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class NoticeWords:
    """What the customer reads. A text message has no subject; it is there for a spool."""

    subject: str
    text: str


def notice_words(
    kind: NoticeKind, params: Mapping[str, str | int], *, channel: NoticeChannel, locale: str, bank: str
) -> NoticeWords:
    """The words of a kind: `notice.<kind>.subject` and `.body`; for a text message `.sms` where there is a shorter one.

    Raises:
        MissingTextError: the kind has no words.
    """
    key = f"notice.{kind}"
    subject = render(f"{key}.subject", params, locale)
    if channel is NoticeChannel.SMS:
        body = f"{key}.sms" if has_text(f"{key}.sms", locale) else f"{key}.body"
        head = f"[{bank}] " if locale == "en" else f"【{bank}】"
        return NoticeWords(subject=subject, text=head + render(body, params, locale))
    return NoticeWords(subject=subject, text=f"{render(f'{key}.body', params, locale)}\n\n{bank}\n")
