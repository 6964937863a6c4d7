"""A receipt as providers and the post spell it, in a file or in a push.

`{"id": "<32 hex>", "state": "delivered" | "bounced" | "failed", "reason"?, "register"?}`
"""

import re
from typing import Final

from compliance.transfers.notice_receipts import DeliveryReceipt
from models.domain.transfers.notice_course import Event

_EVENTS: Final = {"delivered": Event.DELIVERED, "bounced": Event.BOUNCED, "failed": Event.BOUNCED}
_REASON: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,39}\Z")


def receipt_of(told: object) -> DeliveryReceipt | None:
    """A receipt as a provider spells it; None if it is none."""
    if not isinstance(told, dict) or not isinstance(told.get("id"), str) or told.get("state") not in _EVENTS:
        return None
    reason, register = told.get("reason"), told.get("register")
    if any(each is not None and not (isinstance(each, str) and _REASON.match(each)) for each in (reason, register)):
        return None
    return DeliveryReceipt(message=told["id"], event=_EVENTS[told["state"]], reason=reason, register=register)
