"""The papers of a report: the same in HTML and PDF, nothing fetched, nothing small told to the public."""

import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.documents.render import Renderer
from activities.reports.charts import Bar, Span, bars, timeline, waterfall
from activities.reports.html import html_page
from activities.reports.pdf import pdf_page
from activities.reports.sheet import Block, Chart, Facts, Heading, Mark, Para, Sheet, Table, Words
from activities.transfers.transparency_content import LEAST, nested, suppressed
from models.domain.transfers.report_costs import Volumes, cost_of
from models.texts.render import LOCALES, Locale

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def sheet(locale: Locale) -> Sheet:
    blocks: tuple[Block, ...] = (
        Heading(text="守恒 <&>"),
        Mark(level="failed", text="不通过", note="重大 1 项"),
        Para(text="A paragraph", quiet=True),
        Facts(pairs=(("标签", "ab" * 32),)),
        Chart(
            svg=waterfall([Bar(label="读入", value=9), Bar(label="拒绝", value=2, shade="loss")], title="图"), alt="图"
        ),
        Table(caption="守恒 <&>", head=("甲", "乙"), rows=(("x", "1"),), right=frozenset({1}), foot=("合计", "1")),
    )
    return Sheet(
        id="j/1", title="报告", institution="示例银行", digest="ab" * 32, made_at=NOW, locale=locale, blocks=blocks
    )


@pytest.mark.parametrize("locale", LOCALES)
def test_a_sheet_is_the_same_bytes_and_says_the_same_in_both_forms(locale: Locale) -> None:
    page, pdf = html_page(sheet(locale)), pdf_page(Renderer(), sheet(locale))
    assert page == html_page(sheet(locale))
    assert pdf == pdf_page(Renderer(), sheet(locale))
    document = pypdfium2.PdfDocument(pdf)
    printed = "".join(document[number].get_textpage().get_text_bounded() for number in range(len(document)))
    for text in ("不通过", "重大 1 项", "合计", "示例银行"):
        assert text in page.decode()
        assert text.replace(" ", "") in re.sub(r"\s", "", printed)


def test_a_page_fetches_nothing_runs_nothing_and_escapes_what_it_shows() -> None:
    page = html_page(sheet("zh-CN")).decode()
    tags: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.append(tag)
            assert not any(name in ("src", "href", "onload") for name, _ in attrs)

    Reader().feed(page)
    assert "script" not in tags
    assert "守恒 &lt;&amp;&gt;" in page
    assert '<html lang="zh-CN">' in page
    assert {"caption", "title", "th"} <= set(tags)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8))
def test_charts_hold_every_figure_and_stay_inside(values: list[int]) -> None:
    steps = [Bar(label=str(place), value=value) for place, value in enumerate(values)]
    for svg in (waterfall(steps, title="t"), bars(steps, title="t")):
        assert all(f">{value:,}<" in svg for value in values)
        numbers = [int(each) for each in re.findall(r' (?:x|y|width|height)="(-?\d+)"', svg)]
        assert all(0 <= each <= 700 for each in numbers)


def test_a_timeline_tells_begin_and_end() -> None:
    spans = [Span(label="1", begin=NOW, end=NOW + timedelta(minutes=4), shade="good", note="<done>")]
    svg = timeline(spans, title="t")
    assert "2026-11-23 02:00:00" in svg
    assert "2026-11-23 02:04:00" in svg
    assert "&lt;done&gt;" in svg
    assert timeline([], title="t") == ""


@given(st.lists(st.integers(0, 200), min_size=1, max_size=5))
def test_no_handful_can_be_read_or_worked_out(counts: list[int]) -> None:
    words = Words("en")
    told = [int(each) for each in nested(counts, words) if each.isdecimal()]
    assert not any(0 < one < LEAST for one in told)
    assert not any(0 < abs(one - other) < LEAST for one in told if one for other in told if other)
    assert suppressed([0, 4, 5], words) == ["0", "fewer than 5", "5"]


def test_costs_show_their_working_and_say_what_is_assumed() -> None:
    volumes = Volumes(records=30_000, decisions=420, machine_seconds=5_400, told=28_000, letters=500)
    costs = cost_of(volumes, {"projectMinor": 20_000_000, "staffMinorPerHour": 9_000, "decisionMinutes": "x"})
    by_code = {line.code: line.amount_minor for line in costs.by_hand}
    assert by_code == {"labour": 36_000_000, "letters": 3_705_000, "forms": 600_000}
    assert {line.code: line.amount_minor for line in costs.actual} == {
        "decisions": 252_000, "machine": 900, "letters": 65_000, "project": 20_000_000,
    }  # fmt: skip
    assert costs.benefit_minor == 40_305_000 - 20_317_900
    assert costs.roi_bp == 9_837  # 19,987,100 ÷ 20,317,900
    assert (costs.sheets_saved, costs.grams_saved) == (88_000, 440_000)
    sources = {each.code: each.source for each in costs.parameters}
    assert (sources["projectMinor"], sources["decisionMinutes"]) == ("plan", "assumed")
    assert json.dumps(sources)
