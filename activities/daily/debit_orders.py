"""Step 5: rows that fall due, and tries that are due again, become debit orders for what is unpaid now (扣款).

Every order is asked about at the whole gate, with facts read for a chunk at once. One that a rule bars is not made: it
waits in the exception queue under the rule's id, and is tried again when a person says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from sqlmodel import Session, col, func, select

from activities.daily.calendar import BankCalendar
from activities.daily.chunks import DayWork
from activities.daily.debit_gate import Barred, DebitGate
from activities.daily.reminders import RowKey, row_name, unpaid_minor
from compliance.audit.unit import Unchanged, Unit
from compliance.policy import policy_on
from compliance.vault.keyring import Vault
from models.domain.daily import BLOCKED_BY_RULE, OPEN_ORDERS, DayStep, OrderState
from models.domain.ids import job_record
from models.domain.tokens import new_case_token
from models.errors import WrongState
from models.operations.batches.daily_mirror import Payer, account_for, daily_batch, refuse_open_claim
from models.operations.business_dates import note_exception, settle_exceptions
from models.operations.debit_orders import NewOrder, forget_retries, queue_order
from models.queries.daily import NOT_COLLECTED, open_order_sums, retries_due, rows_due
from models.queries.daily_exceptions import asked_again, barred_on
from models.queries.debit_facts import AskedDebit, debit_records
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.daily import DebitOrder, Ticket

_NO_MANDATE: Final = "no-mandate"
DISPUTE: Final = "dispute"  # a ticket of this kind stops debits while it is open (异议)


@dataclass(frozen=True, slots=True)
class _Books:
    """What stands in the books about a chunk's agreements, read in the transaction that makes the orders."""

    agreements: Mapping[str, Agreement]
    rows: Mapping[RowKey, AgreementRow]
    mandates: Mapping[str, Mandate]
    orders: Mapping[RowKey, list[DebitOrder]]
    under_way: dict[str, int]
    disputed: set[str]


@dataclass(slots=True)
class _Chunk:
    """What a chunk of rows comes to."""

    session: Session
    work: DayWork
    now: datetime
    books: _Books
    gate: DebitGate
    collected_on: date
    made: list[DebitOrder] = field(default_factory=list)
    barred: set[RowKey] = field(default_factory=set)
    without_mandate: set[RowKey] = field(default_factory=set)
    pointless: int = 0

    def payer(self, order: DebitOrder) -> Payer:
        """Whose money an order takes."""
        agreement = self.books.agreements[order.agreement_id]
        return Payer(subject_id=self.books.mandates[order.mandate_id].subject_id, currency=agreement.currency)


