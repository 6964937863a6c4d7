"""Book, back up, erase, back up, let the epoch pass, drill: nobody who was erased reads, and whoever lives does."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from activities.duties.eraser import Eraser
from compliance.audit.seal import seal_keys, seal_pending
from compliance.vault.certificate import check
from compliance.vault.epochs import EpochKeys
from deploy import datadir
from deploy.backup import KEYS_SUFFIX, backup
from deploy.commands.cli import run_command
from deploy.drill import DrillReport, drill
from deploy.erasures import drop_key_copies, epoch_keeper, erasing_of, key_copies
from deploy.settings import load_settings
from deploy.snapshot import copy_sqlite
from deploy.stores import Stores, build_vault, open_stores, prepare_embedded
from deploy.values import Settings
from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.erasure import ErasureRequest
from tests.api.test_erasures import GROUND, call, end_cases
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, another_id, open_desk, taken_in
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH


@dataclass
class Installation:
    """A bank on this disk, with its backups."""

    settings: Settings
    stores: Stores
    office: Office
    clock: FakeClock
    backups: Path

    def back_up(self) -> str:
        return backup(self.settings, target=self.backups, now=self.clock()).keys.name

    def drilled(self) -> DrillReport:
        return drill(self.settings, self.stores, backups=self.backups, subjects=5, clock=self.clock)

    def pass_days(self, days: int) -> None:
        self.clock.advance(days=days)
        epoch_keeper(self.settings, self.stores.data).destroy(self.clock())

    async def book(self, serial: int) -> str:
        officer = getattr(self, "_officer", None) or self.office.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
        self._officer = officer
        case = await taken_in(
            self.office, officer, key=f"k{serial}", applicant__idNumber=another_id(serial),
            applicant__mobile=f"1381234{serial:04d}",
        )  # fmt: skip
        return str(case["subjectId"])

    async def erase(self, subject: str) -> str:
        """By two persons and the duty; the certificate."""
        decides = self.office.staff("decides", Role.PRIVACY_OFFICER, branch=BRANCH)
        end_cases(self.office, subject, days_ago=366 * 4)
        made = (
            await call(self.office, self._officer, "POST", f"/v1/subjects/{subject}/erasure-requests", GROUND)
        ).json()
        path = f"/v1/erasure-requests/{made['id']}"
        await call(self.office, decides, "POST", f"{path}/approval", {"shownHash": made["shownHash"]})
        duty = Eraser(erasing_of(self.settings, self.stores.data, self.office.deps.vault))
        assert await duty.run_once(self.clock()) == 1
        keys = seal_keys(self.office.deps.vault)
        while seal_pending(self.stores.data, keys, now=self.clock(), anchor=self.settings.anchor):
            pass
        assert await duty.run_once(self.clock()) == 1
        answer = await call(self.office, decides, "GET", f"{path}/certificate")
        return str(answer.text)


@pytest.fixture
def bank(tmp_path: Path, clock: FakeClock) -> Iterator[Installation]:
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    settings.data.root.mkdir(parents=True)
    datadir.prepare(settings.data)
    with open_stores(settings) as stores:
        prepare_embedded(settings, stores, now=clock())
        office = open_desk(
            stores.data, build_vault(settings, stores, clock), clock, settings.data.root, FakeDispatcher()
        )
        yield Installation(settings, stores, office, clock, tmp_path / "backups")


async def test_book_back_up_erase_back_up_let_the_epoch_pass_drill(bank: Installation) -> None:
    erased, living = await bank.book(1), await bank.book(2)
    before = bank.back_up()
    certificate = await bank.erase(erased)
    statement = check(certificate, subject=erased).statement
    bank.clock.advance(hours=1)
    after = bank.back_up()

    within = bank.drilled()  # the day of the erasure: the backup from before still holds the key, and the drill says so
    assert (within.verdict, within.pending_readable, within.erased_tried) == ("proven", (erased,), 0)

    bank.pass_days(6)
    bank.back_up()
    assert bank.drilled().pending_readable == (erased,)

    bank.pass_days(1)  # the seventh day: what the certificate promised
    assert bank.clock().date().isoformat() == statement["darkFrom"]
    report = bank.drilled()
    assert (report.verdict, report.erased_tried, report.erased_readable) == ("proven", 1, ())
    states = {each.name: each.state for each in report.backups}
    assert (states[before], states[after]) == ("dark", "dark")
    opened = [each for each in report.backups if each.state == "opens"]
    assert [each.living for each in opened] == [(1, 1)]
    with bank.stores.data.read() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.action == "privacy.drilled")).all()
        assert living not in events[-1].body
        assert session.exec(select(ErasureRequest.subject_id)).all() == [None]
    assert json.loads(events[-1].body)["facts"]["verdict"] == "proven"
    assert not list(bank.settings.data.root.glob(".drill-*"))


async def test_an_epoch_key_that_somebody_kept_is_found_out(
    bank: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The drill has teeth: with a copy of the key of that day the person reads, and it fails."""
    erased = await bank.book(1)
    await bank.book(2)
    bank.back_up()
    shutil.copytree(bank.settings.epochs, tmp_path / "kept")
    await bank.erase(erased)
    bank.pass_days(7)
    bank.back_up()
    assert bank.drilled().ok
    for kept in (tmp_path / "kept").glob("*.key"):
        shutil.copy(kept, bank.settings.epochs / kept.name)
    report = bank.drilled()
    assert (report.verdict, report.erased_readable) == ("readable", (erased,))
    monkeypatch.setattr("deploy.clock.wall_clock", bank.clock)
    arguments = ["privacy", "drill", "--backups", str(bank.backups), "--data", str(bank.settings.data.root), "--json"]
    assert run_command(arguments) == 1
    assert json.loads(capsys.readouterr().out)["erased_readable"] == [erased]


