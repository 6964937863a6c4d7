"""One form for characters that differ only in how they are written: traditional, simplified, full-width, variants.

What is another character in its own right (昇 in a name is not 升) still sounds alike, and is compared by sound.
"""

import unicodedata
from functools import cache
from importlib import resources
from typing import Final

_FILE: Final = "variants.txt"


@cache
def _table() -> dict[int, str]:
    lines = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8").splitlines()
    pairs = "".join(line for line in lines if not line.startswith("#"))
    return {ord(pairs[at]): pairs[at + 1] for at in range(0, len(pairs), 2)}


def unified(text: str) -> str:
    """The text in NFKC with simplified characters."""
    if text.isascii():
        return text
    normal, table = unicodedata.normalize("NFKC", text), _table()
    # Most texts hold nothing to translate, and looking is ten times cheaper.
    return normal if table.keys().isdisjoint(map(ord, normal)) else normal.translate(table)
