"""From the facts of a report to its sheet (内部审计报告): sections in the order in which an auditor reads them. Pure.

Works on the report's JSON, not on the records: whoever holds the JSON can print the report again.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from activities.reports.charts import Bar, Span, timeline, waterfall
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
    share,
    short,
    table,
    when,
)
from activities.transfers.report_customers import incident_blocks, notice_blocks
from activities.transfers.report_money import cost_blocks
from models.texts.render import Locale

Record = Mapping[str, Any]
_MOST_ROWS: Final = 40  # of a table that only names examples; the JSON has them all
_WAVE_SHADES: Final = {"moved": "good", "undone": "loss", "stopped": "bad"}


def report_sheet(record: Record, *, digest: str, institution: str, source: str | None, locale: Locale) -> Sheet:
    """The internal audit report in one language."""
    words = Words(locale)
    names = {"institution": institution, "source": source or words("f.files"), "digest": digest}
    blocks = [block for section in _SECTIONS for block in section(record, words, names)]
    return Sheet(
        id=f"{record['job']}/{record['number']}",
        title=words("title"),
        institution=institution,
        digest=digest,
        made_at=datetime.fromisoformat(record["gatheredAt"]),
        locale=locale,
        blocks=tuple(blocks),
    )


def _summary(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    weights = [each["severity"] for each in record["findings"]]
    if words.locale == "en":
        yield Para(text=words("prevails"), quiet=True)
    yield Heading(text=words("section.summary"))
    yield Mark(
        level=record["verdict"],
        text=words(f"verdict.{record['verdict']}"),
        note=words("counts", **{level: weights.count(level) for level in ("critical", "major", "minor")}),
    )
    yield Para(text=words("rule"), quiet=True)
    yield Para(text=words("subtitle"), quiet=True)


def _findings(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.findings"))
    if not record["findings"]:
        yield Para(text=words("nothing"))
        return
    yield Table(
        caption=words("section.findings"),
        head=(words("c.severity"), words("c.finding"), words("c.count"), words("c.evidence")),
        rows=tuple(
            (
                words(f"severity.{each['severity']}"),
                words.code("finding", each["code"]),
                number(each["count"]),
                "、".join(each["evidence"][:6]) if words.locale == "zh-CN" else ", ".join(each["evidence"][:6]),
            )
            for each in record["findings"]
        ),
        right=frozenset({2}),
        widths=(11, 33, 9, 47),
    )


def _basis(record: Record, words: Words, names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.basis"))
    yield Facts(
        pairs=(
            (words("f.job"), record["job"]),
            (words("f.number"), str(record["number"])),
            (words("f.tenant"), names["institution"]),
            (words("f.source"), names["source"]),
            (words("f.classes"), "；".join(words.code("class", each) for each in record["classes"])
             if words.locale == "zh-CN" else "; ".join(words.code("class", each) for each in record["classes"])),
            (words("f.plan"), record["planHash"]),
            (words("f.stage"), words.code("stage", record["stage"])),
            (words("f.outcome"), words.code("end", record["outcome"])),
            (words("f.created"), f"{when(record['createdAt'])} UTC · {record['createdBy']}"),
            (words("f.gathered"), f"{when(record['gatheredAt'])} UTC"),
            (words("f.digest"), names["digest"]),
        )
    )  # fmt: skip
    yield Heading(text=words("section.approvals"))
    yield table(
        words,
        "section.approvals",
        ("c.company", "c.staff", "c.outcome", "c.when", "c.shown"),
        (
            (
                words.code("company", each["company"]),
                each["staff"] or "—",
                words.text(f"outcome.{each['outcome']}", each["outcome"]),
                when(each["at"]),
                short(each["shown"]),
            )
            for each in record["approvals"]
        ),
        widths=(20, 20, 16, 22, 22),
    )


def _gates(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.gates"))
    yield table(
        words,
        "section.gates",
        ("c.gate", "c.rule", "c.result", "c.citation"),
        (
            (
                words.code("gate", each["gate"]),
                f"{each['rule']} · {words.text('rule.' + each['rule'] + '.title', each['rule'])}",
                _answer(each, words),
                words.text(f"rule.{each['rule']}.citation", "—"),
            )
            for each in record["gates"]
        ),
        widths=(13, 35, 20, 32),
    )


def _answer(answer: Record, words: Words) -> str:
    result = words.text(f"verdict.{answer['result']}", answer["result"])
    return f"{result} ({words.text('severity.' + answer['severity'], answer['severity'])})"


def _backups(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.backups"))
    yield table(
        words,
        "section.backups",
        ("c.side", "c.state", "c.records", "c.root", "c.manifest", "c.proven"),
        (
            (
                f"{words.code('side', each['side'])} {each['number']}",
                words.code("backup", each["state"]) + (f" ({each['fault']})" if each["fault"] else ""),
                number(each["records"]),
                short(each["root"]),
                short(each["manifestHash"]),
                when(each["provenAt"]),
            )
            for each in record["backups"]
        ),
        right={2},
        widths=(15, 17, 11, 19, 19, 19),
    )


def _conservation(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.conservation"))
    yield Para(text=words("conservation-note"), quiet=True)
    yield Chart(svg=waterfall(_steps(record, words), title=words("chart.waterfall")), alt=words("chart.waterfall"))
    yield table(
        words,
        "section.conservation",
        ("c.hop", "c.taken", "c.parts", "c.holds"),
        (
            (
                words.code("hop", hop["name"]),
                number(hop["taken"]),
                " + ".join(f"{words.code('part', name)} {count:,}" for name, count in hop["parts"]),
                words("yes") if hop["holds"] else words("no"),
            )
            for hop in record["hops"]
        ),
        right={1},
        widths=(26, 10, 52, 12),
    )
    ends = ("accepted", "rejected", "merged", "held", "undecided")
    yield table(
        words,
        "c.source",
        ("c.source", "c.kind", "c.read", *(f"c.{end}" for end in ends)),
        (
            (
                str(each["number"]),
                words.code("source-kind", each["kind"]),
                number(each["read"]),
                *(number(each[end]) for end in ends),
            )
            for each in record["sources"]
        ),
        right=set(range(2, 8)),
        widths=(10, 20, 12, 12, 12, 12, 11, 11),
    )


def _steps(record: Record, words: Words) -> list[Bar]:
    hops = {hop["name"]: dict(hop["parts"]) for hop in record["hops"]}
    read, moved = hops.get("read", {}), hops.get("moved", {})
    steps = [Bar(label=words("c.read"), value=sum(read.values()))]
    steps += [
        Bar(label=words.code("part", name), value=read.get(name, 0), shade="loss") for name in ("rejected", "held")
    ]
    if read.get("undecided"):
        steps.append(Bar(label=words.code("part", "undecided"), value=read["undecided"], shade="bad"))
    together = f"{words.code('part', 'accepted')} + {words.code('part', 'merged')}"
    steps.append(Bar(label=together, value=read.get("accepted", 0) + read.get("merged", 0)))
    for name, shade in (("without-wave", "loss"), ("waiting", "bad"), ("conflict", "bad"), ("undone", "loss")):
        if moved.get(name):
            steps.append(Bar(label=words.code("part", name), value=moved[name], shade=shade))
    return [*steps, Bar(label=words.code("part", "moved"), value=moved.get("moved", 0), shade="good")]


def _quality(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.quality"))
    yield table(
        words,
        "section.quality",
        ("c.field", "c.quality-rule", "c.before", "c.after"),
        (
            (
                words.text(f"record-field.{each['field']}", each["field"]) if each["field"] else "—",
                words.code("quality", each["rule"])
                if each["field"]
                else words.text(f"record-fault.{each['rule']}", each["rule"]),
                number(each["before"]),
                number(each["after"]),
            )
            for each in record["quality"]
        ),
        right={2, 3},
        widths=(30, 40, 15, 15),
    )
    match = record["matching"]
    yield Heading(text=words("section.matching"))
    yield Facts(
        pairs=tuple(
            (words(f"match.{name}"), number(match[key]))
            for name, key in (
                ("auto", "auto"), ("review", "review"), ("same", "same"), ("different", "different"),
                ("unmerged", "unmerged"), ("vetoed", "vetoed"), ("audited", "audited"), ("tokens", "tokensLeft"),
            )
        )
    )  # fmt: skip
    if match["audited"]:
        yield Para(text=words("match.precision", low=share(match["lowPpm"]), high=share(match["highPpm"])))
    else:
        yield Para(text=words("match.unmeasured"))


def _undone(record: Record, words: Words) -> Block:
    """The proof of each wave that was put back: its rows hold the last attempt alone."""
    return table(
        words,
        "undone-table",
        ("c.wave", "c.attempt-no", "c.when", "c.records", "c.root-before", "c.root-undone", "c.equal"),
        (
            (
                str(each["wave"]),
                number(each["attempt"]),
                when(each["at"]),
                number(each["records"]),
                short(each["rootBefore"]),
                short(each["root"]),
                words("yes") if each["root"] == each["rootBefore"] else words("but", count=each["differing"]),
            )
            for each in record["undone"]
        ),
        right={1, 3},
        widths=(8, 9, 22, 11, 15, 15, 20),
    )


def _waves(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.waves"))
    yield Para(text=words("waves-note"), quiet=True)
    spans = [
        Span(
            label=f"{words('c.wave')} {each['number']}",
            begin=datetime.fromisoformat(each["begunAt"]),
            end=datetime.fromisoformat(each["endedAt"] or each["begunAt"]),
            shade=_WAVE_SHADES.get(each["state"], "quiet"),
            note=f"{words.code('wave', each['state'])}{' ×' + str(each['attempt']) if each['attempt'] > 1 else ''}",
        )
        for each in record["waves"]
        if each["begunAt"]
    ][:_MOST_ROWS]
    if spans:
        yield Chart(svg=timeline(spans, title=words("chart.waves")), alt=words("chart.waves"))
    yield table(
        words,
        "section.waves",
        ("c.wave", "c.state", "c.attempt", "c.moved", "c.failed", "c.conflicts", "c.root-before", "c.root-after",
         "c.root-undone"),
        (
            (
                str(each["number"]),
                words.code("wave", each["state"]),
                number(each["attempt"]),
                *(number(each[name]) for name in ("moved", "failed", "conflicts")),
                *(short(each[name]) for name in ("rootBefore", "rootAfter", "rootUndone")),
            )
            for each in record["waves"]
        ),
        right={2, 3, 4, 5},
        widths=(8, 11, 9, 10, 9, 10, 14, 14, 15),
    )  # fmt: skip
    if record["undone"]:
        yield _undone(record, words)
    yield Para(text=words("journal", changes=number(record["changes"]), undone=number(record["changesUndone"]),
                          conflicts=number(record["conflictsOpen"])))  # fmt: skip
    told = record["reconciled"]
    if told is None:
        yield Para(text=words("reconciled.missing"))
    else:
        end = "differs" if told["differs"] else "equal"
        yield Para(text=words(f"reconciled.{end}", event=told["event"], differs=told["differs"] or ""))


def _sample(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    sample = record["sample"]
    yield Heading(text=words("section.sample"))
    yield Para(
        text=words("sample-note", tolerable=sample["tolerablePerMille"], risk=sample["riskPerMille"]), quiet=True
    )
    yield Facts(pairs=((words("f.seed"), sample["seed"]),))
    ends = {
        (stratum["name"], end): sum(
            item["result"] == end for item in sample["items"] if item["stratum"] == stratum["name"]
        )
        for stratum in sample["strata"]
        for end in ("pass", "fail", "unknown")
    }
    yield table(
        words,
        "section.sample",
        ("c.stratum", "c.population", "c.size", "c.passed", "c.not", "c.unknown"),
        (
            (
                words.code("part", each["name"]),
                number(each["population"]),
                number(each["size"]),
                *(number(ends[each["name"], end]) for end in ("pass", "fail", "unknown")),
            )
            for each in sample["strata"]
        ),
        right={1, 2, 3, 4, 5},
        widths=(25, 15, 15, 15, 15, 15),
    )
    wrong = [item for item in sample["items"] if item["result"] != "pass"]
    if not wrong:
        yield Para(text=words("sample-all"))
        return
    yield table(
        words,
        "sample-first",
        ("c.row", "c.stratum", "c.check", "c.result", "c.evidence"),
        (
            (
                str(item["row"]),
                words.code("part", item["stratum"]),
                words.code("check", check["code"]),
                words(f"check-result.{check['result']}"),
                ", ".join(check["evidence"][:2]),
            )
            for item in wrong[:_MOST_ROWS]
            for check in item["checks"]
            if check["result"] != "pass"
        ),
        right={0},
        widths=(9, 12, 26, 13, 40),
        count=min(len(wrong), _MOST_ROWS),
    )


def _evidence(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield Heading(text=words("section.evidence"))
    yield Para(text=words("evidence-note", count=number(len(record["evidence"]))), quiet=True)
    yield table(
        words,
        "section.evidence",
        ("c.place", "c.action", "c.actor", "c.when", "c.event"),
        (
            (number(each["index"]), each["action"], each["actor"], when(each["at"]), each["event"])
            for each in record["evidence"][:_MOST_ROWS]
        ),
        right={0},
        widths=(9, 23, 15, 19, 34),
    )
    yield Heading(text=words("section.how"))
    yield Para(text=words("how-note"))


def _costs(record: Record, words: Words, _names: Mapping[str, str]) -> Iterator[Block]:
    yield from cost_blocks(record["costs"], words)


_SECTIONS: Final[tuple[Callable[[Record, Words, Mapping[str, str]], Iterator[Block]], ...]] = (
    _summary,
    _findings,
    _basis,
    _gates,
    _backups,
    _conservation,
    _quality,
    _waves,
    notice_blocks,
    incident_blocks,
    _sample,
    _costs,
    _evidence,
)