@dataclass(frozen=True, slots=True)
class OrderMaker:
    """The step, over one calendar. `again` says by row which items of the exception queue ask for another try.

    `batch` is the name of the run that accounts for the orders.
    """

    work: DayWork
    calendar: BankCalendar
    again: Mapping[RowKey, Sequence[tuple[str, str]]]
    batch: str

    def make(self, unit: Unit, keys: Sequence[RowKey], now: datetime) -> Mapping[str, int]:
        """Make a chunk's orders."""
        day = self.work.day
        records = debit_records(unit.session, tenant=day.tenant, keys=keys, on=day.on)
        policy = policy_on(unit.session, day.tenant, on=day.on)
        gate, collected_on = DebitGate(records, day.on, now, policy), self.calendar.collection_date(day.on)
        chunk = _Chunk(unit.session, self.work, now, _read(unit.session, keys), gate, collected_on)
        for key in keys:
            self._consider(chunk, key)
        asked_again = [key for key in keys if key in self.again]
        done = chunk.made or chunk.barred or chunk.pointless or chunk.without_mandate or asked_again
        if not done:
            raise Unchanged
        if gate.asked:
            unit.deed.facts["rules"] = gate.keep(unit.session)
        debits = [(order, chunk.payer(order)) for order in chunk.made]
        batch = account_for(unit.session, debits, on=day.on, token=self.batch, now=now)
        if batch is not None:
            unit.deed.facts["batch"] = batch
        self._settle(chunk, asked_again)
        self.calendar.tell(unit.session, now=now)
        return {
            "orders": len(chunk.made),
            "ordersMinor": sum(order.amount_minor for order in chunk.made),
            "retries": sum(order.attempt > 1 for order in chunk.made),
            "barred": len(chunk.barred),
            "pointless": chunk.pointless,
            "withoutMandate": len(chunk.without_mandate),
        }

    def _consider(self, chunk: _Chunk, key: RowKey) -> None:
        books, on = chunk.books, self.work.day.on
        agreement, row, earlier = books.agreements[key[0]], books.rows.get(key), books.orders.get(key, [])
        if any(order.state in OPEN_ORDERS for order in earlier):
            return  # made before the step was interrupted, or waiting for its answer
        if earlier and key not in self.again and not _is_due_again(earlier, on):
            return
        if agreement.folded_to != on:
            raise WrongState(detail=agreement.id, params={"state": "not-brought-to-date"})
        mandate = books.mandates.get(agreement.mandate_id or "")
        amount = _amount(books, agreement, mandate)
        if row is None or agreement.status in NOT_COLLECTED or unpaid_minor(row) == 0 or amount <= 0:
            chunk.pointless += _forget(chunk.session, key, earlier)
        elif mandate is None or not _stands(mandate, on):
            chunk.without_mandate.add(key)
            _forget(chunk.session, key, earlier)
        else:
            if any(order.state == OrderState.SETTLED for order in earlier):  # rare: its payment was taken back by hand
                refuse_open_claim(chunk.session, agreement.tenant, *key)
            self._ask(chunk, _new_order(agreement, mandate, key, earlier, amount=amount), row)

    def _ask(self, chunk: _Chunk, new: NewOrder, row: AgreementRow) -> None:
        """Make the order if no rule stands against it."""
        books, key = chunk.books, (new.agreement_id, new.row_no)
        agreement, earlier = books.agreements[new.agreement_id], books.orders.get(key, [])
        asked = AskedDebit(
            agreement=agreement,
            row=row,
            mandate=books.mandates[new.mandate_id],
            amount_minor=new.amount_minor,
            unpaid_minor=unpaid_minor(row),
            earlier=earlier,
            disputed=agreement.case_token in books.disputed,
            collected_on=chunk.collected_on,
        )
        barred = chunk.gate.ask(asked)
        _forget(chunk.session, key, earlier)
        if barred is not None:
            chunk.barred.add(key)
            self._set_apart(chunk, key, barred)
            return
        chunk.made.append(queue_order(chunk.session, new, on=self.work.day.on, now=chunk.now))
        books.under_way[agreement.id] = books.under_way.get(agreement.id, 0) + new.amount_minor
        today = chunk.gate.records.today
        today[new.mandate_id] = today.get(new.mandate_id, 0) + new.amount_minor

    def _set_apart(self, chunk: _Chunk, key: RowKey, barred: Barred) -> None:
        note_exception(
            chunk.session,
            self.work.day,
            step=self.work.step,
            target=row_name(key),
            code=BLOCKED_BY_RULE,
            now=chunk.now,
            rule_id=barred.rule_id,
            gate_key=barred.gate_key,
        )

    def _settle(self, chunk: _Chunk, asked_again: Sequence[RowKey]) -> None:
        """End the items of the exception queue that asked for another try, unless it came to nothing again."""
        session, day, now = chunk.session, self.work.day, chunk.now
        for key in chunk.without_mandate & set(asked_again):
            note_exception(session, day, step=self.work.step, target=row_name(key), code=_NO_MANDATE, now=now)
        again_open = chunk.barred | chunk.without_mandate
        for step in (DayStep.ORDERS, DayStep.FILE):
            # What stays open does so as an item of this step.
            over = [key for key in asked_again if step is DayStep.FILE or key not in again_open]
            targets = [target for key in over for of_step, target in self.again[key] if of_step == step]
            settle_exceptions(session, tenant=day.tenant, step=step, targets=targets, now=now)


