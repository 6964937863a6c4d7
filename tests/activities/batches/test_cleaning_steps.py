"""A payroll's file through cleaning: sealed, judged, quarantined, read once; a set of rules is bound once."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import col

from activities.batches.clean_steps import SqlClean
from activities.batches.judging import Judge
from activities.batches.row_cells import SealedRows
from activities.batches.rules_steps import SqlRules
from compliance.vault.files import FileAddress
from compliance.vault.keyring import Vault
from compliance.vault.shelf import Shelf
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartStep
from models.domain.bank_card import luhn_digit
from models.domain.batches.files.canonical import row_fields
from models.domain.batches.kinds import KindName, MemberSource
from models.domain.batches.states import RowState
from models.domain.batches.wages import declared
from models.domain.ids import job_record
from models.domain.resident_id import check_character
from models.domain.states import TaskType
from models.tables.batch_imports import BatchImport, BatchQuality, BatchRow
from models.tables.batch_runs import BatchRun
from models.tables.tasks import Task
from tests.support.batch_books import BatchBooks
from tests.support.daybook import START, TENANT

HEADER = "流水号,姓名,证件类型,证件号码,账号,实发金额,发放日期"
AMOUNT = 100_000
ROWS = 30


def line(number: int, *, amount: str = "1000.00", account: str | None = None) -> str:
    body, card = f"110105199003{number:02}{number:03}"[:17], f"622999{number:09}"
    paid_on = (START + timedelta(days=1)).isoformat()
    card = account or card + luhn_digit(card)
    return f"W{number},员工甲,身份证,{body + check_character(body)},{card},{amount},{paid_on}"


def payroll(*lines: str, total: int) -> bytes:
    return "\n".join([HEADER, *lines, f"合计,{len(lines)},{total // 100}.00", ""]).encode()


@pytest.fixture
def steps(books: BatchBooks, vault: Vault, tmp_path: Path) -> SqlClean:
    return SqlClean(books.book.database, books.book.clock, vault, tmp_path / "sealed")


def received(books: BatchBooks, steps: SqlClean, content: bytes) -> BatchRun:
    """A payroll run whose file lies sealed, as the edge leaves it."""
    client, account = books.client()
    run = books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=account)
    steps.vault.create_subject(tenant=TENANT, subject_id=job_record(run.token))
    address = FileAddress(TENANT, job_record(run.token), "bim_wages")
    Shelf(vault=steps.vault, root=steps.files_root).put(address, iter([content]))
    books.add(
        BatchImport(
            id="bim_wages",
            tenant=TENANT,
            run=run.token,
            layout="payroll-csv",
            layout_version="ready",
            file_name="bim_wages",
            digest="0" * 64,
            size_bytes=len(content),
            created_at=books.book.clock(),
        )
    )
    return run


def clean(steps: SqlClean, run: BatchRun) -> None:
    assert steps.read_rows(PartStep(run=run.token)).after is None
    assert steps.validate_rows(PartStep(run=run.token)).after is None
    steps.quality_report(RunStep(run=run.token))


def test_two_faulty_rows_of_thirty_are_held_with_line_field_and_rule_and_a_second_reading_changes_nothing(
    books: BatchBooks, steps: SqlClean, vault: Vault
) -> None:
    lines = [line(number) for number in range(1, ROWS + 1)]
    lines[4], lines[9] = line(5, amount="abc"), line(10, account="6229990000000001")
    content = payroll(*lines, total=(ROWS - 1) * AMOUNT)
    run = received(books, steps, content)
    for _ in range(2):
        clean(steps, run)
    rows = sorted(books.book.all(BatchRow), key=lambda row: row.number)
    assert [row.number for row in rows] == list(range(1, ROWS + 1))
    held = {row.line: row.faults for row in rows if row.state == RowState.HELD}
    assert {number: [each["field"] for each in faults] for number, faults in held.items()} == {
        6: ["amountMinor"],
        11: ["payeeAccount"],
    }
    assert steps.quarantined(RunStep(run=run.token)).count == len(held)
    tasks = books.book.all(Task, col(Task.type) == TaskType.BATCH_QUARANTINE)
    assert sorted(task.shown["line"] for task in tasks) == sorted(held)
    said = SealedRows(vault)(TENANT, rows)
    assert said[1]["payee-name"] == "员工甲"
    assert said[1]["amount-minor"] == str(AMOUNT)
    assert all("员工甲".encode() not in bytes(row.row_cell) for row in rows)
    figures = {each.moment: each.figures for each in books.book.all(BatchQuality)}["after"]
    assert (figures["read"], figures["accepted"], figures["held"], figures["conserved"]) == (ROWS, ROWS - 2, 2, True)
    assert figures["acceptedMinor"] == (ROWS - 2) * AMOUNT


def test_a_file_whose_control_total_is_not_that_of_its_rows_stops_the_run(books: BatchBooks, steps: SqlClean) -> None:
    run = received(books, steps, payroll(line(1), total=2 * AMOUNT))
    for _ in range(2):
        assert steps.read_rows(PartStep(run=run.token)).stopped == "control-total"


def test_a_run_waits_for_its_file(books: BatchBooks, steps: SqlClean) -> None:
    client, account = books.client()
    run = books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=account)
    assert steps.read_rows(PartStep(run=run.token)).paused


def test_the_version_in_force_is_bound_once_and_rows_of_agreements_are_refused_before_any_order(
    books: BatchBooks, steps: SqlClean
) -> None:
    rules = SqlRules(books.book.database, books.book.clock, Judge(lambda _day: True))
    client, account = books.client()
    run = books.begin(KindName.PAYROLL, source=MemberSource.FILE, client=client, funding_account=account)
    assert rules.bind_rules(RunStep(run=run.token)).lacks == ("rule-set-missing",)
    books.rules(KindName.PAYROLL)
    assert [rules.bind_rules(RunStep(run=run.token)).version for _ in range(2)] == ["wages/1", "wages/1"]
    of_book = books.begin()
    assert rules.bind_rules(RunStep(run=of_book.token)).lacks == ("agreement-rows-by-daily-run",)


def test_what_a_layout_says_of_a_wage_is_read_by_the_gate_of_its_row() -> None:
    """One spelling from the layout's names to the facts that the rules ask for."""
    said = row_fields({"ownAccount": "yes", "sheetSigned": "no", "grossMinor": 120_000, "payeeAccount": "1"})
    assert said["account"] == "1"
    assert declared(said) == {"payee_is_worker": True, "wage_sheet_signed": False, "wage_gross_minor": 120_000}
