"""Every kind of event that code of transfers and customers writes has words in the readable account (审计账).

Kinds are read from the source: as they stand literally, and where one is put together, from what it is put together of.
"""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

import models.errors
from compliance.transfers.notice_receipts import _STATE_OF
from models.domain.customers.message_words import MessageState
from models.domain.states import Gate, TaskType
from models.texts.render import LOCALES, Locale, has_text

_ROOT: Final = Path(models.errors.__file__).parents[1]
_PACKAGES: Final = ("activities", "api", "compliance", "deploy", "models")
_AREAS: Final = r"(?:transfer|batch|change-request|customer|customers|customer-message)"
_KIND: Final = re.compile(rf"{_AREAS}\.[a-z]+(?:-[a-z]+)*")
_BEGINNING: Final = re.compile(rf"{_AREAS}\.[a-z-]*")
# Put together in the source: what may stand behind each beginning.
_TOGETHER: Final[dict[str, tuple[str, ...]]] = {
    "transfer.notice-": tuple(event.value for event in _STATE_OF),
    "change-request.": ("confirmed", "reviewed"),
    "customer-message.": tuple(state.value.lower() for state in MessageState if state is not MessageState.QUEUED),
}

# Looks like a kind and is none: gates, and a line of the log.
_NO_EVENTS: Final = {"customer-message.not-sent"} | {gate.value for gate in Gate}


@cache
def _trees() -> tuple[ast.Module, ...]:
    """Of files that hold no beginning of a kind, none: there is nothing to find in them."""
    paths = sorted(path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py"))
    texts = (path.read_text(encoding="utf-8") for path in paths if "migrations" not in path.parts)
    return tuple(ast.parse(text) for text in texts if _BEGINNING.search(text))


def _literals(tree: ast.Module) -> Iterator[str]:
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts
        if is_text and _KIND.fullmatch(node.value):
            yield node.value


def _beginnings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
            begins = str(node.values[0].value)
            if _BEGINNING.fullmatch(begins):
                yield begins


@cache
def _kinds() -> set[str]:
    kinds = {kind for tree in _trees() for kind in _literals(tree)} - _NO_EVENTS
    return kinds | {f"{begins}{rest}" for begins, rests in _TOGETHER.items() for rest in rests}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_event_has_words(locale: Locale) -> None:
    kinds = _kinds()
    assert len(kinds) > 80, "the scan sees the source"
    assert sorted(kind for kind in kinds if not has_text(f"event.{kind}", locale)) == []


def test_every_kind_that_is_put_together_is_known_above() -> None:
    assert {begins for tree in _trees() for begins in _beginnings(tree)} == {*_TOGETHER}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_kind_of_task_has_words_for_the_account(locale: Locale) -> None:
    assert [kind.value for kind in TaskType if not has_text(f"task-type.{kind.value}", locale)] == []
