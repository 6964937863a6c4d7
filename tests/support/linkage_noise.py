"""What becomes of a record between two banks: mistakes of people, keyboards, scanners and form letters, by a seed.

Nothing here knows how records are compared: spellings are made up from what is seen in banks' files, not from what the
matching forgives. Each kind has a rate of its own, so that a set says what is wrong with it.
"""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from random import Random
from typing import Final

from pypinyin import lazy_pinyin

from deploy.demo.addresses import pick_address
from deploy.demo.regions import pick_region

Values = dict[str, str | None]
Rates = Mapping[str, float]

# The noise of reference set (d1) of the privacy reference, by kind.
REFERENCE: Final[Rates] = {
    "id-missing": 0.06, "id-transposed": 0.03, "mobile-changed": 0.30, "email-changed": 0.57, "address-moved": 0.35,
    "name-typo": 0.04, "birth-typo": 0.02,
}  # fmt: skip
# How one and the same value is written otherwise, which should not count at all.
SPELLING: Final[Rates] = {
    "name-traditional": 0.10, "name-spaced": 0.08, "name-remark": 0.03, "name-pinyin": 0.04, "id-legacy": 0.05,
    "id-full-width": 0.08, "id-spaced": 0.08, "id-small-x": 0.30, "mobile-prefix": 0.30, "mobile-full-width": 0.05,
    "mobile-spaced": 0.15, "email-case": 0.10, "email-full-width": 0.03, "account-spaced": 0.20,
    "address-short": 0.25, "address-numerals": 0.10, "address-full-width": 0.10, "address-renamed": 0.03,
    "address-backwards": 0.03, "birth-slashes": 0.15, "birth-missing": 0.05, "sex-missing": 0.10, "sex-word": 0.20,
}  # fmt: skip
# What people and machines get wrong.
MISTAKES: Final[Rates] = {
    "name-typo": 0.04, "name-look-alike": 0.02, "name-married": 0.004, "id-missing": 0.05, "id-digit": 0.015,
    "id-transposed": 0.015, "id-scanned": 0.02, "mobile-changed": 0.25, "mobile-digit": 0.02, "mobile-missing": 0.04,
    "email-changed": 0.30, "email-missing": 0.15, "address-moved": 0.25, "address-missing": 0.05, "birth-typo": 0.015,
    "birth-exchanged": 0.005, "sex-wrong": 0.003, "fields-swapped": 0.005,
}  # fmt: skip
# What adversarial sets have on both sides: it turns a twin's number or name into the other's, if anything does.
TYPOS: Final[Rates] = {
    "name-typo": 0.04, "id-digit": 0.05, "id-transposed": 0.05, "birth-typo": 0.02, "sex-wrong": 0.01,
}  # fmt: skip

_FULL_WIDTH: Final = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
_TRADITIONAL: Final = str.maketrans(
    "张陈刘杨赵黄吴孙马罗郑谢韩邓冯萧苏吕卢钟谭陆贾韦邹龙贺顾龚万钱严华国军强伟丽兰凤云飞东庆贵宝晓红静颖",
    "張陳劉楊趙黃吳孫馬羅鄭謝韓鄧馮蕭蘇呂盧鍾譚陸賈韋鄒龍賀顧龔萬錢嚴華國軍強偉麗蘭鳳雲飛東慶貴寶曉紅靜穎",
)
# Characters that a keyboard by sound offers for one another; of one sound each.
_ONE_SOUND: Final = (
    "伟玮炜纬苇", "丽莉俐利立", "军君钧均俊", "杰洁捷婕", "静婧靖敬", "燕艳雁彦", "玲灵凌铃", "文雯纹闻",
    "建健剑", "志智致治", "佳嘉家加", "晓小筱", "红虹宏洪鸿", "琳霖林临", "辉晖徽", "峰锋枫丰", "欣鑫昕新",
    "宇雨羽语", "子梓紫", "平萍苹", "明名铭鸣", "涛韬", "浩皓昊", "轩萱", "怡宜仪", "涵晗函", "诗思", "雅娅",
    "博勃", "金锦", "玉钰育", "秀绣", "华桦", "英瑛莹颖", "春椿", "霞侠", "慧惠", "勇永咏", "洋扬阳", "云芸",
    "龙隆", "琪奇",
)  # fmt: skip
_OTHER_CHARACTERS: Final = "伟丽军杰静燕玲文建志俊佳晓红林辉峰欣宇子平明强磊洋勇芳娜秀英敏霞"
# Characters that an eye or a scanner takes for one another.
_ALIKE: Final = (
    "未末", "已己", "士土", "王玉", "大太", "天夭", "日曰", "鸟乌", "刘列", "陈阵", "徐涂", "何河", "林材",
    "洋详", "明朋", "军车", "丽两", "红江", "敏敖", "海梅", "浩洁", "晨辰", "伟佛", "俊後", "杨扬", "李季",
    "宋末", "田由", "白自", "于干", "石右", "方万",
)  # fmt: skip
_SCANNED: Final = {"0": "O", "1": "I", "8": "B", "5": "S", "2": "Z", "6": "G"}
_MAILS: Final = ("qq.com", "163.com", "126.com", "example.com", "sina.cn")
_NUMERALS: Final = "零一二三四五六七八九"


