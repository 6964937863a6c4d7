"""Whom the demo's batches debit and pay, and what shall become of each: generated people, planned ends."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Final, TypeVar

from deploy.demo.book import BookRow, generate_book
from deploy.demo.mock_bank import ACCOUNT_CLOSED, MANDATE_GONE, Fate, rejected, returned
from models.domain.batches.states import FinalState
from models.domain.identifiers import IdType
from models.domain.tokens import new_token

SEED: Final = 20_261_123
Part = TypeVar("Part", bound=StrEnum)
LIMIT_MINOR: Final = 2_000_000  # of one debit, as every mandate says
_LATE_DAYS: Final = 5  # calendar days after the money came: behind the term of returns
_RESIDENT_DIGITS: Final = 18


class Debited(StrEnum):
    """What becomes of a row of the debit file."""

    PAID = "paid"
    NO_MONEY_ONCE = "no-money-once"  # 余额不足: refused, and paid at the next try
    NO_MONEY = "no-money"  # refused at every try
    CLOSED = "account-closed"
    WITHDRAWN = "mandate-gone"
    LATE = "returned-late"  # 退回: paid, and back five days later
    UNREADABLE = "unreadable"  # an amount that nobody can read: held in quarantine
    STRANGER = "no-mandate"  # names a mandate that is not in the book: kept out of the cohort
    REVOKED = "mandate-revoked"  # kept out of the cohort
    ABOVE = "above-limit"  # asks for more than the mandate allows: kept out


FATES: Final[dict[Debited, tuple[Fate, ...]]] = {
    Debited.PAID: (),
    Debited.NO_MONEY_ONCE: (rejected(),),
    Debited.NO_MONEY: (rejected(), rejected(), rejected()),
    Debited.CLOSED: (rejected(ACCOUNT_CLOSED),),
    Debited.WITHDRAWN: (rejected(MANDATE_GONE),),
    Debited.LATE: (returned(ACCOUNT_CLOSED, days=_LATE_DAYS),),
}
# The ends of a row's orders, try after try; a row without any never became an order.
ENDS: Final[dict[Debited, tuple[FinalState, ...]]] = {
    Debited.PAID: (FinalState.SETTLED,),
    Debited.NO_MONEY_ONCE: (FinalState.REJECTED, FinalState.SETTLED),
    Debited.NO_MONEY: (FinalState.REJECTED,) * 3,
    Debited.CLOSED: (FinalState.REJECTED,),
    Debited.WITHDRAWN: (FinalState.REJECTED,),
    Debited.LATE: (FinalState.RETURNED,),
}
# Of so many orders one; at least one of each.
_SHARES: Final = {
    Debited.NO_MONEY_ONCE: 40,
    Debited.NO_MONEY: 250,
    Debited.CLOSED: 500,
    Debited.WITHDRAWN: 500,
    Debited.LATE: 1_000,
}
_NO_ORDER: Final = (Debited.UNREADABLE, Debited.STRANGER, Debited.REVOKED, Debited.ABOVE)


class Waged(StrEnum):
    """What becomes of a row of the payroll file."""

    PAID = "paid"
    BACK = "came-back"  # 退汇: paid, and back from the worker's bank
    BAD_NUMBER = "bad-id-number"  # check character
    BAD_ACCOUNT = "bad-account"  # check digit
    NO_AMOUNT = "no-amount"
    TWICE = "twice"  # the same line again
    OTHER_ACCOUNT = "other-account"  # not the worker's own: a rule bars it


HELD: Final = (Waged.BAD_NUMBER, Waged.BAD_ACCOUNT, Waged.NO_AMOUNT, Waged.TWICE)
WAGE_ENDS: Final[dict[Waged, FinalState]] = {
    Waged.PAID: FinalState.SETTLED,
    Waged.BACK: FinalState.RETURNED,
    Waged.OTHER_ACCOUNT: FinalState.BARRED,
}
_FAULTY_SHARE: Final = 200  # of so many rows one has this fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Debtor:
    """A row of the debit file. `mandate` is what the row names; of a stranger, nothing that is on record."""

    person: BookRow = field(repr=False)
    mandate: str
    part: Debited
    amount_minor: int

    @property
    def is_asked(self) -> bool:
        """Whether a debit reaches the bank."""
        return self.part in ENDS


@dataclass(frozen=True, kw_only=True, slots=True)
class Worker:
    """A row of the payroll file."""

    person: BookRow = field(repr=False)
    part: Waged
    net_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """Everybody."""

    debtors: list[Debtor]
    workers: list[Worker]

    def planned_debits(self) -> Counter[str]:
        """Orders by their end, every try counted."""
        return Counter(str(end) for each in self.debtors if each.is_asked for end in ENDS[each.part])

    def planned_wages(self) -> Counter[str]:
        """Orders by their end."""
        return Counter(str(WAGE_ENDS[each.part]) for each in self.workers if each.part in WAGE_ENDS)


def cast_batches(*, orders: int, rows: int) -> Cast:
    """So many debits that reach the bank, with a few rows beside them that do not; and so many rows of wages."""
    people = _residents()
    debited = [*_parts(orders, _SHARES, Debited.PAID), *_NO_ORDER]
    debtors = [
        Debtor(person=person, mandate=new_token("mdt"), part=part, amount_minor=_amount(part, number))
        for number, (part, person) in enumerate(zip(debited, people, strict=False))
    ]
    shares = dict.fromkeys((*HELD, Waged.OTHER_ACCOUNT), _FAULTY_SHARE) | {Waged.BACK: rows}
    waged = _parts(rows, shares, Waged.PAID)
    workers = [
        Worker(person=person, part=part, net_minor=500_000 + 37 * number)
        for number, (part, person) in enumerate(zip(waged, people, strict=False))
    ]
    return Cast(debtors=debtors, workers=workers)


def _residents() -> Iterator[BookRow]:
    """People with a resident's number of today's form, one after the other, each once."""
    book = generate_book(50_000, SEED)
    return (row for row in book if row.id_type == IdType.RESIDENT_ID and len(row.id_number) == _RESIDENT_DIGITS)


def _amount(part: Debited, number: int) -> int:
    return LIMIT_MINOR + 1 if part is Debited.ABOVE else 20_000 + 13 * number


def _parts(size: int, shares: Mapping[Part, int], usual: Part) -> list[Part]:
    """Parts by their shares, spread evenly: what is special stands among what is usual."""
    special = [part for part, share in shares.items() for _ in range(max(1, size // share))]
    step = max(1, size // len(special))
    parts = [usual] * size
    for place, part in enumerate(islice(special, size)):
        parts[place * step] = part
    return parts
