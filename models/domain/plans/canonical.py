"""One spelling of a record, and the hash that freezes it."""

import hashlib
import json
from collections.abc import Mapping


def canonical_json(record: Mapping[str, object]) -> str:
    """JSON with sorted keys, no spaces and no NaN: the spelling in which an offer is hashed and kept."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_hash(record: Mapping[str, object]) -> str:
    """SHA-256, in hex, over the canonical JSON."""
    return hashlib.sha256(canonical_json(record).encode()).hexdigest()
