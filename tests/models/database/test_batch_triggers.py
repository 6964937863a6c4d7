"""Each refusal of `models/tables/batch_triggers.py`, asked of the database itself on both databases."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from models.database.engine import Database
from models.domain.batches.states import RunOutcome
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.batch_triggers import RULES
from models.tables.tenants import Tenant

NOW: Final = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
DAY: Final = date(2026, 11, 23)
RUN: Final = "main.run"
SETTLE: Final = "UPDATE batch_orders SET final_state = 'settled'"
END: Final = "UPDATE batch_runs SET stage = 'ended', outcome = '{}'"
FREEZE: Final = "UPDATE batch_cohorts SET cohort_hash = 'aa', frozen_at = created_at"
JOIN: Final = (
    "INSERT INTO batch_members (cohort, number, tenant, claim_key, subject_id, amount_minor, currency, "
    "type_class, amount_class, cycle_class, state) "
    "VALUES ('bco_1', 2, 'main', 'row/agr/2', 'sub_2', 100, 'CNY', '', '', '', 'included')"
)
ACCOUNT: Final = (
    "INSERT INTO batch_orders (id, tenant, run, member, attempt, claim_key, subject_id, amount_minor, currency, "
    "debit_order, state, policy_version, policy, requested_on, created_at, updated_at) "
    "SELECT 'bor_2', tenant, run, 2, 1, 'row/agr/2', subject_id, amount_minor, currency, 'dbo_1', 'queued', "
    "policy_version, policy, requested_on, created_at, updated_at FROM batch_orders"
)
ACCEPT: Final = "UPDATE batch_rows SET state = 'accepted'"
HOLD: Final = "UPDATE batch_rows SET state = 'held'"
# Trigger -> what stood before, and what is refused then.
REFUSED: Final = (
    ("batch_orders_kept", (), "DELETE FROM batch_orders"),
    ("batch_orders_end_once", (SETTLE,), "UPDATE batch_orders SET final_state = 'returned'"),
    ("batch_orders_end_once", (SETTLE,), "UPDATE batch_orders SET final_state = NULL"),
    ("batch_orders_end_once", (SETTLE,), "UPDATE batch_orders SET amount_minor = 1"),
    ("batch_orders_of_debit", (), ACCOUNT),
    ("batch_orders_with_debit", (), "UPDATE batch_orders SET debit_order = 'dbo_1', state = 'returned'"),
    *(("batch_runs_close", (ACCEPT,), END.format(outcome)) for outcome in RunOutcome),
    ("batch_runs_conserve", (SETTLE,), END.format("completed")),
    ("batch_runs_conserve", (SETTLE, HOLD), END.format("completed")),
    ("batch_rows_kept", (), "DELETE FROM batch_rows"),
    ("batch_rows_decided", (ACCEPT,), "UPDATE batch_rows SET state = NULL"),
    ("batch_cohorts_frozen", (FREEZE,), "UPDATE batch_cohorts SET cohort_hash = 'bb'"),
    ("batch_cohorts_frozen", (FREEZE,), "UPDATE batch_cohorts SET cohort_hash = NULL"),
    ("batch_cohorts_frozen", (FREEZE,), "UPDATE batch_cohorts SET frozen_at = NULL"),
    ("batch_members_added", (FREEZE,), JOIN),
    ("batch_members_kept", (FREEZE,), "DELETE FROM batch_members"),
    ("batch_members_frozen", (FREEZE,), "UPDATE batch_members SET state = 'excluded'"),
    ("batch_members_frozen", (FREEZE,), "UPDATE batch_members SET amount_minor = 1"),
    ("batch_members_frozen", (FREEZE,), "UPDATE batch_members SET claim_key = 'row/agr/9'"),
)
# What the same triggers let pass.
ALLOWED: Final = (
    (SETTLE, "UPDATE batch_orders SET reason_code = 'AC04'"),
    (SETTLE, ACCEPT, END.format("completed")),
    (SETTLE, HOLD, END.format("cancelled")),
    (HOLD, ACCEPT),
    (JOIN, "UPDATE batch_members SET state = 'excluded'", FREEZE),
    ("DELETE FROM batch_members",),
)


@pytest.fixture
def books(database: Database) -> Iterator[Connection]:
    """One run with an order, a row of a file and a member; whatever is tried is rolled back."""
    with Session(database.engine) as session:
        for each in _rows():
            session.add(each)
            session.flush()
        session.commit()
    with database.engine.connect() as connection:
        yield connection


def _rows() -> tuple[object, ...]:
    common = {"tenant": "main"}
    return (
        Tenant(code="main", name="-", created_at=NOW),
        BatchRun(
            token=RUN, branch="head", kind="auto-debit", origin="staff", source="file", request_key="one",
            business_date=DAY, stage="closing", created_by="stf_1", created_by_person="prs_1", created_at=NOW,
            updated_at=NOW, **common,
        ),
        BatchCohort(id="bco_1", run=RUN, kind="auto-debit", created_at=NOW, **common),
        BatchMember(
            cohort="bco_1", number=1, claim_key="row/agr/1", subject_id="sub_1", amount_minor=100, state="included",
            **common,
        ),
        BatchImport(
            id="bim_1", run=RUN, layout="wages", layout_version="1", file_name="fil_1", digest="d", size_bytes=1,
            created_at=NOW, **common,
        ),
        BatchRow(import_id="bim_1", number=1, line=1, subject_id="sub_1", row_cell=b"x", **common),
        BatchOrder(
            id="bor_1", run=RUN, member=1, claim_key="row/agr/1", subject_id="sub_1", amount_minor=100,
            state="settled", policy_version="1", requested_on=DAY, created_at=NOW, updated_at=NOW, **common,
        ),
    )  # fmt: skip


def test_every_trigger_of_batches_is_tried() -> None:
    assert {name for name, *_ in REFUSED} == {name for name, *_ in RULES}


def test_the_database_refuses_what_must_not_happen_to_a_batch(books: Connection) -> None:
    said = {name: message for name, _, _, _, message in RULES}
    for name, before, statement in REFUSED:
        for each in before:
            books.execute(text(each))
        with pytest.raises(IntegrityError) as refused:
            books.execute(text(statement))
        assert said[name] in str(refused.value.orig), (name, statement)
        books.rollback()


def test_it_lets_the_ordinary_course_pass(books: Connection) -> None:
    for course in ALLOWED:
        for each in course:
            books.execute(text(each))
        books.rollback()
