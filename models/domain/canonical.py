"""The one spelling of a record of codes and words, and its hash; the same as that of audit events."""

import hashlib
import json
from typing import Any


def digest(value: Any) -> str:
    """SHA-256, in hex, over JSON with sorted keys, no spaces and no NaN."""
    spelt = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(spelt.encode()).hexdigest()
