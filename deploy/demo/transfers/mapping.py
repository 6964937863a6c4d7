"""The mapping file (字段映射) that fits the transferor's file of `deploy.demo.transfers.foreign`, as TOML."""

import json
from typing import Final

from deploy.demo.transfers.foreign import CODES, HEADERS

NAME: Final = "mapping.toml"


def mapping_text(encoding: str = "utf-8") -> str:
    """The whole mapping; every field from its column, codes turned into those of a record."""
    lines = ["version = 1", "", "[file]", f'encoding = "{encoding}"', "header = 1"]
    for field, column in HEADERS.items():
        lines += ["", f"[fields.{field}]", f"column = {_text(column)}"]
        codes = CODES.get(field)
        if codes is not None:
            pairs = ", ".join(f"{_text(code)} = {_text(value)}" for value, code in codes.items())
            lines.append(f"values = {{ {pairs} }}")
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
