"""How long a text message is: parts of a concatenated SMS, by the alphabet that it needs (3GPP TS 23.038, 23.040).

A text of the 7-bit default alphabet fits 160 to a single message and 153 to each part; any other goes as UCS-2, 70 and
67. Characters of the extension table count twice in the one, those beyond the first plane twice in the other.
"""

from typing import Final

MAX_PARTS: Final = 5  # what is sent at most: longer texts belong into mail

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
_SINGLE_7BIT: Final = 160
_PART_7BIT: Final = 153
_SINGLE_UCS2: Final = 70
_PART_UCS2: Final = 67


def parts_of(text: str) -> int:
    """How many messages a text takes, at least one."""
    if set(text) <= _BASIC | _EXTENDED:
        units = len(text) + sum(character in _EXTENDED for character in text)
        single, part = _SINGLE_7BIT, _PART_7BIT
    else:
        units = len(text.encode("utf-16-le", errors="replace")) // 2
        single, part = _SINGLE_UCS2, _PART_UCS2
    return 1 if units <= single else -(-units // part)
