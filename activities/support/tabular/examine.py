"""A file as a whole, read once from end to end: what it is known by, and whether it is UTF-8."""

import hashlib
import hmac
from codecs import getincrementaldecoder
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Examined:
    """A file as a whole: keyed digest of its bytes, and whether they are UTF-8."""

    digest: str
    size_bytes: int
    is_utf8: bool


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
