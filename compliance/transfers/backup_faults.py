"""What can be wrong with a backup, by name: which kind, in which chunk or record. It says nothing of a customer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class FaultCode(StrEnum):
    """The kinds, in the order in which a check can come upon them."""

    MANIFEST_UNREADABLE = "manifest-unreadable"  # no manifest of a known form
    MANIFEST_FORGED = "manifest-forged"  # not signed by this key, or altered since
    OTHER_BACKUP = "other-backup"  # the manifest is that of another backup
    CONTAINER_MISSING = "container-missing"
    HEADER_ALTERED = "header-altered"
    CHUNK_ALTERED = "chunk-altered"
    CHUNK_MISSING = "chunk-missing"
    CHUNK_SWAPPED = "chunk-swapped"  # a chunk of this container in the place of another
    TRUNCATED = "truncated"
    TOO_LONG = "too-long"
    NO_RECIPIENT = "no-recipient"  # the key at hand is none of those that it was sealed to
    WRONG_KEY = "wrong-key"
    RECORD_UNREADABLE = "record-unreadable"
    RECORD_REFUSED = "record-refused"  # it cannot be put into a book again
    FIGURES_DIFFER = "figures-differ"  # restored, and counts, checksums or root are others


@dataclass(eq=False)
class BackupFault(Exception):
    """A backup is not what its manifest says, or cannot be opened.

    Attributes:
        code: the kind.
        chunk: which sealed chunk, from 0.
        other: the chunk that stands in its place.
        record: which record of the content, from 1.
        names: the figures or recipients concerned.
    """

    code: FaultCode
    chunk: int | None = None
    other: int | None = None
    record: int | None = None
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [self.code.value]
        words += [
            f"{what} {value}" for what, value in (("chunk", self.chunk), ("record", self.record)) if value is not None
        ]
        if self.other is not None:
            words.append(f"chunk {self.other} stands there")
        words += self.names
        return ", ".join(words)

    def as_json(self) -> dict[str, Any]:
        """For the record of the backup and for the API."""
        found: dict[str, Any] = {"code": self.code.value}
        found |= {
            name: value
            for name, value in (("chunk", self.chunk), ("other", self.other), ("record", self.record))
            if value is not None
        }
        if self.names:
            found["names"] = list(self.names)
        return found
