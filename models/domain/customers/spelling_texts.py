"""Texts in one spelling: names (姓名), addresses, e-mail; full-width and compatibility characters, blanks, dots."""

import re
import unicodedata
from typing import Final

# The dot of names of other peoples of China and of transcribed names (间隔号), in all the ways it is typed.
_DOTS: Final = str.maketrans(dict.fromkeys("•・‧∙●⋅﹒․‑".replace("‑", ""), "·"))
_BLANKS: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\u00ad]+")
_CLEAN: Final = re.compile(r"\A[\u4e00-\u9fa50-9A-Za-z]+\Z")  # nothing to compose, no blank
# With rare characters (生僻字).
_HAN: Final = "\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U000323af"
_PRIVATE: Final = "\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd"  # where systems put what had no code point
_BETWEEN_HAN: Final = re.compile(rf"(?<=[{_HAN}{_PRIVATE}·]) (?=[{_HAN}{_PRIVATE}·])")
_PRIVATE_USE: Final = re.compile(rf"[{_PRIVATE}]")
_LATIN: Final = r"A-Za-z\u00c0-\u024f\u1e00-\u1eff"
_NAME: Final = re.compile(rf"\A[{_HAN}{_PRIVATE}{_LATIN}][{_HAN}{_PRIVATE}{_LATIN}·'’.,() -]*\Z")
_COMMON_NAME: Final = re.compile(r"\A[\u4e00-\u9fa5]{2,4}\Z")  # nearly all of them, and nothing to mend
_LETTER: Final = re.compile(rf"[{_HAN}{_PRIVATE}A-Za-z\u00c0-\u024f]")
# A Chinese character that UTF-8 read as GBK leaves behind, and what a decoder puts for what it cannot read.
GARBLED: Final = re.compile(r"[\ufffd\ufffe\uffff]|锟斤拷|烫烫烫|屯屯屯|Ã[\x80-\xbf]|â€")
_PLACEHOLDERS: Final = frozenset(
    {
        "测试",
        "未知",
        "无",
        "无名",
        "不详",
        "暂无",
        "空",
        "先生",
        "女士",
        "客户",
        "NULL",
        "NONE",
        "NA",
        "N/A",
        "TEST",
        "UNKNOWN",
        "XXX",
    }
)
MOST_NAME: Final = 100
_EMAIL: Final = re.compile(
    r"\A(?=.{3,254}\Z)(?=[^@]{1,64}@)[A-Za-z0-9_+&'*/=?^{}~!#$%|`-]+(?:\.[A-Za-z0-9_+&'*/=?^{}~!#$%|`-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]\Z"
)


def plain_text(value: str) -> str:
    """NFKC, one blank for any, none at the ends. Applied to itself it changes nothing."""
    if _CLEAN.match(value) is not None:
        return value
    for _ in range(4):  # what composes over a removed blank may have to be composed again
        text = _BLANKS.sub(" ", unicodedata.normalize("NFKC", value)).strip()
        if text == value:
            break
        value = text
    return value


def spell_name(value: str) -> tuple[str, str | None]:
    """A name and the rule that it breaks, if any. Rare characters stay; letters keep their case.

    Blanks between Chinese characters go (`王 明`), the dot becomes `·`.
    """
    if _COMMON_NAME.match(value) is not None and value not in _PLACEHOLDERS:
        return value, None
    text = plain_text(value).translate(_DOTS)
    text = _BETWEEN_HAN.sub("", re.sub(r"·+", "·", re.sub(r" ?· ?", "·", text))).strip(" ·") or text
    text = plain_text(text)
    if text.upper() in _PLACEHOLDERS:
        return text, "name-placeholder"
    if _NAME.match(text) is None:
        return text, "name-characters"
    if len(text) > MOST_NAME or len(_LETTER.findall(text)) < 2:  # noqa: PLR2004 - surname and given name
        return text, "name-length"
    return text, "name-private-use" if _PRIVATE_USE.search(text) is not None else None


def spell_email(value: str) -> str | None:
    """An address with its domain in small letters; None for what is none."""
    text = value if value.isascii() else unicodedata.normalize("NFKC", value)
    text = text.strip()
    if _EMAIL.match(text) is None:
        return None
    local, _, domain = text.rpartition("@")
    return f"{local}@{domain.lower()}"
