"""The transfer that the demo plays: a merger (合并, class C), its plan, evidence and facts, and the files it needs."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from deploy.clock import wall_clock
from deploy.demo.transfer_book import OWN, SOURCE, TARGET, TRUTH
from deploy.demo.transfers import calls
from deploy.demo.transfers.companies import ACQUIRER, TRANSFEROR
from deploy.demo.transfers.mapping import NAME
from deploy.demo.transfers.room import Room

CLASS: Final = "C"
_WAVES: Final = 5
_LEAST_WAVE: Final = 100
# Where hours and receipts are days in a bank: the demo's customers are up, and their silence means something at once.
# Of every text message there is word, so that its wait costs nothing, and a busy machine may be late with it; of a
# letter there is none.
_NOTICES: Final = {
    "channels": ["sms", "email", "post"],
    "quiet_from": "00:00",
    "quiet_until": "00:00",
    "rest_seconds": 1,
    "waits": {"sms": 120, "email": 15, "post": 5},
}
# Beside what proves the event: what the later gates rest on.
_FURTHER: Final = (
    "recipient-undertaking",
    "recipient-contract",
    "security-assessment",
    "old-store-record",
    "compliance-audit",
)
_UNTIL_CUTOVER: Final = timedelta(days=30)
_YEARS: Final = timedelta(days=3 * 365)


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a generated pair of books."""

    folder: Path

    @property
    def books(self) -> dict[str, Path]:
        """Each company's own book, as it is loaded."""
        return {ACQUIRER: self.folder / TARGET, TRANSFEROR: self.folder / OWN}

    @property
    def truth(self) -> Path:
        """Who is whom."""
        return self.folder / TRUTH

    @property
    def source(self) -> Path:
        """What the transferor hands over."""
        return self.folder / SOURCE

    @property
    def mapping(self) -> str:
        """Which column is which field."""
        return (self.folder / NAME).read_text(encoding="utf-8")

    def hand_over(self, exchange: Path) -> str:
        """Put the transferor's file where the acquirer's job reads it; returns its place."""
        folder = exchange / "transfers" / ACQUIRER
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / self.source.name).write_bytes(self.source.read_bytes())
        return self.source.name


async def begin(room: Room, files: Files, exchange: Path, *, customers: int) -> None:
    """The lead begins the job and puts on file what its class asks for; an officer adds the transferor's file.

    The impact assessment is written by one person and approved by another, people who open data are trained (before,
    nobody is shown a row), and the plan that names all this takes the place of the first one before anybody is asked
    to approve it.
    """
    lead, officer, today = room.acquirer.lead, room.acquirer.officer, wall_clock().date()
    plan = filled(await calls.plan_template(lead, classes=CLASS, cutover_on=today + _UNTIL_CUTOVER), customers)
    event = {"transferred": "institution", "transferEvent": "merger", "sourceTenant": TRANSFEROR}
    room.job = await calls.begin_job(lead, {**event, "plan": plan})
    place = files.hand_over(exchange)
    await calls.refused_untrained(officer, room.job, place=place, mapping=files.mapping)
    await _train(room)
    for kind in await calls.missing_evidence(lead, room.job):
        await calls.add_evidence(lead, room.job, kind)
    pieces = {kind: await calls.add_evidence(lead, room.job, kind) for kind in _FURTHER}
    privacy = room.acquirer.for_role("privacy-officer")[0]
    plan["impactAssessment"] = await calls.assess(lead, privacy, valid_until=today + _YEARS)
    plan["securityAssessment"] = pieces["security-assessment"]
    await calls.replace_plan(lead, room.job, plan)
    shown = await calls.preview(officer, room.job, place=place, mapping=files.mapping)
    room.seen["previewed"] += len(shown["rows"])
    await calls.add_source(officer, room.job, place=place, mapping=files.mapping)


async def _train(room: Room) -> None:
    """Whoever opens data has passed the course; nobody records their own."""
    first, second = room.acquirer.for_role("privacy-officer")
    now = wall_clock()
    for number, actor in enumerate(room.acquirer.everybody()):
        recorder = second if actor is first else first
        await calls.train(recorder, room.job, await calls.who(actor), now=now, is_sponsor=number == 0)


def filled(plan: dict[str, Any], customers: int) -> dict[str, Any]:
    """A plan from the template, with the demo's figures."""
    scope = plan["scope"] | {"customers": customers}
    figures = {"waveRows": max(customers // _WAVES, _LEAST_WAVE), "receiptWaitS": 5, "notices": _NOTICES}
    return {**plan, **figures, "scope": scope}
