"""How a name sounds (拼音), without tones; each character is looked up once."""

from functools import lru_cache
from typing import Final

# Characters that are read otherwise where they are a surname.
_SURNAMES: Final = {
    "单": "shan", "曾": "zeng", "仇": "qiu", "查": "zha", "解": "xie", "任": "ren", "朴": "piao", "区": "ou",
    "盖": "ge", "覃": "qin", "翟": "zhai", "乐": "yue", "纪": "ji", "缪": "miao", "员": "yun", "秘": "bi",
    "种": "chong", "冼": "xian", "晁": "chao", "折": "she", "黑": "he", "尉": "yu", "长": "zhang", "沈": "shen",
}  # fmt: skip
# What an ear or a keyboard confuses: for finding candidates only, never for calling two names alike.
_CONFUSED: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("ng", "n"), ("lyu", "lv"), ("nyu", "nv"))


@lru_cache(maxsize=32_768)
def syllable(character: str) -> str:
    """The commonest reading of one character; of what has none, itself."""
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415 - half a second, for who matches

    return str(lazy_pinyin(character, style=Style.NORMAL)[0]).lower()


def syllables(han: str) -> tuple[str, ...]:
    """The readings of a name of Chinese characters, its first one read as a surname."""
    if not han:
        return ()
    first = _SURNAMES.get(han[0]) or syllable(han[0])
    return (first, *map(syllable, han[1:]))


@lru_cache(maxsize=65_536)
def letters_of(spelt: str) -> str:
    """The letters of a spelt sound in order of the alphabet, confusions removed.

    So `ZHANG XIAOMING`, `Xiao Ming Zhang` and 张晓明 are one, whoever put family or given name first.
    """
    text = spelt.lower()
    for often, seldom in _CONFUSED:
        text = text.replace(often, seldom)
    return "".join(sorted(text))