class Noise:
    """Does to records what its rates say; the same seed does the same."""

    def __init__(self, rng: Random, rates: Rates) -> None:
        """Take the generator of the set; kinds that nobody knows are refused."""
        unknown = rates.keys() - KINDS.keys()
        if unknown:
            raise ValueError(f"{min(unknown)}: no kind of noise")
        self.rng = rng
        self.rates = {kind: rates[kind] for kind in KINDS if kind in rates}  # mistakes before spellings

    def on(self, record: Values) -> Values:
        """The record as the other book has it."""
        changed = dict(record)
        for kind, rate in self.rates.items():
            if self.rng.random() < rate:
                field = _FIELD.get(kind.partition("-")[0], "name")
                value = changed.get(field)
                if value:
                    KINDS[kind](changed, value, self.rng)
        return changed


def _at(value: str, place: int, character: str) -> str:
    return value[:place] + character + value[place + 1 :]


# Names ----------------------------------------------------------------------------------------------------------------


def _name_typo(record: Values, name: str, rng: Random) -> None:
    """A character of the same sound where there is one, any other elsewhere."""
    place = rng.randrange(1, len(name)) if len(name) > 1 else 0
    group = next((group for group in _ONE_SOUND if name[place] in group and len(group) > 1), _OTHER_CHARACTERS)
    record["name"] = _at(name, place, rng.choice([one for one in group if one != name[place]]))


def _name_look_alike(record: Values, name: str, rng: Random) -> None:
    places = [place for place, one in enumerate(name) if any(one in pair for pair in _ALIKE)]
    if places:
        place = rng.choice(places)
        pair = next(pair for pair in _ALIKE if name[place] in pair)
        record["name"] = _at(name, place, pair.replace(name[place], ""))


def _name_married(record: Values, name: str, rng: Random) -> None:
    """The husband's surname before one's own, as in Hong Kong and Taiwan."""
    if record.get("sex") == "F":
        record["name"] = rng.choice("王李张刘陈") + name


def _name_traditional(record: Values, name: str, _rng: Random) -> None:
    record["name"] = name.translate(_TRADITIONAL)


def _name_spaced(record: Values, name: str, rng: Random) -> None:
    record["name"] = rng.choice((" ", "\u3000", "·")).join(name) if len(name) < 4 else f" {name} "


def _name_remark(record: Values, name: str, rng: Random) -> None:
    record["name"] = name + rng.choice(("（先生）", "(女士)", "（VIP）", "【已核】"))


def _name_pinyin(record: Values, name: str, rng: Random) -> None:
    if not all("\u4e00" <= one <= "\u9fff" for one in name):
        return
    family, *given = lazy_pinyin(name)
    spelt = "".join(given)
    record["name"] = rng.choice((f"{family} {spelt}".upper(), f"{spelt.title()} {family.title()}"))


# Documents ------------------------------------------------------------------------------------------------------------


def _id_missing(record: Values, _number: str, _rng: Random) -> None:
    record["id_number"] = None


