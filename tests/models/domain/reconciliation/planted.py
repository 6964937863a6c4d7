"""Two sides that agree, and faults planted into them: each with the one difference that must come of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from models.domain.daily import OrderState
from models.domain.reconciliation.differences import About, Difference, Kind
from models.domain.reconciliation.records import Accounts, BankLine, BookedMoney, BookOrder, ClearingSum
from models.domain.reconciliation.tolerance import DEFAULT_TOLERANCE, last_day

FIRST, LAST, AS_OF = date(2026, 11, 2), date(2026, 11, 30), date(2027, 1, 31)
_ONE_DAY = timedelta(days=1)


def workday(day: date) -> bool:
    """A calendar of weekends alone."""
    return day.weekday() < 5


@dataclass
class Movement:
    """One order with all that both sides say of it; the transfer, if it is no order."""

    order: BookOrder | None
    lines: list[BankLine]
    transfer: BookedMoney | None = None
    clearing: ClearingSum | None = None


@dataclass(frozen=True)
class Planted:
    """What must be found: the kind, and the identifiers by which a person finds it."""

    kind: Kind
    about: About
    order_id: str | None = None
    event_id: str | None = None
    line_id: str | None = None
    agreement_id: str | None = None

    def is_told_by(self, found: Difference) -> bool:
        mine = (self.order_id, self.event_id, self.line_id, self.agreement_id)
        theirs = (found.order_id, found.event_id, found.line_id, found.agreement_id)
        agree = all(wanted in (None, told) for wanted, told in zip(mine, theirs, strict=True))
        return agree and (self.kind, self.about) == (found.kind, found.about)


def clean(number: int, rng: Random, *, agreement: str | None = None) -> Movement:
    """A movement on which both sides agree: settled, rejected, returned, waiting, or a transfer at the counter."""
    asked = FIRST + timedelta(days=rng.randrange((LAST - FIRST).days + 1))
    settled = last_day(asked, rng.randint(0, 2), is_bank_day=workday)
    amount, agreement = rng.randint(1, 10_000_000), agreement or f"agr_{number}"
    paid = BookedMoney(
        event_id=f"paid-{number}", agreement_id=agreement, amount_minor=amount, value_date=asked, booked_on=settled
    )
    order = BookOrder(
        order_id=f"dbo_{number}",
        agreement_id=agreement,
        end_to_end_id=f"{number}-1-1",
        amount_minor=amount,
        requested_on=asked,
        state=OrderState.SETTLED,
        account=rng.randbytes(32),
        paid=(paid,),
    )
    line = BankLine(
        line_id=f"bkr_{number}",
        amount_minor=amount,
        value_date=settled,
        back=False,
        credit=True,
        reference=f"REF-{number}",
        order_id=order.order_id,
        end_to_end_id=order.end_to_end_id,
        account=order.account if rng.random() < 0.9 else None,  # not every bank names it
    )
    fate = rng.choices(("settled", "returned", "rejected", "waiting", "transfer"), (80, 8, 6, 3, 3))[0]
    if fate == "transfer":
        transfer = replace(paid, value_date=settled, reference=line.reference)
        alone = replace(line, order_id=None, end_to_end_id=None, account=None)
        return Movement(None, [alone], transfer)
    if fate == "rejected":
        return Movement(replace(order, state=OrderState.REJECTED, paid=()), [])
    if fate == "waiting":
        return Movement(replace(order, requested_on=AS_OF, state=OrderState.SENT, paid=()), [])
    clearing = ClearingSum(agreement_id=agreement, booked_on=settled, expected_minor=amount, posted_minor=amount)
    if fate == "returned":
        return _returned(Movement(order, [line], clearing=clearing), number, rng)
    return Movement(order, [line], clearing=clearing)


def _returned(movement: Movement, number: int, rng: Random) -> Movement:
    order, (line,) = movement.order, movement.lines
    assert order is not None
    went = line.value_date + timedelta(days=rng.randint(0, 40))
    booked = last_day(went, rng.randint(0, 3), is_bank_day=workday)
    back = replace(order.paid[0], event_id=f"back-{number}", value_date=booked, booked_on=booked)
    movement.order = replace(order, state=OrderState.RETURNED, back=(back,))
    movement.lines.append(
        replace(line, line_id=f"bkr_{number}r", back=True, credit=False, reference=f"RET-{number}", value_date=went)
    )
    return movement


def settled(number: int, rng: Random, *, agreement: str | None = None) -> Movement:
    """A clean movement into which any fault can be planted."""
    while True:
        movement = clean(number, rng, agreement=agreement)
        if movement.order is not None and movement.order.state is OrderState.SETTLED and movement.lines[0].account:
            return movement


def side_by_side(movements: list[Movement]) -> Accounts:
    """As a query would bring it."""
    return Accounts(
        orders=tuple(each.order for each in movements if each.order is not None),
        lines=tuple(line for each in movements for line in each.lines),
        first=FIRST,
        last=LAST + timedelta(days=60),
        as_of=AS_OF,
        transfers=tuple(each.transfer for each in movements if each.transfer is not None),
        clearing=tuple(each.clearing for each in movements if each.clearing is not None),
    )


# Faults: each is planted into a settled movement, and says what must be found ----------------------------------------


def _order(movement: Movement) -> BookOrder:
    assert movement.order is not None
    return movement.order


def missing_at_bank(movement: Movement, _: Random) -> Planted:
    movement.lines = [line for line in movement.lines if line.back]
    order = _order(movement)
    return Planted(Kind.MISSING_AT_BANK, About.DEBIT, order.order_id, order.paid[0].event_id)


def missing_in_books(movement: Movement, _: Random) -> Planted:
    order = _order(movement)
    movement.order = replace(order, state=OrderState.SENT, paid=(), back=())
    movement.lines, movement.clearing = movement.lines[:1], None
    return Planted(Kind.MISSING_IN_BOOKS, About.DEBIT, order.order_id, line_id=movement.lines[0].line_id)


def unanswered(movement: Movement, _: Random) -> Planted:
    order = _order(movement)
    movement.order = replace(order, state=OrderState.ACCEPTED, paid=(), back=())
    movement.lines, movement.clearing = [], None
    return Planted(Kind.UNANSWERED, About.DEBIT, order.order_id)


def double_at_bank(movement: Movement, rng: Random) -> Planted:
    first = movement.lines[0]
    again = replace(first, line_id=f"{first.line_id}t", reference=f"AGAIN-{rng.random()}")
    movement.lines.append(again)
    return Planted(Kind.DOUBLE_AT_BANK, About.DEBIT, _order(movement).order_id)


def double_in_books(movement: Movement, _: Random) -> Planted:
    order = _order(movement)
    again = replace(order.paid[0], event_id=f"{order.paid[0].event_id}-twice")
    movement.order = replace(order, paid=(*order.paid, again))
    return Planted(Kind.DOUBLE_IN_BOOKS, About.DEBIT, order.order_id, again.event_id)


def recorded_by_hand_too(movement: Movement, _: Random) -> Planted:
    paid = _order(movement).paid[0]
    by_hand = replace(paid, event_id=f"{paid.event_id}-by-hand", reference=movement.lines[0].reference)
    movement.transfer = by_hand
    return Planted(Kind.DOUBLE_IN_BOOKS, About.TRANSFER, event_id=by_hand.event_id)


def wrong_amount(movement: Movement, rng: Random) -> Planted:
    line = movement.lines[0]
    movement.lines[0] = replace(line, amount_minor=line.amount_minor + rng.choice((-1, 1, 100)) or 1)
    return Planted(Kind.WRONG_AMOUNT, About.DEBIT, _order(movement).order_id, line_id=line.line_id)


def wrong_amount_kept_apart(movement: Movement, _: Random) -> Planted:
    """As the daily run leaves it: the line matched nothing, the order has no answer."""
    order, line = _order(movement), movement.lines[0]
    movement.order = replace(order, state=OrderState.SENT, paid=(), back=())
    other = replace(line, amount_minor=line.amount_minor + 1, order_id=None, in_suspense=True)
    movement.lines, movement.clearing = [other], None
    return Planted(Kind.WRONG_AMOUNT, About.DEBIT, order.order_id, line_id=line.line_id)


def wrong_account(movement: Movement, rng: Random) -> Planted:
    movement.lines[0] = replace(movement.lines[0], account=rng.randbytes(32))
    return Planted(Kind.WRONG_ACCOUNT, About.DEBIT, _order(movement).order_id)


def too_late(movement: Movement, rng: Random) -> Planted:
    order = _order(movement)
    latest = last_day(order.requested_on, DEFAULT_TOLERANCE.settles_within, is_bank_day=workday)
    movement.lines[0] = replace(movement.lines[0], value_date=latest + rng.randint(1, 9) * _ONE_DAY)
    return Planted(Kind.WRONG_DAY, About.DEBIT, order.order_id)


def too_early(movement: Movement, _: Random) -> Planted:
    order = _order(movement)
    movement.lines[0] = replace(movement.lines[0], value_date=order.requested_on - _ONE_DAY)
    return Planted(Kind.WRONG_DAY, About.DEBIT, order.order_id)


def wrong_direction(movement: Movement, _: Random) -> Planted:
    movement.lines[0] = replace(movement.lines[0], credit=False)
    return Planted(Kind.WRONG_DIRECTION, About.DEBIT, _order(movement).order_id)


def went_back_untold(movement: Movement, rng: Random) -> Planted:
    """A debit entry of our order that the bank does not call a return."""
    first = movement.lines[0]
    out = replace(first, line_id=f"{first.line_id}o", credit=False, reference=f"OUT-{rng.random()}")
    movement.lines.append(out)
    return Planted(Kind.WRONG_DIRECTION, About.DEBIT, _order(movement).order_id, line_id=out.line_id)


def orphan(movement: Movement, rng: Random) -> Planted:
    stranger = replace(
        movement.lines[0], line_id=f"stranger-{rng.random()}", order_id=None, end_to_end_id="NOBODY", reference=None
    )
    movement.lines.append(stranger)
    return Planted(Kind.ORPHAN, About.UNKNOWN, line_id=stranger.line_id)


def wrong_posting(movement: Movement, rng: Random) -> Planted:
    assert movement.clearing is not None
    posted = rng.choice((0, movement.clearing.expected_minor * 2, movement.clearing.expected_minor - 1))
    movement.clearing = replace(movement.clearing, posted_minor=posted)
    return Planted(Kind.WRONG_POSTING, About.CLEARING, agreement_id=movement.clearing.agreement_id)


FAULTS: tuple[Callable[[Movement, Random], Planted], ...] = (
    missing_at_bank,
    missing_in_books,
    unanswered,
    double_at_bank,
    double_in_books,
    recorded_by_hand_too,
    wrong_amount,
    wrong_amount_kept_apart,
    wrong_account,
    too_late,
    too_early,
    wrong_direction,
    went_back_untold,
    orphan,
    wrong_posting,
)
