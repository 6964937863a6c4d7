"""The two languages say the same things, and nothing that can be raised is left without words."""

import ast
import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

import models.errors
from models.domain.affordability import LineCode
from models.domain.aftercare.clocks import TicketKind
from models.domain.aftercare.education import Situation, Topic
from models.domain.aftercare.follow_ups import FollowUpKind
from models.domain.application import (
    Channel,
    ConsentForm,
    ConsentPurpose,
    ContactChannel,
    ContactDirection,
    ContactPointKind,
    ContactResult,
    DocumentKind,
    HardshipCode,
    LinkPurpose,
    RevealField,
    RevealReason,
)
from models.domain.batches.plans import LeftOut
from models.domain.customers.showing import CustomerField
from models.domain.daily import ExceptionState
from models.domain.identifiers import IdType
from models.domain.roles import Permission, Role
from models.domain.states import (
    CaseOutcome,
    CaseStage,
    DecisionState,
    FollowUpState,
    TaskState,
    TicketOutcome,
    TicketStage,
    TicketState,
)
from models.errors import CaseworkError
from models.texts.render import LOCALES, Locale, catalogue, placeholders

_PACKAGES = ("activities", "api", "compliance", "deploy", "models", "workflows")
_ROOT = Path(models.errors.__file__).parents[1]
_AREAS = sorted({entry.name for locale in LOCALES for entry in files("models.texts").joinpath(locale).iterdir()})


def _raw(locale: Locale, area: str) -> dict[str, str]:
    pairs = json.loads(
        files("models.texts").joinpath(locale, area).read_text(encoding="utf-8"), object_pairs_hook=lambda pairs: pairs
    )
    assert len({key for key, _ in pairs}) == len(pairs), f"{locale}/{area} holds a key twice"
    return dict(pairs)


@pytest.mark.parametrize("area", _AREAS)
def test_both_languages_have_the_same_keys_with_the_same_placeholders(area: str) -> None:
    chinese, english = _raw("zh-CN", area), _raw("en", area)
    assert sorted(chinese) == sorted(english)
    for key, text in chinese.items():
        assert placeholders(text) == placeholders(english[key]), key


@pytest.mark.parametrize("area", _AREAS)
@pytest.mark.parametrize("locale", LOCALES)
def test_texts_are_flat_not_empty_and_every_brace_is_a_placeholder(area: str, locale: Locale) -> None:
    for key, text in _raw(locale, area).items():
        assert isinstance(text, str), key
        assert text.strip() == text != "", key
        rest = text
        for placeholder in placeholders(text):
            rest = rest.replace(f"{{{placeholder}}}", "")
        assert "{" not in rest, key
        assert "}" not in rest, key


@pytest.mark.parametrize("area", _AREAS)
def test_chinese_is_chinese_and_english_is_english(area: str) -> None:
    for text in _raw("en", area).values():
        assert not any("\u4e00" <= character <= "\u9fff" for character in text), text


