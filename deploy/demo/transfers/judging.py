"""What must hold when the transfer is over. Each check reads what an auditor would read."""

import csv
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deploy.demo.canary import files_below, search
from deploy.demo.checks import Check, verify_log
from deploy.demo.transfer_book import TransferBook
from deploy.demo.transfers import calls, records
from deploy.demo.transfers.canary_people import Carried, carried_in
from deploy.demo.transfers.casting import Files
from deploy.demo.transfers.companies import ACQUIRER, Founded
from deploy.demo.transfers.course import Course
from deploy.demo.transfers.room import Room
from deploy.demo.transfers.scoring import Score, score
from deploy.values import DataDir
from models.database.engine import Database, open_database
from models.domain.transfers.states import BackupState, JobOutcome, MoveState, RowOutcome, WaveState

_LEAST_BY_POLICY: Final = 950  # per mille of all true pairs
_LEAST_IN_ALL: Final = 995
_HITS_SHOWN: Final = 3
_MOST_SEARCHED: Final = 400  # people whom the canary looks for in the files


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """Where the checks look."""

    room: Room
    course: Course
    files: Files
    data: Path
    founded: Founded
    book: TransferBook
    job: dict[str, Any]

    def database(self) -> Database:
        """The data store, for reading."""
        return open_database(f"sqlite:///{DataDir(self.data).database}")

    def read(self, query: Callable[..., Any], *more: Any) -> Any:
        """One look at the records of the job."""
        database = self.database()
        try:
            with database.read() as session:
                return query(session, self.room.job, *more)
        finally:
            database.dispose()


def scored(judged: Judged) -> Score:
    """The job's merges held against the truth."""
    rejected = judged.read(records.rejected)
    merged = judged.read(records.merges)
    return score(judged.room.truth.values(), merged, record_of=judged.room.record_of, rejected=rejected)


def figures(judged: Judged) -> dict[str, Any]:
    """What the report tells beside the checks."""
    conserved: records.Conservation = judged.read(records.conservation)
    return {
        "conservation": str(conserved),
        "matching": scored(judged).as_json(),
        "notices": dict(judged.read(records.notices)),
        "followUps": dict(judged.read(records.follow_ups)),
        "receipts": dict(judged.course.providers.seen),
        "waves": [wave.state for wave in judged.read(records.waves)],
    }


async def it_was_completed(judged: Judged) -> Check:
    """The job ended as completed."""
    seen = str(judged.job.get("outcome"))
    return Check(name="the transfer was completed", holds=seen == JobOutcome.COMPLETED, seen=seen)


async def rows_are_conserved(judged: Judged) -> Check:
    """Every line of the file was read, and every row is in exactly one place; none is held any more."""
    conserved: records.Conservation = judged.read(records.conservation)
    lines = len(judged.room.truth)
    held = conserved.outcomes.get(RowOutcome.HELD.value, 0)
    holds = conserved.holds and conserved.read == lines and held == 0
    return Check(name="read = accepted + rejected + merged + held", holds=holds, seen=f"{lines} lines, {conserved}")


async def the_book_grew_by_who_is_new(judged: Judged) -> Check:
    """The acquirer's book holds what it held, and each accepted row once more."""
    conserved: records.Conservation = judged.read(records.conservation)
    size, brought = judged.read(lambda session, job: records.book_sizes(session, ACQUIRER, job))
    before, accepted = judged.founded.loaded[ACQUIRER].added, conserved.outcomes.get(RowOutcome.ACCEPTED.value, 0)
    moved = judged.read(records.moves)
    holds = size == before + accepted and brought == accepted and set(moved) <= {MoveState.MOVED.value}
    seen = f"{before} + {accepted} = {size}, moves {dict(moved)}"
    return Check(name="the acquirer's book grew by the accepted rows", holds=holds, seen=seen)


async def a_rollback_gave_the_same_root(judged: Judged) -> Check:
    """After the rollback of a wave the book had the Merkle root of before it; then the wave ran again."""
    undone = judged.read(records.undo_facts)
    equal = len(undone) == 1 and undone[0]["root"] == undone[0]["rootBefore"] != ""
    waves = judged.read(records.waves)
    again = [wave for wave in waves if wave.attempt > 1]
    all_moved = bool(waves) and all(wave.state == WaveState.MOVED for wave in waves)
    root = undone[0]["root"][:16] if undone else ""
    return Check(
        name="a wave was rolled back to the same root and run again",
        holds=equal and len(again) == 1 and all_moved,
        seen=f"root {root or 'unknown'}, {len(waves)} waves, {len(again)} run twice",
    )


async def backups_are_proven(judged: Judged) -> Check:
    """Both books were backed up, and each backup was restored."""
    states = judged.read(records.proven)
    holds = len(states) == 2 and set(states.values()) == {BackupState.PROVEN.value}
    return Check(name="both backups were proven by restoring them", holds=holds, seen=str(states))


