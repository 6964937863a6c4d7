"""A sheet as JSON: the facts as they are, and the same words, tables and figures that the other forms show. Pure."""

import json
from collections.abc import Mapping
from typing import Any

from activities.reports.sheet import Block, Chart, Facts, Heading, Mark, Para, Sheet, Table


def json_sheet(sheet: Sheet, facts: Mapping[str, Any]) -> bytes:
    """UTF-8, members in order; the same sheet and facts give the same bytes. `digest` is over `facts` alone."""
    record = {
        "id": sheet.id,
        "locale": sheet.locale,
        "title": sheet.title,
        "institution": sheet.institution,
        "digest": sheet.digest,
        "blocks": [_block(each) for each in sheet.blocks],
        "facts": facts,
    }
    return json.dumps(record, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False).encode() + b"\n"


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Heading():
            return {"kind": "heading", "text": block.text}
        case Para():
            return {"kind": "para", "text": block.text}
        case Facts():
            return {"kind": "facts", "pairs": [list(pair) for pair in block.pairs]}
        case Mark():
            return {"kind": "mark", "level": block.level, "text": block.text, "note": block.note}
        case Chart():
            return {"kind": "chart", "alt": block.alt, "svg": block.svg}
        case Table():
            return {
                "kind": "table",
                "caption": block.caption,
                "head": list(block.head),
                "rows": [list(row) for row in block.rows],
                "foot": list(block.foot),
            }
