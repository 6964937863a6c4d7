"""Checks an exported audit log without the product that wrote it: standard library and `cryptography` only.

    python verify.py [EXPORT] [--key KEY] [--checkpoints FILE] [--json]     a folder or a .zip; default: where this lies
    python verify.py PROOF [--event FILE] [--key KEY] [--json]              one inclusion or consistency proof

Every event is hashed, every leaf is put into the Merkle tree of RFC 9162, and the root is compared with every signed
checkpoint on the way, which also proves that each checkpoint grew out of the one before. Exit code 0: all of it holds;
1: it does not, and the first fault is named; 2: nothing could be checked.

This file imports nothing of Casework and shares no code with it: it is a second implementation of the same formats.
"""

# ruff: noqa: PLR2004 - the numbers are those of the formats

import argparse
import base64
import binascii
import hashlib
import io
import itertools
import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT, PROOF_HEADER = "casework-audit-export/1", "c2sp.org/tlog-proof@v1"
LONGEST_SEARCH = 1100  # leaves of an interval in which a single added event is looked for


class Unreadable(Exception):
    """There is nothing here that could be checked."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: what, where in the log, which event, and what showed it. `until`: it lies before this place."""

    kind: str
    index: int | None
    event_id: str | None
    detail: str
    until: int | None = None


class Note(NamedTuple):
    """A signed checkpoint and where it came from."""

    size: int
    root: bytes
    source: str


class Report(NamedTuple):
    """What was checked, and the first fault."""

    leaves: int
    events: int
    checkpoints: int
    kept: int
    root: str
    fault: Fault | None


def hash_leaf(entry: bytes) -> bytes:
    """RFC 9162: the hash of an entry."""
    return hashlib.sha256(b"\x00" + entry).digest()


def hash_node(left: bytes, right: bytes) -> bytes:
    """RFC 9162: the hash of two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Leaves in, roots out: a stack of perfect subtrees, of ever smaller size."""

    def __init__(self, stack: Sequence[tuple[int, bytes]] = ()) -> None:
        self.stack = list(stack)

    def add(self, leaf: bytes) -> None:
        """Append one leaf."""
        stack, width = self.stack, 1
        while stack and stack[-1][0] == width:
            leaf = hashlib.sha256(b"\x01" + stack.pop()[1] + leaf).digest()
            width *= 2
        stack.append((width, leaf))

    def root(self) -> bytes:
        """The root of all leaves so far."""
        if not self.stack:
            return hashlib.sha256(b"").digest()
        result = self.stack[-1][1]
        for _, left in reversed(self.stack[:-1]):
            result = hash_node(left, result)
        return result


def split(size: int) -> int:
    """RFC 9162: the largest power of two below the size."""
    return 1 << (size - 1).bit_length() - 1


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """RFC 9162 §2.1.3.1 read backwards: the root to which a leaf and its audit path lead; None if they do not fit."""
    if not 0 <= index < size or (size == 1) != (not path):
        return None
    if size == 1:
        return leaf
    left = split(size)
    if index < left:
        below = root_from_path(leaf, index, left, path[:-1])
        return None if below is None else hash_node(below, path[-1])
    below = root_from_path(leaf, index - left, size - left, path[:-1])
    return None if below is None else hash_node(path[-1], below)


def grown(old_size: int, size: int, path: Sequence[bytes], old_root: bytes | None) -> tuple[bytes, bytes] | None:
    """RFC 9162 §2.1.4.1 read backwards: both roots to which a proof leads. `old_root`: None within the older tree."""
    if old_size == size:
        known = [*path] if old_root is None else [old_root, *path]
        return (known[0], known[0]) if len(known) == 1 else None
    if not path or not 0 < old_size < size:
        return None
    left = split(size)
    if old_size <= left:
        below = grown(old_size, left, path[:-1], old_root)
        return None if below is None else (below[0], hash_node(below[1], path[-1]))
    below = grown(old_size - left, size - left, path[:-1], None)
    return None if below is None else (hash_node(path[-1], below[0]), hash_node(path[-1], below[1]))


