"""What must hold after the months: books that balance every day, each debit once, the bank's own account, papers."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Final

from sqlmodel import Session, col, func, select

from deploy.demo.checks import Check, Evidence
from deploy.demo.courses import Deed
from deploy.demo.months import Months
from deploy.demo.serving import Serving
from deploy.values import DataDir
from models.database.engine import open_database
from models.domain.application import DocumentKind
from models.domain.core_orders import OrderKind
from models.domain.daily import OrderState, RunState
from models.domain.servicing.events import EventKind, PaymentChannel
from models.domain.servicing.ledger import Account
from models.domain.states import CaseOutcome
from models.queries.ledger import differences, trial_balance
from models.tables.agreements import Agreement, AgreementEvent, LedgerEntry
from models.tables.core import CoreOrder
from models.tables.daily import DailyRun, DebitOrder
from models.tables.installments import CaseDocument
from models.tables.tenants import Tenant

_ONE_DAY: Final = timedelta(days=1)
_PAPERS: Final = {CaseOutcome.COMPLETED: OrderKind.RELEASE_CARD, CaseOutcome.BROKEN: OrderKind.RESUME_COLLECTION}
_LIVES: Final = 20
_ENDED: Final = 10


async def books_balance_every_day(evidence: Evidence) -> Check:
    """Every calendar date was run; the trial balance of each is zero, and the last agrees with every agreement."""
    months = _months(evidence)
    with _reading(evidence) as session:
        tenant = session.exec(select(Tenant.code)).one()
        done = {run.business_date for run in session.exec(select(DailyRun)).all() if run.state == RunState.DONE}
        sums = select(col(LedgerEntry.booked_on), func.sum(LedgerEntry.amount_minor))
        totals = {on: int(total) for on, total in session.exec(sums.group_by(col(LedgerEntry.booked_on))).all()}
        journals = session.exec(
            select(LedgerEntry.journal).group_by(LedgerEntry.journal).having(func.sum(LedgerEntry.amount_minor) != 0)
        ).all()
        gaps = differences(session, tenant=tenant, on=months.last)
        entries = session.exec(select(func.count()).select_from(LedgerEntry)).one()
    off, balance = [], 0
    for day in _days(months):
        balance += totals.get(day, 0)
        if balance or day not in done or months.days.get(day) != (True, 0):
            off.append(day)
    seen = (
        f"{len(list(_days(months)))} dates, {entries} entries, {len(off)} off, {len(gaps) + len(journals)} differences"
    )
    return Check(name="the trial balance of every date is zero", holds=not (off or gaps or journals), seen=seen)


async def each_debit_once(evidence: Evidence) -> Check:
    """What the bank took is what our orders say, each under its own id once; each row was paid by one debit at most."""
    months = _months(evidence)
    bank = Counter(entry.debit.end_to_end_id for entry in months.bank_debits)
    kept = {entry.debit.end_to_end_id for entry in months.bank_debits if entry.booked and not entry.returned}
    amounts = {entry.debit.end_to_end_id: entry.debit.amount_minor for entry in months.bank_debits}
    with _reading(evidence) as session:
        orders = session.exec(select(DebitOrder)).all()
        paid = session.exec(
            select(AgreementEvent.business_key).where(col(AgreementEvent.business_key).startswith("debit/"))
        ).all()
    settled = [order for order in orders if order.state == OrderState.SETTLED]
    by_row = Counter((order.agreement_id, order.row_no) for order in settled)
    booked = {f"debit/{order.id}" for order in orders if order.state in (OrderState.SETTLED, OrderState.RETURNED)}
    holds = (
        bool(bank)
        and max(bank.values()) == 1
        and set(bank) == {order.end_to_end_id for order in orders}
        and kept == {order.end_to_end_id for order in settled}
        and all(amounts[order.end_to_end_id] == order.amount_minor for order in settled)
        and max(by_row.values()) == 1
        and Counter(paid) == Counter(booked)
    )
    seen = f"{len(bank)} at the bank, {len(orders)} in our books, {len(kept)} kept, {len(booked) - len(kept)} returned"
    return Check(name="each debit is exactly once with the bank and in our books", holds=holds, seen=seen)


async def bank_agrees(evidence: Evidence) -> Check:
    """Bank clearing in our books, less what staff recorded by hand, is what lies on the bank's own account."""
    months = _months(evidence)
    with _reading(evidence) as session:
        tenant = session.exec(select(Tenant.code)).one()
        balance = trial_balance(session, tenant=tenant, on=months.last)
        events = session.exec(select(AgreementEvent)).all()
    taken_back = {event.target for event in events if event.kind == EventKind.REVERSAL}
    by_hand = sum(
        event.amount_minor
        for event in events
        if event.params.get("channel") in (PaymentChannel.TRANSFER, PaymentChannel.COUNTER)
        and event.id not in taken_back
    )
    told = sum(serving.paid_by_hand_minor for serving in months.servings)
    ours, theirs = balance[Account.BANK_CLEARING], months.bank_balance_minor
    holds = ours - by_hand == theirs and by_hand == told and balance[Account.SUSPENSE] == 0
    seen = f"{_yuan(theirs)} at the bank, {_yuan(ours)} in clearing, {_yuan(by_hand)} of it by hand"
    return Check(name="the bank's balance is ours", holds=holds, seen=seen)


