"""What a report shows, as blocks in one language: the HTML and the PDF are two spellings of the same sheet. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from models.texts.render import Locale, has_text, render

_SHORT: Final = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class Heading:
    """The title of a section."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Para:
    """A paragraph; a `quiet` one explains."""

    text: str
    quiet: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """Labels and values."""

    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table. `right`: columns of figures; `widths`: shares of the page; `foot`: a row of sums.

    `caption` is read aloud before the table, and printed above it.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[int] = frozenset()
    widths: tuple[int, ...] = ()
    foot: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """A picture with what it shows in words; the figures stand in a table beside it."""

    svg: str
    alt: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """The verdict, seen first. `level`: passed, reserved or failed."""

    level: str
    text: str
    note: str


Block = Heading | Para | Facts | Table | Chart | Mark


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A whole report or page.

    Attributes:
        id: printed in the footer, with `digest`, the hash of the facts.
        institution: who writes it.
        made_at: the time that the document says of itself.
        area: of the catalogue that its words come from.
    """

    id: str
    title: str
    institution: str
    digest: str
    made_at: datetime
    locale: Locale
    blocks: tuple[Block, ...]
    area: str = "transfer-report"

    @property
    def words(self) -> "Words":
        """The catalogue that it is written in."""
        return Words(self.locale, self.area)


@dataclass(frozen=True, slots=True)
class Words:
    """The report's catalogue in one language."""

    locale: Locale
    area: str = "transfer-report"

    def __call__(self, key: str, **params: str | int) -> str:
        """The text of `<area>.<key>`."""
        return render(f"{self.area}.{key}", params, self.locale)

    def code(self, family: str, code: str | None) -> str:
        """The word for a code of a family; a code that is new to the catalogue stands for itself."""
        key = f"{self.area}.{family}.{code}"
        return render(key, {}, self.locale) if code and has_text(key, self.locale) else (code or "—")

    def text(self, key: str, otherwise: str) -> str:
        """A text of another catalogue."""
        return render(key, {}, self.locale) if has_text(key, self.locale) else otherwise


def short(digest: str | None) -> str:
    """The first digits of a hash, enough to compare by eye; the JSON has it whole."""
    return digest[:_SHORT] if digest else "—"


def when(instant: str | None) -> str:
    """`2026-11-23 02:00:00` of the JSON's instant in UTC."""
    return "—" if not instant else instant[:19].replace("T", " ")


def number(value: Any) -> str:
    """`1234567` is `1,234,567`; nothing is a dash."""
    return "—" if value is None else f"{value:,}"


def share(ppm: int) -> str:
    """Parts per million as a percentage with two digits, cut off downwards: 987,738 is 98.77 %."""
    return f"{ppm // 10_000}.{ppm % 10_000 // 100:02d} %"


def table(
    words: Words,
    caption: str,
    head: Sequence[str],
    rows: Iterator[tuple[str, ...]],
    *,
    right: set[int] | frozenset[int] = frozenset(),
    widths: tuple[int, ...] = (),
    **params: int,
) -> Block:
    """A table under a caption and heads of the catalogue; where there are no rows, the word for none."""
    found = tuple(rows)
    if not found:
        return Para(text=words("none"), quiet=True)
    return Table(
        caption=words(caption, **params),
        head=tuple(words(each) for each in head),
        rows=found,
        right=frozenset(right),
        widths=widths,
    )
