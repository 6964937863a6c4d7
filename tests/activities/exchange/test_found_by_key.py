"""What is asked for each chunk of a file or a run is found by its keys, however much there is beside it."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import event
from sqlmodel import Session, col

from activities.batches.rehearsing import _taken
from activities.exchange.take_files import _batch_orders, _debit_orders
from models.database.engine import Database
from models.domain.batches.cohort_filter import Criteria
from models.domain.batches.kinds import KindName, MemberSource
from models.queries.batches.candidates import _next_rows
from models.queries.batches.debit_rows import DebitBooks, _count_batch_orders, _count_daily_orders, _count_today
from models.queries.batches.outgoing import queued_orders
from models.queries.batches.sides import assigned_to
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile, DebitOrder
from tests.support.daybook import TENANT

KEYS = [f"key_{number:026d}" for number in range(200)]
RUN = BatchRun(tenant=TENANT, token="btc_1", revision=1)
TODAY = date(2026, 11, 24)
CRITERIA = Criteria(kind=KindName.AUTO_DEBIT, source=MemberSource.BOOK, period="2026-11")
# How a plan ends that reads all of an institution, a cohort or a run.
WHOLE = ("(tenant=?)", "(debit_order=?)", "(cohort=?)", "(run=?)", "(run=? AND revision=?)")
TABLES = ("batch_orders", "batch_rehearsals", "debit_orders", "agreements", "batch_members", "batch_suspense")
BOOKS = DebitBooks(mandates=dict.fromkeys(KEYS), by_case={}, rows={})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "ask",
    [
        lambda session: list(_batch_orders(session, TENANT, col(BatchOrder.end_to_end_id).in_(KEYS))),
        lambda session: list(_batch_orders(session, TENANT, col(BankFile.message_id).in_(KEYS[:2]))),
        lambda session: list(_debit_orders(session, TENANT, col(DebitOrder.end_to_end_id).in_(KEYS))),
        lambda session: _count_batch_orders(session, RUN, BOOKS, KEYS),
        lambda session: _count_daily_orders(session, BOOKS, KEYS),
        lambda session: _count_today(session, RUN, BOOKS, on=TODAY),
        lambda session: _next_rows(session, TENANT, CRITERIA, on=TODAY, last=None, limit=500),
        lambda session: _taken(session, RUN, [BatchMember(cohort="bco_1", mandate_id=key) for key in KEYS]),
        lambda session: queued_orders(session, RUN.token, limit=500),
        lambda session: assigned_to(session, KEYS),
    ],
    ids=[
        "orders by id",
        "orders by file",
        "debits by id",
        "claims",
        "daily orders",
        "taken today",
        "due rows",
        "taken in the rehearsal",
        "queued",
        "suspense",
    ],
)
def test_no_chunk_reads_what_is_not_of_it(ask: Callable[[Session], object], sqlite_database: Database) -> None:
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
    ours = [plan for plan in plans if any(f" {table} " in f"{plan} " for table in TABLES)]
    assert ours
    assert not [plan for plan in ours if plan.startswith("SCAN") or plan.endswith(WHOLE)]
