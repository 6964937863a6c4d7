"""What authenticates a customer (C3, 用户鉴别信息) and must not be held: by name of a field, and inside words.

JR/T 0171-2020 C3: track data, CVN2, the card's expiry date, PIN, passwords; codes sent to authenticate count as C3 once
the account stands beside them. No field of ours may be named so, but for those that end as a digest. Words of people
are looked through, since the easiest mistake is to type what the customer has just said.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

from models.domain.bank_card import luhn_digit
from models.domain.pointers import pointer_of
from models.errors import FieldFault

# Parts of a name, as `snake_case` or `camelCase` are split. `code` alone is a word of ours (bank code, reason code).
_FORBIDDEN: Final = frozenset(
    {"cvn", "cvn2", "cvv", "cvv2", "cvc", "cvc2", "pin", "track", "track1", "track2", "magstripe", "expiry", "password",
     "passwd", "passcode", "pwd", "otp", "biometric", "biometrics", "voiceprint", "faceprint"}
)  # fmt: skip
_PAIRS: Final = (("card", "expires"), ("expiry", "date"), ("valid", "thru"), ("security", "code"), ("sms", "code"))
_PART: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")

# A number of 13 to 19 digits, with blanks or hyphens between; Luhn decides whether it is a card.
_CARD: Final = re.compile(r"(?<![0-9])[0-9](?:[ -]?[0-9]){12,18}(?![0-9])")
# A code of three right behind it, perhaps with a date between: `6222… 12/28 123`. An amount or a count is no code.
_CODE_BEHIND: Final = re.compile(
    r"\A[\s,;:/，；、|]{1,3}(?:(?:0[1-9]|1[0-2])[/-]?[0-9]{2}(?:[0-9]{2})?[\s,;:/，；、|]{1,3})?"
    r"[0-9]{3}(?![0-9.,%％]|\s{0,2}[元块期天月年日号次个笔人万千百分角楼室])"
)
# Every repetition is bounded: this reads what anybody sends. `\b` is no border between Chinese and Latin letters.
_LABELLED: Final = re.compile(
    r"(?:(?<![a-z])(?:c[vs][vcn]2?|cid)(?![a-z])|安全码|校验码|背面.{0,4}三位|后三位码)[^0-9\n]{0,8}[0-9]{3,4}(?![0-9])"
    r"|(?:(?<![a-z])(?:pin|password|passcode)(?![a-z])码?|密码|口令)\s{0,3}(?:是|为|is|:|：|=)?\s{0,3}"
    r"[0-9A-Za-z!@#$%^&*]{0,4}[0-9]{3,}"
    r"|(?:验证码|动态码|短信码|(?<![a-z])otp(?![a-z])|verification code)"
    r"\s{0,3}(?:是|为|is|:|：|=)?\s{0,3}[0-9]{4,8}(?![0-9])"
    r"|(?:有效期|(?<![a-z])exp(?:iry|ires)?(?![a-z]))[^0-9\n]{0,6}(?:0[1-9]|1[0-2])\s?/\s?[0-9]{2}(?![0-9])",
    re.IGNORECASE,
)
_TRACK: Final = re.compile(r"%?[Bb][0-9]{13,19}\^|;[0-9]{13,19}=[0-9]{4}")
_FEWEST_DIGITS: Final = 13
_SHORTEST: Final = 6  # of words that could hold any of this
_FULL_WIDTH: Final = {0xFF10 + digit: 0x30 + digit for digit in range(10)}


def is_authentication_name(name: str) -> bool:
    """Whether a field, column or form member is named after what must not be held."""
    parts = [part.lower() for part in _PART.findall(name)]
    joined = "".join(parts)
    pairs = list(pairwise(parts))
    return (
        any(part in _FORBIDDEN for part in parts)
        or joined in _FORBIDDEN
        or any(f"{first}{second}" in _FORBIDDEN or (first, second) in _PAIRS for first, second in pairs)
    )


def holds_authentication(words: str) -> bool:
    """Whether a text holds what authenticates: a card number with its code, a labelled code or password, a track."""
    if len(words) < _SHORTEST:
        return False
    text = words.translate(_FULL_WIDTH)
    if _LABELLED.search(text) is not None or _TRACK.search(text) is not None:
        return True
    return any(_is_code_behind(text, found) for found in _CARD.finditer(text))


def authentication_faults(value: Any, *, at: tuple[str | int, ...] = ()) -> Iterator[FieldFault]:
    """A fault for every text within a filled-in form that holds what authenticates; the text is not repeated.

    Secrets that are read as such (`SecretStr`) are no texts: they end as a digest.
    """
    if isinstance(value, str):
        if holds_authentication(value):
            yield FieldFault(pointer=pointer_of(at), code="holds-authentication")
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from authentication_faults(each, at=(*at, str(name)))
    elif isinstance(value, list | tuple):
        for place, each in enumerate(value):
            yield from authentication_faults(each, at=(*at, place))


def _is_code_behind(text: str, found: re.Match[str]) -> bool:
    end = _end_of_card(found.group())
    return end is not None and _CODE_BEHIND.match(text[found.start() + end :]) is not None


def _end_of_card(written: str) -> int | None:
    """Where the longest card number at the beginning ends; None if there is none: a code may follow after a blank."""
    places = [place for place, character in enumerate(written) if character.isdigit()]
    digits = "".join(written[place] for place in places)
    for length in range(len(digits), _FEWEST_DIGITS - 1, -1):
        if luhn_digit(digits[: length - 1]) == digits[length - 1]:
            return places[length - 1] + 1
    return None
