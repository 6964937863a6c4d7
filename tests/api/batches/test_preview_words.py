"""Why rows would be left out is told in words, with the law, before anybody approves a run."""

import pytest

from api.batches.views import preview_answer
from models.domain.batches.cohorts import Figures
from models.domain.batches.exclusions import Exclusion
from models.queries.batches.cohorts import Preview
from models.texts.render import LOCALES, has_text
from tests.support.daybook import START


@pytest.mark.parametrize("locale", LOCALES)
def test_each_reason_has_its_words_and_its_citation(locale: str) -> None:
    assert all(has_text(f"batch-exclusion.{each}", locale) for each in Exclusion)
    found = preview_answer(
        Preview(
            figures=Figures(members=0, excluded=24, amount_minor=0), exclusions={each.value: 2 for each in Exclusion}
        ),
        on=START,
        locale=locale,
    )
    assert [each.reason for each in found.reasons] == [each.value for each in Exclusion]
    for each in found.reasons:
        assert each.rows == 2
        assert not each.title.startswith("batch-exclusion.")
        assert not each.citation.startswith("rule."), each.rule_id
