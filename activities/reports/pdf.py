"""A sheet as PDF (typst), PDF/A-2a and PDF/UA-1 as all documents are; the same sheet gives the same bytes."""

from typing import Any

from activities.documents.render import Renderer
from activities.reports.sheet import Block, Chart, Facts, Heading, Mark, Para, Sheet, Table


def pdf_page(renderer: Renderer, sheet: Sheet) -> bytes:
    """The document.

    Raises:
        CharacterUnprintable: a text holds a character that the font lacks.
        TemplateDefectError: our own fault.
    """
    made = sheet.made_at
    data = {
        "id": sheet.id,
        "hash": sheet.digest,
        "version": "1",
        "locale": sheet.locale,
        "title": sheet.title,
        "currency": "CNY",
        "lender": {"name": sheet.institution},
        "madeOn": {"year": made.year, "month": made.month, "day": made.day},
        "hashLabel": sheet.words("f.digest"),
        "blocks": _blocks(sheet),
    }
    return renderer.compile("sheet.typ", data, made_on=made.date())


def _blocks(sheet: Sheet) -> list[dict[str, Any]]:
    """The blocks as the template takes them; a caption that repeats the heading above it is not printed twice."""
    said, heading = [], ""
    for block in sheet.blocks:
        heading = block.text if isinstance(block, Heading) else heading
        told = _block(block)
        if told.get("caption") == heading:
            told["caption"] = ""
        said.append(told)
    return said


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "text": block.text}
        case Para():
            return {"kind": "para", "text": block.text, "quiet": block.quiet}
        case Facts():
            return {"kind": "facts", "pairs": [list(pair) for pair in block.pairs]}
        case Mark():
            return {"kind": "mark", "level": block.level, "text": block.text, "note": block.note}
        case Chart():
            return {"kind": "chart", "svg": block.svg, "alt": block.alt}
        case Table():
            return {
                "kind": "table",
                "caption": block.caption,
                "head": list(block.head),
                "rows": [list(row) for row in block.rows],
                "foot": list(block.foot),
                "widths": list(block.widths) or [1] * len(block.head),
                "sides": ["right" if place in block.right else "left" for place in range(len(block.head))],
            }
