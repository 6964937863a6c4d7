"""An export of a small log, in lists that can be tampered with, and the stand-alone verifier over it."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compliance.audit import standalone
from compliance.audit.export import Choice, export_log
from models.database.engine import Database
from tests.compliance.audit.logs import KEYS, NOW, fill


@dataclass
class Files:
    """What an export holds, line by line."""

    manifest: dict[str, Any]
    key: str
    leaves: list[str]
    events: list[dict[str, Any]]
    checkpoints: list[str]
    anchor: list[str]
    ids: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, folder: Path) -> "Files":
        return cls(
            manifest=json.loads((folder / "manifest.json").read_text()),
            key=(folder / "key.txt").read_text(),
            leaves=(folder / "leaves.txt").read_text().splitlines(),
            events=[json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()],
            checkpoints=[json.loads(line) for line in (folder / "checkpoints.jsonl").read_text().splitlines()],
            anchor=[json.loads(line) for line in (folder / "anchor.jsonl").read_text().splitlines()],
        )

    def copy(self) -> "Files":
        copied = copy.copy(self)
        copied.manifest, copied.leaves = dict(self.manifest), [*self.leaves]
        copied.checkpoints, copied.anchor = [*self.checkpoints], [*self.anchor]
        copied.events = [dict(event) for event in self.events]
        return copied

    def write(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "manifest.json").write_text(json.dumps(self.manifest))
        (folder / "key.txt").write_text(self.key)
        (folder / "leaves.txt").write_text("".join(f"{line}\n" for line in self.leaves))
        (folder / "events.jsonl").write_text("".join(json.dumps(each) + "\n" for each in self.events))
        (folder / "checkpoints.jsonl").write_text("".join(json.dumps(note) + "\n" for note in self.checkpoints))
        (folder / "anchor.jsonl").write_text("".join(json.dumps(note) + "\n" for note in self.anchor))

    def check(self, folder: Path, *, kept: list[str] | None = None) -> standalone.Report:
        """What the stand-alone verifier says of these files."""
        self.write(folder)
        key = standalone.read_key(self.key)
        return standalone.check_export(standalone.Export(folder), key, [json.dumps(note) for note in kept or []])

    def renumber(self) -> None:
        """Number leaves and events anew, so that no gap shows."""
        self.leaves = [f"{place} {line.split(' ', 1)[1]}" for place, line in enumerate(self.leaves)]
        for place, event in enumerate(self.events):
            event["index"] = place


def exported(database: Database, folder: Path, *, events: int, sealed_every: int) -> Files:
    """A log of so many events, exported whole, without the checkpoints that were kept outside."""
    ids = fill(database, folder / "anchor", events=events, sealed_every=sealed_every)
    to = folder / "export"
    export_log(database, public_key=KEYS.public_key, anchor=None, to=to, choice=Choice(), now=NOW)
    files = Files.of(to)
    files.ids = ids
    return files
