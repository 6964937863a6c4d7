"""Files of transfer jobs: in the exchange directory, a folder for each tenant, named by their plain names.

They lie outside the data directory, since they are in clear.
"""

import hashlib
import hmac
from codecs import getincrementaldecoder
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import FieldFault, FormInvalid

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Examined:
    """A file as a whole: keyed digest of its bytes, and whether they are UTF-8."""

    digest: str
    size_bytes: int
    is_utf8: bool


def file_of(folder: Path, name: str) -> Path:
    """The file of that name.

    Raises:
        FormInvalid: no plain name, no such file, or a link that leads elsewhere.
    """
    if name in {"", ".", ".."} or Path(name).name != name or name.startswith(".") or "\x00" in name or "\\" in name:
        raise _refused("source-name")
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise _refused("source-missing")
    return path


def examine(path: Path, key: bytes) -> Examined:
    """Read a file once from end to end.

    Args:
        path: the file.
        key: of the digest: a plain one of a short file could be found by trying.
    """
    mac, decoder, is_utf8, size = hmac.new(key, digestmod=hashlib.sha256), getincrementaldecoder("utf-8")(), True, 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            mac.update(chunk)
            size += len(chunk)
            if is_utf8:
                is_utf8 = _decodes(decoder, chunk, final=False)
    return Examined(mac.hexdigest(), size, is_utf8 and _decodes(decoder, b"", final=True))


def _decodes(decoder: object, chunk: bytes, *, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)  # type: ignore[attr-defined]
    except UnicodeDecodeError:
        return False
    return True


def _refused(code: str) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer="/place", code=code),))
