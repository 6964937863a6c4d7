"""What an audit event says: who did what to what, when, with which codes. Never a name or number of a person."""

import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


@dataclass(kw_only=True, slots=True)
class Deed:
    """One deed, as the unit of work will record it; `facts` may be filled in while the unit runs.

    Attributes:
        action: dotted and in the past tense of the business, e.g. `task.decided`.
        target: the token of what it was done to (case, subject, staff, task or document).
        actor: staff id, link id, `workflow`, `duty:<name>` or `operator`.
        facts: identifiers, codes, amounts, dates and hashes; a reference to sealed text instead of the text.
    """

    tenant: str
    action: str
    target: str
    actor: str
    at: datetime
    facts: dict[str, Any] = field(default_factory=dict)


def canonical(event_id: str, deed: Deed) -> str:
    """The event's one spelling: JSON with sorted keys, no spaces, UTF-8. This is what is hashed and kept."""
    record = {
        "id": event_id,
        "tenant": deed.tenant,
        "at": deed.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "action": deed.action,
        "target": deed.target,
        "actor": deed.actor,
        "facts": deed.facts,
    }
    return canonical_json(record)


def canonical_json(value: Any) -> str:
    """JSON with one spelling: sorted keys, no spaces, no NaN."""
    return _ENCODER.encode(value)


def shown_hash(shown: Any) -> str:
    """What an approval is bound to: SHA-256, in hex, over the canonical JSON of what was shown."""
    return hashlib.sha256(canonical_json(shown).encode()).hexdigest()
