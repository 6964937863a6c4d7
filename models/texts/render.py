"""What people read, by key and language. The catalogues beside this file are flat JSON, one file per locale and area.

A text holds placeholders in braces:

- `{name}`: the parameter as it is;
- `{name:money}`: minor units as an amount, in the currency of the parameter `currency` (yuan if there is none);
- `{name:percent}`: basis points as a percentage;
- `{name:date}`: an ISO date, `YYYY-MM-DD`, in words;
- `{name:role}`, `{name:hardship}`, … : the text under the key `role.<value>`, `hardship.<value>`, …; of several values
  between commas, the texts one after the other;
- `{min|limit}`: the first of several names that is known.

Texts come from us and parameters from data, never the other way round: a brace in a parameter is a brace.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from models.texts.formats import format_date, format_money, format_percent

Locale = Literal["zh-CN", "en"]
LOCALES: Final[tuple[Locale, ...]] = ("zh-CN", "en")
DEFAULT_LOCALE: Final[Locale] = "zh-CN"

_PLACEHOLDER: Final = re.compile(r"\{([A-Za-z][A-Za-z0-9_|]*)(?::([a-z][A-Za-z0-9.-]*))?\}")
# Stands where a parameter is missing: a sentence with a gap helps a person more than no sentence.
_GAP: Final = "…"
_COMMA: Final[Mapping[Locale, str]] = {"zh-CN": "、", "en": ", "}
_MAX_HEADER_RANGES: Final = 16
_RANGE: Final = re.compile(r"\A([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8})*(?:\s*;\s*q=([01])(?:\.([0-9]{1,3}))?)?\Z")
_BY_LANGUAGE: Final[dict[str, Locale]] = {"zh": "zh-CN", "en": "en", "*": DEFAULT_LOCALE}


class MissingTextError(LookupError):
    """There is no text under this key; a test makes sure that it does not happen to keys known beforehand."""


def render(key: str, params: Mapping[str, str | int], locale: str) -> str:
    """The text under `key` in `locale` with `params` in place. An unknown locale is read as zh-CN.

    A parameter that is missing leaves `…` and raises nothing: texts are mostly wanted when something has failed.

    Raises:
        MissingTextError: no catalogue of the locale has the key.
    """
    texts = catalogue(_known(locale))
    template = texts.get(key)
    if template is None:
        raise MissingTextError(key)
    if "{" not in template:
        return template

    def replace(match: re.Match[str]) -> str:
        return _value(match[1], match[2], params, _known(locale))

    return _PLACEHOLDER.sub(replace, template)


def has_text(key: str, locale: str) -> bool:
    """Whether `render` has a text under this key."""
    return key in catalogue(_known(locale))


def placeholders(template: str) -> frozenset[str]:
    """The placeholders of a text as they are written, without braces."""
    return frozenset(match[0][1:-1] for match in _PLACEHOLDER.finditer(template))


@cache
def catalogue(locale: Locale) -> Mapping[str, str]:
    """Every text of a locale. Read once per process.

    Raises:
        ValueError: two files, or one file twice, hold the same key.
    """
    texts: dict[str, str] = {}
    for name, content in _areas(locale):
        for key, text in json.loads(content, object_pairs_hook=_pairs):
            if key in texts:
                raise ValueError(f"{locale}/{name}: {key} has a text already")
            texts[key] = text
    return texts


def pick_locale(accept_language: str | None) -> Locale:
    """The best of our locales for an `Accept-Language` header (RFC 9110); zh-CN if it names none of them."""
    best: Locale = DEFAULT_LOCALE
    best_weight = 0
    for item in (accept_language or "").split(",")[:_MAX_HEADER_RANGES]:
        match = _RANGE.match(item.strip())
        locale = _BY_LANGUAGE.get(match[1].lower()) if match is not None else None
        if match is None or locale is None:
            continue
        weight = min(1000, int(match[2] or "1") * 1000 + int((match[3] or "").ljust(3, "0")))
        if weight > best_weight:
            best, best_weight = locale, weight
    return best


def _known(locale: str) -> Locale:
    return "en" if locale == "en" else DEFAULT_LOCALE


def _areas(locale: Locale) -> Iterator[tuple[str, str]]:
    folder = files("models.texts").joinpath(locale)
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.endswith(".json"):
            yield entry.name, entry.read_text(encoding="utf-8")


def _pairs(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return pairs  # a dict would swallow a key that stands twice


def _value(names: str, kind: str | None, params: Mapping[str, str | int], locale: Locale) -> str:
    every = names.split("|")
    name = next((each for each in every if each in params), every[0])
    try:
        value = params[name]
    except KeyError:
        return _GAP
    if kind is None:
        return str(value)
    if kind == "money" and isinstance(value, int):
        return format_money(value, currency=str(params.get("currency", "CNY")))
    if kind == "percent" and isinstance(value, int):
        return format_percent(value)
    if kind == "date":
        return _date(str(value), locale)
    texts = catalogue(locale)
    return _COMMA[locale].join(texts.get(f"{kind}.{each}", each) for each in str(value).split(","))


def _date(value: str, locale: Locale) -> str:
    try:
        return format_date(date.fromisoformat(value), locale=locale)
    except ValueError:
        return value
