"""S12: where the audit event cannot be written, nothing changes and nothing is shown: 503, and later the same works."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from compliance.audit.unit import BOOKKEEPING_TABLES
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.tables.all import METADATA
from models.tables.staff import Staff
from tests.api.aftercare.care_desk import open_care_desk
from tests.support.api import PASSWORD, Office
from tests.support.applications import CASES, CLEAR_VALUES, PNG, FakeDispatcher, another_id, application, open_desk
from tests.support.clock import FakeClock

REFUSING = (
    "CREATE TRIGGER audit_store_is_gone BEFORE INSERT ON audit_events "
    "BEGIN SELECT RAISE(ABORT, 'the audit store is not writable'); END"
)
Break = Callable[[Database], None]


def trigger(database: Database) -> None:
    run(database, REFUSING)


def gone(database: Database) -> None:
    run(database, "ALTER TABLE audit_events RENAME TO audit_events_moved")


def full(database: Database) -> None:
    """No page more: what a full disk is to SQLite."""
    run(database, "CREATE TABLE filler (x)")
    with database.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    database.dispose()
    from sqlalchemy import event

    @event.listens_for(database.engine, "connect")
    def _limit(dbapi: Any, _record: Any) -> None:
        dbapi.execute(f"PRAGMA max_page_count = {pages}")

    with database.engine.connect() as connection, connection.begin():
        try:
            for _ in range(1_000):  # what is free within the pages there are
                connection.exec_driver_sql("INSERT INTO filler VALUES (randomblob(2000))")
        except Exception:  # noqa: BLE001 - until it is full
            return


def read_only(database: Database) -> None:
    database.dispose()
    from sqlalchemy import event

    @event.listens_for(database.engine, "connect")
    def _only(dbapi: Any, _record: Any) -> None:
        dbapi.execute("PRAGMA query_only = ON")


def run(database: Database, statement: str) -> None:
    with database.engine.begin() as connection:
        connection.execute(text(statement))


def state_of(database: Database, files: Path) -> str:
    """Everything that is no bookkeeping, and the sealed files."""
    digest = hashlib.sha256()
    with database.read() as session:
        connection = session.connection()
        for table in METADATA.sorted_tables:
            if table.name not in BOOKKEEPING_TABLES and table.name != "audit_events":
                rows = sorted(repr(tuple(row)) for row in connection.execute(table.select()))
                digest.update(f"{table.name}:{rows}".encode())
    for path in sorted(each for each in files.rglob("*") if each.is_file()):
        digest.update(str(path).encode())
    return digest.hexdigest()


@pytest.fixture
def office(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


@pytest.mark.parametrize("broken", [trigger, gone, full, read_only])
async def test_without_the_event_nothing_changes_and_nothing_is_shown(office: Office, broken: Break) -> None:
    desk = await open_care_desk(office)
    admin = office.staff("admin", Role.STAFF_ADMIN)
    auditor = office.staff("auditor", Role.AUDITOR, branch="*")
    async with office.client(desk.officer) as client:
        subject = (await client.get(f"{CASES}/{desk.case}")).json()["subject"]["id"]
    ticket = await desk.open("question")
    case = f"{CASES}/{desk.case}"
    consent = {"purpose": "credit-report-query", "form": "WRITTEN", "textVersion": "2026-02"}
    talk = {"channel": "visit", "direction": "in", "resultCode": "informed", "note": "x"}
    other = application(applicant__idNumber=another_id(7), applicant__name="李雷雷")
    staff = {
        "login": "new.one",
        "name": "N",
        "branch": "hq",
        "locale": "en",
        "initialPassword": PASSWORD,
    }
    requests: list[tuple[Staff, str, str, dict[str, Any]]] = [
        (desk.officer, "POST", CASES, {"json": other}),
        (desk.officer, "POST", f"{case}/contacts", {"json": talk}),
        (desk.officer, "POST", f"{case}/consents", {"json": consent}),
        (
            desk.officer,
            "POST",
            f"{case}/documents",
            {"files": {"file": ("a.png", PNG, "image/png")}, "data": {"kind": "other"}},
        ),
        (desk.officer, "POST", "/v1/customer-links", {"json": {"purpose": "progress", "caseToken": desk.case}}),
        (desk.officer, "POST", "/v1/tickets", {"json": {"caseToken": desk.case, "kind": "question", "text": "?"}}),
        (desk.officer, "POST", f"{case}/withdrawal", {"json": {"reasonCode": "customer-asked-to-stop"}}),
        (admin, "POST", "/v1/staff", {"json": staff}),
        (desk.officer, "POST", f"/v1/subjects/{subject}/reveals", {"json": {"field": "name", "reason": "audit"}}),
        (desk.officer, "GET", case, {}),
        (desk.officer, "GET", f"/v1/subjects/{subject}", {}),
        (desk.officer, "POST", "/v1/subjects/search", {"json": {"mobile": "13812345678"}}),
        (desk.approver, "GET", f"/v1/tickets/{ticket['id']}", {}),
        (auditor, "GET", "/v1/audit/events", {}),
        (auditor, "GET", f"/v1/audit/cases/{desk.case}", {}),
    ]
    files = office.deps.files_root
    broken(office.deps.database)
    before, answers = state_of(office.deps.database, files), []
    for number, (by, method, path, body) in enumerate(requests):
        async with office.client(by) as client:
            answer = await client.request(method, path, headers={"Idempotency-Key": f"s12-{number}"}, **body)
        answers.append((method, path, answer.status_code))
        for value in CLEAR_VALUES:
            assert value not in answer.text
    if broken is full:  # a small event may still find room on a page; then it is on record, and may be shown
        answers = [each for each in answers if each[0] != "GET" and not each[1].endswith("/search")]
    assert [each for each in answers if each[2] != 503] == []
    assert state_of(office.deps.database, files) == before


async def test_what_was_refused_works_under_the_same_key_once_the_store_is_back(office: Office) -> None:
    desk = await open_care_desk(office)
    body = {"caseToken": desk.case, "kind": "question", "text": "?"}
    trigger(office.deps.database)
    async with office.client(desk.officer) as client:
        refused = await client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "again"})
        run(office.deps.database, "DROP TRIGGER audit_store_is_gone")
        taken = await client.post("/v1/tickets", json=body, headers={"Idempotency-Key": "again"})
    assert (refused.status_code, refused.json()["retryable"], taken.status_code) == (503, True, 201)
