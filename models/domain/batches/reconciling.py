"""Reconciliation of a run (批次对账): orders against files, books and statement, to the cent. Pure.

Each difference has a code and names the order, file or booking that it is about. Sums are minor units. The codes are
the same for money in and out; texts are `batch-report.difference.<code>`.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from models.domain.batches.states import FinalState, OrderState

EXAMPLES: Final = 20  # of each code; the count has them all
# States that an order can only have come to by way of a file.
LEFT: Final = frozenset(
    {OrderState.SENT, OrderState.ACCEPTED, OrderState.SETTLED, OrderState.REJECTED, OrderState.RETURNED}
)
_STATE_OF: Final = {
    FinalState.SETTLED: OrderState.SETTLED,
    FinalState.REJECTED: OrderState.REJECTED,
    FinalState.RETURNED: OrderState.RETURNED,
    FinalState.WITHDRAWN: OrderState.WITHDRAWN,
    FinalState.BARRED: OrderState.BARRED,
}
SETTLED: Final = "SETTLED"  # what a bank's line says, whatever its message
RETURNED: Final = "RETURNED"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One booked line of the bank's statement about an order."""

    status: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderSides:
    """One order, and what the other records say of it.

    Attributes:
        state: as the bank's answers left it.
        final_state: its end; None: it has none.
        settled: whether money ever moved (`settled_on`).
        file_id: which file carried it.
        booked: net amounts on the clearing account by posting (`settled`, `returned`), without sign.
        unbalanced: postings of it whose legs do not add up to zero.
        lines: of the bank's statement.
        has_case: of a row that became a case, whether that case is on record.
        debit_differs: of an order of the daily run, whether its debit says something else.
    """

    id: str
    amount_minor: int
    state: str
    final_state: str | None
    settled: bool
    file_id: str | None
    booked: Mapping[str, int]
    unbalanced: tuple[str, ...] = ()
    lines: Sequence[Line] = ()
    has_case: bool = False
    debit_differs: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSides:
    """One file to the bank: what it says of itself, and what its orders add up to."""

    id: str
    is_sent: bool
    items: int
    total_minor: int
    orders: int
    orders_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RunSides:
    """What the run as a whole is held against.

    Attributes:
        included: members that were to get an order.
        with_order: of these, with one at least.
        control: codes of what the sender's control total and the file disagree on.
        funding_used_minor: of the client's funding; None: the kind has none.
        debits_without_order: debits of the daily run's date that no order accounts for.
    """

    included: int
    with_order: int
    control: tuple[str, ...] = ()
    funding_used_minor: int | None = None
    debits_without_order: int = 0


@dataclass(slots=True)
class Reconciliation:
    """The figures and differences so far; orders are added in parts, so that a run of any size fits."""

    orders: int = 0
    orders_minor: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    ends_minor: Counter[str] = field(default_factory=Counter)
    settled_minor: int = 0
    in_files: int = 0
    files_minor: int = 0
    booked_minor: int = 0
    statement_minor: int = 0
    differs: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)

    def add_orders(self, orders: Iterable[OrderSides]) -> None:
        """Hold these orders against the other records."""
        for order in orders:
            self._count(order)
            for code in _of_order(order):
                self._note(code, order.id)

    def add_files(self, files: Iterable[FileSides]) -> None:
        """Hold the files against the orders that they carried."""
        for each in files:
            self.in_files += each.items
            self.files_minor += each.total_minor
            for code in _of_file(each):
                self._note(code, each.id)

    def add_run(self, run: RunSides, *, name: str) -> None:
        """Hold the run against its cohort, its sender and its funding; call it when all orders are added."""
        if run.included != run.with_order:
            self._note("row-without-order", name, abs(run.included - run.with_order))
        if run.debits_without_order:
            self._note("debit-without-order", name, run.debits_without_order)
        for code in run.control:
            self._note(code, name)
        if run.funding_used_minor is not None and run.funding_used_minor != self.booked_minor:
            self._note("funding-used", name)

    @property
    def codes(self) -> tuple[str, ...]:
        """Codes of all that differs, in order; empty: everything is equal to the cent."""
        return tuple(sorted(self.differs))

    def figures(self) -> dict[str, object]:
        """As they are kept and shown: counts, sums, codes and examples."""
        return {
            "orders": self.orders,
            "ordersMinor": self.orders_minor,
            "settledMinor": self.settled_minor,
            "inFiles": self.in_files,
            "filesMinor": self.files_minor,
            "bookedMinor": self.booked_minor,
            "statementMinor": self.statement_minor,
            "ends": {end: {"orders": self.ends[end], "amountMinor": self.ends_minor[end]} for end in sorted(self.ends)},
            "differs": [
                {"code": code, "count": self.differs[code], "examples": self.examples[code]} for code in self.codes
            ],
        }

    def _count(self, order: OrderSides) -> None:
        self.orders += 1
        self.orders_minor += order.amount_minor
        end = order.final_state or "open"
        self.ends[end] += 1
        self.ends_minor[end] += order.amount_minor
        if order.final_state == FinalState.SETTLED:
            self.settled_minor += order.amount_minor
        self.booked_minor += order.booked.get("settled", 0) - order.booked.get("returned", 0)
        self.statement_minor += _sum(order, SETTLED) - _sum(order, RETURNED)

    def _note(self, code: str, name: str, count: int = 1) -> None:
        self.differs[code] += count
        examples = self.examples.setdefault(code, [])
        if len(examples) < EXAMPLES:
            examples.append(name)


