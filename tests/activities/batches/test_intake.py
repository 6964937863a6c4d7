"""Bulk intake: a line of a file becomes one case, however often its chunk is executed and whatever dies."""

from pathlib import Path

import pytest
from sqlmodel import col

from activities.batches.intake import SealedCases
from models.domain.batches.kinds import KindName
from models.domain.tokens import named_token
from models.tables.installments import InstallmentCase
from models.tables.parties import ContactPoint, Subject
from models.tables.platform import OutboxEntry
from tests.support.batch_executing import ExecuteOffice
from tests.support.kills import Killed, killing
from tests.support.people import people

FIGURES = {
    "total-due-minor": "5000000",
    "amount-minor": "3000000",
    "term-months": "36",
    "monthly-income-minor": "800000",
    "essential-expense-minor": "350000",
    "other-debt-minor": "100000",
    "dependants": "1",
    "hardship": "unemployment",
}


@pytest.fixture
def office(database, vault, clock, tmp_path: Path) -> ExecuteOffice:
    opened = ExecuteOffice(database, vault, clock, tmp_path)
    opened.cases = SealedCases(vault, opened.judge().opened)
    return opened


def intake(office: ExecuteOffice, rows: list[dict[str, str]]) -> str:
    members = [
        {
            "claim_key": f"file/bim/{number:04d}",
            "subject_id": named_token("sub", f"row/{number}"),
            "import_line": number,
            "amount_minor": 3_000_000,
        }
        for number in range(1, len(rows) + 1)
    ]
    token = office.run(members, kind=KindName.INTAKE)
    office.file_rows(token, len(rows))
    office.said = dict(enumerate(rows, start=1))
    return token


def applications(count: int) -> list[dict[str, str]]:
    return [
        FIGURES | {"name": each.name, "id-type": each.id_type, "id-number": each.id_number, "mobile": each.mobile}
        for each in people(count)
    ]


def test_each_line_becomes_one_case_whatever_dies(office: ExecuteOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = applications(8)
    rows[3] = rows[3] | {"term-months": ""}  # of no case
    token = intake(office, rows)
    with killing(monkeypatch, 3) as killer:
        while True:
            try:
                if all(done.done for done in office.execute(token)):
                    break
            except Killed:
                continue
    assert killer.kills
    office.execute(token)
    ends = office.assert_conserved(token)
    assert ends == {"opened": 7, "barred": 1}
    cases = office.book.all(InstallmentCase)
    assert {each.case_token for each in office.orders(token) if each.case_token} == {each.token for each in cases}
    assert len(cases) == 7
    assert {(each.stage, each.branch, each.requested_term_months) for each in cases} == {("intake", "sh-01", 36)}
    starts = office.book.all(OutboxEntry, col(OutboxEntry.kind) == "start")
    assert sorted(each.business_key for each in starts) == sorted(each.token for each in cases)
    assert len(office.book.all(Subject)) == len(office.book.all(ContactPoint)) == 7
    (barred,) = [each for each in office.orders(token) if each.final_state == "barred"]
    assert (barred.member, barred.reason_code) == (4, "cannot-open")


def test_a_person_who_is_on_record_gets_another_case_and_no_second_file(office: ExecuteOffice) -> None:
    row = applications(1)[0]
    first = intake(office, [row, row])
    office.execute(first)
    assert len(office.book.all(Subject)) == 1
    assert len(office.book.all(InstallmentCase)) == 2
    again = intake(office, [row | {"name": "测试·别人"}])
    office.execute(again)
    assert [each.reason_code for each in office.orders(again)] == ["cannot-open"]
