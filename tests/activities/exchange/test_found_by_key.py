"""What is asked for each chunk of a file or a run is found by its keys, however many orders the institution has."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import event
from sqlmodel import Session, col

from activities.exchange.take_files import _batch_orders, _debit_orders
from models.database.engine import Database
from models.queries.batches.debit_rows import DebitBooks, _count_batch_orders, _count_daily_orders, _count_today
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile, DebitOrder
from tests.support.daybook import TENANT

KEYS = [f"key_{number:026d}" for number in range(200)]
RUN = BatchRun(tenant=TENANT)
BOOKS = DebitBooks(mandates=dict.fromkeys(KEYS), by_case={}, rows={})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: list(_batch_orders(session, TENANT, col(BatchOrder.end_to_end_id).in_(KEYS))),
        lambda session: list(_batch_orders(session, TENANT, col(BankFile.message_id).in_(KEYS[:2]))),
        lambda session: list(_debit_orders(session, TENANT, col(DebitOrder.end_to_end_id).in_(KEYS))),
        lambda session: _count_batch_orders(session, RUN, BOOKS, KEYS),
        lambda session: _count_daily_orders(session, BOOKS, KEYS),
        lambda session: _count_today(session, RUN, BOOKS, on=date(2026, 11, 24)),
    ],
    ids=["orders by id", "orders by file", "debits by id", "claims", "daily orders", "taken today"],
)
def test_no_chunk_reads_all_orders(ask: Callable[[Session], object], sqlite_database: Database) -> None:
    asked: list[tuple[str, object]] = []
    event.listen(sqlite_database.engine, "before_cursor_execute", lambda *args: asked.append((args[2], args[3])))
    with sqlite_database.read() as session:
        ask(session)
        plans = [
            row[3]
            for statement, values in list(asked)
            if statement.startswith("SELECT")
            for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()  # type: ignore[arg-type]
        ]
    ours = [plan for plan in plans if "batch_orders" in plan or "debit_orders" in plan]
    assert ours
    assert not [plan for plan in ours if plan.startswith("SCAN") or plan.endswith(("(tenant=?)", "(debit_order=?)"))]
