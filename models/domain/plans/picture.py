"""Plans side by side as a picture: one panel a family, one bar a row, all to the same scale. Plain SVG, whole numbers.

Words come from the caller, who knows the language; amounts through its own way of writing money.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape

from models.domain.plans.negotiation import Family
from models.domain.plans.offers import PlanOffer
from models.domain.rates.yields import in_percent
from models.domain.schedules.rows import Row

# All in tenths of a pixel, so that bars need no fractions.
_PANEL_WIDTH: Final = 4700
_PANEL_HEIGHT: Final = 2500
_HEAD: Final = 900
_CHART_LEFT: Final = 200
_CHART_TOP: Final = 760
_CHART_WIDTH: Final = 4300
_CHART_HEIGHT: Final = 1400
_COLUMNS: Final = 2
_WIDEST_BAR: Final = 300
_HEADROOM: Final = 105  # per cent of the highest amount
_PRINCIPAL: Final = "#3d6b99"
_COST: Final = "#e0912f"
_CAPACITY: Final = "#a8323e"
_INK: Final = "#222222"
_PALE: Final = "#666666"


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureTexts:
    """The words of the picture, in the reader's language.

    Attributes:
        families: names of the families.
        reasons: why a family is not offered, by code.
        highest, total, rate: what stands before the highest installment, before all that is paid, and before the rate.
        rows: what stands after a number of rows, such as 期.
        money: how an amount in minor units is written.
    """

    title: str
    families: Mapping[Family, str]
    reasons: Mapping[str, str]
    not_offered: str
    principal: str
    cost: str
    capacity: str
    highest: str
    total: str
    rate: str
    rows: str
    money: Callable[[int], str]


def picture(offers: Sequence[PlanOffer], texts: PictureTexts) -> str:
    """An SVG of the installments of each offer over time, with the customer's capacity as a line across."""
    capacity = max((offer.capacity_minor for offer in offers), default=0)
    highest = max((offer.figures.highest_installment_minor for offer in offers if offer.figures), default=0)
    scale = max(1, max(highest, capacity) * _HEADROOM // 100)
    width = _COLUMNS * _PANEL_WIDTH
    height = _HEAD + -(-len(offers) // _COLUMNS) * _PANEL_HEIGHT
    body = [_legend(texts, capacity)]
    for at, offer in enumerate(offers):
        left = at % _COLUMNS * _PANEL_WIDTH
        top = _HEAD + at // _COLUMNS * _PANEL_HEIGHT
        body.append(f'<g transform="translate({left} {top})">{_panel(offer, texts, scale)}</g>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width // 10}" '
        f'height="{height // 10}" role="img" font-family="Noto Sans SC, sans-serif" fill="{_INK}">'
        f"<title>{escape(texts.title)}</title>"
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{"".join(body)}</svg>'
    )


def _legend(texts: PictureTexts, capacity: int) -> str:
    line = f'<path d="M6000 640h260" stroke="{_CAPACITY}" stroke-width="20" stroke-dasharray="60 40"/>'
    capacity_text = f"{texts.capacity} {texts.money(capacity)}"
    return (
        _text(200, 380, texts.title, size=220, weight="bold")
        + _box(200, 580, _PRINCIPAL)
        + _text(380, 690, texts.principal)
        + _box(2400, 580, _COST)
        + _text(2580, 690, texts.cost)
        + line
        + _text(6330, 690, capacity_text)
    )


def _panel(offer: PlanOffer, texts: PictureTexts, scale: int) -> str:
    name = _text(_CHART_LEFT, 320, texts.families[offer.family], size=180, weight="bold")
    if offer.schedule is None or offer.figures is None:
        why = " · ".join(texts.reasons.get(reason, reason) for reason in offer.reasons)
        return name + _text(_CHART_LEFT, 560, f"{texts.not_offered}: {why}", colour=_PALE)
    figures = offer.figures
    right = _CHART_LEFT + _CHART_WIDTH
    rate = in_percent(figures.effective / 100, digits=2)
    beside = f"{figures.term} {texts.rows} · {texts.rate} {rate}%"
    caption = (
        f"{texts.highest} {texts.money(figures.highest_installment_minor)} · "
        f"{texts.total} {texts.money(figures.total_paid_minor)}"
    )
    bottom = _CHART_TOP + _CHART_HEIGHT
    base = f'<path d="M{_CHART_LEFT} {bottom}h{_CHART_WIDTH}" stroke="{_PALE}" stroke-width="8"/>'
    level = bottom - _tall(offer.capacity_minor, scale)
    dashes = f'stroke="{_CAPACITY}" stroke-width="14" stroke-dasharray="60 40"'
    parts = (
        name,
        _text(right, 320, beside, anchor="end"),
        _text(_CHART_LEFT, 560, caption, colour=_PALE),
        _bars(offer.schedule.rows, scale),
        base,
        f'<path d="M{_CHART_LEFT} {level}h{_CHART_WIDTH}" {dashes}/>',
        _text(_CHART_LEFT, bottom + 190, offer.schedule.rows[0].due.isoformat(), size=120, colour=_PALE),
        _text(right, bottom + 190, figures.last_due.isoformat(), size=120, colour=_PALE, anchor="end"),
    )
    return "".join(parts)


def _bars(rows: Sequence[Row], scale: int) -> str:
    """Principal below, its cost on top; both ends of a bar are worked out from the base, so that no gap can appear."""
    step = _CHART_WIDTH // len(rows)
    wide = min(_WIDEST_BAR, max(10, step * 4 // 5))
    bottom = _CHART_TOP + _CHART_HEIGHT
    bars = []
    for at, row in enumerate(rows):
        left = _CHART_LEFT + _CHART_WIDTH * at // len(rows)
        principal, total = _tall(row.principal_minor, scale), _tall(row.total_minor, scale)
        bars.append(_bar(left, bottom - principal, wide, principal, _PRINCIPAL))
        bars.append(_bar(left, bottom - total, wide, total - principal, _COST))
    return "".join(bars)


def _tall(amount_minor: int, scale: int) -> int:
    return _CHART_HEIGHT * amount_minor // scale


def _bar(left: int, top: int, width: int, height: int, colour: str) -> str:
    return f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{colour}"/>' if height else ""


def _box(left: int, top: int, colour: str) -> str:
    return _bar(left, top, 120, 120, colour)


def _text(
    left: int,
    base: int,
    words: str,
    *,
    size: int = 140,
    weight: str = "normal",
    colour: str = _INK,
    anchor: str = "start",
) -> str:
    return (
        f'<text x="{left}" y="{base}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
