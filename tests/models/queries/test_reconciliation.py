"""The reconciliation over SQL: both sides as the records hold them, and what was planted into the records is found."""

import time
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import insert

from models.domain.reconciliation.compare import reconcile
from models.domain.reconciliation.records import BankLine, BookedMoney, entry_reference
from models.queries.reconciliation import Period, accounts_of
from models.tables.agreements import AgreementEvent, LedgerEntry
from models.tables.daily import BankFile, BankReply, DebitOrder
from tests.models.domain.reconciliation.planted import (
    AS_OF,
    FAULTS,
    FIRST,
    LAST,
    Movement,
    clean,
    settled,
    workday,
    wrong_posting,
)
from tests.support.daybook import TENANT, Daybook, daybook

_NOW = datetime(2026, 11, 23, tzinfo=UTC)
_AGREEMENTS = 12


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path, with_bank=False) as opened:
        yield opened


class Records:
    """Rows of movements, written all at once."""

    def __init__(self, book: Daybook) -> None:
        self.book = book
        self.agreements = [book.agree() for _ in range(_AGREEMENTS)]
        self.mandate = {each.id: each.mandate_id for each in self.agreements}
        self.rows: dict[type[Any], list[dict[str, Any]]] = {
            table: [] for table in (BankFile, DebitOrder, AgreementEvent, LedgerEntry, BankReply)
        }
        self.seq: Counter[str] = Counter()
        self.rows[BankFile].append(
            {"id": "bkf_1", "tenant": TENANT, "direction": "in", "kind": "camt.054", "name": "one", "items": 0,
             "total_minor": 0, "business_date": FIRST, "state": "TAKEN", "created_at": _NOW}
        )  # fmt: skip

    def agreement(self, number: int) -> str:
        return self.agreements[number % _AGREEMENTS].id

    def add(self, movement: Movement, *, posted: bool = True) -> None:
        order = movement.order
        if order is not None:
            self._order(order, paid=order.paid)
            for place, money in enumerate(order.paid):
                key = f"debit/{order.order_id}" + "/again" * place
                self._event(money, "payment", key, posted=posted, channel="debit", ref=order.end_to_end_id)
            for money in order.back:
                target = order.paid[0].event_id if order.paid else "gone"
                self._event(money, "reversal", f"return/{order.order_id}", target=target)
        if movement.transfer is not None:
            money = movement.transfer
            key = f"bank/{TENANT}/{money.reference}"
            self._event(money, "payment", key, channel="transfer", ref=money.reference)
        for line in movement.lines:
            self._line(line, is_transfer=movement.transfer is not None)

    def write(self) -> None:
        def act(session) -> None:
            for table, rows in self.rows.items():
                for first in range(0, len(rows), 2_000):
                    session.connection().execute(insert(table.__table__), rows[first : first + 2_000])

        self.book.change(act)

    def _order(self, order, *, paid) -> None:
        self.rows[DebitOrder].append(
            {"id": order.order_id, "tenant": TENANT, "agreement_id": order.agreement_id,
             "mandate_id": self.mandate[order.agreement_id], "row_no": len(self.rows[DebitOrder]) + 1, "attempt": 1,
             "end_to_end_id": order.end_to_end_id, "amount_minor": order.amount_minor,
             "requested_on": order.requested_on, "state": order.state.value, "policy_version": "test",
             "event_id": paid[0].event_id if paid else None, "account_index": order.account,
             "created_at": _NOW, "updated_at": _NOW}
        )  # fmt: skip

    def _event(
        self, money: BookedMoney, kind: str, key: str, *, posted: bool = True, target: str | None = None, **params: Any
    ) -> None:
        self.seq[money.agreement_id] += 1
        is_back = kind == "reversal"
        self.rows[AgreementEvent].append(
            {"id": money.event_id, "tenant": TENANT, "agreement_id": money.agreement_id,
             "seq": 100 + self.seq[money.agreement_id], "kind": kind, "business_key": key,
             "value_date": money.value_date, "booked_on": money.booked_on,
             "amount_minor": 0 if is_back else money.amount_minor, "target": target, "params": params,
             "created_at": _NOW}
        )  # fmt: skip
        if posted:
            self._post(money.agreement_id, key, -money.amount_minor if is_back else money.amount_minor, money.booked_on)

    def _post(self, agreement_id: str | None, journal: str, amount: int, on: date) -> None:
        for account, minor in (("bank-clearing", amount), ("suspense", -amount)):
            self.rows[LedgerEntry].append(
                {"id": f"le-{len(self.rows[LedgerEntry])}", "tenant": TENANT, "agreement_id": agreement_id,
                 "journal": journal, "account": account, "amount_minor": minor, "booked_on": on, "created_at": _NOW}
            )  # fmt: skip

    def _line(self, line: BankLine, *, is_transfer: bool) -> None:
        status = "RETURNED" if line.back else "SETTLED"
        in_suspense = line.order_id is None and not is_transfer
        reference = line.reference or line.line_id
        self.rows[BankReply].append(
            {"id": line.line_id, "tenant": TENANT, "file_id": "bkf_1",
             "business_key": f"{TENANT}/entry/{reference}/0/{line.end_to_end_id or ''}/{status}",
             "end_to_end_id": line.end_to_end_id, "status": status, "amount_minor": line.amount_minor,
             "value_date": line.value_date, "credit": line.credit, "account_index": line.account,
             "order_id": line.order_id, "state": "SUSPENSE" if in_suspense else "BOOKED", "created_at": _NOW}
        )  # fmt: skip
        if in_suspense:
            sign = 1 if line.credit is not False else -1
            self._post(None, f"suspense/{line.line_id}", sign * line.amount_minor, line.value_date)


