"""Which cent goes where (还款冲抵顺序): an order of pairs as data, with the switch of CCM-57b, and its explanation.

CCM-57b (商业银行信用卡业务监督管理办法 Art. 57): overdue 1-90 days, interest and fees come before principal; overdue 91
days or more, principal comes first. Days past due are those of the whole agreement, before the payment is applied.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from models.domain.servicing.components import Bucket, Component
from models.domain.servicing.state import FEE, INTEREST, NO, PAID, PRINCIPAL, WAIVED, WorkingRow

SWITCH_DPD: Final = 91

RULE_NOT_OVERDUE: Final = "ORDER-NOT-OVERDUE"
RULE_EARLY: Final = "CCM-57b-1-90"
RULE_LATE: Final = "CCM-57b-91"
RULE_PREPAID: Final = "PREPAID-PRINCIPAL"
RULE_REFUND_GAP: Final = "REFUND-MADE-GOOD"
RULE_EXCESS: Final = "EXCESS-TO-CREDIT"

Pair = tuple[Bucket, Component]
Span = tuple[int, int]

_BUCKETS: Final = tuple(Bucket)
_PENALTY: Final = 0
COLUMN_OF: Final = {
    Component.PENALTY: _PENALTY,
    Component.FEE: FEE,
    Component.INTEREST: INTEREST,
    Component.PRINCIPAL: PRINCIPAL,
}
_COMPONENTS: Final = {column: component for component, column in COLUMN_OF.items()}
_CHARGES_FIRST: Final = (Component.PENALTY, Component.FEE, Component.INTEREST, Component.PRINCIPAL)
_PRINCIPAL_FIRST: Final = (Component.PRINCIPAL, Component.PENALTY, Component.FEE, Component.INTEREST)


def pairs(buckets: Sequence[Bucket], components: Sequence[Component]) -> tuple[Pair, ...]:
    """Every component of the first bucket, then of the next."""
    return tuple((bucket, component) for bucket in buckets for component in components)


@dataclass(frozen=True, kw_only=True)
class AllocationPolicy:
    """An order of allocation, as data with a version. Within a pair the oldest row is paid first.

    Attributes:
        version: names this policy; another order is another version.
        source: where the order comes from.
        before_switch: order up to 90 days past due.
        from_switch: order from 91 days past due.

    A pair that is not listed takes nothing: without pairs of `IN_ADVANCE` surplus money waits as the customer's credit
    until a row falls due, so that no interest is taken before its time.
    """

    version: str
    source: str
    before_switch: tuple[Pair, ...]
    from_switch: tuple[Pair, ...]

    def __post_init__(self) -> None:
        """Refuse an order against CCM-57b, one with a pair twice, or one that leaves due money unpaid."""
        for order in (self.before_switch, self.from_switch):
            if len(set(order)) != len(order):
                raise ValueError("a pair stands once in an order")
            if not set(order) >= set(pairs((Bucket.PAST_DUE, Bucket.DUE), _CHARGES_FIRST)):
                raise ValueError("an order covers everything past due and due")
        _check_order(self.before_switch, principal_first=False)
        _check_order(self.from_switch, principal_first=True)

    @cached_property
    def _compiled(self) -> tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]:
        early, late = (
            tuple((_BUCKETS.index(bucket), COLUMN_OF[component]) for bucket, component in order)
            for order in (self.before_switch, self.from_switch)
        )
        return early, late

    @cached_property
    def pays_ahead(self) -> bool:
        """Whether money may go to rows that are not due."""
        return any(bucket is Bucket.IN_ADVANCE for bucket, _ in self.before_switch + self.from_switch)

    def order_at(self, days_past_due: int) -> tuple[tuple[int, int], ...]:
        """The order for a payment made at so many days past due, as indexes of bucket and column."""
        return self._compiled[days_past_due >= SWITCH_DPD]


def _check_order(order: tuple[Pair, ...], *, principal_first: bool) -> None:
    overdue = [component for bucket, component in order if bucket is Bucket.PAST_DUE]
    at = overdue.index(Component.PRINCIPAL)
    if at != (0 if principal_first else len(overdue) - 1):
        raise ValueError("CCM-57b: interest and fees first up to 90 days past due, principal first from 91")


def rule_at(days_past_due: int) -> str:
    """The rule that decides the order at so many days past due."""
    if days_past_due == 0:
        return RULE_NOT_OVERDUE
    return RULE_LATE if days_past_due >= SWITCH_DPD else RULE_EARLY


DEFAULT_ALLOCATION: Final = AllocationPolicy(
    version="allocation/2026-01",
    source="CCM-57b; surplus waits as credit (CC-677: no interest before its time)",
    before_switch=pairs((Bucket.PAST_DUE, Bucket.DUE), _CHARGES_FIRST),
    from_switch=pairs((Bucket.PAST_DUE, Bucket.DUE), _PRINCIPAL_FIRST),
)

IN_ADVANCE_ALLOCATION: Final = AllocationPolicy(
    version="allocation-in-advance/2026-01",
    source="CCM-57b; by agreement surplus pays the next rows as they stand",
    before_switch=pairs(_BUCKETS, _CHARGES_FIRST),
    from_switch=pairs((Bucket.PAST_DUE, Bucket.DUE), _PRINCIPAL_FIRST) + pairs((Bucket.IN_ADVANCE,), _CHARGES_FIRST),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AllocationLine:
    """Why so many minor units went where they went.

    Attributes:
        event_id: the payment; empty where waiting credit was used as a row fell due.
        rule: the rule that decided, a `RULE_…` of this module.
        bucket, component: the pair; None for money that no pair took.
        row_no: the row that was paid; None for late interest and credit.
    """

    event_id: str
    rule: str
    days_past_due: int
    bucket: Bucket | None
    component: Component | None
    row_no: int | None
    amount_minor: int


class Trace(list[AllocationLine]):
    """Lines written while a state is folded."""

    event_id: str = ""

    def add(self, *, dpd: int, bucket: int, column: int, row_no: int | None, amount: int) -> None:
        """Write a line for a pair given by its indexes."""
        self.append(
            AllocationLine(
                event_id=self.event_id,
                rule=rule_at(dpd),
                days_past_due=dpd,
                bucket=_BUCKETS[bucket],
                component=_COMPONENTS[column],
                row_no=row_no,
                amount_minor=amount,
            )
        )

    def rest(self, *, rule: str, dpd: int, amount: int) -> None:
        """Write a line for money that went to no pair."""
        component = Component.PRINCIPAL if rule == RULE_PREPAID else None
        bucket = Bucket.IN_ADVANCE if rule == RULE_PREPAID else None
        self.append(
            AllocationLine(
                event_id=self.event_id,
                rule=rule,
                days_past_due=dpd,
                bucket=bucket,
                component=component,
                row_no=None,
                amount_minor=amount,
            )
        )


def spread(
    rows: list[WorkingRow],
    *,
    spans: tuple[Span, Span, Span],
    order: tuple[tuple[int, int], ...],
    money: int,
    late_unpaid: int,
    dpd: int,
    trace: Trace | None,
) -> tuple[int, int]:
    """Pay rows in place, in this order.

    Args:
        rows: working rows (columns as in `state`).
        spans: from and to index of the rows past due, due and in advance.
        order: pairs as indexes.
        money: minor units to apply.
        late_unpaid: late interest owed.
        dpd: days past due, for the explanation.
        trace: takes a line for every amount applied, if given.

    Returns:
        The money left, and the late interest paid.
    """
    late_paid = 0
    for bucket, column in order:
        if not money:
            break
        if column == _PENALTY:
            if bucket == 0 and late_unpaid:
                late_paid = min(money, late_unpaid)
                money -= late_paid
                if trace is not None:
                    trace.add(dpd=dpd, bucket=0, column=_PENALTY, row_no=None, amount=late_paid)
            continue
        low, high = spans[bucket]
        if low == high:
            continue
        for index in range(low, high):
            row = rows[index]
            unpaid = row[column] - row[column + PAID] - row[column + WAIVED]
            if unpaid:
                part = min(money, unpaid)
                row[column + PAID] += part
                money -= part
                if trace is not None:
                    trace.add(dpd=dpd, bucket=bucket, column=column, row_no=row[NO], amount=part)
                if not money:
                    break
    return money, late_paid
