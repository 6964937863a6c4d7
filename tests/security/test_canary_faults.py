"""S6, extended: what goes wrong says nothing of a person either, in no file, log, answer or error stream.

Crashes, a locked and a full database, a constraint that is broken with personal data in its parameters, a workflow
that does not answer, and keys that are gone. Each time all that was written is searched for the people of a made-up
book in every spelling.
"""

import contextlib
import io
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from _pytest.logging import LogCaptureHandler
from sqlalchemy import event

from compliance.telemetry.logs import configure_logging
from compliance.vault.keyring import Vault
from deploy.demo.canary import files_below, search
from models.database.engine import Database
from models.domain.roles import Role
from models.errors import KeysUnavailable
from tests.security.busy_office import application_of, people
from tests.support.api import Office
from tests.support.applications import CASES, FakeDispatcher, open_desk
from tests.support.clock import FakeClock

REPOSITORY = Path(__file__).parents[2]
Fault = Callable[[Office], None]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging(stream=stream, level="DEBUG")
    yield stream
    root.handlers[:] = [*kept, *(each for each in root.handlers if isinstance(each, LogCaptureHandler))]
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def broken_constraint(office: Office) -> None:
    """Every row about a person is refused, with what it holds in the statement's parameters."""
    database = office.deps.database
    with database.engine.begin() as connection:
        if database.is_sqlite:
            for table in ("subjects", "contact_points"):
                connection.exec_driver_sql(
                    f"CREATE TRIGGER {table}_no BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END"
                )
        else:
            connection.exec_driver_sql("ALTER TABLE subjects ADD CONSTRAINT nobody CHECK (id_type = 'x') NOT VALID")


def full_disk(office: Office) -> None:
    """Not a page more: the words of an application are longer than what is left in the pages that are there."""
    import sqlite3

    office.deps.database.dispose()
    with contextlib.closing(sqlite3.connect(str(office.deps.database.engine.url.database))) as connection:
        connection.execute("VACUUM")
    _on_connect(office, lambda dbapi: dbapi.execute("PRAGMA max_page_count = 1"))


