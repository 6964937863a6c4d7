"""What the books say and what the bank says of the same money, as values to be compared (对账)."""

from dataclasses import dataclass, field
from datetime import date

from models.domain.daily import OrderState


@dataclass(frozen=True, kw_only=True, slots=True)
class BookedMoney:
    """Money that an event in the books says has moved, in minor units.

    Attributes:
        value_date: from which day it counts for the customer.
        booked_on: the business date on which it was booked.
        reference: the bank's reference, where staff recorded it.
    """

    event_id: str
    agreement_id: str
    amount_minor: int
    value_date: date
    booked_on: date
    reference: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BookOrder:
    """A debit order (扣款指令) with what the books say came of it.

    Attributes:
        account: blind index of the account that it asked for; None for one that never stood in a file.
        requested_on: the business date on which the bank was asked.
        paid: events that book its money; more than one is a fault.
        back: events that book its money going back.
    """

    order_id: str
    agreement_id: str
    end_to_end_id: str
    amount_minor: int
    requested_on: date
    state: OrderState
    account: bytes | None = field(default=None, repr=False)
    paid: tuple[BookedMoney, ...] = ()
    back: tuple[BookedMoney, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class BankLine:
    """One booked entry of the bank (camt.053, camt.054), in minor units.

    Attributes:
        line_id: ours, of the kept line; for a line read from a file, the file and the place in it.
        reference: the bank's reference of the entry; None where the entry has none of its own.
        order_id: the order that the line was matched with when it was taken.
        back: the bank says that this is money going back.
        credit: whether our account was credited; None where that was not kept.
        account: blind index of the debtor's account; None where the bank does not name it.
        in_suspense: the books hold it as money of nobody (暂收).
        assigned: it was that until two persons found whose it is (认领); how long they looked is no fault.
    """

    line_id: str
    amount_minor: int
    value_date: date
    back: bool
    credit: bool | None = None
    reference: str | None = None
    order_id: str | None = None
    end_to_end_id: str | None = None
    account: bytes | None = field(default=None, repr=False)
    in_suspense: bool = False
    assigned: bool = False

    @property
    def is_reversed(self) -> bool:
        """Whether the money moved the other way than the bank's word for it says."""
        return self.credit is not None and self.credit is self.back


@dataclass(frozen=True, kw_only=True, slots=True)
class FiledLine:
    """A line as a file of the bank has it. `is_sum` marks a batch booked as one, kept as a line for each order."""

    business_key: str
    line: BankLine
    is_sum: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ClearingSum:
    """What should and does stand on the account for bank clearing (待清算) under one head, in minor units.

    Attributes:
        agreement_id: None for money in suspense.
        line_id: of the bank's line in suspense.
        expected_minor: what events, or the bank's line, come to.
        posted_minor: what was posted.
    """

    booked_on: date
    expected_minor: int
    posted_minor: int
    agreement_id: str | None = None
    line_id: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Accounts:
    """Both sides of a period, whole: an order of either side is here with all its lines and events.

    Lines of no order, and transfers, are here for some days around the period too, so that each finds its counterpart;
    what is reported of them is what lies in the period.

    Attributes:
        first, last: the period, both ends included.
        transfers: payments that staff recorded as transfers to our account.
        clearing: sums of the ledger's account for bank clearing.
        as_of: the last day of which the bank can have spoken.
    """

    orders: tuple[BookOrder, ...]
    lines: tuple[BankLine, ...]
    first: date
    last: date
    as_of: date
    transfers: tuple[BookedMoney, ...] = ()
    clearing: tuple[ClearingSum, ...] = ()


def entry_reference(key: str) -> str | None:
    """The bank's reference in the key of a booked entry; None in other keys, and in those that had to be shortened."""
    head, _, rest = key.partition("/")
    parts = rest.rsplit("/", 3)
    return parts[0] if head == "entry" and len(parts) == 4 else None  # noqa: PLR2004 - detail, end-to-end id, status
