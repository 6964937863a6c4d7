"""The transparency page (透明度报告) for the public: what happened, to how many, how it was protected. Pure.

No personal data, no ids of staff, records or events. A number below five is not told, and where hiding one alone would
let it be worked out from a sum, another is hidden with it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from activities.reports.sheet import Block, Facts, Heading, Mark, Para, Sheet, Words, number
from models.domain.transfers.states import TOLD
from models.texts.render import Locale

LEAST: Final = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Institution:
    """Who receives, and where people can turn."""

    name: str
    contact: str
    complaints: str


def transparency_sheet(
    record: Mapping[str, Any], *, digest: str, institution: Institution, source: str | None, locale: Locale
) -> Sheet:
    """The page in one language, from the JSON of the report."""
    words = Words(locale)
    return Sheet(
        id=str(record["number"]),
        title=words("t.title"),
        institution=institution.name,
        digest=digest,
        made_at=datetime.fromisoformat(record["gatheredAt"]),
        locale=locale,
        blocks=tuple(_blocks(record, words, institution, source)),
    )


def _blocks(record: Mapping[str, Any], words: Words, institution: Institution, source: str | None) -> Iterator[Block]:
    joint = "；" if words.locale == "zh-CN" else "; "
    yield Para(text=words("t.intro", least=LEAST), quiet=True)
    yield Heading(text=words("t.what"))
    yield Facts(
        pairs=(
            (words("t.event"), joint.join(words.code("class", each) for each in record["classes"])),
            (words("t.by"), institution.name),
            (words("t.from"), source or "—"),
            (words("t.period"), f"{record['createdAt'][:10]} – {record['gatheredAt'][:10]}"),
        )
    )
    yield Heading(text=words("t.people"))
    yield Facts(pairs=tuple((words(key), told) for key, told in people(record, words)))
    yield Heading(text=words("t.protect"))
    proven = {each["side"] for each in record["backups"] if each["state"] == "proven"}
    sides = {each["side"] for each in record["backups"]}
    yield Para(text=words("t.protect-1" if sides and proven == sides else "t.protect-1-not"))
    yield Para(text=words("t.protect-2"))
    yield Para(text=words("t.protect-3"))
    yield Facts(pairs=((words("t.incidents"), suppressed([len(record["incidents"])], words)[0]),))
    yield Heading(text=words("t.audit"))
    yield Mark(level=record["verdict"], text=words(f"verdict.{record['verdict']}"), note=words("rule"))
    yield Heading(text=words("t.rights"))
    yield Para(text=words("t.rights-1"))
    yield Facts(
        pairs=((words("t.contact"), institution.contact or "—"), (words("t.complaints"), institution.complaints or "—"))
    )


def people(record: Mapping[str, Any], words: Words) -> list[tuple[str, str]]:
    """Labels and figures about people, small ones hidden."""
    states = dict(record["notices"]["states"])
    told = sum(count for state, count in states.items() if state in {each.value for each in TOLD} - {"exempt"})
    asked = {each["kind"]: each["open"] + each["done"] for each in record["followUps"]}
    moved = next((dict(hop["parts"]).get("moved", 0) for hop in record["hops"] if hop["name"] == "moved"), 0)
    concerned = sum(states.values()) or moved
    # These can be held against one another: what is left of the whole must not name a handful.
    whole = nested([concerned, moved, told], words)
    refused = dict(record["notices"]["consents"]).get("refused", 0)
    rest = suppressed([states.get("objection", 0), asked.get("correction", 0), asked.get("erasure", 0), refused], words)
    keys = ("t.records", "t.moved", "t.told", "t.objected", "t.corrected", "t.erased", "t.refused")
    return list(zip(keys, [*whole, *rest], strict=True))


def suppressed(counts: list[int], words: Words) -> list[str]:
    """Each figure by itself: nought and figures of five and more are told, what lies between is not."""
    return [number(count) if count == 0 or count >= LEAST else words("t.fewer", least=LEAST) for count in counts]


def nested(counts: list[int], words: Words) -> list[str]:
    """Figures of one whole, the whole first: one that differs by a handful from another that is told is withheld."""
    told, said = [counts[0]], suppressed(counts[:1], words)
    for count in counts[1:]:
        if any(0 < abs(other - count) < LEAST for other in told):
            said.append(words("t.withheld"))
        else:
            told.append(count)
            said += suppressed([count], words)
    return said
