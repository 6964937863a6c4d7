"""An export says what the log says, and is checked by one file in an empty directory."""

import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError

from compliance.audit import standalone
from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.export import Choice, Exported, export_log, verifier_source
from compliance.audit.proofs import prove_consistency, prove_inclusion
from models.database.engine import Database
from tests.compliance.audit.logs import KEYS, NOW, fill, record
from tests.compliance.audit.test_log import ENTRIES, ROOTS

SPELLED = verifier_key(origin_of(KEYS.public_key), KEYS.public_key)


def export(database: Database, to: Path, *, anchor: Path | None = None, choice: Choice | None = None) -> Exported:
    return export_log(database, public_key=KEYS.public_key, anchor=anchor, to=to, choice=choice or Choice(), now=NOW)


def alone(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the verifier as an auditor does: isolated, in a directory of its own, without the product on its path."""
    program = folder / "verify.py"
    program.write_text(verifier_source())
    ended = subprocess.run(
        [sys.executable, "-I", str(program), *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_whole_export_holds_in_an_empty_directory(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=30)
    record(database, 99)  # waits for the sealer: not in the export
    written = export(database, tmp_path / "out", anchor=tmp_path / "anchor")
    assert (written.leaves, written.events, written.checkpoints, written.anchors) == (30, 30, 5, 5)
    empty = tmp_path / "empty"
    empty.mkdir()
    code, said = alone(empty, str(tmp_path / "out"), "--key", SPELLED)
    assert code == 0, said
    assert "30 events of a log of 30" in said
    assert "the log holds" in said
    code, said = alone(tmp_path / "out")
    assert code == 0
    assert "compare it" in said, "a key that came along proves nothing by itself"


def test_an_archive_is_the_same_as_a_folder(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=10)
    export(database, tmp_path / "out")
    export(database, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        for path in (tmp_path / "out").iterdir():
            assert archive.read(path.name) == path.read_bytes()
    empty = tmp_path / "empty"
    empty.mkdir()
    assert alone(empty, str(tmp_path / "out.zip"), "--json")[0] == 0
    assert (tmp_path / "out.zip").stat().st_mode & 0o077 == 0


def test_a_part_is_chosen_by_time_and_target_and_every_leaf_is_there(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=30)
    by_time = Choice(since=NOW + timedelta(seconds=10), until=NOW + timedelta(seconds=15))
    by_target = Choice(targets=frozenset({f"tsk_{3:026d}", f"tsk_{29:026d}"}))
    for name, choice, indexes in (("t", by_time, [10, 11, 12, 13, 14]), ("c", by_target, [3, 29])):
        export(database, tmp_path / name, choice=choice)
        lines = (tmp_path / name / "events.jsonl").read_text().splitlines()
        assert [json.loads(line)["index"] for line in lines] == indexes
        assert len((tmp_path / name / "leaves.txt").read_text().splitlines()) == 30
        code, said = alone(tmp_path / name)
        assert code == 0, said
        assert f"{len(indexes)} events of a log of 30" in said


def test_an_altered_event_is_named_by_the_program(database: Database, tmp_path: Path) -> None:
    ids = fill(database, tmp_path / "anchor", events=30)
    export(database, tmp_path / "out")
    events = tmp_path / "out" / "events.jsonl"
    events.write_text(events.read_text().replace('amount_minor\\":17', 'amount_minor\\":71'))
    code, said = alone(tmp_path / "out")
    assert code == 1
    assert f"FIRST FAULT: altered at 17, event {ids[17]}" in said


def test_nothing_is_overwritten_and_nothing_half_is_left(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=3)
    export(database, tmp_path / "out")
    with pytest.raises(FileExistsError):
        export(database, tmp_path / "out")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE audit_checkpoints RENAME TO elsewhere")
    with pytest.raises(DBAPIError):
        export(database, tmp_path / "other")
    assert sorted(path.name for path in tmp_path.iterdir() if "other" in path.name) == []


def test_single_proofs_are_checked_alone(database: Database, tmp_path: Path) -> None:
    ids = fill(database, tmp_path / "anchor", events=30)
    with database.read() as session:
        inclusion = prove_inclusion(session, ids[11], public_key=KEYS.public_key)
        growth = prove_consistency(session, 14, 30, public_key=KEYS.public_key)
    assert inclusion is not None
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "p.json").write_text(json.dumps(inclusion.record()))
    (empty / "p.tlog-proof").write_text(inclusion.text())
    (empty / "event").write_text(inclusion.body)
    (empty / "c.json").write_text(json.dumps(growth.record()))
    assert alone(empty, "p.json", "--key", SPELLED)[0] == 0
    assert alone(empty, "p.tlog-proof", "--key", SPELLED, "--event", "event")[0] == 0
    assert alone(empty, "c.json", "--key", SPELLED)[0] == 0
    (empty / "p.json").write_text(json.dumps(inclusion.record() | {"body": inclusion.body.replace("approve", "no")}))
    (empty / "c.json").write_text(json.dumps(growth.record() | {"hashes": growth.record()["hashes"][:-1]}))
    assert alone(empty, "p.json", "--key", SPELLED)[0] == 1
    assert alone(empty, "c.json", "--key", SPELLED)[0] == 1
    assert alone(empty, "absent.json")[0] == 2
    assert alone(empty, "p.tlog-proof")[0] == 2, "without event and key nothing is proved"


def test_the_verifier_stands_alone() -> None:
    source = verifier_source()
    for package in ("compliance", "models", "deploy", "api", "sqlalchemy", "sqlmodel"):
        assert f"import {package}" not in source
        assert f"from {package}" not in source
    assert len(source.splitlines()) <= 500


def test_the_second_implementation_knows_the_published_values() -> None:
    tree = standalone.Tree()
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        tree.add(standalone.hash_leaf(entry))
        assert tree.root().hex() == root
