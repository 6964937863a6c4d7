"""Identity documents, the door: which kinds there are, and whether a number is one of its kind.

Own code instead of a library, since the common ones turn away permits of 810000, 820000 and 830000, foreign residents'
cards and 15-digit numbers, and accept birth dates in the future.
"""

from datetime import date
from enum import StrEnum

from models.domain.permits import (
    check_home_return_permit,
    check_passport,
    check_taiwan_permit,
    is_old_foreign_resident,
)
from models.domain.resident_id import (
    canonical_legacy,
    check_foreign_resident_18,
    check_hk_macao_residence,
    check_resident_id,
    check_taiwan_residence,
)
from models.domain.spelling import compact


class IdType(StrEnum):
    """Kinds of identity document (证件类型); named in the texts as `id-type.<value>`."""

    RESIDENT_ID = "resident-id"  # 居民身份证, 18 or 15 digits
    HK_MACAO_RESIDENCE = "hk-macao-residence"  # 港澳居民居住证
    TAIWAN_RESIDENCE = "taiwan-residence"  # 台湾居民居住证
    HK_MACAO_PERMIT = "hk-macao-permit"  # 港澳居民来往内地通行证
    TAIWAN_PERMIT = "taiwan-permit"  # 台湾居民来往大陆通行证
    FOREIGN_RESIDENT = "foreign-resident"  # 外国人永久居留身份证
    PASSPORT = "passport"  # 护照


def check_identity(id_type: IdType, value: str, today: date) -> str:
    """The number in its one spelling, if it is a possible number of its kind.

    Full-width characters, spaces, hyphens and small letters are mended; a 15-digit resident number comes back with 18
    digits, so that the two spellings of one person are equal.

    Args:
        id_type: the kind of document.
        value: the number as typed or read.
        today: birth dates after it, or more than 150 years before it, are refused.

    Raises:
        RuleBroken: code `id-length`, `id-checksum`, `id-birth-date`, `id-region`, `id-type` (the number belongs to
            another kind, named in `expected`), `id-permit-hk-macao`, `id-permit-taiwan` or `id-passport`.
    """
    text = compact(value)
    match id_type:
        case IdType.RESIDENT_ID:
            return check_resident_id(text, today=today)
        case IdType.HK_MACAO_RESIDENCE:
            return check_hk_macao_residence(text, today=today)
        case IdType.TAIWAN_RESIDENCE:
            return check_taiwan_residence(text, today=today)
        case IdType.HK_MACAO_PERMIT:
            return check_home_return_permit(text)
        case IdType.TAIWAN_PERMIT:
            return check_taiwan_permit(text)
        case IdType.FOREIGN_RESIDENT:
            return text if is_old_foreign_resident(text) else check_foreign_resident_18(text, today=today)
        case IdType.PASSPORT:
            return check_passport(text)


def canonical_id_number(value: str) -> str:
    """The spelling that `check_identity` would give, without checking: for search by what somebody typed."""
    return canonical_legacy(compact(value))
