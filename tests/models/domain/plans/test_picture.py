"""The picture: every family is in it, to one scale, in the reader's language, and nothing breaks out of it."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from models.domain.plans.drafts import Refusal
from models.domain.plans.negotiation import Family
from models.domain.plans.offers import Note, side_by_side
from models.domain.plans.picture import PictureTexts, picture
from models.texts.formats import format_money
from models.texts.render import LOCALES, render
from tests.models.domain.plans.rounds import ROUND, the_round

_SVG = "{http://www.w3.org/2000/svg}"


def _texts(locale: str) -> PictureTexts:
    words = ("title", "not-offered", "principal", "cost", "capacity", "highest", "total", "rate", "rows")
    return PictureTexts(
        families={family: render(f"plan.family.{family}", {}, locale) for family in Family},
        reasons={code.value: render(f"plan.reason.{code}", {}, locale) for code in (*Refusal, *Note)},
        money=format_money,
        **{word.replace("-", "_"): render(f"plan.picture.{word}", {}, locale) for word in words},
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_every_family_stands_in_the_picture_in_the_readers_language(locale: str) -> None:
    drawn = ET.fromstring(picture(side_by_side(the_round(term_months=5)), _texts(locale)))
    words = [text.text or "" for text in drawn.iter(f"{_SVG}text")]
    for family in Family:
        assert render(f"plan.family.{family}", {}, locale) in words
    assert any(render("plan.reason.term-too-short", {}, locale) in line for line in words)
    assert any("¥1,650.00" in line for line in words)
    assert not any(re.search(r"[{}]|[a-z]-[a-z]+-", line) for line in words if locale == "zh-CN")


def test_a_row_is_a_bar_and_bars_are_to_scale() -> None:
    offers = side_by_side(ROUND)
    drawn = ET.fromstring(picture(offers, _texts("en")))
    panels = drawn.findall(f"{_SVG}g")
    assert len(panels) == len(offers)
    highest = max(one.figures.highest_installment_minor for one in offers)
    for one, panel in zip(offers, panels, strict=True):
        heights: dict[int, int] = {}
        for bar in panel.iter(f"{_SVG}rect"):
            heights[int(bar.get("x"))] = heights.get(int(bar.get("x")), 0) + int(bar.get("height"))
        assert len(heights) == one.figures.term
        tallest = max(heights.values())
        assert tallest == pytest.approx(1333 * one.figures.highest_installment_minor / highest, abs=2)
        assert all(0 <= int(bar.get("y")) <= 2500 for bar in panel.iter(f"{_SVG}rect"))


def test_words_cannot_break_out_of_the_picture() -> None:
    texts = replace(_texts("en"), title='<script>alert("1")</script>', principal="a & b")
    drawn = ET.fromstring(picture(side_by_side(ROUND), texts))
    assert drawn.find(f"{_SVG}title").text == '<script>alert("1")</script>'
    assert not list(drawn.iter(f"{_SVG}script"))


def test_a_picture_of_nothing_is_still_a_picture() -> None:
    assert ET.fromstring(picture((), _texts("en"))).find(f"{_SVG}title") is not None
