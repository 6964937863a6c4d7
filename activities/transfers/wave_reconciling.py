"""Reconciling a whole job (总对账): what was read is what arrived, by count, by column and by record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session

from activities.transfers.wave_checking import MOST_NAMED
from activities.transfers.wave_roots import WalkedRecord, walk_book
from activities.transfers.wave_work import WaveWork
from compliance.audit.unit import unit_of_work
from compliance.transfers.record_proofs import Tally
from models.domain.transfers.conflicts import ConflictState
from models.domain.transfers.states import MoveState, RowOutcome, WaveState
from models.operations.transfers.wave_moves import BY_RECORD, CHANGES
from models.queries.transfers.waves import Conserved, conserved, list_conflicts, list_waves, moves_of
from models.tables.transfers import TransferJob, TransferWave

_KEPT: Final = "reconciled"


@dataclass(slots=True)
class _Findings:
    """What differs, the gravest first, with records by id."""

    codes: list[str] = field(default_factory=list)
    named: list[dict[str, Any]] = field(default_factory=list)

    def say(self, code: str, *named: dict[str, Any]) -> None:
        if code not in self.codes:
            self.codes.append(code)
        self.named += named[: MOST_NAMED - len(self.named)]


def reconcile(work: WaveWork) -> str | None:
    """Look at everything and put it on record; returns what differs as a code, or None."""
    findings = _Findings()
    with work.database.read() as session:
        figures = conserved(session, work.job.token)
        moves = moves_of(session, work.job.token)
        waves = list_waves(session, work.job.token)
        open_conflicts = [
            each.id
            for state in (ConflictState.OPEN, ConflictState.PROPOSED)
            for each in list_conflicts(session, work.job.token, state=state, limit=MOST_NAMED)
        ]
    if not figures.holds:
        findings.say("rows-do-not-add-up", figures.told())
    if open_conflicts:
        findings.say("conflicts-open", *({"conflict": each} for each in open_conflicts))
    hops = _hops(figures, moves, findings)
    sides = _checksums(waves, findings)
    records = _Records(work.job.token, findings)
    book = walk_book(work, beside=records.page)
    told = {
        "read": figures.told(),
        "moves": hops,
        "columns": sides,
        "records": records.standing,
        "changedSince": records.changed,
        "book": {"root": book.root, "records": book.records},
        "differs": findings.codes,
        "named": findings.named,
    }
    _keep(work, told)
    return findings.codes[0] if findings.codes else None


def _hops(figures: Conserved, moves: dict[tuple[str, str], int], findings: _Findings) -> dict[str, int]:
    """From rows that move to rows that have moved."""
    by_move = {state.value: 0 for state in MoveState}
    for (outcome, move), count in moves.items():
        if outcome in (RowOutcome.ACCEPTED, RowOutcome.MERGED):
            by_move[move] += count
    wanted = figures.accepted + figures.merged
    if sum(by_move.values()) != wanted:
        findings.say("rows-without-wave", {"planned": sum(by_move.values()), "moving": wanted})
    if by_move[MoveState.MOVED] + by_move[MoveState.UNDONE] != wanted:
        findings.say("rows-not-moved", {k: by_move[k] for k in (MoveState.WAITING.value, MoveState.CONFLICT.value)})
    return {"wanted": wanted, **by_move}


def _checksums(waves: list[TransferWave], findings: _Findings) -> dict[str, Any]:
    """The waves' figures add up to the job's: the same columns on both sides."""
    rows, book = Tally(), Tally()
    for wave in waves:
        if wave.state == WaveState.UNDONE:
            continue  # what an undo could not put back is a conflict, and its line still stands
        if wave.state != WaveState.MOVED or wave.checked is None:
            findings.say("wave-not-ended", {"wave": wave.number, "state": wave.state})
            continue
        if wave.checked["faultCount"]:
            findings.say("records-differ", *wave.checked["faults"])
        if wave.checked["rows"]["root"] != wave.checked["book"]["root"]:
            findings.say("roots-differ", {"wave": wave.number})
        rows.merge(Tally.load(wave.checked["rows"]))
        book.merge(Tally.load(wave.checked["book"]))
    if rows != book:
        findings.say("checksums-differ")
    return {"rows": rows.dump(), "book": book.dump()}


@dataclass(slots=True)
class _Records:
    """Holds every record that the journal names against its last line, in the walk that makes the book's root."""

    job: str
    findings: _Findings
    standing: int = 0
    changed: int = 0

    def page(self, session: Session, after: str, page: Sequence[WalkedRecord], is_last: bool) -> None:  # noqa: FBT001
        """Of a page of the book, and what the journal names between its records."""
        newest = self._newest(session, after, None if is_last else page[-1].id)
        records = {each.id: each for each in page}
        for record_id, (version, image) in sorted(newest.items()):
            record = records.get(record_id)
            if record is None:
                self.findings.say("records-differ", {"record": record_id, "fault": "record-missing"})
            elif record.version > version:
                self.changed += 1
            elif record.image != image:
                self.findings.say("records-differ", {"record": record_id, "fault": "record-altered"})
        self.standing += len(newest)

    def _newest(self, session: Session, after: str, until: str | None) -> dict[str, tuple[int, bytes]]:
        """Of each record the last version that the job gave it and that stands, with its image."""
        statement = (
            select(CHANGES.c.record_id, CHANGES.c.version_after, CHANGES.c.after_image)
            .where(CHANGES.c.record_id > after, CHANGES.c.job == self.job, CHANGES.c.undone_at.is_(None))
            .with_hint(CHANGES, BY_RECORD, "sqlite")
        )
        if until is not None:
            statement = statement.where(CHANGES.c.record_id <= until)
        newest: dict[str, tuple[int, bytes]] = {}
        for record, version, image in session.connection().execute(statement):
            if record not in newest or version > newest[record][0]:
                newest[record] = (version, bytes(image))
        return newest


def _keep(work: WaveWork, told: dict[str, Any]) -> None:
    now = work.clock()
    action = "transfer.reconciled" if not told["differs"] else "transfer.differs"
    with unit_of_work(work.database, work.deed(action, now, **told)) as unit:
        job = unit.session.get_one(TransferJob, work.job.token, with_for_update=True, populate_existing=True)
        job.counts = job.counts | {_KEPT: {**told, "at": now.isoformat()}}
        job.version += 1
        job.updated_at = now
        unit.session.add(job)
