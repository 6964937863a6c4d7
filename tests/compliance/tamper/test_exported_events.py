"""S11 for the stand-alone verifier: 2,700 random manipulations of an export by somebody without the signing key.

An event that is altered, or taken out, together with its leaf leaves nothing behind but the two signed checkpoints that
it lies between: then this interval is named. Everything else is named by its event.
"""

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest

from compliance.audit import standalone
from compliance.audit.checkpoint import Checkpoint, origin_of, sign, verifier_key
from compliance.audit.log import Edge, leaf_hash
from compliance.audit.standalone import Report
from tests.compliance.audit.logs import KEYS
from tests.compliance.tamper.exports import Files, exported
from tests.compliance.tamper.test_events import STRANGER, flipped
from tests.support.databases import SqliteFiles, create_data_schema

pytestmark = pytest.mark.long  # thousands of tries; says little more each time

EVENTS = 60
EVERY = 7
TRIALS = 300
SIZES = [*range(EVERY, EVENTS, EVERY), EVENTS]


class Expected(NamedTuple):
    """Kinds that say it rightly; the place; the event, or None if the interval around the place is all there is."""

    kinds: set[str]
    place: int
    event_id: str | None


@pytest.fixture(scope="module")
def sound(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("exported")
    with sqlite_files.fresh(create_data_schema, into=folder) as database:
        return exported(database, folder, events=EVENTS, sealed_every=EVERY)


def test_the_export_holds_before_anybody_touches_it(sound: Files, tmp_path: Path) -> None:
    report = sound.check(tmp_path / "export", kept=sound.checkpoints)
    assert (report.fault, report.leaves, report.events, report.checkpoints) == (None, EVENTS, EVENTS, len(SIZES))


def lie(body: str) -> str:
    """The event's text with the decision turned round."""
    assert '"approve"' in body
    return body.replace('"approve"', '"reject"')


def leaf_line(index: int, event_id: str, body: str) -> str:
    return f"{index} {event_id} {leaf_hash(body.encode()).hex()}"


def alter(files: Files, dice: Random) -> Expected:
    place = dice.randrange(EVENTS)
    event, leaf, true = files.events[place], files.leaves[place].split(" "), files.ids[place]
    what = dice.choice(["body", "id", "index", "leaf-index", "leaf-id", "leaf-hash", "body-and-leaf"])
    if what == "body":
        event["body"] = flipped(event["body"], dice)
    elif what == "id":
        event["id"] = flipped(true, dice)
    elif what == "index":
        event["index"] = place + dice.choice([1, 7, 1000, -1])
    elif what == "leaf-index":
        leaf[0] = str(place + dice.choice([1, 7, 1000, -1]))
    elif what == "leaf-id":
        leaf[1] = flipped(true, dice)
    elif what == "leaf-hash":
        leaf[2] = flipped(leaf[2], dice)
    else:
        event["body"] = lie(event["body"])
        leaf = leaf_line(place, true, event["body"]).split(" ")
    files.leaves[place] = " ".join(leaf)
    if what == "body-and-leaf":
        return Expected({"rewritten"}, place, None)
    return Expected({"altered"}, place, true)


def drop(files: Files, dice: Random) -> Expected:
    place = dice.randrange(EVENTS)
    what = dice.choice(["event", "leaf", "both", "both-renumbered"])
    if what != "leaf":
        del files.events[place]
    if what != "event":
        del files.leaves[place]
    if what == "both-renumbered":
        files.renumber()
    if what in ("event", "leaf"):
        return Expected({"dropped", "cut"}, place, files.ids[place])
    if place == EVENTS - 1:
        return Expected({"cut"}, place, None)
    if what == "both-renumbered" and place >= SIZES[-2]:
        return Expected({"cut"}, place, None)
    # The gap shows where the next number stands; without a gap only the interval is left.
    return Expected({"dropped", "rewritten"}, place, None)


def insert(files: Files, dice: Random) -> Expected:
    place = dice.randrange(EVENTS + 1)
    event_id = flipped(files.ids[min(place, EVENTS - 1)], dice)
    body = f'{{"action":"case.created","actor":"stf_eve","facts":{{}},"id":"{event_id}"}}'
    what = dice.choice(["event", "leaf", "both"])
    if what != "leaf":
        files.events.insert(place, {"index": place, "id": event_id, "body": body})
    if what != "event":
        files.leaves.insert(place, leaf_line(place, event_id, body))
    files.renumber()
    return Expected({"inserted"}, place, event_id)


def reorder(files: Files, dice: Random) -> Expected:
    first, second = sorted(dice.sample(range(EVENTS), 2))
    what = dice.choice(["events", "leaves", "both"])
    if what != "leaves":
        files.events[first], files.events[second] = files.events[second], files.events[first]
    if what != "events":
        files.leaves[first], files.leaves[second] = files.leaves[second], files.leaves[first]
    files.renumber()
    if what == "both" and first // EVERY != second // EVERY:
        return Expected({"rewritten", "reordered"}, first, None)
    return Expected({"reordered"}, first, files.ids[second])


def cut_the_end(files: Files, dice: Random) -> Expected:
    keep = dice.randrange(EVENTS)
    del files.events[keep:], files.leaves[keep:]
    if dice.random() < 0.5:
        files.checkpoints = [note for note in files.checkpoints if int(note.split("\n")[1]) <= keep]
    return Expected({"cut"}, keep, None)


def swap_leaves(files: Files, dice: Random) -> Expected:
    first, second = sorted(dice.sample(range(EVENTS), 2))
    one, other = (files.leaves[place].split(" ") for place in (first, second))
    files.leaves[first] = f"{one[0]} {one[1]} {other[2]}"
    files.leaves[second] = f"{other[0]} {other[1]} {one[2]}"
    return Expected({"reordered", "altered"}, first, files.ids[second])


def swap_checkpoints(files: Files, dice: Random) -> Expected:
    first, second = sorted(dice.sample(range(len(SIZES)), 2))
    notes = files.checkpoints
    if dice.random() < 0.5:
        notes[first], notes[second] = notes[second], notes[first]
        return Expected({"forged-checkpoint"}, SIZES[first + 1] if second > first + 1 else SIZES[first], None)
    bodies = [notes[each].partition("\n\n") for each in (first, second)]
    notes[first] = f"{bodies[0][0]}\n\n{bodies[1][2]}"
    notes[second] = f"{bodies[1][0]}\n\n{bodies[0][2]}"
    return Expected({"forged-checkpoint"}, first, None)


def replace_a_signature(files: Files, dice: Random) -> Expected:
    number = dice.randrange(len(SIZES))
    body, _, line = files.checkpoints[number].partition("\n\n")
    if dice.random() < 0.5:
        note = sign(Checkpoint(origin=KEYS.origin, size=SIZES[number], root=bytes(32)), key=STRANGER)
        line = note.partition("\n\n")[2]
    else:
        at = dice.randrange(line.rindex(" ") + 1, len(line) - 4)
        line = line[:at] + ("A" if line[at] != "A" else "B") + line[at + 1 :]
    files.checkpoints[number] = f"{body}\n\n{line}"
    return Expected({"forged-checkpoint"}, number, None)


def fork(files: Files, dice: Random) -> Expected:
    """Another history, signed with the stolen key; whoever kept checkpoints sees it."""
    place, edge = dice.randrange(EVENTS), Edge()
    event = files.events[place]
    event["body"] = lie(event["body"])
    files.leaves[place] = leaf_line(place, event["id"], event["body"])
    notes = []
    for line in files.leaves:
        edge.extend([bytes.fromhex(line.split(" ")[2])])
        if edge.size in SIZES:
            notes.append(sign(Checkpoint(origin=KEYS.origin, size=edge.size, root=edge.root()), key=KEYS.signing_key))
    files.checkpoints = notes
    return Expected({"forked", "rewritten"}, place, None)


KINDS: list[Callable[[Files, Random], Expected]] = [
    alter,
    drop,
    insert,
    reorder,
    cut_the_end,
    swap_leaves,
    swap_checkpoints,
    replace_a_signature,
    fork,
]


def fits(report: Report, expected: Expected) -> bool:
    fault = report.fault
    if fault is None or fault.kind not in expected.kinds or fault.index is None:
        return False
    if expected.event_id is not None:
        return (fault.index, fault.event_id) == (expected.place, expected.event_id)
    if fault.until is not None:
        return fault.index <= expected.place < fault.until
    if fault.kind == "forked":
        return fault.index - EVERY <= expected.place < fault.index
    return fault.index == expected.place


@pytest.mark.parametrize("kind", KINDS, ids=lambda each: each.__name__)
def test_three_hundred_of_each_kind_are_found_and_named(
    sound: Files, kind: Callable[[Files, Random], Expected], tmp_path: Path
) -> None:
    dice, missed = Random(f"S11/export/{kind.__name__}"), []
    for number in range(TRIALS):
        files = sound.copy()
        expected = kind(files, dice)
        report = files.check(tmp_path / "export", kept=sound.checkpoints)
        if not fits(report, expected):
            missed.append((number, expected, report.fault))
    assert missed == []
    assert len(KINDS) * TRIALS >= 2_700


def test_teeth_without_kept_checkpoints_a_cut_end_and_a_fork_are_missed(sound: Files, tmp_path: Path) -> None:
    dice = Random("teeth")
    for number in range(20):
        files = sound.copy()
        if number % 2:
            fork(files, dice)
        else:
            keep = dice.choice(SIZES[:-1])
            del files.events[keep:], files.leaves[keep:]
            files.checkpoints = files.checkpoints[: SIZES.index(keep) + 1]
        assert files.check(tmp_path / "export").fault is None
        assert files.check(tmp_path / "export", kept=sound.checkpoints).fault is not None


def test_an_export_under_another_key_is_refused_by_who_knows_the_key(sound: Files, tmp_path: Path) -> None:
    sound.copy().write(tmp_path / "export")
    public = STRANGER.public_key()
    stranger = standalone.read_key(verifier_key(origin_of(public), public))
    report = standalone.check_export(standalone.Export(tmp_path / "export"), stranger)
    assert report.fault is not None
    assert report.fault.kind == "forged-checkpoint"
