"""The sections on notices, follow-ups, incidents and drills (告知、回访、事件、演练). Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from activities.reports.charts import Bar, bars
from activities.reports.sheet import Block, Chart, Facts, Heading, Para, Words, number, table, when

Record = Mapping[str, Any]
_GOOD_NOTICES: Final = frozenset({"delivered", "fallback-delivered"})


def notice_blocks(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    told = record["notices"]
    yield Heading(text=words("section.notices"))
    rows = [
        Bar(label=words.code("notice", state), value=count, shade=_notice_shade(state))
        for state, count in told["states"]
    ]
    if rows:
        yield Chart(svg=bars(rows, title=words("chart.notices")), alt=words("chart.notices"))
    yield table(
        words,
        "section.notices",
        ("c.channel", "c.state", "c.count"),
        (
            (words.code("channel", channel), words.code("notice", state), number(count))
            for channel, state, count in told["byChannel"]
        ),
        right={2},
        widths=(35, 40, 25),
    )
    if told["consents"]:
        yield Facts(
            pairs=tuple((f"{words('consents')} · {words.code('consent', name)}", number(count))
                        for name, count in told["consents"])
        )  # fmt: skip
    yield Para(
        text=words(
            "notices-note",
            evidence=number(told["withoutEvidence"]),
            notice=number(told["withoutNotice"]),
            consent=number(told["movedWithoutConsent"]),
        )
    )
    yield Heading(text=words("section.followups"))
    yield table(
        words,
        "section.followups",
        ("c.kind", "c.open", "c.done", "c.late"),
        (
            (words.code("follow", each["kind"]), number(each["open"]), number(each["done"]), number(each["late"]))
            for each in record["followUps"]
        ),
        right={1, 2, 3},
        widths=(40, 20, 20, 20),
    )


def _notice_shade(state: str) -> str:
    if state in _GOOD_NOTICES:
        return "good"
    return {"pending": "bad", "sent": "bad", "objection": "loss"}.get(state, "quiet")


def incident_blocks(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.incidents"))
    if record["incidents"]:
        yield table(
            words,
            "section.incidents",
            ("c.kind", "c.grade", "c.state", "c.when", "c.late"),
            (
                (
                    words.text(f"incident-kind.{each['kind']}", each["kind"]),
                    words.text(f"incident-grade.{each['grade']}", each["grade"]),
                    words(f"incident-{'closed' if each['state'] == 'CLOSED' else 'open'}"),
                    when(each["discoveredAt"]),
                    number(each["lateReports"]),
                )
                for each in record["incidents"]
            ),
            right={4},
            widths=(26, 20, 16, 24, 14),
        )
    else:
        yield Para(text=words("no-incident"))
    if record["drills"]:
        yield table(
            words,
            "drills",
            ("c.fault", "c.when", "c.recovered", "c.rto", "c.rpo"),
            (
                (
                    words.code("drill", each["fault"]),
                    when(each["at"]),
                    words("yes") if each["recovered"] else words("no"),
                    number(each["rtoMs"]),
                    number(each["rpoRecords"]),
                )
                for each in record["drills"]
            ),
            right={3, 4},
            widths=(36, 22, 12, 16, 14),
        )
    else:
        yield Para(text=words("no-drill"))
