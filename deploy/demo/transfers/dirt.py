"""What goes wrong with a record on its way into a transferor's file, one function for each kind, and what was right."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Final

from deploy.demo.addresses import pick_address
from deploy.demo.book import BOOK_DAY
from deploy.demo.draw import between, pick
from deploy.demo.numbers import legacy_form
from deploy.demo.regions import pick_region
from deploy.demo.transfers.recipe import PER_MILLE, TO_CORRECT, Dirt, Recipe
from models.domain.resident_id import PROVINCES

_EIGHTEEN: Final = 18
_LEGACY_UNTIL: Final = "1999"
_FULL_WIDTH: Final = {ord(character): ord(character) + 0xFEE0 for character in "0123456789X"}
# Simplified characters of names with their traditional form.
_TRADITIONAL: Final = str.maketrans(
    "张陈刘杨赵黄吴孙马罗郑谢韩邓冯萧苏吕卢钟谭陆贾韦邹龙贺顾龚万钱严华国军强伟丽兰凤云飞东庆贵宝",
    "張陳劉楊趙黃吳孫馬羅鄭謝韓鄧馮蕭蘇呂盧鍾譚陸賈韋鄒龍賀顧龔萬錢嚴華國軍強偉麗蘭鳳雲飛東慶貴寶",
)
# Characters that are taken for each other because they sound or look alike.
_ALIKE: Final = (
    "伟玮", "丽莉", "军君", "华花", "杰洁", "敏民", "静婧", "燕艳", "霞侠", "玲灵", "英瑛", "明名", "文雯", "宁甯",
    "建健", "志智", "俊骏", "海梅", "佳嘉", "晓小", "永勇", "芳方", "红虹", "林琳", "春椿", "秀绣", "辉晖", "峰锋",
    "浩皓", "轩萱", "欣鑫", "怡宜", "涵函", "宇雨", "子梓", "诗思", "梦孟", "雅娅", "波博", "平萍", "金锦", "玉钰",
)  # fmt: skip
_INTO: Final = {pair[0]: pair[1] for pair in _ALIKE} | {pair[1]: pair[0] for pair in _ALIKE}
FORMULAS: Final = ('=HYPERLINK("http://evil.example","x")', "=1+1", "+SUM(A1:A9)", "@cmd", "-2+3")
_BAD_MOBILES: Final = ("{}0", "12{}", "{}x")


@dataclass(slots=True)
class Soiled:
    """A record as it comes into the file.

    Attributes:
        values: what stands there.
        done: what was done to it.
        fixes: of each field that has to be corrected, what was right.
        ragged: columns more (or fewer) than the header has.
        again: the line comes a second time.
    """

    values: dict[str, str]
    done: list[Dirt] = field(default_factory=list)
    fixes: dict[str, str] = field(default_factory=dict)
    ragged: int = 0
    again: bool = False


def soil(values: Mapping[str, str], rng: Random, recipe: Recipe, *, another_mobile: str) -> Soiled:
    """Do to a record what the recipe has for it. What cannot be done to it (a permit has no 15 digits) is not done."""
    soiled = Soiled(dict(values))
    for kind, rate in sorted(recipe.dirt.items()):
        if rng.random() * PER_MILLE >= rate or (kind in TO_CORRECT and soiled.fixes):
            continue  # one mistake to correct is enough for a line
        if kind is Dirt.MOBILE_CHANGED:
            soiled.values["mobile"] = another_mobile
            soiled.done.append(kind)
        elif _HANDS[kind](soiled, rng):
            soiled.done.append(kind)
    return soiled


def _id_missing(soiled: Soiled, _rng: Random) -> bool:
    return _put(soiled, "id_number", "")


def _id_transposed(soiled: Soiled, rng: Random) -> bool:
    number = soiled.values["id_number"]
    if len(number) != _EIGHTEEN:
        return False
    places = [place for place in range(6, 16) if number[place] != number[place + 1]]
    if not places:
        return False
    place = pick(rng, places)
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    return _put(soiled, "id_number", swapped)


def _id_checksum(soiled: Soiled, rng: Random) -> bool:
    number = soiled.values["id_number"]
    if len(number) != _EIGHTEEN:
        return False
    return _put(soiled, "id_number", number[:-1] + pick(rng, [c for c in "0123456789X" if c != number[-1]]))


def _id_legacy(soiled: Soiled, _rng: Random) -> bool:
    number = soiled.values["id_number"]
    before = len(number) == _EIGHTEEN and number[:2] in PROVINCES and number[6:10] < _LEGACY_UNTIL
    if before and not soiled.fixes:
        soiled.values["id_number"] = legacy_form(number)
        return True
    return False


def _id_expired(soiled: Soiled, rng: Random) -> bool:
    expired: date = BOOK_DAY - timedelta(days=between(rng, 30, 1_500))
    soiled.values["id_valid_until"] = expired.isoformat()
    return True


def _name_missing(soiled: Soiled, _rng: Random) -> bool:
    return _put(soiled, "name", "")


def _name_typo(soiled: Soiled, rng: Random) -> bool:
    name = soiled.values["name"]
    places = [place for place in range(1, len(name)) if name[place] in _INTO]
    if not places:
        return False
    place = pick(rng, places)
    soiled.values["name"] = name[:place] + _INTO[name[place]] + name[place + 1 :]
    return True


def _name_traditional(soiled: Soiled, _rng: Random) -> bool:
    name = soiled.values["name"]
    soiled.values["name"] = name.translate(_TRADITIONAL)
    return soiled.values["name"] != name


def _mobile_malformed(soiled: Soiled, rng: Random) -> bool:
    mobile = soiled.values["mobile"]
    return _put(soiled, "mobile", pick(rng, _BAD_MOBILES).format(mobile))


def _email_changed(soiled: Soiled, rng: Random) -> bool:
    email = soiled.values["email"]
    if not email:
        return False
    soiled.values["email"] = "" if rng.random() < 0.5 else f"new.{email}"
    return True


def _address_moved(soiled: Soiled, rng: Random) -> bool:
    soiled.values["address"] = pick_address(rng, pick_region(rng))
    return True


def _full_width(soiled: Soiled, rng: Random) -> bool:
    if rng.random() < 0.5:
        soiled.values["id_number"] = soiled.values["id_number"].translate(_FULL_WIDTH)
    else:
        mobile = soiled.values["mobile"]
        soiled.values["mobile"] = f"{mobile[:3]} {mobile[3:7]} {mobile[7:]}"
    return True


def _formula(soiled: Soiled, rng: Random) -> bool:
    return _put(soiled, "employer", pick(rng, FORMULAS))


def _ragged(soiled: Soiled, rng: Random) -> bool:
    soiled.ragged = pick(rng, (-3, -2, 1))
    soiled.fixes = dict(soiled.values)  # nobody can tell which column is the one too many
    return True


def _duplicate(soiled: Soiled, _rng: Random) -> bool:
    soiled.again = True
    return True


def _put(soiled: Soiled, name: str, wrong: str) -> bool:
    right = soiled.values[name]
    if not right or wrong == right:
        return False
    soiled.fixes[name] = right
    soiled.values[name] = wrong
    return True


_HANDS: Final[Mapping[Dirt, Callable[[Soiled, Random], bool]]] = {
    Dirt.ID_MISSING: _id_missing,
    Dirt.ID_TRANSPOSED: _id_transposed,
    Dirt.ID_CHECKSUM: _id_checksum,
    Dirt.ID_LEGACY: _id_legacy,
    Dirt.ID_EXPIRED: _id_expired,
    Dirt.NAME_MISSING: _name_missing,
    Dirt.NAME_TYPO: _name_typo,
    Dirt.NAME_TRADITIONAL: _name_traditional,
    Dirt.MOBILE_MALFORMED: _mobile_malformed,
    Dirt.EMAIL_CHANGED: _email_changed,
    Dirt.ADDRESS_MOVED: _address_moved,
    Dirt.FULL_WIDTH: _full_width,
    Dirt.FORMULA: _formula,
    Dirt.RAGGED: _ragged,
    Dirt.DUPLICATE: _duplicate,
}
