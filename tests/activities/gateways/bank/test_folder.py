"""The folder exchange: it conforms to the port, waits for files that are still coming, and survives kills."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.gateways.bank import folder as folder_module
from activities.gateways.bank.folder import BankFolders, FolderBank
from models.errors import FieldFault
from tests.support.bank_port import BankPortConformance
from tests.support.clock import FakeClock


class TestFolderBank(BankPortConformance):
    @pytest.fixture(autouse=True)
    def port(self, tmp_path: Path, clock: FakeClock) -> FolderBank:
        self.folders = BankFolders(tmp_path / "exchange")
        return FolderBank(self.folders, clock, settle_for=timedelta(0))

    def bank_has(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folders.outbox.iterdir()}

    def bank_takes(self, name: str) -> None:
        (self.folders.outbox / name).unlink()

    def bank_brings(self, name: str, content: bytes) -> None:
        path = self.folders.inbox / name
        path.write_bytes(content)
        os.utime(path, (0, 0))


@pytest.fixture
def folders(tmp_path: Path) -> BankFolders:
    return BankFolders(tmp_path / "exchange")


@pytest.fixture
def bank(folders: BankFolders, clock: FakeClock) -> FolderBank:
    return FolderBank(folders, clock, settle_for=timedelta(seconds=2))


def _brought(folders: BankFolders, name: str, *, at: float, content: bytes = b"x") -> Path:
    path = folders.inbox / name
    path.write_bytes(content)
    os.utime(path, (at, at))
    return path


def test_a_file_is_listed_when_it_has_lain_unchanged(bank: FolderBank, folders: BankFolders, clock: FakeClock) -> None:
    _brought(folders, "a.xml", at=clock().timestamp())
    assert list(bank.replies()) == []
    clock.advance(timedelta(seconds=2))
    assert [file.name for file in bank.replies()] == ["a.xml"]


@pytest.mark.parametrize("name", [".a.xml", "a.xml.part", "a.xml.tmp", "A.XML.TMP", "a.filepart", "a.xml.processing"])
def test_files_that_are_still_coming_are_left_alone(bank: FolderBank, folders: BankFolders, name: str) -> None:
    _brought(folders, name, at=0)
    assert list(bank.replies()) == []


def test_links_and_folders_are_left_alone(bank: FolderBank, folders: BankFolders, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("not the bank's")
    (folders.inbox / "link.xml").symlink_to(tmp_path / "secret")
    (folders.inbox / "folder.xml").mkdir()
    assert list(bank.replies()) == []


def test_a_quarantined_file_lies_there_whole_with_its_reasons(bank: FolderBank, folders: BankFolders) -> None:
    _brought(folders, "a.xml", at=0, content=b"garbage")
    (file,) = bank.replies()
    bank.quarantine(file, (FieldFault(pointer="", code="bank-xml", params={"line": 7}),))
    kept = {path.name: path.read_text() for path in folders.refused.iterdir()}
    name = f"{file.digest[:16]}-a.xml"
    assert kept[name] == "garbage"
    assert '"bank-xml"' in kept[f"{name}.faults.json"]
    assert '"line": 7' in kept[f"{name}.faults.json"]


@pytest.mark.parametrize("stage", ["before the receipt", "before the copy"])
def test_killed_while_sending_the_file_is_sent_once(
    bank: FolderBank, folders: BankFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    file = BankPortConformance.outbound(tmp_path)
    doomed = "out.xml.json" if stage == "before the receipt" else "out.xml"
    real = folder_module.whole_file

    def killed(target: Path) -> Any:
        if target.name == doomed:
            raise KeyboardInterrupt
        return real(target)

    with monkeypatch.context() as patched:
        patched.setattr(folder_module, "whole_file", killed)
        with pytest.raises(KeyboardInterrupt):
            bank.send(file)
    bank.send(file)
    assert [path.name for path in folders.outbox.iterdir()] == ["out.xml"]
    assert [path.name for path in folders.sent.iterdir()] == ["out.xml.json"]


def test_a_receipt_names_no_content(bank: FolderBank, folders: BankFolders, tmp_path: Path) -> None:
    bank.send(BankPortConformance.outbound(tmp_path, content=b"<Nm>Test Person</Nm>"))
    (receipt,) = folders.sent.iterdir()
    assert "Person" not in receipt.read_text()


def test_what_killed_writers_left_is_tidied_when_old(bank: FolderBank, folders: BankFolders, clock: FakeClock) -> None:
    old, young = folders.spool / ".a.xml.0011.part", folders.spool / ".b.xml.0022.part"
    for path, at in ((old, 0.0), (young, clock().timestamp())):
        path.write_bytes(b"half")
        os.utime(path, (at, at))
    assert bank.tidy() == 1
    assert list(folders.spool.iterdir()) == [young]


def test_nobody_else_may_read_the_exchange(bank: FolderBank, folders: BankFolders, tmp_path: Path) -> None:
    bank.send(BankPortConformance.outbound(tmp_path))
    assert [oct(path.stat().st_mode & 0o007) for path in (folders.outbox, folders.outbox / "out.xml")] == ["0o0", "0o0"]