def _of_order(order: OrderSides) -> Iterator[str]:
    if order.final_state is None:
        yield "order-open"
    elif _STATE_OF.get(FinalState(order.final_state), order.state) != order.state:
        yield "end-differs"
    if order.final_state == FinalState.OPENED:  # no money, so no file
        if not order.has_case:
            yield "row-without-case"
    elif order.state in LEFT and order.file_id is None:
        yield "order-without-file"
    if order.debit_differs:
        yield "debit-differs"
    if order.unbalanced:
        yield "posting-unbalanced"
    yield from _moves(order, "settled", SETTLED, _money_moved(order))
    yield from _moves(order, "returned", RETURNED, order.state == OrderState.RETURNED and order.settled)


def _money_moved(order: OrderSides) -> bool:
    """A returned order's money had moved first, unless the bank turned it back before it was booked."""
    return order.state == OrderState.SETTLED or (order.state == OrderState.RETURNED and order.settled)


def _moves(order: OrderSides, posting: str, status: str, expected: bool) -> Iterator[str]:  # noqa: FBT001 - private
    """Money of an order against books and statement: both say the same, or each has its code."""
    booked, said = order.booked.get(posting), [line for line in order.lines if line.status == status]
    if expected and booked is None:
        yield f"{posting}-not-booked"
    elif expected and booked != order.amount_minor:
        yield f"{posting}-amount-booked"
    elif not expected and booked is not None:
        yield f"{posting}-booked-only"
    if expected and not said:
        yield f"{posting}-not-on-statement"
    elif expected and len(said) > 1:
        yield f"{posting}-twice-on-statement"
    elif expected and said[0].amount_minor != order.amount_minor:
        yield f"{posting}-amount-on-statement"
    elif not expected and said:
        yield f"{posting}-on-statement-only"


def _of_file(each: FileSides) -> Iterator[str]:
    if not each.is_sent:
        yield "file-not-sent"
    if each.items != each.orders:
        yield "file-count"
    if each.total_minor != each.orders_minor:
        yield "file-total"


def _sum(order: OrderSides, status: str) -> int:
    return sum(line.amount_minor for line in order.lines if line.status == status)


# Every code that a reconciliation can end with, for the catalogue.
CODES: Final = (
    "order-open", "end-differs", "order-without-file", "row-without-case", "posting-unbalanced",
    *(
        f"{posting}-{kind}"
        for posting in ("settled", "returned")
        for kind in (
            "not-booked", "amount-booked", "booked-only", "not-on-statement", "twice-on-statement",
            "amount-on-statement", "on-statement-only",
        )
    ),
    "file-not-sent", "file-count", "file-total", "row-without-order", "control-count", "control-total",
    "funding-used", "debit-differs", "debit-without-order",
)  # fmt: skip