async def persons_were_found_to_be_one(judged: Judged) -> Check:
    """No merge by policy that the truth does not know; nearly all true pairs found, nearly all without a person."""
    result = scored(judged)
    holds = (
        not result.false and (result.policy_recall or 0) >= _LEAST_BY_POLICY and (result.recall or 0) >= _LEAST_IN_ALL
    )
    seen = (
        f"{result.true} pairs; precision {result.precision} ‰, recall {result.policy_recall} ‰ by policy, "
        f"{result.recall} ‰ with people; false {result.false or 0}"
    )
    return Check(name="the same person was found, twins and households were not merged", holds=holds, seen=seen)


async def everybody_was_told(judged: Judged) -> Check:
    """Each moved customer is in exactly one state that proves that they were told; several channels were needed."""
    counts = judged.read(records.notices)
    holds = sum(counts.values()) > 0 and records.untold(counts) == 0
    return Check(name="every customer is in one evidenced notice state", holds=holds, seen=str(dict(counts)))


async def nothing_is_left_to_follow_up(judged: Judged) -> Check:
    """Objections and bounces were answered, each with its task."""
    counts = judged.read(records.follow_ups)
    objections = sum(count for name, count in counts.items() if name.startswith("objection"))
    still = sum(count for name, count in counts.items() if name.endswith(" open"))
    holds = still == 0 and objections >= judged.room.seen["objections"] > 0
    return Check(name="objections and bounces were followed up", holds=holds, seen=str(dict(counts)))


async def key_fields_took_two_persons(judged: Judged) -> Check:
    """Corrections of key fields were tried by their maker; all were refused, and a second person confirmed."""
    seen = judged.room.seen
    tried, refused = seen["own-correction-tried"], seen["own-correction-refused"]
    wanted = sum(bool(row.fixes) and row.same_as_row is None for row in judged.room.truth.values())
    holds = 0 < tried == refused and seen["corrected"] == wanted
    told = (
        f"{refused} of {tried} refused; {seen['corrected']} of {wanted} rows corrected, {seen['confirmed']} confirmed"
    )
    return Check(name="whoever corrects a key field cannot confirm it", holds=holds, seen=told)


async def the_report_can_be_read(judged: Judged) -> Check:
    """The audit report is there in both languages, as a page and as PDF."""
    sizes = []
    for form, beginning in (("html", b"<!"), ("pdf", b"%PDF")):
        for language in ("zh-CN", "en"):
            content = await calls.report(judged.room.acquirer.auditor, judged.room.job, form=form, language=language)
            sizes.append(len(content) if content.lstrip()[:4].lower().startswith(beginning.lower()) else 0)
    return Check(name="the audit report reads in both languages", holds=all(sizes), seen=f"{sizes} bytes")


async def audit_log_verifies(judged: Judged) -> Check:
    """The log proves itself."""
    return verify_log(judged.data)


async def people_saw_masks_only(judged: Judged) -> Check:
    """Whoever corrected and reviewed was shown masked values: no name, number or address of the file in clear."""
    shown = [(f"answer {number}", content) for number, content in enumerate(judged.room.shown)]
    hits = search(shown, list(_people(judged.files.source)))
    seen = "; ".join(f"{hit.field} in {hit.where}" for hit in hits[:_HITS_SHOWN]) or f"{len(shown)} answers, 0 hits"
    return Check(name="corrections and reviews were made on masked values", holds=bool(shown) and not hits, seen=seen)


async def nobody_stands_in_clear(judged: Judged) -> Check:
    """Nobody of either book in data directory, logs or errors."""
    people = [*_some(_people(judged.files.source)), *_some(_people(judged.files.books[ACQUIRER]))]
    problems = [(f"problem {number}", content) for number, content in enumerate(judged.room.line.problems)]
    texts = [*files_below(judged.data), *problems]
    hits = search(texts, people)
    where = "; ".join(f"{hit.field} of row {hit.row} in {hit.where}" for hit in hits[:_HITS_SHOWN])
    seen = where or f"{len(people)} people in {len(texts)} files and errors, 0 hits"
    return Check(name="nobody of the two books stands in clear", holds=not hits, seen=seen)


async def the_canary_can_sing(judged: Judged) -> Check:
    """The same search over the file itself finds them: a search that finds nothing anywhere proves nothing."""
    people = list(_some(_people(judged.files.source)))
    found = {hit.row for hit in search(files_below(judged.files.source), people)}
    holds = found == {person.row for person in people}
    return Check(name="the canary finds the people of the file", holds=holds, seen=f"{len(found)} of {len(people)}")


CHECKS: Final[tuple[Callable[[Judged], Awaitable[Check]], ...]] = (
    it_was_completed,
    rows_are_conserved,
    the_book_grew_by_who_is_new,
    backups_are_proven,
    a_rollback_gave_the_same_root,
    persons_were_found_to_be_one,
    key_fields_took_two_persons,
    everybody_was_told,
    nothing_is_left_to_follow_up,
    the_report_can_be_read,
    audit_log_verifies,
    the_canary_can_sing,
    people_saw_masks_only,
    nobody_stands_in_clear,
)


def _people(path: Path) -> Iterator[Carried]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from carried_in(csv.reader(file))


def _some(people: Iterator[Carried]) -> list[Carried]:
    return [person for number, person in enumerate(people) if number < _MOST_SEARCHED]
