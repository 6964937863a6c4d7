"""The log as files for somebody outside: events, leaves, checkpoints, public key, and the program that checks them.

Events say who did what to what with which codes; nothing in them is personal data, and nothing is added here. Written
in one pass over one snapshot, so memory stays flat. An export may hold a part of the events; the leaves are always all
there, since only they lead to the signed roots.
"""

import hashlib
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Executable, text
from sqlmodel import col, select

from compliance.audit.anchor import Anchor
from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.proofs import one_snapshot
from models.database.engine import Database
from models.tables.audit import AuditEvent, AuditLeaf

FORMAT: Final = "casework-audit-export/1"
VERIFIER: Final = "verify.py"
_CHUNK: Final = 5000
_LEAVES: Final = "SELECT idx, event_id, leaf_hash FROM audit_leaves ORDER BY idx"
_NOTES: Final = "SELECT note FROM audit_checkpoints ORDER BY size"
_README: Final = """\
This is an audit log of Casework, to be checked without Casework.

    python verify.py            needs Python 3.11 and the package cryptography, nothing else

events.jsonl       one event a line, in the order of the log: its place, its id, its text as it was hashed
leaves.txt         place, id and hash of every event, also of those that are not in this export
checkpoints.jsonl  signed notes over size and root (C2SP tlog-checkpoint)
anchor.jsonl       the checkpoints that were kept outside the database, if there are any
key.txt            the public key, as signed-note spells it
manifest.json      what this export holds

The key came with the export, so whoever made the export chose it. Compare it with one that you have from elsewhere:
`python verify.py --key KEY`. A log that was cut at its end together with its checkpoints is sound in itself; give
checkpoints that you kept: `--checkpoints FILE`.
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which events are exported; all of them if nothing is said.

    Attributes:
        since: from this instant on.
        until: before this instant.
        targets: what they were done to.
    """

    since: datetime | None = None
    until: datetime | None = None
    targets: frozenset[str] = frozenset()

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.since is None and self.until is None and not self.targets

    def statement(self) -> Executable:
        """Place, id and text of each of them, in the order of the log."""
        query = select(AuditLeaf.idx, AuditEvent.id, AuditEvent.body).join(
            AuditEvent, col(AuditEvent.id) == col(AuditLeaf.event_id)
        )
        if self.since is not None:
            query = query.where(col(AuditEvent.at) >= self.since)
        if self.until is not None:
            query = query.where(col(AuditEvent.at) < self.until)
        if self.targets:
            query = query.where(col(AuditEvent.target).in_(sorted(self.targets)))
        return query.order_by(col(AuditLeaf.idx))


@dataclass(frozen=True, kw_only=True, slots=True)
class Exported:
    """What was written."""

    path: Path
    leaves: int
    events: int
    checkpoints: int
    anchors: int
    digest: str  # SHA-256 over leaves.txt


def export_log(
    database: Database,
    *,
    public_key: Ed25519PublicKey,
    anchor: Path | None,
    to: Path,
    choice: Choice,
    now: datetime,
) -> Exported:
    """Write an export to a folder that does not exist, or to a file that ends in `.zip`; whole or not at all.

    Raises:
        FileExistsError: there is something at `to`.
        DatabaseBusy: the database did not answer.
        OSError: it cannot be written.
    """
    if to.exists():
        raise FileExistsError(to)
    notes = Anchor(anchor).notes() if anchor is not None else ()  # before the snapshot: the log is never behind it
    with _target(to) as put, database.read() as session:
        connection = session.connection()
        one_snapshot(connection)
        key = verifier_key(origin_of(public_key), public_key)
        leaves, digest = _write_leaves(put, connection)
        events = _write_events(put, connection, choice)
        checkpoints = _write_lines(put, "checkpoints.jsonl", (_line(row[0]) for row in _rows(connection, _NOTES)))
        anchors = _write_lines(put, "anchor.jsonl", (_line(note) for note in notes))
        _write_lines(put, "key.txt", [f"{key}\n"])
        manifest = {
            "format": FORMAT,
            "origin": origin_of(public_key),
            "verifierKey": key,
            "exportedAt": now.isoformat(timespec="seconds"),
            "complete": choice.is_all,
            "since": choice.since.isoformat() if choice.since is not None else None,
            "until": choice.until.isoformat() if choice.until is not None else None,
            "targets": sorted(choice.targets),
            "leaves": leaves,
            "leavesSha256": digest,
            "events": events,
            "checkpoints": checkpoints,
            "anchors": anchors,
        }
        _write_lines(put, "manifest.json", [json.dumps(manifest, indent=1) + "\n"])
        _write_lines(put, "README.txt", [_README])
        _write_lines(put, VERIFIER, [verifier_source()])
    return Exported(path=to, leaves=leaves, events=events, checkpoints=checkpoints, anchors=anchors, digest=digest)


def verifier_source() -> str:
    """The stand-alone verifier, as it is put into every export."""
    return files("compliance.audit").joinpath("standalone.py").read_text(encoding="utf-8")


_Put = Callable[[str], Any]
"""Opens a file of the export for writing, in bytes; a context manager."""


@contextmanager
def _target(to: Path) -> Iterator[_Put]:
    to.parent.mkdir(parents=True, exist_ok=True)
    half = to.with_name(f".{to.name}.half-{os.getpid()}")
    try:
        if to.suffix == ".zip":
            descriptor = os.open(half, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                yield lambda name: archive.open(name, "w", force_zip64=True)
        else:
            half.mkdir(mode=0o700)
            yield lambda name: os.fdopen(os.open(half / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
        half.rename(to)
    except BaseException:
        with suppress(OSError):
            half.unlink() if half.is_file() else shutil.rmtree(half)
        raise


def _write_leaves(put: _Put, connection: Connection) -> tuple[int, str]:
    digest, count = hashlib.sha256(), 0
    with put("leaves.txt") as file:
        for part in _parts(connection, _LEAVES):
            lines = "".join(f"{index} {event_id} {leaf}\n" for index, event_id, leaf in part).encode()
            digest.update(lines)
            file.write(lines)
            count += len(part)
    return count, digest.hexdigest()


def _write_events(put: _Put, connection: Connection, choice: Choice) -> int:
    count = 0
    with put("events.jsonl") as file:
        for part in _parts(connection, choice.statement()):
            file.write(b"".join(_event_line(index, event_id, body) for index, event_id, body in part))
            count += len(part)
    return count


def _event_line(index: int, event_id: str, body: str) -> bytes:
    return json.dumps({"index": index, "id": event_id, "body": body}, ensure_ascii=False).encode() + b"\n"


def _line(note: str) -> str:
    return json.dumps(note) + "\n"


def _write_lines(put: _Put, name: str, lines: Iterable[str]) -> int:
    count = 0
    file: IO[bytes]
    with put(name) as file:
        for line in lines:
            file.write(line.encode())
            count += 1
    return count


def _rows(connection: Connection, statement: str) -> Iterator[Any]:
    for part in _parts(connection, statement):
        yield from part


def _parts(connection: Connection, statement: str | Executable) -> Iterator[Any]:
    options = {"stream_results": True, "max_row_buffer": _CHUNK, "yield_per": _CHUNK}
    chosen = text(statement) if isinstance(statement, str) else statement
    with connection.execute(chosen, execution_options=options) as result:
        yield from result.partitions(_CHUNK)