def grows(old_size: int, old_root: bytes, size: int, root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows that the older tree is the beginning of the newer one."""
    if old_size == 0:
        return not path and old_root == hashlib.sha256(b"").digest()
    return grown(old_size, size, path, old_root) == (old_root, root)


class Key(NamedTuple):
    """The log's public key under its name."""

    name: str
    id: bytes
    public: Ed25519PublicKey


def read_key(text: str) -> Key:
    """`<name>+<id>+<key>`, as signed-note spells a public key; name and id must belong to the key."""
    name, _, rest = text.strip().partition("+")
    try:
        raw = base64.b64decode(rest.partition("+")[2], validate=True)
    except binascii.Error:
        raw = b""
    if len(raw) != 33 or raw[0] != 1:
        raise Unreadable("this is no key: <name>+<id>+<key>")
    own_name = "casework/" + hashlib.sha256(raw[1:]).hexdigest()[:16]
    own_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if name != own_name or rest.partition("+")[0] != own_id.hex():
        raise Unreadable("the name or id of the key does not belong to it")
    return Key(name, own_id, Ed25519PublicKey.from_public_bytes(raw[1:]))


def read_note(note: Any, key: Key, source: str) -> Note | None:
    """A checkpoint that this key signed; None if it is not one."""
    if not isinstance(note, str):
        return None
    body, blank, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) != 3 or lines[0] != key.name or not lines[1].isascii() or not lines[1].isdigit():
        return None
    try:
        root = base64.b64decode(lines[2], validate=True)
    except binascii.Error:
        return None
    size = int(lines[1]) if len(lines[1]) < 19 else -1
    if len(root) != 32 or f"{key.name}\n{size}\n{base64.b64encode(root).decode()}" != body:
        return None
    for line in signatures.split("\n"):
        if not line.startswith(f"— {key.name} "):
            continue
        try:
            raw = base64.b64decode(line.rpartition(" ")[2], validate=True)
            if raw[:4] == key.id:
                key.public.verify(raw[4:], f"{body}\n".encode())
                return Note(size, root, source)
        except (binascii.Error, InvalidSignature):
            continue
    return None


def read_notes(lines: Iterator[str], key: Key, source: str) -> tuple[list[Note], Fault | None]:
    """Checkpoints, one JSON string a line, in the order of their sizes; and the first line that is none."""
    notes: list[Note] = []
    fault = None
    for number, line in enumerate(lines):
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if source == "kept" and number == 0 and isinstance(value, str) and value.startswith(f"{key.name}+"):
            continue  # a watcher's file begins with the key
        note = read_note(value, key, source)
        if note is None:
            fault = fault or Fault("forged-checkpoint", number, None, f"{source}-line")
        elif notes and note.size < notes[-1].size:
            fault = fault or Fault("forged-checkpoint", note.size, None, f"{source}-order")
        else:
            notes.append(note)
    return notes, fault


class Export:
    """The files of an export, in a folder or a zip archive."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = zipfile.ZipFile(path) if path.is_file() else None
        try:
            self.manifest = json.loads("".join(self.lines("manifest.json")))
        except ValueError:
            raise Unreadable("manifest.json is no JSON") from None
        if not isinstance(self.manifest, dict) or self.manifest.get("format") != FORMAT:
            raise Unreadable(f"manifest.json is not of the format {FORMAT}")

    def lines(self, name: str) -> Iterator[str]:
        """The lines of one file."""
        try:
            file = self.archive.open(name) if self.archive is not None else (self.path / name).open("rb")
        except (OSError, KeyError):
            raise Unreadable(f"{name} is missing from the export") from None
        with file, io.TextIOWrapper(file, encoding="utf-8", errors="replace", newline="\n") as text:
            yield from text


@dataclass(slots=True)
class Leaf:
    """A line of leaves.txt, or what an event's line amounts to."""

    index: int
    event_id: str
    hash: bytes


def leaves_of(export: Export) -> Iterator[Leaf]:
    """The leaves as they are listed; one that cannot be read has an index of -1."""
    for line in export.lines("leaves.txt"):
        try:
            index, event_id, digest = line.rstrip("\n").split(" ")
            yield Leaf(int(index), event_id, bytes.fromhex(digest))
        except ValueError:
            yield Leaf(-1, "?", b"")


