"""The page of a public notice (公告), in one language: institutions and kinds of data, never a customer."""

import html
from datetime import datetime
from typing import Final

from models.domain.shanghai import shanghai_date
from models.tables.transfer_telling import TransferNoticeText

_PAGE: Final = """<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><title>{subject}</title></head>
<body><h1>{subject}</h1>
{paragraphs}
<p>{date} · SHA-256 {hash}</p></body></html>
"""


def public_page(text: TransferNoticeText, published_at: datetime) -> str:
    """The page of one language."""
    paragraphs = "\n".join(
        f"<p>{html.escape(piece).replace(chr(10), '<br>')}</p>" for piece in text.words.split("\n\n")
    )
    return _PAGE.format(
        language=text.language,
        subject=html.escape(text.subject),
        paragraphs=paragraphs,
        date=shanghai_date(published_at).isoformat(),
        hash=text.text_hash,
    )
