"""Identity documents without a public check character: shape only, so that no real document is turned away."""

import re
from typing import Final

from models.domain.rule_broken import RuleBroken

_HOME_RETURN: Final = re.compile(r"\A[HM][0-9]{8}(?:[0-9]{2})?\Z")
_TAIWAN_COMPATRIOT: Final = re.compile(r"\A[0-9]{8}\Z")
_OLD_FOREIGN: Final = re.compile(r"\A[A-Z]{3}[0-9]{12}\Z")
_PASSPORT: Final = re.compile(r"\A(?=.*[0-9])[A-Z0-9]{5,15}\Z")


def check_home_return_permit(text: str) -> str:
    """Mainland travel permit for people of Hong Kong and Macao (港澳居民来往内地通行证, 回乡证).

    H or M with eight digits that stay for life; booklets of before 2013 carry two more that count replacements.

    Raises:
        RuleBroken: `id-permit-hk-macao`.
    """
    if _HOME_RETURN.match(text) is None:
        raise RuleBroken("id-permit-hk-macao")
    return text


def check_taiwan_permit(text: str) -> str:
    """Mainland travel permit for people of Taiwan (台湾居民来往大陆通行证, 台胞证): eight digits.

    Raises:
        RuleBroken: `id-permit-taiwan`.
    """
    if _TAIWAN_COMPATRIOT.match(text) is None:
        raise RuleBroken("id-permit-taiwan")
    return text


def is_old_foreign_resident(text: str) -> bool:
    """Whether this looks like a foreign permanent resident's number of before December 2023.

    Three letters of nationality (ISO 3166-1 alpha-3) and twelve digits. The last one is said to be a check digit; its
    rule is not public, so it is not checked.
    """
    return _OLD_FOREIGN.match(text) is not None


def check_passport(text: str) -> str:
    """A passport of any country: 5 to 15 letters and digits with at least one digit.

    Raises:
        RuleBroken: `id-passport`.
    """
    if _PASSPORT.match(text) is None:
        raise RuleBroken("id-passport", {"min": 5, "max": 15})
    return text