def events_of(export: Export) -> Iterator[Leaf]:
    """The events, hashed; the id is the one within the text that was hashed."""
    decode = json.JSONDecoder().raw_decode  # json.loads without its look at the ends
    for line in export.lines("events.jsonl"):
        try:
            event, end = decode(line)
            index, event_id, body = event["index"] if line[end:] in ("\n", "") else -1, event["id"], event["body"]
            said = event_id if f'"id":"{event_id}"' in body else str(json.loads(body)["id"])
            yield Leaf(index if said == event_id and type(index) is int else -1, said, hash_leaf(body.encode()))
        except (ValueError, TypeError, KeyError):
            yield Leaf(-1, "?", b"")


def check_export(export: Export, key: Key, kept: Sequence[str] = ()) -> Report:
    """Check everything; the report names the fault that comes first in the log."""
    notes, forged = read_notes(export.lines("checkpoints.jsonl"), key, "checkpoint")
    count = len(notes)
    for source, lines in (("anchor", export.lines("anchor.jsonl")), ("kept", iter(kept))):
        more, fault = read_notes(lines, key, source)
        notes += more
        forged = forged or fault
    roots: dict[int, set[bytes]] = {}
    for note in notes:
        roots.setdefault(note.size, set()).add(note.root)
    complete, walk = export.manifest.get("complete") is True, Walk(roots)
    events, fault = compare(export, walk, complete=complete)
    if fault is not None and complete:
        fault = explain(export, roots)
    elif fault is None and walk.fault is not None:
        fault = sharpen(export, walk.fault, roots) if walk.fault.kind == "rewritten" else walk.fault
    signed = max(roots, default=0)
    if fault is None and walk.count < signed:
        fault = Fault("cut", walk.sound, None, f"{signed} events were signed", until=walk.count + 1)
    if fault is None and walk.count > signed and forged is None:
        event_id = next((leaf.event_id for leaf in leaves_of(export) if leaf.index == signed), None)
        fault = Fault("inserted", signed, event_id, "behind the last signature")
    return Report(walk.count, events, count, len(notes) - count, walk.tree.root().hex(), fault or forged)


class Walk:
    """The tree along the leaves, held against the signed roots."""

    def __init__(self, roots: dict[int, set[bytes]]) -> None:
        self.roots, self.tree, self.count, self.sound = roots, Tree(), 0, 0
        self.fault: Fault | None = None
        for root in roots.get(0, ()):
            if root != self.tree.root():
                self.fault = Fault("forged-checkpoint", 0, None, "root of nothing")

    def add(self, leaf: bytes) -> None:
        """Append a leaf; at a signed size the root must be the one that was signed."""
        self.tree.add(leaf)
        self.count += 1
        if self.count not in self.roots or self.fault is not None:
            return
        signed = self.roots[self.count]
        if len(signed) > 1:
            self.fault = Fault("forked", self.count, None, f"{len(signed)} roots were signed for one size")
        elif signed != {self.tree.root()}:
            self.fault = Fault("rewritten", self.sound, None, "root", until=self.count)
        else:
            self.sound = self.count


def compare(export: Export, walk: Walk, *, complete: bool) -> tuple[int, Fault | None]:
    """Go along leaves and events together: how many events fit their leaves, and the first that does not."""
    events = events_of(export)
    event, count, fault = next(events, None), 0, None
    for place, leaf in enumerate(leaves_of(export)):
        walk.add(leaf.hash)
        if fault is None and leaf.index != place:
            fault = Fault("altered", place, leaf.event_id, "leaves.txt")
        if fault is not None:
            continue
        if event is not None and event.index == place:
            if (event.hash, event.event_id) != (leaf.hash, leaf.event_id):
                fault = Fault("altered", place, leaf.event_id, "event and leaf differ")
            event, count = next(events, None), count + 1
        elif complete or (event is not None and event.index < place):
            found = event.event_id if event is not None else None
            fault = Fault("reordered" if event is not None else "dropped", place, found, "order of events")
    if fault is None and event is not None:
        fault = Fault("inserted", event.index, event.event_id, "an event without a leaf")
    return count, fault