async def what_was_planned_happened(evidence: Evidence) -> Check:
    """Debits failed, came back and were tried again as planned; changes and reversals by hand are in the books."""
    months = _months(evidence)
    planned: Counter[str] = Counter()
    for serving in months.servings:
        fates = serving.course.fates
        planned["returned"] += sum(fate.days is not None for fate in fates)
        planned.update(act.deed.value for act in serving.course.acts)
    with _reading(evidence) as session:
        kinds = Counter(session.exec(select(AgreementEvent.kind)).all())
    reversals = planned["returned"] + planned[Deed.TAKE_BACK]
    holds = (
        kinds[EventKind.REVERSAL] == reversals
        and kinds[EventKind.PREPAYMENT] == planned[Deed.PREPAY_SHORTER] + planned[Deed.PREPAY_LOWER]
        and kinds[EventKind.SETTLEMENT] == planned[Deed.SETTLE]
        and kinds[EventKind.DEFAULTED] == sum(serving.course.end == CaseOutcome.BROKEN for serving in months.servings)
        and months.figures["post.returned"] == planned["returned"]
        and months.figures["post.rejected"] > 0
    )
    names = (EventKind.PAYMENT, EventKind.PREPAYMENT, EventKind.SETTLEMENT, EventKind.REVERSAL, EventKind.DEFAULTED)
    seen = ", ".join(f"{name} {kinds[name]}" for name in names) + f", rejected debits {months.figures['post.rejected']}"
    return Check(name="what the courses plan has happened", holds=holds, seen=seen)


async def reversals_took_two(evidence: Evidence) -> Check:
    """Who asked for a reversal tried to confirm it, and was refused."""
    tried = sum(life.seen["own-reversal-tried"] for life in evidence.lives)
    refused = sum(life.seen["own-reversal-refused"] for life in evidence.lives)
    return Check(name="a reversal takes two persons", holds=0 < tried == refused, seen=f"{refused} of {tried} refused")


async def ends_have_their_papers(evidence: Evidence) -> Check:
    """Who has paid has the closing letter and the card released; a broken agreement went back to collection."""
    months = _months(evidence)
    ended = [each for each in months.servings if each.life.outcome in _PAPERS]
    with _reading(evidence) as session:
        astray = [each.life.token for each in ended if not _has_papers(session, each)]
    count = Counter(str(each.life.outcome) for each in ended)
    holds = not astray and len(months.servings) >= _LIVES and len(ended) >= _ENDED
    seen = ", ".join(f"{name} {number}" for name, number in sorted(count.items())) + f", {len(astray)} without"
    return Check(name="every end has its letter and its word to the core", holds=holds, seen=seen)


async def nothing_is_left_undone(evidence: Evidence) -> Check:
    """The exception queue is empty; what the operator closed there asked for nothing."""
    months = _months(evidence)
    seen = f"{months.open_exceptions} open, {months.closed_exceptions} closed: no calendar, or a late return"
    return Check(name="the exception queue is empty", holds=months.open_exceptions == 0, seen=seen)


MONTH_CHECKS: Final[tuple[Callable[[Evidence], Awaitable[Check]], ...]] = (
    books_balance_every_day,
    each_debit_once,
    bank_agrees,
    what_was_planned_happened,
    reversals_took_two,
    ends_have_their_papers,
    nothing_is_left_undone,
)


def _has_papers(session: Session, serving: Serving) -> bool:
    token, outcome = serving.life.token, CaseOutcome(str(serving.life.outcome))
    agreement = session.get_one(Agreement, serving.agreement)
    orders = session.exec(
        select(CoreOrder.kind).where(col(CoreOrder.case_token) == token, col(CoreOrder.state) == "ACKNOWLEDGED")
    ).all()
    if _PAPERS[outcome].value not in orders:
        return False
    letters = session.exec(
        select(CaseDocument.id).where(
            col(CaseDocument.case_token) == token, col(CaseDocument.kind) == DocumentKind.CLOSE_LETTER
        )
    ).all()
    is_completed = outcome is CaseOutcome.COMPLETED
    return len(letters) == int(is_completed) and (agreement.closed_on is not None) == is_completed


def _months(evidence: Evidence) -> Months:
    assert evidence.months is not None
    return evidence.months


def _yuan(minor: int) -> str:
    return f"{minor // 100:,}.{minor % 100:02d}"


def _days(months: Months) -> Iterator[date]:
    day = months.first
    while day <= months.last:
        yield day
        day += _ONE_DAY


@contextmanager
def _reading(evidence: Evidence) -> Iterator[Session]:
    database = open_database(f"sqlite:///{DataDir(evidence.data).database}")
    try:
        with database.read() as session:
            yield session
    finally:
        database.dispose()
