"""Names (姓名) as they are compared: scripts, spaces, middle dots, order and case do not count."""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from models.domain.matching.sounds import letters_of, syllables
from models.domain.matching.variants import unified

_HAN: Final = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_ALL_HAN: Final = re.compile(r"[\u3400-\u9fff]+")
_REMARK: Final = re.compile(r"[(\[【〔<][^)\]】〕>]*[)\]】〕>]?")
_TITLES: Final = frozenset({"MR", "MRS", "MS", "MISS", "DR", "PROF", "SIR"})
_IN_PAIRS: Final = (
    "欧阳司马上官诸葛东方皇甫尉迟公孙慕容长孙宇文司徒夏侯轩辕令狐端木独孤南宫司空呼延闻人东郭澹台公冶宗政濮阳淳于"
    "单于太叔申屠仲孙钟离鲜于闾丘赫连拓跋百里西门第五"
)
_DOUBLE_SURNAMES: Final = frozenset(_IN_PAIRS[at : at + 2] for at in range(0, len(_IN_PAIRS), 2))


@dataclass(frozen=True, slots=True)
class Name:
    """A name taken apart.

    Attributes:
        text: Chinese characters without anything between them, or Latin words in order of the alphabet.
        family: surname, where Chinese characters tell it.
        sound: syllables, or the words, in small letters.
        letters: the key by which names that sound alike are found.
    """

    text: str
    family: str
    sound: tuple[str, ...]
    letters: str
    is_han: bool

    @property
    def given(self) -> str:
        """What follows the surname."""
        return self.text[len(self.family) :]


NO_NAME: Final = Name(text="", family="", sound=(), letters="", is_han=False)


@lru_cache(maxsize=65_536)
def name_of(raw: str) -> Name:
    """Take a name apart; `NO_NAME` of what holds no letter."""
    text = unified(raw)
    if _ALL_HAN.fullmatch(text):  # nearly all there are
        return _of_han(text)
    without = _REMARK.sub(" ", text)
    text = without if any(map(str.isalpha, without)) else text
    if _HAN.search(text):
        return _of_han("".join(_HAN.findall(text)))
    words = sorted(word for word in _words(text) if word not in _TITLES)
    if not words:
        return NO_NAME
    sound = tuple(word.lower() for word in words)
    return Name(" ".join(words), "", sound, letters_of("".join(sound)), is_han=False)


def _of_han(han: str) -> Name:
    family = han[:2] if len(han) > 2 and han[:2] in _DOUBLE_SURNAMES else han[:1]  # noqa: PLR2004
    sound = syllables(han)
    return Name(han, family, sound, letters_of("".join(sound)), is_han=True)


def _words(text: str) -> list[str]:
    plain = "".join(mark for mark in unicodedata.normalize("NFKD", text) if not unicodedata.combining(mark))
    letters = "".join(mark if mark.isalpha() else "" if mark in "'’`" else " " for mark in plain)
    return letters.upper().split()
