"""Which encoding a file has (字符编码): UTF-8, UTF-16 by its mark, else GB18030, the national standard."""

import re
from pathlib import Path
from typing import Final

_ENCODING_SAMPLE: Final = 1 << 20
_HAN_ALONE: Final = re.compile(r"[\x00-\x7f\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+\Z")


def encoding_of(path: Path, *, is_utf8: bool) -> str:
    """The encoding of most lines.

    Args:
        path: the file.
        is_utf8: whether all of it decodes.
    """
    with path.open("rb") as source:
        start = source.read(_ENCODING_SAMPLE)
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if is_utf8:
        return "utf-8"
    # Some line is no UTF-8: the encoding is that of most lines, and the others are told, each for itself.
    lines = [line for line in start.splitlines() if not line.isascii()]
    return "utf-8" if sum(map(is_utf8_chinese, lines)) * 2 > len(lines) else "gb18030"


def is_utf8_by_mistake(line: str) -> bool:
    """Whether a line that was read as GB18030 is Chinese in UTF-8: of texts that are not, hardly one in 20,000 is."""
    return not line.isascii() and is_utf8_chinese(line.encode("gb18030", errors="replace").rstrip())


def is_utf8_chinese(line: bytes) -> bool:
    """Whether the bytes are Chinese and ASCII in UTF-8, and nothing else."""
    try:
        return _HAN_ALONE.match(line.decode("utf-8")) is not None
    except UnicodeDecodeError:
        return False