def explain(export: Export, roots: dict[int, set[bytes]]) -> Fault:
    """Events and leaves differ in a complete export: which side is as it was signed, and what happened to the other?"""
    leaves, events = list(leaves_of(export)), list(events_of(export))
    bad, bad_events = first_bad(leaves, roots), first_bad(events, roots)
    ids = {leaf.hash: leaf.event_id for leaf in events}  # as they stand in what was hashed
    if events == leaves and bad is not None and bad <= len(leaves):
        sound = max((size for size in roots if size < bad), default=0)
        named = sharpen(export, Fault("rewritten", sound, None, "root", until=bad), roots)
        if named.kind != "rewritten":
            return named
    if bad is not None and (bad_events is None or bad_events > bad):
        return first_difference(leaves, events, ids, "leaves.txt")
    return first_difference(events, leaves, ids, "events.jsonl")


def first_bad(side: Sequence[Leaf], roots: dict[int, set[bytes]]) -> int | None:
    """The first signed size to whose root this side does not lead; None if it leads to all of them."""
    walk = Walk(roots)
    for leaf in side:
        walk.add(leaf.hash)
    if walk.fault is not None:
        return walk.fault.until or walk.count
    signed = max(roots, default=0)
    return None if walk.count == signed else min(walk.count, signed) + 1


def first_difference(found: Sequence[Leaf], true: Sequence[Leaf], ids: dict[bytes, str], name: str) -> Fault:
    """What was done to one side, seen from the other."""
    here, there = {leaf.hash for leaf in found}, {leaf.hash for leaf in true}
    for place, (is_, was) in enumerate(zip(found, true, strict=False)):
        if is_ == was:
            continue
        kind, event = "altered", was
        if is_.hash != was.hash and is_.hash in there:
            kind, event = ("reordered", is_) if was.hash in here else ("dropped", was)
        elif was.hash in here and is_.hash != was.hash:
            kind, event = "inserted", is_
        return Fault(kind, place, ids.get(event.hash, event.event_id), name)
    if len(found) == len(true):  # both alike, and both numbered wrongly
        place = next(place for place, leaf in enumerate(found) if leaf.index != place)
        return Fault("dropped" if found[place].index > place else "inserted", place, found[place].event_id, "numbers")
    place = min(len(found), len(true))
    rest = found[place : place + 1] or true[place : place + 1]
    event_id = rest[0].event_id if rest else None
    return Fault("inserted" if len(found) > len(true) else "cut", place, event_id, name)


def sharpen(export: Export, fault: Fault, roots: dict[int, set[bytes]]) -> Fault:
    """Events and leaves agree, and both were rewritten. The signed roots name an interval; try what one act explains.

    Events that were sealed together lie in the order of their ids, so one that was moved among them shows itself; one
    that was put in shows itself because the root is right without it. An event that was altered or taken out together
    with its leaf leaves nothing behind but the interval.
    """
    begin, end = fault.index or 0, fault.until or 0
    leaves = list(itertools.islice(leaves_of(export), end + 1))
    inside, before = leaves[begin:end], Tree()
    for leaf in leaves[:begin]:
        before.add(leaf.hash)
    ordered = sorted(inside, key=lambda leaf: leaf.event_id)
    if ordered != inside and leads(before, ordered, roots[end]):
        place = next(n for n, (is_, was) in enumerate(zip(inside, ordered, strict=True)) if is_ != was)
        return Fault("reordered", begin + place, inside[place].event_id, "order of ids")
    if len(leaves) > end and end - begin <= LONGEST_SEARCH:
        wide = leaves[begin : end + 1]
        for place, leaf in enumerate(wide[:-1]):
            if leads(before, wide[:place] + wide[place + 1 :], roots[end]):
                return Fault("inserted", begin + place, leaf.event_id, "the root is right without it")
    return replace(fault, event_id=inside[0].event_id if inside else None)


