"""Mobile numbers (手机号) in E.164: the mainland's by default, Hong Kong's and Macao's with their country code."""

import re
from typing import Final

from models.domain.rule_broken import RuleBroken
from models.domain.spelling import compact

_MAINLAND: Final = re.compile(r"\A(?:\+86|0086|86)?(1[3-9][0-9]{9})\Z")
_HONG_KONG: Final = re.compile(r"\A(?:\+|00)(852[4-9][0-9]{7})\Z")
_MACAO: Final = re.compile(r"\A(?:\+|00)(8536[0-9]{7})\Z")


def check_mobile(value: str) -> str:
    """The E.164 form: `138 0013 8000` becomes `+8613800138000`.

    Raises:
        RuleBroken: `mobile`.
    """
    text = compact(value)
    mainland = _MAINLAND.match(text)
    if mainland is not None:
        return f"+86{mainland[1]}"
    abroad = _HONG_KONG.match(text) or _MACAO.match(text)
    if abroad is None:
        raise RuleBroken("mobile")
    return f"+{abroad[1]}"
