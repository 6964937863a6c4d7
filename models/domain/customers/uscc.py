"""Unified social credit codes (统一社会信用代码): 18 characters, the last one a check character (GB 32100-2015)."""

import re
from operator import mul
from typing import Final

from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact

_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"  # without I, O, S, V and Z
_VALUES: Final = bytes(_ALPHABET.index(chr(code)) if chr(code) in _ALPHABET else 0 for code in range(256))
_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
# Registering department, kind of body, six digits of place, organisation code (GB 11714), check character. The check
# digit inside the organisation code is not asked: registrars have given out codes without it.
_SHAPE: Final = re.compile(r"\A[1-9A-GNY][1-9][0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}\Z")
LENGTH: Final = 18


def uscc_character(body: str) -> str:
    """The 18th character for 17: modulo 31, weights are the powers of three."""
    return _ALPHABET[-sum(map(mul, body.encode().translate(_VALUES), _WEIGHTS)) % 31]


def check_uscc(value: str) -> str:
    """The code in capitals.

    Raises:
        RuleBroken: `uscc-length` (not 18 characters), `uscc-characters` (one that no code has, I, O, S, V and Z among
            them), `uscc-checksum`.
    """
    text = compact(value)
    if len(text) != LENGTH:
        raise RuleBroken("uscc-length", {"length": LENGTH})
    if _SHAPE.match(text) is None:
        raise RuleBroken("uscc-characters")
    if uscc_character(text[:17]) != text[17]:
        raise RuleBroken("uscc-checksum")
    return text