def make_orders(work: DayWork, vault: Vault) -> None:
    """Make the orders of the date, which are a run of a batch."""
    day = work.day
    with work.database.read() as session:
        due = rows_due(session, tenant=day.tenant, on=day.on)
        retries = retries_due(session, tenant=day.tenant, on=day.on)
        again = asked_again(session, tenant=day.tenant)
        barred = barred_on(session, tenant=day.tenant, on=day.on)
        run = daily_batch(session, day.tenant, day.on)
    token = run.token if run is not None else new_case_token(day.tenant)
    maker = OrderMaker(work, BankCalendar(work), again, token)
    keys = sorted(({*due, *retries} - barred) | again.keys())
    if keys and run is None:  # what people say about the run is sealed under a key of its own; keys come before rows
        vault.create_subject(tenant=day.tenant, subject_id=job_record(token))
    work.in_chunks(keys, maker.make, name=row_name)
    work.finish()


def _is_due_again(earlier: Sequence[DebitOrder], on: date) -> bool:
    return any(order.next_try_on is not None and order.next_try_on <= on for order in earlier)


def _stands(mandate: Mandate, on: date) -> bool:
    return mandate.revoked_at is None and mandate.signed_on <= on <= mandate.valid_to


def _amount(books: _Books, agreement: Agreement, mandate: Mandate | None) -> int:
    """What is due and unpaid now, less what other orders already ask for, within the limit of the mandate."""
    missing = agreement.owed_minor - books.under_way.get(agreement.id, 0)
    return min(missing, mandate.limit_minor) if mandate is not None else missing


def _new_order(
    agreement: Agreement, mandate: Mandate, key: RowKey, earlier: Sequence[DebitOrder], *, amount: int
) -> NewOrder:
    return NewOrder(
        tenant=agreement.tenant,
        agreement_id=agreement.id,
        mandate_id=mandate.id,
        row_no=key[1],
        attempt=max((order.attempt for order in earlier), default=0) + 1,
        amount_minor=amount,
    )


def _forget(session: Session, key: RowKey, earlier: Sequence[DebitOrder]) -> int:
    if earlier:
        forget_retries(session, agreement_id=key[0], row_no=key[1])
    return 1 if earlier else 0


def _read(session: Session, keys: Sequence[RowKey]) -> _Books:
    ids = sorted({agreement_id for agreement_id, _ in keys})
    agreements = session.exec(
        select(Agreement).where(col(Agreement.id).in_(ids)).order_by(col(Agreement.id)).with_for_update()
    ).all()
    numbers = {no for _, no in keys}
    rows = session.exec(
        select(AgreementRow).where(col(AgreementRow.agreement_id).in_(ids), col(AgreementRow.no).in_(numbers))
    ).all()
    mandate_ids = {each.mandate_id for each in agreements if each.mandate_id is not None}
    mandates = session.exec(select(Mandate).where(col(Mandate.id).in_(mandate_ids))).all()
    orders: dict[RowKey, list[DebitOrder]] = {}
    for order in session.exec(
        select(DebitOrder).where(col(DebitOrder.agreement_id).in_(ids), col(DebitOrder.row_no).in_(numbers))
    ).all():
        orders.setdefault((order.agreement_id, order.row_no), []).append(order)
    disputed = session.exec(
        select(Ticket.case_token).where(
            col(Ticket.case_token).in_([each.case_token for each in agreements]),
            func.lower(col(Ticket.kind)) == DISPUTE,
            col(Ticket.state) == "OPEN",
        )
    ).all()
    return _Books(
        agreements={each.id: each for each in agreements},
        rows={(row.agreement_id, row.no): row for row in rows},
        mandates={each.id: each for each in mandates},
        orders=orders,
        under_way=open_order_sums(session, ids),
        disputed=set(disputed),
    )
