"""What the bank answers, as values: one item for each order, batch or file that a reply speaks of."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final


class ReplyStatus(StrEnum):
    """What the bank says has become of it."""

    ACCEPTED = "ACCEPTED"  # will be carried out; no money has moved
    PARTIAL = "PARTIAL"  # of a file or a batch: some yes, some no; the items say which
    PENDING = "PENDING"  # not decided, or booked provisionally
    REJECTED = "REJECTED"  # will not be carried out; no money has moved
    SETTLED = "SETTLED"  # money has moved
    RETURNED = "RETURNED"  # money has moved back


_RANKS: Final = {
    status: rank
    for rank, statuses in enumerate(
        (
            (ReplyStatus.PENDING, ReplyStatus.PARTIAL),
            (ReplyStatus.ACCEPTED,),
            (ReplyStatus.REJECTED,),
            (ReplyStatus.SETTLED,),
            (ReplyStatus.RETURNED,),
        )
    )
    for status in statuses
}


def advances(known: ReplyStatus | None, told: ReplyStatus) -> bool:
    """Whether `told` is news where `known` stood. Replies overtake one another: acceptance after money is no news."""
    return known is None or _RANKS[told] > _RANKS[known]


class ReplyLevel(StrEnum):
    """How much of a file an item speaks of."""

    FILE = "FILE"
    BATCH = "BATCH"
    ITEM = "ITEM"


# The bank has had the file before: it says nothing about the orders, which the first file decided.
DUPLICATE_NOTICES: Final = frozenset({"DUPL", "AM05"})


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplyItem:
    """One statement of the bank. Ids are None where the bank gave none.

    Attributes:
        message: which message said so, without version: `pain.002`, `camt.054`, `camt.053`.
        reply_id: the bank's id of the reply.
        original_message_id, batch_id, instruction_id, end_to_end_id: ours, as we sent them.
        reason_code: ISO external code or the bank's own, for a rejection or a return.
        amount_minor, currency: None in a status report, which mostly names no amount.
        credit: whether the account was credited; None in a status report.
        account: the debtor's, as the bank names it; None where it does not.
        entry_ref: the bank's reference of the booked entry; the same in notification and statement.
        detail: place within the entry, from 0; an entry of one booked batch can have many.
        count: of a booked batch, how many orders the bank counted.
        line: in the reply, for whoever looks it up.
    """

    message: str
    reply_id: str
    level: ReplyLevel
    status: ReplyStatus
    original_message_id: str | None = None
    batch_id: str | None = None
    instruction_id: str | None = None
    end_to_end_id: str | None = None
    reason_code: str | None = None
    amount_minor: int | None = None
    currency: str | None = None
    credit: bool | None = None
    account: str | None = field(default=None, repr=False)
    value_date: date | None = None
    booking_date: date | None = None
    entry_ref: str | None = None
    detail: int = 0
    count: int | None = None
    line: int = 0

    @property
    def is_duplicate_notice(self) -> bool:
        """Whether this only says that the same file had come before, which decides nothing about its orders."""
        return (
            self.level is ReplyLevel.FILE
            and self.status is ReplyStatus.REJECTED
            and self.reason_code in DUPLICATE_NOTICES
        )

    @property
    def key(self) -> str:
        """Business key, at most 160 characters: the same fact told again, in whatever file, has the same key."""
        if self.amount_minor is not None and self.entry_ref is not None:
            return f"entry/{self.entry_ref}/{self.detail}/{self.end_to_end_id or ''}/{self.status}"
        ids = (self.original_message_id, self.batch_id, self.end_to_end_id, self.reason_code)
        return f"status/{'/'.join(each or '' for each in ids)}/{self.status}"