def locked(office: Office) -> None:
    """Somebody else writes, and does not stop."""
    import sqlite3

    holder = sqlite3.connect(str(office.deps.database.engine.url.database), isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    office.holder = holder  # type: ignore[attr-defined]
    _on_connect(office, lambda dbapi: dbapi.execute("PRAGMA busy_timeout = 20"))


def keys_gone(office: Office) -> None:
    """The key-encryption key's provider no longer answers, and no key is cached any more."""

    def away(*_: Any, **__: Any) -> bytes:
        raise KeysUnavailable(detail="the provider does not answer")

    office.deps.vault.branches.kek.unwrap = away  # type: ignore[method-assign]
    office.deps.vault.forget()


def key_store_gone(office: Office) -> None:
    database = office.deps.vault._database
    with database.engine.begin() as connection:
        for table in ("branch_keys", "subject_keys"):
            connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {table}_away")
    office.deps.vault.forget()


def nothing(_office: Office) -> None:
    """The workflow does not answer in time; that is how these offices are."""


def _on_connect(office: Office, act: Callable[[Any], object]) -> None:
    engine = office.deps.database.engine
    event.listen(engine, "connect", lambda dbapi, _record: act(dbapi))
    office.deps.database.dispose()


async def asked(office: Office, staff: Any) -> list[tuple[int, bytes]]:
    """Requests that carry, open or look for people; what was answered."""
    rows, answers = people(4), []
    async with office.client(staff) as client:
        for number, row in enumerate(rows):
            key = {"Idempotency-Key": f"f{number}"}
            calls = [
                client.post(CASES, json=_at_length(application_of(row)), headers=key),
                client.post("/v1/subjects/search", json={"mobile": row.mobile}),
                client.post("/v1/subjects/search", json={"idNumber": row.id_number}),
                client.get(f"{CASES}/{row.name}"),
                client.get(CASES, params={"after": row.id_number}),
                client.post("/v1/sessions", json={"tenant": "main", "login": row.email, "password": row.name}),
            ]
            for call in calls:
                answer = await call
                answers.append((answer.status_code, answer.content))
    return answers


def _at_length(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "hardship": {**body["hardship"], "note": "家中老人住院" * 300}}


FAULTS: list[tuple[Fault, str]] = [
    (broken_constraint, "database"),
    (full_disk, "sqlite_database"),
    (locked, "sqlite_database"),
    (keys_gone, "sqlite_database"),
    (key_store_gone, "sqlite_database"),
    (nothing, "sqlite_database"),
]


@pytest.mark.parametrize("fault", [each for each, _ in FAULTS], ids=lambda each: each.__name__)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_what_goes_wrong_tells_of_nobody(  # noqa: PLR0917
    request: pytest.FixtureRequest,
    vault: Vault,
    clock: FakeClock,
    tmp_path: Path,
    log: io.StringIO,
    capfd: pytest.CaptureFixture[str],
    kind: str,
    fault: Fault,
) -> None:
    if kind == "postgres" and fault is not broken_constraint:
        pytest.skip("a fault of SQLite's, or of no database")
    database: Database = request.getfixturevalue(f"{kind}_database")
    office = open_desk(database, vault, clock, tmp_path, FakeDispatcher())
    staff = office.staff("officer", Role.CASE_OFFICER, branch="sh-01")
    fault(office)
    answers = await asked(office, staff)
    refused = [body for status, body in answers if status >= 400]
    assert refused, "something did go wrong"
    if fault is not nothing:
        assert 201 not in {status for status, _ in answers}
    said = capfd.readouterr()
    texts = [
        *files_below(tmp_path),
        ("answers", b"\n".join(refused)),
        ("log", log.getvalue().encode()),
        ("stdout", said.out.encode()),
        ("stderr", said.err.encode()),
    ]
    if kind == "postgres":
        texts += _server_log(request)
    assert search(texts, people(4)) == []
    assert sum(len(content) for _, content in texts) > 10_000


def _server_log(request: pytest.FixtureRequest) -> list[tuple[str, bytes]]:
    """What the server of the tests has written of the statements it refused."""
    cluster = request.getfixturevalue("postgres")._cluster
    folder = next((getattr(cluster, name) for name in ("folder", "_folder", "path") if hasattr(cluster, name)), None)
    if folder is None:
        return []
    return [(str(path), path.read_bytes()) for path in Path(folder).rglob("*log*") if path.is_file()]


def _killed(folder: Path, *arguments: str, cases: int) -> subprocess.CompletedProcess[bytes]:
    """An office that is killed with SIGKILL in the middle of the work."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.security.busy_office", str(folder), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    for _ in range(cases):
        assert process.stdout.readline() == b"201\n", process.stderr.read() if process.stderr else b""
    time.sleep(0.003 * cases)  # somewhere within a request
    process.kill()
    out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_a_crash_leaves_nothing_of_anybody(tmp_path: Path) -> None:
    for number, cases in enumerate((1, 4)):
        folder = tmp_path / str(number)
        folder.mkdir()
        ended = _killed(folder, cases=cases)
        assert ended.returncode == -9
        texts = [*files_below(folder), ("stderr", ended.stderr), ("stdout", ended.stdout)]
        assert any(name == "data.db-wal" and content for name, content in texts), "there was work under way"
        assert search(texts, people(cases + 5)) == []
        assert not [name for name, _ in texts if name.startswith("core")]


def test_teeth_what_is_kept_in_plain_is_found(tmp_path: Path) -> None:
    ended = _killed(tmp_path, "--plain", cases=3)
    hits = search([*files_below(tmp_path), ("stderr", ended.stderr)], people(3))
    assert {(hit.where, hit.row, hit.field) for hit in hits} >= {
        ("scratch.txt", row.row, field) for row in people(3) for field in ("name", "mobile") if len(row.name) > 1
    }


def test_our_processes_leave_no_core_dump() -> None:
    program = (
        "import resource; from deploy import datadir; datadir.make_private(); "
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    told = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "(0, 0)"
