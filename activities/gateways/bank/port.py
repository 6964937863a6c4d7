"""The bank as a port: files go out, files come in, each file that came in is settled once."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.errors import FieldFault


@dataclass(frozen=True, kw_only=True, slots=True)
class OutboundFile:
    """A finished, checked file. `digest` is SHA-256 in hexadecimal, as the writer gave it."""

    name: str
    path: Path
    digest: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InboundFile:
    """A complete file from the bank, readable at `path` until it is settled."""

    name: str
    path: Path
    digest: str
    size_bytes: int


class BankPort(ABC):
    """How files reach the bank and come back. Every method may be repeated after a crash at any point."""

    @abstractmethod
    def send(self, file: OutboundFile) -> None:
        """Hand a file to the bank. Sent before under this name with this digest, it is not sent again.

        A crash at the worst moment can still hand it over twice; the bank answers the second with a duplicate notice
        (`ReplyItem.is_duplicate_notice`), since MsgId is the same.

        Raises:
            BankFileConflict: another file was sent under this name, or the content is not what the digest says.
        """

    @abstractmethod
    def replies(self) -> Sequence[InboundFile]:
        """The files of the bank that are complete and not settled, in order of arrival where it is known, then name."""

    @abstractmethod
    def settle(self, file: InboundFile) -> None:
        """Put away a file whose content has been taken.

        Raises:
            BankFileConflict: it is neither waiting nor put away.
        """

    @abstractmethod
    def taken(self) -> Sequence[InboundFile]:
        """The files that were settled and are still kept, in any order."""

    @abstractmethod
    def quarantine(self, file: InboundFile, faults: Sequence[FieldFault]) -> None:
        """Put away a file that cannot be read, with the reasons beside it.

        Raises:
            BankFileConflict: it is neither waiting nor put away.
        """
