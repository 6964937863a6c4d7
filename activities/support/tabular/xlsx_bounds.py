"""What a workbook may be before and while it is unpacked (防压缩炸弹): bounds of parts and rows, and no tricks of XML.

A workbook is a zip container of XML parts that somebody outside has made. What its directory says of sizes is judged
before anything is unpacked; no more than that is ever unpacked of a part. Sheets are read as a stream: one row that is
longer than any row of ours ends the reading, as do document types, entities, comments and CDATA, which no spreadsheet
program writes into them.
"""

import io
import re
import stat
import zipfile
from pathlib import Path, PurePosixPath
from typing import IO, Any, Final

MOST_BYTES: Final = 256 << 20  # of the file
MOST_UNPACKED: Final = 2 << 30  # of all of its parts
MOST_SHARED: Final = 256 << 20  # of the table of strings, which lies in memory
MOST_OTHER: Final = 64 << 20  # of a part that is neither: they are read whole
MOST_RATIO: Final = 200  # of a part, unpacked to packed
MOST_SHARED_RATIO: Final = 50  # no string stands twice in the table of strings
MOST_PARTS: Final = 2_000
MOST_ROW: Final = 2 << 20  # bytes of one row of a sheet
_RATIO_FROM: Final = 1 << 20
_ENCRYPTED: Final = 0x1
_ARCHIVES: Final = (".zip", ".gz", ".7z", ".rar", ".xz", ".bz2", ".tar")
_SHEETS: Final = "worksheets/"
_ROW: Final = re.compile(rb"</?(?:[A-Za-z0-9_]+:)?row[\s>/]")
_TRICKS: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY|\[CDATA\[|--)")
_ACROSS: Final = 64  # bytes of a piece that are looked at again with the next one


class TooLarge(Exception):
    """It would burst."""


class Strange(Exception):
    """No spreadsheet program has written this."""


class BoundedArchive(zipfile.ZipFile):
    """A workbook's parts, each a stream within the bounds."""

    def __init__(self, path: Path) -> None:
        """Judge the directory.

        Raises:
            TooLarge: the file, a part or all of them.
            Strange: names that lead elsewhere or come twice, links, archives within, encryption.
            zipfile.BadZipFile, OSError, ValueError, NotImplementedError: it is no zip container.
        """
        if path.stat().st_size > MOST_BYTES:
            raise TooLarge
        super().__init__(path)
        parts = self.infolist()
        names = [part.filename for part in parts]
        if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED:
            raise TooLarge
        if any(map(_bursts, parts)):
            raise TooLarge
        if len(set(names)) < len(names) or any(map(_is_strange, parts)):
            raise Strange

    def open(self, name: Any, mode: Any = "r", pwd: Any = None, *, force_zip64: bool = False) -> IO[bytes]:
        """A part, as a stream that ends with an error where it leaves the bounds."""
        stream = super().open(name, mode, pwd, force_zip64=force_zip64)
        plain = name.filename if isinstance(name, zipfile.ZipInfo) else str(name)
        if not plain.lower().endswith((".xml", ".rels")):
            return stream
        return io.BufferedReader(_Bounded(stream, most_row=MOST_ROW if _SHEETS in plain else None))


class _Bounded(io.RawIOBase):
    def __init__(self, stream: IO[bytes], *, most_row: int | None) -> None:
        self._stream, self._most_row = stream, most_row
        self._row, self._before = 0, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(len(buffer))
        self._judge(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()

    def _judge(self, piece: bytes) -> None:
        seen = self._before + piece
        if _TRICKS.search(seen) is not None:
            raise ValueError("no spreadsheet program writes this")
        if self._most_row is not None:
            ends = [found.end() for found in _ROW.finditer(seen)]
            self._row = len(seen) - ends[-1] if ends else self._row + len(piece)
            if self._row > self._most_row:
                raise ValueError("a row that is longer than any")
        self._before = seen[-_ACROSS:]


def _bursts(part: zipfile.ZipInfo) -> bool:
    shared = "sharedStrings" in part.filename
    most = MOST_SHARED if shared else MOST_UNPACKED if _SHEETS in part.filename else MOST_OTHER
    ratio = MOST_SHARED_RATIO if shared else MOST_RATIO
    return part.file_size > most or (
        part.file_size > _RATIO_FROM and part.file_size > ratio * max(part.compress_size, 1)
    )


def _is_strange(part: zipfile.ZipInfo) -> bool:
    name = part.filename.replace("\\", "/")
    return (
        name.startswith("/")
        or ".." in PurePosixPath(name).parts
        or stat.S_ISLNK(part.external_attr >> 16)
        or bool(part.flag_bits & _ENCRYPTED)
        or name.lower().endswith(_ARCHIVES)
    )
