"""From the facts of a run's report to its sheet (批次对账报告): sections in the order in which they are read. Pure.

Works on the report's JSON, not on the records: whoever holds the JSON can print the report again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from activities.reports.charts import Bar, bars, waterfall
from activities.reports.sheet import (
    Block,
    Chart,
    Facts,
    Heading,
    Mark,
    Para,
    Sheet,
    Table,
    Words,
    number,
    short,
    when,
)
from models.texts.formats import format_amount, format_percent
from models.texts.render import Locale

Record = Mapping[str, Any]
AREA: Final = "batch-report"
_MOST_BARS: Final = 12
_FULL_BPS: Final = 10_000


def batch_sheet(record: Record, *, report: str, digest: str, institution: str, locale: Locale) -> Sheet:
    """The report in one language. The same record is the same sheet, whenever it is printed."""
    words = Words(locale, AREA)
    blocks = [block for section in _SECTIONS for block in section(record, words)]
    return Sheet(
        id=report,
        title=words("title"),
        institution=institution,
        digest=digest,
        made_at=datetime.fromisoformat(record["run"]["createdAt"]),
        locale=locale,
        blocks=tuple(blocks),
        area=AREA,
    )


def reason_word(code: str | None, words: Words) -> str:
    """The house's reasons in words; the bank's codes stand for themselves."""
    if code is None:
        return "—"
    said = words.text(f"order-reason.{code}", words.code("reason", code))
    return said if said == code or not code.isupper() else f"{code} {said}"


def suggestion_word(code: str, words: Words) -> str:
    """A suggestion in words; behind the slash stands what it is about."""
    family, _, about = code.partition("/")
    return words(f"suggestion.{family}", about=words.code("topic", about) if family == "feedback" else about)


def _summary(record: Record, words: Words) -> Iterator[Block]:
    reconciled = record["reconciled"]
    level = "failed" if reconciled is None or reconciled["differs"] else "reserved" if record["suspense"] else "passed"
    yield Heading(text=words("section.summary"))
    yield Mark(level=level, text=words(f"verdict.{level}"), note=words(f"verdict.{level}.note"))
    yield Para(text=words("subtitle"), quiet=True)


def _basis(record: Record, words: Words) -> Iterator[Block]:
    run, settings = record["run"], record["run"]["settings"]
    yield Heading(text=words("section.basis"))
    yield Facts(
        pairs=(
            (words("f.run"), run["token"]),
            (words("f.kind"), words.text(f"batch-kind.{run['kind']}", run["kind"])),
            (words("f.origin"), words.code("origin", run["origin"])),
            (words("f.date"), run["businessDate"]),
            (words("f.rules"), run["ruleVersion"] or "—"),
            (words("f.revision"), str(run["revision"])),
            (words("f.settings"), "; ".join(f"{name}={settings[name]}" for name in sorted(settings)) or "—"),
            (words("f.stopped"), words("yes") if run["stopped"] else words("no")),
            (words("f.shown"), run["shownHash"] or "—"),
            (words("f.created"), f"{when(run['createdAt'])} UTC · {run['createdBy']}"),
        )
    )


def _cohort(record: Record, words: Words) -> Iterator[Block]:
    cohort, batch = record["cohort"], record["import"]
    if batch is not None:
        yield Heading(text=words("section.import"))
        states = "，" if words.locale == "zh-CN" else ", "
        yield Facts(
            pairs=(
                (words("f.layout"), batch["layout"]),
                (words("f.read"), number(batch["read"])),
                (words("f.rows"), states.join(f"{words.code('row', s)} {n:,}" for s, n in batch["states"].items())),
                (words("f.control-count"), number(batch["controlCount"])),
                (words("f.control-minor"), _amount(batch["controlMinor"])),
            )
        )
    if cohort is None:
        return
    yield Heading(text=words("section.cohort"))
    yield Facts(
        pairs=(
            (words("f.members"), number(cohort["members"])),
            (words("f.excluded"), number(cohort["excluded"])),
            (words("f.amount"), _amount(cohort["amountMinor"])),
            (words("f.cohort-hash"), cohort["hash"] or "—"),
        )
    )
    yield _listing(
        words,
        "exclusions",
        ("c.reason", "c.rule", "c.rows", "c.amount"),
        (
            (reason_word(each["code"], words), each["rule"] or "—", number(each["rows"]), _amount(each["amountMinor"]))
            for each in cohort["exclusions"]
        ),
        right={2, 3},
        widths=(40, 20, 16, 24),
    )
    yield _listing(
        words,
        "classes",
        ("c.type", "c.amount-class", "c.cycle", "c.rows", "c.amount"),
        (
            (
                each["type"] or "—", each["amount"] or "—", each["cycle"] or "—", number(each["rows"]),
                _amount(each["amountMinor"]),
            )
            for each in cohort["classes"]
        ),
        right={3, 4},
        widths=(22, 20, 18, 16, 24),
    )  # fmt: skip


def _rehearsal(record: Record, words: Words) -> Iterator[Block]:
    rehearsal = record["rehearsal"]
    if rehearsal is None:
        return
    yield Heading(text=words("section.rehearsal"))
    yield _listing(
        words,
        "expected",
        ("c.state", "c.orders", "c.amount"),
        (
            (_state(each["state"], words), number(each["orders"]), _amount(each["amountMinor"]))
            for each in rehearsal["expected"]
        ),
        right={1, 2},
        widths=(50, 20, 30),
    )
    yield _listing(
        words,
        "otherwise",
        ("c.difference", "c.rows"),
        ((reason_word(each["code"], words), number(each["rows"])) for each in rehearsal["differences"]),
        right={1},
        widths=(75, 25),
    )


def _outcomes(record: Record, words: Words) -> Iterator[Block]:
    yield Heading(text=words("section.outcomes"))
    ends: dict[str, int] = {}
    for each in record["outcomes"]:
        ends[each["end"]] = ends.get(each["end"], 0) + each["orders"]
    steps = [Bar(label=words("c.orders"), value=sum(ends.values()))]
    steps += [
        Bar(label=_state(end, words), value=ends[end], shade="bad" if end == "open" else "loss")
        for end in ("barred", "withdrawn", "rejected", "returned", "open")
        if ends.get(end)
    ]
    good = "opened" if "opened" in ends else "settled"
    steps.append(Bar(label=_state(good, words), value=ends.get(good, 0), shade="good"))
    yield from _chart(waterfall(steps, title=words("chart.outcomes")), words("chart.outcomes"))
    yield Table(
        caption=words("section.outcomes"),
        head=tuple(words(each) for each in ("c.end", "c.reason", "c.orders", "c.amount")),
        rows=tuple(
            (
                _state(each["end"], words),
                reason_word(each["reason"], words),
                number(each["orders"]),
                _amount(each["amountMinor"]),
            )
            for each in record["outcomes"]
        ),
        foot=(
            words("total"),
            "",
            number(sum(ends.values())),
            _amount(sum(each["amountMinor"] for each in record["outcomes"])),
        ),
        right=frozenset({2, 3}),
        widths=(20, 36, 18, 26),
    )
    refused = [each for each in record["outcomes"] if each["reason"] and each["end"] not in ("settled", "opened")]
    refused.sort(key=lambda each: (-each["orders"], each["reason"]))
    if refused:
        rows = [
            Bar(label=_bar_word(each["reason"], words), value=each["orders"], shade="loss")
            for each in refused[:_MOST_BARS]
        ]
        yield from _chart(bars(rows, title=words("chart.reasons")), words("chart.reasons"))


def _attempts(record: Record, words: Words) -> Iterator[Block]:
    if record["run"]["kind"] == "intake":
        return
    yield Heading(text=words("section.attempts"))
    yield _listing(
        words,
        "attempts",
        ("c.attempt", "c.orders", "c.settled", "c.share", "c.amount"),
        (
            (
                str(each["attempt"]), number(each["orders"]), number(each["settled"]), _share(each),
                _amount(each["settledMinor"]),
            )
            for each in record["attempts"]
        ),
        right={1, 2, 3, 4},
        widths=(18, 18, 18, 18, 28),
    )  # fmt: skip
    if record["days"]:
        rows = [
            Bar(label=words("day", day=each["day"]), value=each["settled"] * 100 // each["orders"], shade="sum")
            for each in record["days"]
        ]
        yield from _chart(bars(rows, title=words("chart.days")), words("chart.days"))
    yield _listing(
        words,
        "days",
        ("c.day", "c.orders", "c.settled", "c.share"),
        ((str(each["day"]), number(each["orders"]), number(each["settled"]), _share(each)) for each in record["days"]),
        right={1, 2, 3},
        widths=(25, 25, 25, 25),
    )


def _reconciled(record: Record, words: Words) -> Iterator[Block]:
    found = record["reconciled"]
    yield Heading(text=words("section.reconciled"))
    if found is None:
        yield Para(text=words("not-reconciled"))
        return
    yield Para(text=words("reconciled-note"), quiet=True)
    yield Table(
        caption=words("section.reconciled"),
        head=(words("c.side"), words("c.orders"), words("c.amount")),
        rows=(
            (words("side.orders"), number(found["orders"]), _amount(found["ordersMinor"])),
            (words("side.files"), number(found["inFiles"]), _amount(found["filesMinor"])),
            (words("side.settled"), number(found["ends"].get("settled", {}).get("orders", 0)),
             _amount(found["settledMinor"])),
            (words("side.booked"), "", _amount(found["bookedMinor"])),
            (words("side.statement"), "", _amount(found["statementMinor"])),
        ),
        right=frozenset({1, 2}),
        widths=(50, 20, 30),
    )  # fmt: skip
    yield _listing(
        words,
        "differences",
        ("c.difference", "c.count", "c.examples"),
        (
            (words.code("difference", each["code"]), number(each["count"]), ", ".join(each["examples"][:3]))
            for each in found["differs"]
        ),
        right={1},
        widths=(42, 12, 46),
    )
    yield _listing(
        words,
        "files",
        ("c.file", "c.kind", "c.items", "c.amount", "c.digest"),
        (
            (each["name"], each["kind"], number(each["items"]), _amount(each["totalMinor"]), short(each["digest"]))
            for each in record["files"]
        ),
        right={2, 3},
        widths=(28, 18, 12, 22, 20),
    )


def _money_apart(record: Record, words: Words) -> Iterator[Block]:
    yield Heading(text=words("section.apart"))
    for name in ("suspense", "disputes"):
        yield _listing(
            words,
            name,
            ("c.state", "c.count", "c.amount"),
            (
                (words.code(name, each["state"]), number(each["count"]), _amount(each["amountMinor"]))
                for each in record[name]
            ),
            right={1, 2},
            widths=(50, 20, 30),
        )
    funding = record["funding"]
    if funding is not None:
        yield Facts(
            pairs=(
                (words("f.held"), _amount(funding["heldMinor"])),
                (words("f.used"), _amount(funding["usedMinor"])),
                (words("f.rest"), _amount(funding["heldMinor"] - funding["usedMinor"])),
            )
        )


def _improve(record: Record, words: Words) -> Iterator[Block]:
    yield Heading(text=words("section.improve"))
    yield _listing(
        words,
        "feedback",
        ("c.topic", "c.from", "c.rules", "c.count", "c.score"),
        (
            (
                words.code("topic", each["topic"]),
                words.code("from", each["origin"]),
                each["ruleVersion"] or "—",
                number(each["count"]),
                _score(each),
            )
            for each in record["feedback"]
        ),
        right={3, 4},
        widths=(30, 18, 26, 12, 14),
    )
    yield _listing(
        words,
        "suggestions",
        ("c.suggestion", "c.basis", "c.change"),
        (
            (suggestion_word(each["code"], words), _figures(each["basis"], words), _figures(each["change"], words))
            for each in record["suggestions"]
        ),
        widths=(34, 38, 28),
    )
    yield Para(text=words("suggestions-note"), quiet=True)


def _people(record: Record, words: Words) -> Iterator[Block]:
    yield Heading(text=words("section.gates"))
    yield _listing(
        words,
        "gates",
        ("c.gate", "c.rule", "c.result", "c.citation"),
        (
            (
                words.text(f"batch-gate.{each['gate']}", each["gate"]),
                f"{each['rule']} · {words.text('rule.' + each['rule'] + '.title', each['rule'])}",
                words.text(f"verdict.{each['result']}", each["result"]),
                words.text(f"rule.{each['rule']}.citation", "—"),
            )
            for each in record["gates"]
        ),
        widths=(16, 36, 14, 34),
    )
    yield Heading(text=words("section.decisions"))
    yield _listing(
        words,
        "decisions",
        ("c.task", "c.decision", "c.staff", "c.when", "c.shown"),
        (
            (
                words.text(f"task-type.{each['task']}", each["task"]),
                words.text(f"outcome.{each['outcome']}", each["outcome"]),
                each["staff"] or "—",
                when(each["at"]),
                short(each["shown"]),
            )
            for each in record["decisions"]
        ),
        widths=(22, 18, 22, 22, 16),
    )


def _listing(
    words: Words,
    caption: str,
    head: Sequence[str],
    rows: Iterator[tuple[str, ...]],
    *,
    right: set[int] | frozenset[int] = frozenset(),
    widths: tuple[int, ...],
) -> Block:
    """A table; where there are no rows, a line that says of what there are none."""
    found = tuple(rows)
    if not found:
        return Para(text=words("none-of", of=words(caption)), quiet=True)
    return Table(
        caption=words(caption),
        head=tuple(words(each) for each in head),
        rows=found,
        right=frozenset(right),
        widths=widths,
    )


def _chart(svg: str, title: str) -> Iterator[Block]:
    """A picture below what it shows: the title inside is for who does not see it."""
    yield Para(text=title, quiet=True)
    yield Chart(svg=svg, alt=title)


def _bar_word(code: str, words: Words) -> str:
    return code if code.isupper() else reason_word(code, words)


def _state(code: str, words: Words) -> str:
    return words("open") if code == "open" else words.text(f"order-state.{code}", code)


def _amount(minor: int | None) -> str:
    return "—" if minor is None else format_amount(minor)


def _share(each: Record) -> str:
    return format_percent(each["settled"] * _FULL_BPS // each["orders"]) if each["orders"] else "—"


def _score(each: Record) -> str:
    if not each["scores"]:
        return "—"
    hundredths = each["scoreSum"] * 100 // each["scores"]
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def _figures(figures: Record, words: Words) -> str:
    """Figures by name; the days of a month as day and share."""
    said = []
    for name, value in sorted(figures.items()):
        if name == "days":
            said += [f"{words('day', day=each['day'])} {format_percent(each['rateBps'])}" for each in value]
        else:
            said.append(f"{words.code('figure', name)} {_value(name, value, words)}")
    return ("；" if words.locale == "zh-CN" else "; ").join(said)


def _value(name: str, value: object, words: Words) -> str:
    if isinstance(value, bool):
        return words("yes") if value else words("no")
    if isinstance(value, int):
        return number(value)
    return words.code("topic", str(value)) if name == "topic" else reason_word(str(value), words)


_SECTIONS: Final[tuple[Callable[[Record, Words], Iterator[Block]], ...]] = (
    _summary,
    _reconciled,
    _outcomes,
    _attempts,
    _money_apart,
    _cohort,
    _rehearsal,
    _improve,
    _people,
    _basis,
)
