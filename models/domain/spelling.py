"""One spelling for numbers as people type them: full-width digits, spaces, hyphens and small letters all come in."""

import unicodedata
from typing import Final

_SEPARATORS: Final = str.maketrans("", "", " \t\u00a0-\u2010\u2011\u2012\u2013\u2014\u2212")


def compact(value: str) -> str:
    """ASCII where Unicode knows an equal (NFKC), without spaces and hyphens, in capitals; twice is the same as once."""
    if value.isalnum() and value.isascii():  # the common case, and the fast one
        return value.upper()
    for _ in range(8):  # letters that lose what stood between them may compose, and capitals may decompose
        text = unicodedata.normalize("NFKC", value).translate(_SEPARATORS).upper()
        if text == value:
            break
        value = text
    return value
