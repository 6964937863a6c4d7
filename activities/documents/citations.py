"""Which articles of law the words of a printed document cite (引用条款): read from all that is printed."""

import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Final

from activities.documents.content import Document
from activities.documents.data import TEMPLATES, template_data, texts_of
from models.texts.render import Locale

_TITLE: Final = "中华人民共和国"
_NUMBER: Final = r"第[0-9〇零一二三四五六七八九十百千]+条"
# A law stands between title marks; those that people cite without them are named.
_LAW: Final = re.compile(
    rf"(?:《({_TITLE})?(?P<marked>[^》]{{2,80}})》|(?P<bare>合同法|民法典))(?P<rest>(?:{_NUMBER}[、，和及与至]?)*)"
)
_ARTICLE: Final = re.compile(r"第([^第条]+)条")
_DIGITS: Final = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0}
_TENS: Final = {"十": 10, "百": 100, "千": 1000}


def articles_cited(content: Document, *, locale: Locale) -> list[str]:
    """The articles in the order of their first citation, as `law/number`; a law cited without article as `law`."""
    return list(dict.fromkeys(each for words in _words(content, locale) for each in cited_in(words)))


def cited_in(words: str) -> Iterator[str]:
    """The citations in one text, by the law's title without the name of the state."""
    for found in _LAW.finditer("".join(words.split())):
        law = (found["marked"] or found["bare"]).removeprefix(_TITLE)
        numbers = _ARTICLE.findall(found["rest"])
        yield from (f"{law}/{_number(each)}" for each in numbers)
        if not numbers:
            yield law


def _words(content: Document, locale: Locale) -> Iterable[str]:
    """Every text that comes to the page: the template's own and what is put into it."""
    folder = files("activities.documents") / "templates"
    for name in (TEMPLATES[type(content)], "words"):
        yield (folder / f"{name}.{locale}.typ").read_text(encoding="utf-8")
    yield from (text for _, text in texts_of(template_data(content, locale=locale)))


def _number(written: str) -> int:
    """A number in digits or in words up to the thousands: `七十` is 70, `一千零三十三` is 1033."""
    if written.isdecimal() and written.isascii():
        return int(written)
    total, digit = 0, 0
    for sign in written:
        if sign in _TENS:
            total, digit = total + (digit or 1) * _TENS[sign], 0
        else:
            digit = _DIGITS[sign]
    return total + digit
