"""Rows come in sealed, each exactly once, whatever kills the step; and end where the rules say."""

import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from sqlmodel import col, select

from activities.transfers import collecting
from activities.transfers.collect_steps import SqlCollect
from activities.transfers.sources.books import BookSource
from activities.transfers.sources.desk import Sources
from compliance.vault.customer_layout import Customer, seal_customers
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.customers.validity import check_record
from models.domain.shanghai import shanghai_date
from models.domain.states import TaskType
from models.domain.tokens import new_token
from models.queries.transfers.conservation import conservation_of
from models.queries.transfers.sources import quality_of
from models.tables.customers import CustomerRecord
from models.tables.tasks import Task
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferSource
from tests.support.clock import FakeClock
from tests.support.transfer_rows import HEADER, MAPPING, Collection, book, csv_bytes


@pytest.fixture
def collection(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Collection:
    return Collection(database, vault, clock, tmp_path / "exchange").open()


@pytest.fixture
def sqlite_collection(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Collection:
    return Collection(sqlite_database, vault, clock, tmp_path / "exchange").open()


def test_a_clean_book_is_accepted_whole_and_lies_sealed(collection: Collection) -> None:
    rows = book(1_203)
    collection.put("book.csv", csv_bytes(rows, encoding="gb18030"))
    collection.source("csv", "book.csv")
    assert collection.collect().after is None
    collection.verify()
    kept = collection.rows()
    assert [row.number for row in kept] == list(range(1, 1_204))
    assert [row.line for row in kept] == list(range(2, 1_205))
    assert {row.outcome for row in kept} == {"accepted"}
    assert len({row.subject_id for row in kept}) == len(kept)
    assert [(values["customer_no"], values["mobile"]) for values in collection.opened()] == [
        (row[0], f"+86{row[4]}") for row in rows
    ]
    assert all(row[1].encode() not in cell.row_cell for row, cell in zip(rows, kept, strict=True))
    with collection.database.read() as session:
        found = conservation_of(session, collection.job)
    assert found.holds
    assert (found.read, found.by_outcome["accepted"]) == (1_203, 1_203)


@pytest.mark.parametrize("moment", ["keys made", "rows written"])
def test_a_killed_collection_goes_on_without_loss_or_doubling(
    collection: Collection, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    collection.put("book.csv", csv_bytes(book(1_700)))
    collection.source("csv", "book.csv")
    whole, calls = collecting.add_rows, []

    def killed(*args: Any, **kwargs: Any) -> Any:
        calls.append(1)
        if len(calls) != 2:
            return whole(*args, **kwargs)
        if moment == "rows written":
            whole(*args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(collecting, "add_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        collection.collect()
    assert len(collection.rows()) == 500
    collection.collect()
    rows = collection.rows()
    assert [row.line for row in rows] == list(range(2, 1_702))
    assert [values["customer_no"] for values in collection.opened()] == [f"K{number:08d}" for number in range(1_700)]
    with collection.database.read() as session:
        assert conservation_of(session, collection.job).adds_up


def test_every_fault_is_told_and_the_good_rows_go_on(collection: Collection) -> None:
    rows = book(20)
    rows[1][3] = rows[1][3][:-1] + ("0" if rows[1][3][-1] != "0" else "1")  # check character
    rows[2][4] = "12345"
    rows[3][1] = ""
    rows[4][7] = "女" if rows[4][7] == "男" else "男"
    rows[5][6] = "6.22299900000001E+15"
    rows[6][1] = "=HYPERLINK(1)"
    rows[7][9] = "某处"
    rows[8] = [""] * len(HEADER)
    rows[9] = [*rows[9], "多出来"]
    rows[10][5] = "not an address"
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    told = {
        row.line: (row.outcome, {(each["field"], each["rule"]) for each in row.faults}) for row in collection.rows()
    }
    assert told[3] == ("held", {("id_number", "id-checksum")})
    assert told[4] == ("held", {("mobile", "mobile")})
    assert told[5] == ("held", {("name", "missing")})
    assert told[6] == ("held", {("sex", "sex-contradicts-id")})
    assert told[7] == ("held", {("account", "number-lost-digits")})
    assert told[8] == ("held", {("name", "formula")})
    assert told[9] == ("held", {("address", "address-short")})
    assert told[10][0] == "rejected"
    assert told[11] == ("held", {("row", "row-ragged")})
    assert told[12] == ("held", {("email", "email")})
    assert sum(outcome == "accepted" for outcome, _ in told.values()) == 10
    assert collection.steps.quarantined(JobStep(job=collection.job)).count == 9
    with collection.database.read() as session:
        tasks = session.exec(select(Task).where(col(Task.type) == TaskType.TRANSFER_QUARANTINE.value)).all()
        found = conservation_of(session, collection.job)
    assert len(tasks) == 9
    assert all(rows[2][4] not in str(task.shown) for task in tasks)
    assert found.holds
    assert found.by_outcome == {"accepted": 10, "rejected": 1, "merged": 0, "held": 9}


def test_verifying_again_changes_nothing(collection: Collection) -> None:
    rows = book(4)
    rows[0][3] = "1"
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    before = [(row.version, row.outcome) for row in collection.rows()]
    collection.verify()
    assert [(row.version, row.outcome) for row in collection.rows()] == before
    with collection.database.read() as session:
        assert len(session.exec(select(Task)).all()) == 1


def test_the_quality_report_is_written_before_and_after(collection: Collection) -> None:
    rows = book(10)
    rows[0][3] = "1"
    rows[1][5] = ""
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    collection.report()
    collection.report()
    with collection.database.read() as session:
        reports = quality_of(session, collection.job)
    assert reports.keys() == {"before", "after"}
    figures = reports["before"].figures
    assert figures["rows"] == 10
    assert figures["fields"]["id_number"] == {"filled": 10, "valid": 9, "filledPermille": 1000, "validPermille": 900}
    assert figures["fields"]["email"]["filled"] == sum(bool(row[5]) for row in rows)
    assert figures["rules"] == {"id-length": 1}


def test_a_file_that_changed_since_it_was_begun_stops_the_step(sqlite_collection: Collection) -> None:
    sqlite_collection.put("book.csv", csv_bytes(book(3)))
    source = sqlite_collection.source("csv", "book.csv")
    with sqlite_collection.database.write() as session:
        found = session.get_one(TransferSource, source)
        found.digest = "0" * 64
        session.add(found)
    assert sqlite_collection.collect().stopped == "source-changed"
    assert sqlite_collection.rows() == []


def test_a_file_that_is_gone_stops_the_step(sqlite_collection: Collection) -> None:
    sqlite_collection.source("csv", "nowhere.csv")
    assert sqlite_collection.collect().stopped == "source-unreadable"


def test_a_paused_job_reads_nothing(sqlite_collection: Collection, clock: FakeClock) -> None:
    sqlite_collection.put("book.csv", csv_bytes(book(3)))
    sqlite_collection.source("csv", "book.csv")
    with sqlite_collection.database.write() as session:
        job = session.get_one(TransferJob, sqlite_collection.job)
        job.paused_at = clock()
        session.add(job)
    done = sqlite_collection.steps.collect(ChunkStep(job=sqlite_collection.job))
    assert done.paused
    assert sqlite_collection.rows() == []


def test_a_workbook_and_a_database_are_read_behind_the_file(collection: Collection, tmp_path: Path) -> None:
    rows = book(9)
    collection.put("a.csv", csv_bytes(rows[:3]))
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(list(HEADER))
    for row in rows[3:6]:
        sheet.append(row)
    workbook.save(collection.folder / "main" / "b.xlsx")
    with sqlite3.connect(tmp_path / "crm.db") as crm:
        crm.execute("CREATE TABLE crm_customers (" + ", ".join(f'"{name}" TEXT' for name in HEADER) + ")")
        crm.executemany(f"INSERT INTO crm_customers VALUES ({', '.join('?' * len(HEADER))})", reversed(rows[6:]))
    collection.connections["crm"] = f"sqlite:///{tmp_path / 'crm.db'}"
    collection.source("csv", "a.csv")
    collection.source("xlsx", "b.xlsx")
    collection.source("sql", "crm", MAPPING + '[sql]\ntable = "crm_customers"\nkey = ["客户号"]\n')
    collection.collect()
    collection.verify()
    assert [values["customer_no"] for values in collection.opened()] == [row[0] for row in rows]
    assert {row.outcome for row in collection.rows()} == {"accepted"}


def test_a_mapping_can_be_stricter_than_the_product(sqlite_collection: Collection) -> None:
    rows = book(2)
    rows[0].append("20200101")
    rows[1].append("20990101")
    mapping = MAPPING + '[fields.id_valid_until]\ncolumn = "有效期"\n'
    sqlite_collection.put("a.csv", csv_bytes(rows, header=[*HEADER, "有效期"]))
    sqlite_collection.source("csv", "a.csv", mapping + '[severity]\nid-expired = "hold"\nmobile = "warn"\n')
    sqlite_collection.collect()
    sqlite_collection.verify()
    assert [row.outcome for row in sqlite_collection.rows()] == ["held", "accepted"]


def test_the_book_of_the_other_company_is_collected_as_it_stands(collection: Collection) -> None:
    database, vault, now = collection.database, collection.vault, collection.clock()
    fields = (
        "customer_no",
        "name",
        "id_type",
        "id_number",
        "mobile",
        "email",
        "account",
        "sex",
        "birth_date",
        "address",
    )
    expected = [check_record(dict(zip(fields, row, strict=True)), today=shanghai_date(now)).values for row in book(7)]
    vault.ensure_tenant("other")
    customers = [Customer(new_token("cus"), new_token("sub"), values) for values in expected]
    with database.write() as session:
        session.add(Tenant(code="other", name="另一家银行", created_at=now))
        session.flush()
        session.get_one(TransferJob, collection.job).source_tenant = "other"
        for stored in seal_customers(vault, tenant="other", customers=customers, create=True):
            session.add(
                CustomerRecord(
                    id=stored.id, tenant="other", subject_id=stored.subject, created_at=now, updated_at=now,
                    **stored.columns,
                )
            )  # fmt: skip
    sources = Sources(collection.folder, {}, vault, lambda tenant: BookSource(database, vault, tenant))
    collection.source("book", "book", "version = 1")
    SqlCollect(database, vault, sources, collection.clock).collect(ChunkStep(job=collection.job))
    collection.verify()
    assert {row.outcome for row in collection.rows()} == {"accepted"}
    in_order = [customer.values["customer_no"] for customer in sorted(customers)]
    assert [values["customer_no"] for values in collection.opened()] == in_order
    assert sorted(values["id_number"] for values in collection.opened()) == sorted(
        values["id_number"] for values in expected
    )
