"""What every bank port must do. An adapter's test module subclasses `BankPortConformance` and gives the two hooks."""

import hashlib
from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from activities.gateways.bank.port import BankPort, OutboundFile
from models.errors import BankFileConflict, FieldFault


class BankPortConformance(ABC):
    """The bank's side is played through `bank_has` and `bank_brings`."""

    @abstractmethod
    def bank_has(self) -> dict[str, bytes]:
        """What has reached the bank, by name."""

    @abstractmethod
    def bank_takes(self, name: str) -> None:
        """The bank takes a file away."""

    @abstractmethod
    def bank_brings(self, name: str, content: bytes) -> None:
        """The bank delivers a complete file."""

    @staticmethod
    def outbound(folder: Path, name: str = "out.xml", content: bytes = b"<a/>") -> OutboundFile:
        path = folder / f"made-{name}"
        path.write_bytes(content)
        return OutboundFile(name=name, path=path, digest=hashlib.sha256(content).hexdigest())

    def test_a_file_reaches_the_bank_as_it_was_written(self, port: BankPort, tmp_path: Path) -> None:
        port.send(self.outbound(tmp_path, content=b"<paid/>"))
        assert self.bank_has() == {"out.xml": b"<paid/>"}

    def test_sent_again_it_does_not_reach_the_bank_again(self, port: BankPort, tmp_path: Path) -> None:
        file = self.outbound(tmp_path)
        port.send(file)
        self.bank_takes("out.xml")
        port.send(file)
        assert self.bank_has() == {}

    def test_another_content_under_a_sent_name_is_refused(self, port: BankPort, tmp_path: Path) -> None:
        port.send(self.outbound(tmp_path))
        with pytest.raises(BankFileConflict):
            port.send(self.outbound(tmp_path, content=b"<b/>"))
        assert self.bank_has() == {"out.xml": b"<a/>"}

    def test_a_file_that_is_not_what_was_checked_is_not_sent(self, port: BankPort, tmp_path: Path) -> None:
        file = self.outbound(tmp_path)
        file.path.write_bytes(b"<altered/>")
        with pytest.raises(BankFileConflict):
            port.send(file)
        assert self.bank_has() == {}

    @pytest.mark.parametrize("name", ["../out.xml", "a/b.xml", "", "..", ".hidden"])
    def test_a_name_that_leaves_the_exchange_is_refused(self, port: BankPort, tmp_path: Path, name: str) -> None:
        file = self.outbound(tmp_path)
        with pytest.raises(BankFileConflict):
            port.send(OutboundFile(name=name, path=file.path, digest=file.digest))
        assert self.bank_has() == {}

    def test_files_of_the_bank_are_listed_with_their_digest_until_settled(self, port: BankPort) -> None:
        self.bank_brings("b.xml", b"two")
        self.bank_brings("a.xml", b"one")
        first, second = port.replies()
        assert (first.name, second.name) == ("a.xml", "b.xml")
        assert first.digest == hashlib.sha256(b"one").hexdigest()
        assert first.path.read_bytes() == b"one"
        port.settle(first)
        assert [file.name for file in port.replies()] == ["b.xml"]

    def test_what_was_settled_is_kept_and_can_be_read_again(self, port: BankPort) -> None:
        assert list(port.taken()) == []
        self.bank_brings("a.xml", b"one")
        (file,) = port.replies()
        port.settle(file)
        (kept,) = port.taken()
        assert (kept.name, kept.digest, kept.path.read_bytes()) == ("a.xml", file.digest, b"one")

    def test_settling_again_changes_nothing(self, port: BankPort) -> None:
        self.bank_brings("a.xml", b"one")
        (file,) = port.replies()
        port.settle(file)
        port.settle(file)
        assert list(port.replies()) == []

    def test_a_later_file_of_the_same_name_is_not_settled_with_the_first(self, port: BankPort) -> None:
        self.bank_brings("a.xml", b"one")
        (first,) = port.replies()
        port.settle(first)
        self.bank_brings("a.xml", b"two")
        port.settle(first)  # repeated after a crash
        assert [file.digest for file in port.replies()] == [hashlib.sha256(b"two").hexdigest()]

    def test_what_was_never_there_cannot_be_settled(self, port: BankPort) -> None:
        self.bank_brings("a.xml", b"one")
        (file,) = port.replies()
        self.bank_brings("a.xml", b"replaced before it was settled")
        with pytest.raises(BankFileConflict):
            port.settle(file)
        assert len(port.replies()) == 1

    def test_a_quarantined_file_is_listed_no_more(self, port: BankPort) -> None:
        self.bank_brings("a.xml", b"garbage")
        (file,) = port.replies()
        faults = (FieldFault(pointer="", code="bank-xml", params={"line": 1}),)
        port.quarantine(file, faults)
        port.quarantine(file, faults)
        assert list(port.replies()) == []
