"""Words for codes in answers: the text of a key in the reader's language, or the key itself where there is none."""

from collections.abc import Mapping
from typing import Any

from models.texts.render import MissingTextError, render


def worded(key: str, locale: str, params: Mapping[str, Any] | None = None) -> str:
    """The text under `key`; a missing text must not turn an answer into a failure."""
    try:
        return render(key, plain(params or {}), locale)
    except MissingTextError:
        return key


def plain(params: Mapping[str, Any]) -> dict[str, str | int]:
    """The parameters that a text can show."""
    return {name: value for name, value in params.items() if isinstance(value, (str, int))}
