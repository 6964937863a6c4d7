"""The font of the documents, Noto Sans SC, and which characters it can print.

A contract with an empty box in place of a character of a name is no contract, so every text is checked before it is set
and the missing character is named. A bank with rarer characters among its customers adds a font file that has them.
"""

import struct
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import typst

from models.errors import CharacterUnprintable

# Controls, lone surrogates, private use, unassigned, and format characters, which reorder or hide what is read.
_NEVER: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, kw_only=True, slots=True)
class FontSet:
    """Loaded fonts in the order in which they are asked for a glyph. Made once, shared between threads."""

    fonts: typst.Fonts
    families: tuple[str, ...]
    characters: frozenset[int]

    def check(self, text: str, *, field: str) -> None:
        """Make sure that every character of a text can be printed.

        Raises:
            CharacterUnprintable: the first one that cannot; names it by its code point, and the field.
        """
        for character in text:
            if ord(character) not in self.characters or unicodedata.category(character) in _NEVER:
                raise CharacterUnprintable(params={"character": f"U+{ord(character):04X}", "field": field})


def font_directory() -> Path:
    """Where the package `zhplot` keeps its font. The package itself is not imported: it would load a plotting library.

    Raises:
        FileNotFoundError: the package is not installed.
    """
    spec = find_spec("zhplot")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package zhplot with the font NotoSansSC-Regular.ttf is not installed")
    return Path(spec.submodule_search_locations[0]) / "fonts"


@cache
def load_fonts(*further: Path) -> FontSet:
    """Noto Sans SC and any further font files, which print what it lacks. Fonts of the system are never used.

    Raises:
        ValueError: a font file has no Unicode character map.
    """
    files = (font_directory() / "NotoSansSC-Regular.ttf", *further)
    families: list[str] = []
    for file in files:
        names = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(file.parent)])
        families += [font.family for font in names.fonts() if font.path and Path(font.path).name == file.name]
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=list(dict.fromkeys(str(file.parent) for file in files)),
    )
    characters = frozenset[int]().union(*(characters_of(file.read_bytes()) for file in files))
    return FontSet(fonts=fonts, families=tuple(dict.fromkeys(families)), characters=characters)


def characters_of(font: bytes) -> frozenset[int]:
    """The code points that a TrueType or OpenType font has glyphs for (its `cmap` table, formats 12 and 4).

    Raises:
        ValueError: there is no such table.
    """
    for index in range(struct.unpack_from(">H", font, 4)[0]):
        tag, _, offset, _ = struct.unpack_from(">4sIII", font, 12 + 16 * index)
        if tag == b"cmap":
            return _best_map(font, offset)
    raise ValueError("the font has no character map")


def _best_map(font: bytes, table: int) -> frozenset[int]:
    found: dict[int, int] = {}
    for index in range(struct.unpack_from(">H", font, table + 2)[0]):
        _, _, offset = struct.unpack_from(">HHI", font, table + 4 + 8 * index)
        found.setdefault(struct.unpack_from(">H", font, table + offset)[0], table + offset)
    if 12 in found:  # noqa: PLR2004
        return _segmented_coverage(font, found[12])
    if 4 in found:  # noqa: PLR2004
        return _segment_deltas(font, found[4])
    raise ValueError("the font has no Unicode character map of format 12 or 4")


def _segmented_coverage(font: bytes, table: int) -> frozenset[int]:
    """Format 12: groups of consecutive code points."""
    points: set[int] = set()
    for index in range(struct.unpack_from(">I", font, table + 12)[0]):
        first, last, glyph = struct.unpack_from(">III", font, table + 16 + 12 * index)
        points.update(range(first + (not glyph), last + 1))  # glyph 0 is the empty box
    return frozenset(points)


def _segment_deltas(font: bytes, table: int) -> frozenset[int]:
    """Format 4: segments within the basic plane, each with a delta or a list of glyphs."""
    count = struct.unpack_from(">H", font, table + 6)[0] // 2
    ends = table + 14
    starts, deltas, offsets = ends + 2 * count + 2, ends + 4 * count + 2, ends + 6 * count + 2
    points: set[int] = set()
    for index in range(count):
        end, start, delta, offset = (
            struct.unpack_from(">H", font, place + 2 * index)[0] for place in (ends, starts, deltas, offsets)
        )
        for point in range(start, min(end, 0xFFFE) + 1):
            glyph = point
            if offset:
                glyph = struct.unpack_from(">H", font, offsets + 2 * index + offset + 2 * (point - start))[0]
                if not glyph:
                    continue
            if (glyph + delta) & 0xFFFF:
                points.add(point)
    return frozenset(points)
