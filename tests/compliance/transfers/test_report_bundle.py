"""The bundle is checked by one file in an empty directory, and whatever is altered is named, exactly."""

import base64
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from activities.transfers.report_steps import SqlReport
from compliance.audit.seal import seal_keys
from compliance.transfers import verify_transfer
from compliance.transfers.report_bundle import write_bundle
from compliance.transfers.verify_transfer import SIGNED, Bundle, canonical, read_key, sha, verify
from compliance.vault.keyring import Vault
from models.contracts.transfers import JobStep
from models.domain.transfers.report_ids import report_id
from tests.support.clock import FakeClock
from tests.support.databases import SqliteFiles, create_data_schema, create_keys_schema
from tests.support.reported_jobs import JOB, AuditedJob
from tests.support.vaults import throw_away_vault


@pytest.fixture(scope="module")
def vault(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vault]:
    """Keys of all tests here: none of them changes any."""
    with sqlite_files.fresh(create_keys_schema, into=tmp_path_factory.mktemp("bundle-keys")) as keys:
        yield throw_away_vault(keys, FakeClock())


@pytest.fixture(scope="module")
def archive(sqlite_files: SqliteFiles, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bundle of a whole job, written once; each test alters a copy of its own."""
    folder, clock = tmp_path_factory.mktemp("bundle-job"), FakeClock()
    with sqlite_files.fresh(create_data_schema, into=folder) as database:
        job = AuditedJob(database, vault, folder / "anchor", moved=30).build()
        SqlReport(database, vault, lambda: clock.advance(seconds=1), sealer_wait_s=0).write_report(JobStep(job=JOB))
        job.seal()
        kept = io.BytesIO()
        write_bundle(database, vault, report_id(JOB, 1), to=kept, now=clock())
    return kept.getvalue()


@pytest.fixture
def bundle(archive: bytes, tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    (tmp_path / "bundle.zip").write_bytes(archive)
    with zipfile.ZipFile(tmp_path / "bundle.zip") as opened:
        opened.extractall(folder)
    return folder


def alone(folder: Path, *arguments: str) -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-I", "verify_transfer.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout + ended.stderr


def test_a_true_bundle_holds_alone_as_folder_and_as_archive(bundle: Path, tmp_path: Path) -> None:
    code, said = alone(bundle)
    assert code == 0, said
    assert "verdict passed" in said
    assert "compare it" in said
    code, said = alone(bundle, str(tmp_path / "bundle.zip"), "--key", (bundle / "key.txt").read_text(), "--json")
    assert json.loads(said) == {"ok": True, "faults": []}
    assert code == 0


def test_the_log_of_the_bundle_holds_by_its_own_program(bundle: Path) -> None:
    ended = subprocess.run([sys.executable, "-I", "audit/verify.py", "audit"], cwd=bundle, check=False)
    assert ended.returncode == 0


def test_every_altered_missing_or_added_file_is_named(bundle: Path) -> None:
    key = read_key((bundle / "key.txt").read_text())
    listed = json.loads((bundle / "bundle.json").read_text())["files"]
    whole = Bundle(bundle)
    assert verify(whole, key) == []
    for name in listed:
        content = whole.files[name]
        whole.files[name] = content[:-2] + b"?" + content[-1:]
        named = {each.where for each in verify_transfer.check_files(whole, key)}
        assert named == {name}
        del whole.files[name]
        assert [each.detail for each in verify_transfer.check_files(whole, key)] == ["is missing"]
        whole.files[name] = content
    whole.files["more"] = b""
    assert [each.where for each in verify_transfer.check_files(whole, key)] == ["more"]


def test_another_key_is_refused(bundle: Path, tmp_path: Path) -> None:
    (bundle / "bundle.sig").write_bytes(base64.b64encode(b"\0" * 64))
    code, said = alone(bundle)
    assert code == 1
    assert "signature: bundle.json" in said


Alter = Callable[[dict[str, Any]], Any]
FORGED: dict[str, tuple[Alter, str, str]] = {
    "verdict": (lambda r: r.update(verdict="failed"), "verdict", "failed"),
    "a hop": (lambda r: r["hops"][0].update(taken=999), "conservation", "read"),
    "a hop with its claim": (lambda r: r["hops"][1].update(taken=999, holds=False), "finding", "not-conserved"),
    "a source": (lambda r: r["sources"][0].update(accepted=29), "conservation", "sources.accepted"),
    "the seed": (lambda r: r["sample"].update(seed="00" * 16), "seed", "sample.seed"),
    "a drawn row": (lambda r: r["sample"]["items"].pop(3), "sample", "accepted"),
    "the size": (lambda r: r["sample"]["strata"][0].update(size=3), "sample", "accepted"),
    "a population": (lambda r: r["sample"]["strata"][0].update(population=9), "sample", "accepted"),
    "a result": (lambda r: r["sample"]["items"][0].update(result="fail"), "sample", "row {first}"),
    "a check": (lambda r: r["sample"]["items"][0]["checks"][0].update(result="fail"), "sample", "row {first}"),
    "a finding": (lambda r: r["findings"].append({"code": "x", "severity": "major", "count": 1, "evidence": []}),
                  "verdict", "passed"),
    "a gate": (lambda r: r["gates"][0].update(result="FAIL"), "finding", "gate-stops"),
    "a notice": (lambda r: r["notices"]["states"].append(["sent", 2]), "finding", "customer-untold"),
    "a root": (lambda r: r["waves"][0].update(state="undone", rootUndone="00"), "finding", "root-differs"),
    "an amount": (lambda r: r["costs"]["actual"][0].update(amountMinor=1), "costs", "actual.decisions"),
    "the return": (lambda r: r["costs"].update(roiBp=99_999), "costs", "roi"),
    "evidence": (lambda r: r["evidence"][0].update(leaf="00" * 32), "evidence", ""),
    "a backup": (lambda r: r["backups"][0].update(root="00" * 32), "backup", "backups/source-1.json"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(FORGED))
def test_whoever_holds_the_signing_key_still_cannot_forge_a_report(what: str, bundle: Path, vault: Vault) -> None:
    """The list is signed anew, so only the meaning of the report stands against the forger."""
    alter, check, where = FORGED[what]
    whole = Bundle(bundle)
    report = json.loads(whole.files["report.json"])
    where = where.format(first=report["sample"]["items"][0]["row"])  # the seed is random: so is what it draws
    alter(report)
    whole.files["report.json"] = canonical(report)
    listing = json.loads(whole.files["bundle.json"])
    listing["files"]["report.json"] = sha(whole.files["report.json"])
    whole.files["bundle.json"] = canonical(listing)
    signature = seal_keys(vault).signing_key.sign(SIGNED + whole.files["bundle.json"])
    whole.files["bundle.sig"] = base64.b64encode(signature)
    faults = verify(whole, read_key(whole.text("key.txt")))
    assert not any(each.check in ("signature", "file") for each in faults)
    assert any((each.check, each.where) == ("report", "report.json") for each in faults), "its hash is in the log"
    assert any(each.check == check and each.where.startswith(where) for each in faults), faults


def test_an_altered_log_is_named(bundle: Path) -> None:
    whole = Bundle(bundle)
    key = read_key(whole.text("key.txt"))
    events = whole.files["audit/events.jsonl"]
    whole.files["audit/events.jsonl"] = events.replace(b"stf_planner", b"stf_another").replace(b"rtoMs", b"rtoXX")
    assert any(each.check == "event" for each in verify(whole, key))
    whole.files["audit/events.jsonl"] = events
    leaves = whole.text("audit/leaves.txt").splitlines()
    index, event, leaf = leaves[1].split(" ")
    leaves[1] = f"{index} {event} {leaf[::-1]}"
    whole.files["audit/leaves.txt"] = "\n".join(leaves).encode()
    assert any(each.check == "root" for each in verify(whole, key))


def test_nothing_to_check_is_said(tmp_path: Path, bundle: Path) -> None:
    (bundle / "bundle.json").unlink()
    code, said = alone(bundle)
    assert code == 2
    assert "no bundle.json" in said
