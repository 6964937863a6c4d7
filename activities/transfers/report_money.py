"""The section on cost, benefit and return, with its working shown line by line. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from activities.reports.sheet import Block, Facts, Heading, Para, Table, Words, number
from models.texts.formats import format_amount, format_money, format_percent


def cost_blocks(costs: Mapping[str, Any], words: Words) -> Iterator[Block]:
    """Both sides, what is saved, the figures it rests on, and the paper."""
    currency = costs["currency"]
    yield Heading(text=words("section.costs"))
    for side, lines, total in (
        ("by-hand", costs["byHand"], costs["byHandMinor"]),
        ("actual", costs["actual"], costs["actualMinor"]),
    ):
        yield Table(
            caption=words(side),
            head=tuple(words(each) for each in ("c.item", "c.quantity", "c.unit", "c.per", "c.amount")),
            rows=tuple(
                (
                    words.code("cost", line["code"]),
                    number(line["quantity"]),
                    format_amount(line["unitMinor"], currency=currency),
                    number(line["per"]),
                    format_amount(line["amountMinor"], currency=currency),
                )
                for line in lines
            ),
            foot=(words("total"), "", "", "", format_amount(total, currency=currency)),
            right=frozenset({1, 2, 3, 4}),
            widths=(32, 16, 18, 14, 20),
        )
    yield Facts(
        pairs=(
            (words("benefit"), format_money(costs["benefitMinor"], currency=currency)),
            (words("roi"), words("roi.none") if costs["roiBp"] is None else format_percent(costs["roiBp"])),
        )
    )
    yield Para(text=words("paper", sheets=number(costs["sheetsSaved"]), grams=number(costs["gramsSaved"])))
    yield Table(
        caption=words("parameters"),
        head=(words("c.item"), words("c.value"), words("c.from")),
        rows=tuple(
            (words.code("param", each["code"]), number(each["value"]), words.code("source", each["source"]))
            for each in costs["parameters"]
        ),
        right=frozenset({1}),
        widths=(54, 23, 23),
    )
    yield Para(text=words("assumed-note"), quiet=True)
