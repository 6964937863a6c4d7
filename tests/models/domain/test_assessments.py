"""For how long an impact assessment is kept, and that texts have one hash."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.deeds import shown_hash
from models.domain.assessments import kept_until, years_after
from models.domain.canonical import digest
from models.domain.consent_texts import TextContent
from models.domain.default_texts import DEFAULT_TEXTS

TEXT = TextContent(kind="credit-report-query", version="1", zh="同意", en="yes", definition=None, material=False)


@pytest.mark.parametrize(
    ("approved", "valid", "kept"),
    [
        (date(2026, 11, 23), date(2027, 11, 22), date(2030, 11, 22)),
        (date(2026, 11, 23), date(2026, 11, 23), date(2029, 11, 23)),
        (date(2028, 2, 29), date(2028, 2, 29), date(2031, 2, 28)),
    ],
)
def test_it_is_kept_three_years_after_it_was_good(approved: date, valid: date, kept: date) -> None:
    assert kept_until(approved_on=approved, valid_until=valid) == kept


@given(st.dates(date(2020, 1, 1), date(2060, 1, 1)), st.dates(date(2020, 1, 1), date(2060, 1, 1)))
def test_it_is_never_kept_for_less_than_three_years_after_approval(approved: date, valid: date) -> None:
    assert kept_until(approved_on=approved, valid_until=valid) >= years_after(approved, 3)


@pytest.mark.parametrize("change", [{"zh": "不同意"}, {"en": "no"}, {"version": "2"}, {"material": True}])
def test_whatever_is_approved_of_a_text_is_in_its_hash(change: dict[str, object]) -> None:
    assert replace(TEXT, **change).digest() != TEXT.digest()  # type: ignore[arg-type]


def test_records_and_events_spell_alike() -> None:
    value = {"b": ["字", 1, None], "a": {"x": True}}
    assert digest(value) == shown_hash(value)


def test_the_first_texts_of_an_institution_say_something_in_both_languages() -> None:
    for text in DEFAULT_TEXTS:
        assert text.zh.strip()
        assert text.en.strip()
        assert not any("\u4e00" <= sign <= "\u9fff" for sign in text.en)
