"""Who has not passed a job's course is shown nothing of its persons, and changes nothing about them (培训准入)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from sqlmodel import col, select

from activities.transfers.sources.desk import Sources
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.tables.audit import AuditEvent
from models.tables.staff import Staff
from models.tables.transfer_corrections import TransferCorrection
from models.tables.transfer_grants import TransferGrant
from models.tables.transfers import TransferRow, TransferWave
from tests.support.api import Office
from tests.support.applications import FakeDispatcher
from tests.support.linkage_sets import Books, Maker, Values
from tests.support.training import train, trained
from tests.support.transfer_matching import Matching
from tests.support.transfer_rows import MAPPING, Collection, book, csv_bytes
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons

PERSON: Final = Maker(61).person()
ALONE: Final[Values] = {**PERSON, "id_number": None, "mobile": None, "email": None, "account": None, "address": None}
SOURCE: Final = {"kind": "csv", "place": "book.csv", "mapping": MAPPING}
VERSION: Final = {"If-Match": '"v2"'}  # of a row that was verified
# What people do about rows of a job: method, path, body.
OF_ROWS: Final[dict[str, tuple[str, str, dict[str, Any] | None]]] = {
    "list rows": ("GET", "/rows", None),
    "look at a row": ("GET", "/rows/1", None),
    "enter a row": ("POST", "/rows", {"channel": "phone", "values": {"name": "欧阳晓雯"}}),
    "correct a row": ("POST", "/rows/1/corrections", {"values": {"address": "上海市浦东新区世纪大道1号"}}),
    "reject a row": ("POST", "/rows/1/rejection", {"reasonCode": "cannot-be-corrected"}),
    "preview a source": ("POST", "/preview", SOURCE),
    "have a mapping suggested": ("POST", "/mapping-suggestions", {"kind": "csv", "place": "book.csv"}),
}


def _assert_refused(answer: httpx.Response, because: str = "nobody has recorded the course") -> None:
    assert answer.status_code == 403, answer.text
    told = answer.json()
    assert told["code"] == "training-missing"
    assert "PIPL Art. 51" in told["detail"]
    assert because in told["detail"]
    assert "privacy officer" in told["detail"]


async def _call(office: Office, by: Staff, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
    async with office.client(by) as client:
        given = {"Idempotency-Key": new_token("key"), "If-Match": '"v1"', **headers}
        return await client.request(method, path, json=body, headers=given)


def _events(office: Office) -> list[str]:
    with office.deps.database.read() as session:
        return list(session.exec(select(AuditEvent.action)).all())


@pytest.fixture
def collection(sqlite_office: Office, tmp_path: Path) -> Collection:
    """A job with one row in quarantine."""
    deps = sqlite_office.deps
    made = Collection(deps.database, deps.vault, sqlite_office.clock, tmp_path / "exchange").open(tenant=False)
    deps.transfer_sources = Sources(made.folder, {}, deps.vault)
    rows = book(2)
    rows[0][9] = "某处"
    made.put("book.csv", csv_bytes(rows))
    made.source("csv", "book.csv")
    made.collect()
    made.verify()
    return made


@pytest.mark.parametrize("what", OF_ROWS)
async def test_rows_are_opened_only_for_who_has_passed_the_course(
    sqlite_office: Office, collection: Collection, what: str
) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    method, path, body = OF_ROWS[what]
    before = _events(sqlite_office)
    answer = await _call(sqlite_office, officer, method, f"/v1/transfers/{collection.job}{path}", body, **VERSION)
    _assert_refused(answer)
    assert _events(sqlite_office) == before, "nothing was shown, and nothing was changed"
    assert len(collection.rows()) == 2
    train(sqlite_office.deps.database, collection.job, officer.id)
    answer = await _call(sqlite_office, officer, method, f"/v1/transfers/{collection.job}{path}", body, **VERSION)
    assert answer.status_code in {200, 201, 422}, answer.text  # a body may still have faults of its own


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"valid_until": timedelta()}, "has run out"),
        ({"revoked_at": timedelta()}, "was taken back"),
        ({"passed_at": timedelta(hours=1)}, "does not begin yet"),
    ],
)
async def test_a_grant_that_does_not_hold_is_named(
    sqlite_office: Office, collection: Collection, changes: dict[str, timedelta], because: str
) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    at = {name: sqlite_office.clock() + after for name, after in changes.items()}
    with sqlite_office.deps.database.write() as session:
        trained(session, collection.job, officer.id, tenant="main", **at)
    answer = await _call(sqlite_office, officer, "GET", f"/v1/transfers/{collection.job}/rows")
    _assert_refused(answer, because)
    chinese = await _call(
        sqlite_office, officer, "GET", f"/v1/transfers/{collection.job}/rows", **{"Accept-Language": "zh-CN"}
    )
    assert "《个人信息保护法》第五十一条" in chinese.json()["detail"]


async def test_the_second_person_of_a_correction_is_trained_too(sqlite_office: Office, collection: Collection) -> None:
    officer, checker = (
        sqlite_office.staff("officer", Role.CASE_OFFICER),
        sqlite_office.staff("checker", Role.APPROVER),
    )
    train(sqlite_office.deps.database, collection.job, officer.id)
    rows = f"/v1/transfers/{collection.job}/rows/1"
    proposed = await _call(
        sqlite_office, officer, "POST", f"{rows}/corrections", {"values": {"mobile": "13900000000"}}, **VERSION
    )
    assert proposed.status_code == 200, proposed.text
    [correction] = proposed.json()["corrections"]
    body = {"shownHash": correction["shownHash"]}
    for word, more in (("confirmation", {}), ("refusal", {"reasonCode": "evidence-missing"})):
        path = f"{rows}/corrections/{correction['id']}/{word}"
        _assert_refused(await _call(sqlite_office, checker, "POST", path, body | more))
    with sqlite_office.deps.database.read() as session:
        assert session.exec(select(TransferCorrection.state)).all() == ["proposed"]
        assert session.exec(select(TransferRow.version).where(col(TransferRow.number) == 1)).one() == 2


@pytest.fixture
def waves(sqlite_office: Office) -> tuple[WaveOffice, Callable[[], Awaitable[dict[str, Any]]], Staff, str]:
    """A conflict on a key field of a record that a wave is to change."""
    deps = sqlite_office.deps
    made = WaveOffice(deps.database, deps.vault, sqlite_office.clock)
    made.open()
    [theirs] = persons(1, prefix="T")
    [record] = made.book([theirs])
    made.rows([theirs | {"mobile": "+8613900000000"}], into={0: record})
    made.plan_waves()
    made.run(1)
    operator = sqlite_office.staff("one", Role.OPERATOR, tenant=TENANT)

    async def conflict() -> dict[str, Any]:
        answer = await _call(sqlite_office, operator, "GET", f"/v1/transfers/{JOB}/conflicts")
        [found] = answer.json()["items"]
        return dict(found)

    return made, conflict, operator, record


async def test_a_conflict_is_neither_shown_nor_decided(sqlite_office: Office, waves: Any) -> None:
    made, conflict, operator, record = waves
    found, before = await conflict(), made.stored()
    _assert_refused(await _call(sqlite_office, operator, "GET", f"/v1/transfers/{JOB}/conflicts/{found['id']}"))
    _assert_refused(await _call(sqlite_office, operator, "GET", f"/v1/transfers/{JOB}/records/{record}/changes"))
    path, word = f"/v1/tasks/{found['taskId']}/decisions", {"outcome": "keep", "reasonCode": "target-newer"}
    _assert_refused(await _call(sqlite_office, operator, "POST", path, word))
    assert (await conflict())["state"] == "open"
    assert made.stored() == before
    train(sqlite_office.deps.database, JOB, operator.id, tenant=TENANT)
    shown = await _call(sqlite_office, operator, "GET", f"/v1/transfers/{JOB}/conflicts/{found['id']}")
    assert shown.status_code == 200
    assert (await _call(sqlite_office, operator, "POST", path, word)).status_code == 201


async def test_a_pair_is_not_shown(sqlite_office: Office) -> None:
    deps = sqlite_office.deps
    books = Books(source=[ALONE], target=[PERSON])
    case = Matching(deps.database, deps.vault, deps.clock).open(books, tenant=False).run()
    clerk = sqlite_office.staff("clerk", Role.OPERATOR, branch="0001")
    path = f"/v1/transfers/{case.job}/matches/{case.pair(1).id}"
    _assert_refused(await _call(sqlite_office, clerk, "GET", path))
    assert "transfer.pair-shown" not in _events(sqlite_office)
    train(deps.database, case.job, clerk.id)
    assert (await _call(sqlite_office, clerk, "GET", path)).status_code == 200


async def test_a_recorded_grant_has_the_job_and_its_waves_look_again(
    sqlite_office: Office, waves: Any, dispatcher: FakeDispatcher
) -> None:
    privacy = sqlite_office.staff("privacy", Role.PRIVACY_OFFICER, tenant=TENANT)
    _, _, operator, _ = waves
    with sqlite_office.deps.database.write() as session:
        wave = session.get_one(TransferWave, (JOB, 1))
        wave.state = "moving"
        session.add(wave)
    now = sqlite_office.clock()
    body = {
        "staffId": operator.id,
        "course": "data-transfer",
        "passedAt": now.isoformat(),
        "validUntil": (now + timedelta(days=30)).isoformat(),
        "isSponsor": True,
    }
    answer = await _call(sqlite_office, privacy, "POST", f"/v1/transfers/{JOB}/grants", body)
    assert answer.status_code == 201, answer.text
    assert {transfer_workflow_id(JOB), wave_workflow_id(JOB, 1)} <= set(dispatcher.nudged)
    with sqlite_office.deps.database.read() as session:
        own = session.exec(select(TransferGrant).where(col(TransferGrant.staff_id) == operator.id)).one()
    assert own.is_sponsor
