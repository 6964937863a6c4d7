"""The one place where names of a layout's fields (`payeeAccount`) become those that rows are kept under (`account`)."""

import re
from collections.abc import Mapping
from typing import Final

from models.domain.batches.files.rows import Value

_OWN: Final = {
    "payeeAccount": "account",
    "payerAccount": "account",
    "card": "account",
    "payeeBank": "bank-code",
    "payerBank": "bank-code",
    "balanceMinor": "total-due-minor",
    "installments": "term-months",
}
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def row_name(field: str) -> str:
    """Under which name a field of a layout is kept: its own, or the same words with hyphens."""
    return _OWN.get(field) or _HUMP.sub("-", field).lower()


def row_fields(values: Mapping[str, Value]) -> dict[str, str]:
    """Values of a clean row by the names that they are kept under, as text: amounts in minor units, days as ISO."""
    return {row_name(name): str(value) for name, value in values.items()}