def _kinds(root: type[CaseworkError]) -> Iterator[type[CaseworkError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)


_CODES = sorted(kind.code for kind in _kinds(CaseworkError) if kind.__module__ == models.errors.__name__)


@pytest.mark.parametrize("code", _CODES)
@pytest.mark.parametrize("locale", LOCALES)
def test_every_error_has_a_title_and_says_what_to_do(code: str, locale: Locale) -> None:
    texts = catalogue(locale)
    title, detail = texts[f"problem.{code}.title"], texts[f"problem.{code}.detail"]
    assert not placeholders(title), "a title is the same for every occurrence"
    assert len(detail) > len(title)


def test_no_text_stands_for_an_error_that_is_gone() -> None:
    told = {key.split(".")[1] for key in catalogue("en") if key.startswith("problem.")}
    assert told == set(_CODES)


def test_texts_of_server_failures_need_no_parameters() -> None:
    # An answer with a status of 500 and above tells its code and nothing else.
    for kind in _kinds(CaseworkError):
        if kind.status >= 500 and kind.code in _CODES:
            assert not placeholders(catalogue("en")[f"problem.{kind.code}.detail"]), kind.code


def _field_codes() -> set[str]:
    """Codes of field rules that stand literally in the source."""
    found: set[str] = set()
    for package in _PACKAGES:
        for path in (_ROOT / package).rglob("*.py"):
            source = path.read_text(encoding="utf-8")
            if "FieldFault" not in source and "RuleBroken" not in source:
                continue
            calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
            found.update(code for call in calls for code in _codes_in(call))
    return found


def _codes_in(call: ast.Call) -> Iterator[str]:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name == "FieldFault":
        given = [each.value for each in call.keywords if each.arg == "code"]
    elif name in {"RuleBroken", "PydanticCustomError", "_Refused", "_fault", "_refuse"}:
        given = call.args[:1]
    else:
        given = []
    for each in given:
        if isinstance(each, ast.Constant) and isinstance(each.value, str):
            yield each.value


def test_every_refusal_of_a_workflow_has_words() -> None:
    sources = [*(_ROOT / "workflows" / "installments").glob("*.py"), *(_ROOT / "workflows" / "aftercare").glob("*.py")]
    found = (re.findall(r'refusal\("([a-z-]+)"\)', source.read_text(encoding="utf-8")) for source in sources)
    codes = {code for codes in found for code in codes}
    assert "four-eyes-violation" in codes
    assert sorted(code for code in codes if f"refusal.{code}" not in catalogue("zh-CN")) == []


def test_every_field_rule_in_the_source_has_words() -> None:
    codes = _field_codes()
    assert {"id-checksum", "mobile", "missing", "not-json", "file-empty"} <= codes
    assert sorted(code for code in codes if f"field.{code}" not in catalogue("en")) == []


@pytest.mark.parametrize(
    "code",
    [
        "required",
        "unknown-field",
        "type-integer",
        "type-string",
        "type-boolean",
        "type-date",
        "min",
        "max",
        "min-length",
        "max-length",
        "pattern",
        "enum",
        "id-checksum",
        "id-birth-date",
        "id-region",
        "id-length",
        "id-type",
        "mobile",
        "card-luhn",
        "card-length",
        "email",
        "address-length",
        "duplicate-key",
        "term-range",
        "amount-range",
    ],
)
def test_the_common_field_rules_have_words(code: str) -> None:
    assert f"field.{code}" in catalogue("zh-CN")


@pytest.mark.parametrize(
    ("prefix", "values"),
    [
        ("case.stage", CaseStage),
        ("case.outcome", CaseOutcome),
        ("state", [*CaseStage, *CaseOutcome, *TaskState, *DecisionState]),
        ("role", Role),
        ("permission", Permission),
        ("id-type", IdType),
        ("affordability.line", LineCode),
        ("hardship", HardshipCode),
        ("case-channel", Channel),
        ("document-kind", DocumentKind),
        ("consent-purpose", ConsentPurpose),
        ("consent-form", ConsentForm),
        ("contact-channel", ContactChannel),
        ("contact-direction", ContactDirection),
        ("contact-result", ContactResult),
        ("contact-point", ContactPointKind),
        ("reveal-field", RevealField),
        ("record-field", CustomerField),
        ("reveal-reason", RevealReason),
        ("follow-up-kind", FollowUpKind),
        ("follow-up-state", FollowUpState),
        ("exception-state", ExceptionState),
        ("ticket-kind", TicketKind),
        ("plan-left-out", LeftOut),
        ("ticket-state", TicketState),
        ("ticket-stage", TicketStage),
        ("ticket-outcome", TicketOutcome),
        ("education-situation", Situation),
        ("link-purpose", LinkPurpose),
    ],
)
def test_every_member_of_a_closed_set_has_a_name(prefix: str, values: list[str]) -> None:
    for value in values:
        assert f"{prefix}.{value}" in catalogue("zh-CN")


@pytest.mark.parametrize("topic", list(Topic))
@pytest.mark.parametrize("locale", LOCALES)
def test_every_topic_of_education_says_something(topic: Topic, locale: Locale) -> None:
    texts = catalogue(locale)
    assert len(texts[f"education.{topic}.body"]) > 2 * len(texts[f"education.{topic}.title"])