def leads(before: Tree, leaves: Sequence[Leaf], wanted: set[bytes]) -> bool:
    """Whether these leaves, appended, lead to a root that was signed."""
    tree = Tree(before.stack)
    for leaf in leaves:
        tree.add(leaf.hash)
    return tree.root() in wanted


def check_proof(text: str, event: bytes | None, key: Key | None) -> str | None:
    """Check one proof, as JSON or as C2SP tlog-proof; what does not hold, or None."""
    if text.startswith(PROOF_HEADER):
        head, _, note = text.partition("\n\n")
        lines = [line for line in head.split("\n")[1:] if not line.startswith("extra ")]
        index, path = int(lines[0].removeprefix("index ")), [base64.b64decode(line) for line in lines[1:]]
    else:
        record = json.loads(text)
        key = key or read_key(record["verifierKey"])
        path, note = [bytes.fromhex(each) for each in record["hashes"]], record["checkpoint"]
        if "oldSize" in record:
            old, new = read_note(record["oldCheckpoint"], key, "proof"), read_note(note, key, "proof")
            if old is None or new is None:
                return "a checkpoint is not signed by this key"
            holds = grows(old.size, old.root, new.size, new.root, path)
            return None if holds else f"the log of {new.size} events did not grow out of that of {old.size}"
        index, event = record["index"], record["body"].encode() if event is None else event
    if event is None or key is None:
        raise Unreadable("a tlog-proof is checked with --event and --key")
    signed = read_note(note, key, "proof")
    if signed is None:
        return "the checkpoint is not signed by this key"
    holds = root_from_path(hash_leaf(event), index, signed.size, path) == signed.root
    return None if holds else "the event does not lead to the signed root"


def main(arguments: Sequence[str]) -> int:
    """Check what the command line names, and say so."""
    parser = argparse.ArgumentParser(description="Check an exported audit log, or one proof.")
    parser.add_argument("path", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", help="the public key you trust, or a file with it")
    parser.add_argument("--checkpoints", type=Path, help="checkpoints that you kept: one JSON string a line")
    parser.add_argument("--event", type=Path, help="the event's text, for a proof that does not hold it")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args(arguments)
    try:
        key = (
            read_key(Path(chosen.key).read_text() if Path(chosen.key).is_file() else chosen.key) if chosen.key else None
        )
        if chosen.path.is_dir() or zipfile.is_zipfile(chosen.path):
            return say_export(Export(chosen.path), key, chosen)
        event = chosen.event.read_bytes().rstrip(b"\n") if chosen.event else None
        wrong = check_proof(chosen.path.read_text(encoding="utf-8"), event, key)
        told = {"ok": wrong is None, "wrong": wrong}
        line = "the proof holds" if wrong is None else f"NOT PROVEN: {wrong}"
        sys.stdout.write((json.dumps(told) if chosen.json else line) + "\n")
    except (Unreadable, OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"nothing was checked: {error}\n")
        return 2
    return 0 if wrong is None else 1


def say_export(export: Export, key: Key | None, chosen: argparse.Namespace) -> int:
    """Check an export and tell what was found."""
    trusted = key or read_key("".join(export.lines("key.txt")))
    kept = chosen.checkpoints.read_text(encoding="utf-8").splitlines() if chosen.checkpoints else ()
    report = check_export(export, trusted, kept)
    fault = report.fault
    if chosen.json:
        told = {**report._asdict(), "ok": fault is None, "fault": fault and asdict(fault)}
        sys.stdout.write(json.dumps(told) + "\n")
        return 0 if fault is None else 1
    out = [f"{report.events} events of a log of {report.leaves}; {report.checkpoints} checkpoints, {report.kept} kept"]
    if key is None:
        out.append(f"the key came with the export; compare it: {trusted.name}+{trusted.id.hex()}")
    if fault is None:
        out.append(f"the log holds; root {report.root}")
    else:
        where = fault.index if fault.until is None else f"{fault.index} to {fault.until - 1}"
        out.append(f"FIRST FAULT: {fault.kind} at {where}, event {fault.event_id} ({fault.detail})")
    sys.stdout.write("\n".join(out) + "\n")
    return 0 if fault is None else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