def _period(*, first: date = FIRST, last: date = LAST + timedelta(days=60)) -> Period:
    return Period(tenant=TENANT, first=first, last=last, as_of=AS_OF)


def _compared(book: Daybook, period: Period):
    with book.database.read() as session:
        return reconcile(accounts_of(session, period), is_bank_day=workday)


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_hundred_planted_faults_are_found_among_ten_thousand_rows_and_no_other(book: Daybook) -> None:
    assert _planted_are_found(book, rows=10_000, faults=100) < 10


def test_planted_faults_are_found_and_no_other(book: Daybook) -> None:
    _planted_are_found(book, rows=300, faults=2 * len(FAULTS))


def _planted_are_found(book: Daybook, *, rows: int, faults: int) -> float:
    """Plant, compare, and hold what is found against what was planted; the seconds that the comparison took."""
    rng, records = Random(28), Records(book)
    for number in range(rows):
        records.add(clean(number, rng, agreement=records.agreement(number)))
    planted = []
    for number in range(faults):
        movement = settled(20_000 + number, rng, agreement=records.agreement(number))
        fault = FAULTS[number % len(FAULTS)]
        planted.append(fault(movement, rng))
        records.add(movement, posted=fault is not wrong_posting)
    records.write()
    begun = time.process_time()  # of this process: the machine may be shared
    result = _compared(book, _period())
    took = time.process_time() - begun
    found = list(result.differences)
    print(f"{len(found)} found in {result.orders} orders and {result.lines} lines, {took:.2f} s of this process")
    assert [each for each in planted if not any(each.is_told_by(difference) for difference in found)] == []
    assert len(found) == len(planted) == faults
    # A part of the period tells of its own days alone, and of nothing that only its edges make.
    week = _compared(book, _period(first=FIRST + timedelta(days=7), last=FIRST + timedelta(days=13)))
    assert week.orders < result.orders
    assert set(week.differences) <= set(found)
    return took


def test_sides_that_agree_agree_in_every_part_of_the_period(book: Daybook) -> None:
    rng, records = Random(9), Records(book)
    for number in range(200):
        records.add(clean(number, rng, agreement=records.agreement(number)))
    records.write()
    for day in range(0, 60, 7):
        first = FIRST + timedelta(days=day)
        assert _compared(book, _period(first=first, last=first + timedelta(days=day % 7))).differences == ()


@pytest.mark.parametrize(
    ("key", "reference"),
    [
        ("entry/REF/1/0/e2e/SETTLED", "REF/1"),
        ("entry/REF/0//SETTLED", "REF"),
        ("status/MSG/BATCH/e2e/AM04/REJECTED", None),
        ("0" * 64, None),
    ],
)
def test_the_banks_reference_is_read_from_the_key_of_its_entry(key: str, reference: str | None) -> None:
    assert entry_reference(key) == reference