def _id_digit(record: Values, number: str, rng: Random) -> None:
    place = rng.randrange(len(number) - 1)
    record["id_number"] = _at(number, place, rng.choice([one for one in "0123456789" if one != number[place]]))


def _id_transposed(record: Values, number: str, rng: Random) -> None:
    places = [place for place in range(len(number) - 1) if number[place] != number[place + 1]]
    if places:
        place = rng.choice(places)
        record["id_number"] = number[:place] + number[place + 1] + number[place] + number[place + 2 :]


def _id_scanned(record: Values, number: str, rng: Random) -> None:
    """A letter where a digit was."""
    places = [place for place, one in enumerate(number) if one in _SCANNED]
    if places:
        place = rng.choice(places)
        record["id_number"] = _at(number, place, _SCANNED[number[place]])


def _id_legacy(record: Values, number: str, _rng: Random) -> None:
    if len(number) == 18 and number[6:8] == "19" and number[:17].isdigit():
        record["id_number"] = number[:6] + number[8:17]


def _id_full_width(record: Values, number: str, _rng: Random) -> None:
    record["id_number"] = number.translate(_FULL_WIDTH)


def _id_spaced(record: Values, number: str, _rng: Random) -> None:
    record["id_number"] = f"{number[:6]} {number[6:14]} {number[14:]}"


def _id_small_x(record: Values, number: str, _rng: Random) -> None:
    record["id_number"] = number.lower()


# Ways to reach somebody -----------------------------------------------------------------------------------------------


def new_mobile(rng: Random) -> str:
    """A mobile."""
    return "+86" + rng.choice(("138", "139", "150", "186", "177", "198")) + f"{rng.randrange(10**8):08d}"


def new_email(rng: Random) -> str:
    """An address for mail."""
    return f"u{rng.randrange(10**9)}@{rng.choice(_MAILS)}"


def _mobile_changed(record: Values, _mobile: str, rng: Random) -> None:
    record["mobile"] = new_mobile(rng)


def _mobile_missing(record: Values, _mobile: str, _rng: Random) -> None:
    record["mobile"] = None


def _mobile_digit(record: Values, mobile: str, rng: Random) -> None:
    place = rng.randrange(len(mobile) - 8, len(mobile))
    record["mobile"] = _at(mobile, place, rng.choice("0123456789"))


def _mobile_prefix(record: Values, mobile: str, rng: Random) -> None:
    bare = mobile.removeprefix("+86")
    record["mobile"] = rng.choice((bare, f"0086{bare}", f"86{bare}", f"(+86){bare}"))


def _mobile_full_width(record: Values, mobile: str, _rng: Random) -> None:
    record["mobile"] = mobile.translate(_FULL_WIDTH)


def _mobile_spaced(record: Values, mobile: str, rng: Random) -> None:
    mark = rng.choice((" ", "-"))
    record["mobile"] = f"{mobile[:-8]}{mark}{mobile[-8:-4]}{mark}{mobile[-4:]}"


def _email_changed(record: Values, _email: str, rng: Random) -> None:
    record["email"] = None if rng.random() < 0.33 else new_email(rng)


def _email_missing(record: Values, _email: str, _rng: Random) -> None:
    record["email"] = None


def _email_case(record: Values, email: str, rng: Random) -> None:
    record["email"] = rng.choice((email.upper(), f" {email} ", email.title()))


def _email_full_width(record: Values, email: str, _rng: Random) -> None:
    record["email"] = email.replace("@", "＠")


def _account_spaced(record: Values, account: str, _rng: Random) -> None:
    record["account"] = " ".join(account[first : first + 4] for first in range(0, len(account), 4))


# Where somebody lives -------------------------------------------------------------------------------------------------


def _address_moved(record: Values, _address: str, rng: Random) -> None:
    record["address"] = pick_address(rng, pick_region(rng))


def _address_missing(record: Values, _address: str, _rng: Random) -> None:
    record["address"] = None


def _address_short(record: Values, address: str, rng: Random) -> None:
    for mark in rng.choice((("省",), ("省", "市"), ("省", "市", "区"))):
        head, found, rest = address.partition(mark)
        address = rest if found and rest and rng.random() < 0.5 else head + rest if found else address
    record["address"] = address.replace("单元", rng.choice(("单元", "-"))).replace(
        "栋", rng.choice(("栋", "号楼", "幢"))
    )


