"""Messages to customers that belong to no case: what each kind may say (codes and dates), and for how long."""

from enum import StrEnum
from typing import Final


class MessageKind(StrEnum):
    """`customer-message.<kind>.subject` and `.text` are its words."""

    FOLLOW_UP_ANSWERED = "follow-up-answered"  # 回访答复
    RECORD_CHANGED = "record-changed"  # 客户信息已变更: to the old and the new contact point


class MessageState(StrEnum):
    """QUEUED until it is one of the others, which are final."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"


# Tries before the other channel is taken, and the rest before each.
TRIES: Final = 5
FIRST_REST_S: Final = 30
