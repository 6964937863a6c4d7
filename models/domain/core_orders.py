"""Orders to the card core (核心系统): what can be ordered for a case, and how far an order has come."""

from enum import StrEnum


class OrderKind(StrEnum):
    """What the core is asked to do with one card and its holder."""

    BLOCK_CARD = "block-card"  # no new card of this bank
    RELEASE_CARD = "release-card"  # the block is lifted
    RECALL_COLLECTION = "recall-collection"  # 催收召回: whoever collects this debt stops, and says so
    RESUME_COLLECTION = "resume-collection"  # the debt may be collected again


class OrderState(StrEnum):
    """Only `ACKNOWLEDGED` is final: a refused order may be repeated under its key once the cause is mended."""

    SENT = "SENT"  # taken by the core; an agency has yet to acknowledge
    ACKNOWLEDGED = "ACKNOWLEDGED"
    REFUSED = "REFUSED"
