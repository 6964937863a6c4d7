"""Text on its way into a file that people open with a spreadsheet: nothing of it may be run as a formula.

Source: OWASP ASVS 5.0, 1.2.10, and what it does not name: full-width signs, which Chinese spreadsheets take for their
ASCII forms, and blanks or control characters before a sign. Numbers stay as they are: they run nothing, and whoever
reads the file again reads a number.
"""

import re
from typing import Final

ESCAPE: Final = "'"
# Begins with a sign or a control character, whatever blanks stand before it.
_BLANKS: Final = r"[ \u00a0\u200b-\u200d\u2060\u3000\ufeff]*"
_STARTS: Final = re.compile(_BLANKS + r"(?:[=+\-@＝＋－＠]|[\x00-\x1f\x7f-\x9f\u2028\u2029])")
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")


def neutral(text: str) -> str:
    """The text with an apostrophe before it if a spreadsheet could take it for a formula."""
    return ESCAPE + text if _is_dangerous(text) else text


def restored(text: str) -> str:
    """What `neutral` was given."""
    return text[1:] if text.startswith(ESCAPE) and _is_dangerous(text[1:]) else text


def _is_dangerous(text: str) -> bool:
    bare = text.lstrip(ESCAPE)
    return _STARTS.match(bare) is not None and (bare != text or _NUMBER.fullmatch(bare) is None)