def _address_numerals(record: Values, address: str, _rng: Random) -> None:
    head, mark, rest = address.partition("栋")
    number = head[-1:]
    if mark and number.isdigit() and not head[-2:-1].isdigit():
        record["address"] = head[:-1] + _NUMERALS[int(number)] + mark + rest


def _address_full_width(record: Values, address: str, _rng: Random) -> None:
    record["address"] = address.translate(_FULL_WIDTH)


def _address_renamed(record: Values, address: str, _rng: Random) -> None:
    """A county that became a district."""
    record["address"] = address.replace("区", "县", 1)


def _address_backwards(record: Values, address: str, _rng: Random) -> None:
    """House and room first."""
    head, mark, rest = address.partition("号")
    record["address"] = f"{rest} {head}{mark}" if mark and rest else address


# Birth date and sex ---------------------------------------------------------------------------------------------------


def _birth_typo(record: Values, day: str, rng: Random) -> None:
    record["birth_date"] = (
        date.fromisoformat(day) + timedelta(days=rng.choice((-1, 1, 10, 30, 365, -365)))
    ).isoformat()


def _birth_exchanged(record: Values, day: str, _rng: Random) -> None:
    if int(day[8:]) <= 12:
        record["birth_date"] = f"{day[:5]}{day[8:]}-{day[5:7]}"


def _birth_slashes(record: Values, day: str, rng: Random) -> None:
    record["birth_date"] = day.replace("-", rng.choice(("/", ".", "")))


def _birth_missing(record: Values, _day: str, _rng: Random) -> None:
    record["birth_date"] = None


def _sex_missing(record: Values, _sex: str, _rng: Random) -> None:
    record["sex"] = None


def _sex_word(record: Values, sex: str, rng: Random) -> None:
    record["sex"] = {"F": rng.choice(("女", "Female")), "M": rng.choice(("男", "Male"))}.get(sex, sex)


def _sex_wrong(record: Values, sex: str, _rng: Random) -> None:
    record["sex"] = "F" if sex == "M" else "M"


def _fields_swapped(record: Values, _name: str, rng: Random) -> None:
    one, other = rng.choice((("mobile", "account"), ("mobile", "email"), ("id_number", "account")))
    record[one], record[other] = record.get(other), record.get(one)


_FIELD: Final = {
    "name": "name", "id": "id_number", "mobile": "mobile", "email": "email", "account": "account", "address": "address",
    "birth": "birth_date", "sex": "sex",
}  # fmt: skip
KINDS: Final[Mapping[str, Callable[[Values, str, Random], None]]] = {
    "name-typo": _name_typo, "name-look-alike": _name_look_alike, "name-married": _name_married,
    "name-traditional": _name_traditional, "name-spaced": _name_spaced, "name-remark": _name_remark,
    "name-pinyin": _name_pinyin, "id-missing": _id_missing, "id-digit": _id_digit, "id-transposed": _id_transposed,
    "id-scanned": _id_scanned, "id-legacy": _id_legacy, "id-full-width": _id_full_width, "id-spaced": _id_spaced,
    "id-small-x": _id_small_x, "mobile-changed": _mobile_changed, "mobile-missing": _mobile_missing,
    "mobile-digit": _mobile_digit, "mobile-prefix": _mobile_prefix, "mobile-full-width": _mobile_full_width,
    "mobile-spaced": _mobile_spaced, "email-changed": _email_changed, "email-missing": _email_missing,
    "email-case": _email_case, "email-full-width": _email_full_width, "account-spaced": _account_spaced,
    "address-moved": _address_moved, "address-missing": _address_missing, "address-short": _address_short,
    "address-numerals": _address_numerals, "address-full-width": _address_full_width,
    "address-renamed": _address_renamed, "address-backwards": _address_backwards, "birth-typo": _birth_typo,
    "birth-exchanged": _birth_exchanged, "birth-missing": _birth_missing, "birth-slashes": _birth_slashes,
    "sex-missing": _sex_missing, "sex-word": _sex_word, "sex-wrong": _sex_wrong, "fields-swapped": _fields_swapped,
}  # fmt: skip
