"""The report's pictures as SVG: small pure functions, no script. Each stands beside a table of its figures.

Shades differ in lightness, and every bar carries its figure, so that they read in black and white.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from typing import Final

_INK: Final = "#1c2733"
_QUIET: Final = "#5b6670"
_GRID: Final = "#d5dade"
_SUM: Final = "#2f5d8a"
_LOSS: Final = "#c9a14a"
_BAD: Final = "#a33b2e"
_GOOD: Final = "#3f7d58"
SHADES: Final = {"sum": _SUM, "loss": _LOSS, "bad": _BAD, "good": _GOOD, "quiet": "#9aa5ae"}
_FONT: Final = "'Noto Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
_WIDTH: Final = 660


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """A labelled figure. `shade`: a name of `SHADES`."""

    label: str
    value: int
    shade: str = "sum"


@dataclass(frozen=True, kw_only=True, slots=True)
class Span:
    """A stretch of time; `note` stands behind it."""

    label: str
    begin: datetime
    end: datetime
    shade: str
    note: str


def waterfall(steps: Sequence[Bar], *, title: str) -> str:
    """Columns from left to right: a `sum` stands on the ground, everything else hangs from where the last one ended."""
    height, base, top = 250, 200, 30
    most = max((step.value for step in steps), default=0) or 1
    slot = _WIDTH // max(1, len(steps))
    pieces = [_line(0, base, _WIDTH, base)]
    level = 0
    for place, step in enumerate(steps):
        if step.shade in ("sum", "good"):
            low, high = 0, step.value
            level = step.value
        else:
            low, high = level - step.value, level
            level = low
        y = base - high * (base - top) // most
        tall = max(1, (high - low) * (base - top) // most) if step.value else 0
        x = place * slot + slot // 6
        pieces += [
            _rect(x, y, slot * 2 // 3, tall, SHADES[step.shade]),
            _text(x + slot // 3, y - 6, f"{step.value:,}", anchor="middle", bold=True),
            *_wrapped(x + slot // 3, base + 16, step.label, slot),
        ]
        if place + 1 < len(steps):
            edge = base - level * (base - top) // most
            pieces.append(_line(x + slot * 2 // 3, edge, x + slot, edge, dash=True))
    return _svg(height, title, pieces)


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """Horizontal bars, one below the other, each with its figure."""
    left, step = 170, 26
    most = max((row.value for row in rows), default=0) or 1
    pieces = []
    for place, row in enumerate(rows):
        y = 8 + place * step
        long = row.value * (_WIDTH - left - 90) // most
        pieces += [
            _text(left - 10, y + 13, row.label, anchor="end"),
            _rect(left, y, max(long, 1 if row.value else 0), 18, SHADES[row.shade]),
            _text(left + long + 8, y + 13, f"{row.value:,}", bold=True),
        ]
    return _svg(16 + step * max(1, len(rows)), title, pieces)


def timeline(spans: Sequence[Span], *, title: str) -> str:
    """One line for each span over a common time axis, with begin and end written below."""
    if not spans:
        return ""
    left, right, step = 90, 120, 22
    begin, end = min(span.begin for span in spans), max(span.end for span in spans)
    whole = max(1, _milliseconds(begin, end))
    room = _WIDTH - left - right
    pieces = []
    for place, span in enumerate(spans):
        y = 8 + place * step
        x = left + _milliseconds(begin, span.begin) * room // whole
        long = max(3, _milliseconds(span.begin, span.end) * room // whole)
        pieces += [
            _text(left - 10, y + 12, span.label, anchor="end"),
            _rect(x, y, long, 15, SHADES[span.shade]),
            _text(_WIDTH - right + 10, y + 12, span.note),
        ]
    floor = 14 + step * len(spans)
    pieces += [
        _line(left, floor, left + room, floor),
        _text(left, floor + 16, _clock(begin), quiet=True),
        _text(left + room, floor + 16, _clock(end), anchor="end", quiet=True),
    ]
    return _svg(floor + 26, title, pieces)


def _milliseconds(begin: datetime, end: datetime) -> int:
    span = end - begin
    return (span.days * 86_400 + span.seconds) * 1000 + span.microseconds // 1000


def _clock(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _svg(height: int, title: str, pieces: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        f'role="img"><title>{escape(title)}</title>{"".join(pieces)}</svg>'
    )


def _rect(x: int, y: int, wide: int, tall: int, fill: str) -> str:
    return f'<rect x="{x}" y="{y}" width="{wide}" height="{tall}" fill="{fill}"/>'


def _line(x1: int, y1: int, x2: int, y2: int, *, dash: bool = False) -> str:
    style = ' stroke-dasharray="3 3"' if dash else ""
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{_GRID if dash else _QUIET}"{style}/>'


def _text(x: int, y: int, text: str, *, anchor: str = "start", bold: bool = False, quiet: bool = False) -> str:
    fill = _QUIET if quiet else _INK
    size = 13 if bold else 12
    return (
        f'<text x="{x}" y="{y}" font-family="{_FONT}" font-size="{size}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(text)}</text>'
    )


def _wrapped(x: int, y: int, label: str, room: int) -> list[str]:
    """A label in as many lines as the room of its column needs; Latin words are kept whole."""
    most = max(4, room // 7) if label.isascii() else max(3, room // 13)
    lines, line = [], ""
    for word in label.split(" ") if label.isascii() else list(label):
        joined = f"{line} {word}".strip() if label.isascii() else line + word
        if len(joined) > most and line:
            lines.append(line)
            line = word
        else:
            line = joined
    return [_text(x, y + 14 * place, each, anchor="middle") for place, each in enumerate([*lines, line])]