async def test_an_unsealed_archive_of_keys_is_found_out(bank: Installation) -> None:
    """As a version before epochs made them, or somebody who unpacked one."""
    erased = await bank.book(1)
    await bank.book(2)
    name = bank.back_up()
    plain = bank.backups / name.replace(KEYS_SUFFIX, "-keys.tar.gz")
    plain.write_bytes(b"".join(EpochKeys(bank.settings.epochs).open(bank.backups / name)))
    await bank.erase(erased)
    bank.pass_days(7)
    bank.back_up()
    assert bank.drilled().erased_readable == (erased,)


async def test_a_copy_from_before_a_migration_is_found_out_and_dropped(bank: Installation) -> None:
    erased = await bank.book(1)
    await bank.book(2)
    copy_sqlite(bank.settings.data.keys, bank.settings.data.before_migrations / "keys-0001.db")
    await bank.erase(erased)
    bank.clock.advance(days=7)
    bank.back_up()
    assert bank.drilled().erased_readable == (erased,)
    assert key_copies(bank.settings.data) == ["keys-0001.db"]
    dropped = drop_key_copies(bank.settings.data, bank.clock() + timedelta(days=3650))
    assert dropped == ["keys-0001.db"]
    assert bank.drilled().ok


async def test_backups_that_nobody_can_open_prove_nothing(bank: Installation) -> None:
    await bank.book(1)
    bank.back_up()
    bank.pass_days(7)
    report = bank.drilled()
    assert (report.verdict, report.ok) == ("no-teeth", False)


async def test_a_certificate_is_checked_by_command_and_offline(
    bank: Installation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    subject = await bank.book(1)
    file = tmp_path / "certificate.json"
    file.write_text(await bank.erase(subject), encoding="utf-8")
    root = str(bank.settings.data.root)
    assert run_command(["privacy", "verifier-key", "--data", root]) == 0
    key = capsys.readouterr().out.strip()
    arguments = ["privacy", "verify-certificate", str(file), "--key", key, "--subject", subject, "--json"]
    assert run_command(arguments) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["key_known"], told["subject_shown"]) == (True, True, True)
    document = json.loads(file.read_text())
    document["statement"]["horizonDays"] = 1
    file.write_text(json.dumps(document))
    assert run_command(arguments[:3]) == 1
    assert run_command(["privacy", "fields", "--json"]) == 0
