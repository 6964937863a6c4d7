"""Erasures in the inbox: a proposal has one task, its approval another, and either way of deciding closes them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, delete, select

from activities.duties import retention
from activities.duties.retention import RetentionSweep
from compliance.vault.certificate import check
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import Role
from models.errors import FourEyesViolation
from models.operations import erasure
from models.operations.erasure import Word
from models.operations.erasure_tasks import sync_tasks
from models.operations.four_eyes import By
from models.tables.audit import AuditEvent
from models.tables.erasure import ErasureRequest
from models.tables.staff import Staff
from models.tables.tasks import Decision, Task
from tests.api.test_erasures import GROUND, at_rest, call, eraser, sealed
from tests.support.api import Office
from tests.support.applications import CLEAR_VALUES, FakeDispatcher, open_desk
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH

PROPOSAL, APPROVAL = "registers.erasure-proposal", "registers.erasure-approval"


@pytest.fixture
def bank(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(database, vault, clock, tmp_path, FakeDispatcher())


@pytest.fixture
def sqlite_bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


def officers(office: Office) -> tuple[Staff, Staff]:
    """Two privacy officers, of one branch and of another: it is no matter of a branch."""
    return (
        office.staff("first", Role.PRIVACY_OFFICER, branch=BRANCH),
        office.staff("second", Role.PRIVACY_OFFICER, branch="other"),
    )


async def proposed(office: Office) -> str:
    """The sweep has proposed to erase somebody; their id."""
    subject = await at_rest(office, office.staff("asks", Role.CASE_OFFICER, branch=BRANCH))
    assert await RetentionSweep(office.deps.database).run_once(office.clock()) == 1
    return subject


async def open_tasks(office: Office, by: Staff) -> list[dict[str, Any]]:
    body = {"filter": {"type": {"$in": [PROPOSAL, APPROVAL]}}}
    found = (await call(office, by, "POST", "/v1/tasks/search", body)).json()["items"]
    return [(await call(office, by, "GET", f"/v1/tasks/{each['id']}")).json() for each in found]


async def decide(
    office: Office, by: Staff, task: dict[str, Any], outcome: str, *, old: bool = False, **more: Any
) -> Any:
    """Decide a task as it was read; `old`: under a log-in of ten minutes ago."""
    headers = {"Idempotency-Key": f"{task['id']}/{outcome}", "If-Match": f'"v{task["version"]}"'}
    token = office.token(by, auth_age=timedelta(minutes=10)) if old else None
    async with office.client(by) as client:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        body = {"outcome": outcome, **more}
        return await client.post(f"/v1/tasks/{task['id']}/decisions", json=body, headers=headers)


def request_of(office: Office) -> ErasureRequest:
    with office.deps.database.read() as session:
        return session.exec(select(ErasureRequest)).one()


def events_of(office: Office, request: ErasureRequest) -> list[str]:
    with office.deps.database.read() as session:
        rows = select(AuditEvent.action).where(AuditEvent.target == request.id).order_by(col(AuditEvent.action))
        return list(session.exec(rows).all())


async def test_the_sweep_opens_a_task_that_shows_dates_and_rules_and_nobodys_data(bank: Office) -> None:
    first, _ = officers(bank)
    subject = await proposed(bank)
    (task,) = await open_tasks(bank, first)
    request = request_of(bank)
    assert (task["type"], task["shown"]["erasure"], task["shown"]["subject"]) == (PROPOSAL, request.id, subject)
    assert (task["shown"]["ground"], task["shown"]["requestedBy"]) == ("period-over", "duty:retention")
    (period,) = task["shown"]["periods"]
    assert period["rule"] == "application"
    assert period["until"] < bank.clock().date().isoformat()
    assert task["title"] == (
        f"Proposed to erase a person's data: the period of keeping is over (request ending {request.id[-6:]})"
    )
    assert not any(clear in str(task) for clear in CLEAR_VALUES)
    assert not task["freshLoginRequired"]
    await RetentionSweep(bank.deps.database).run_once(bank.clock())  # another process
    assert [each["id"] for each in await open_tasks(bank, first)] == [task["id"]]


async def test_two_persons_erase_somebody_from_the_inbox(bank: Office, tmp_path: Path) -> None:
    """One makes the proposal their own, cannot approve it, another does; keys go, and the certificate is as ever."""
    first, second = officers(bank)
    subject = await proposed(bank)
    (proposal,) = await open_tasks(bank, first)
    accepted = await decide(bank, first, proposal, "accept", note="the file is closed")
    assert (accepted.status_code, accepted.json()["state"]) == (201, "APPLIED")
    assert (await decide(bank, first, proposal, "accept", note="the file is closed")).json() == accepted.json()
    (task,) = await open_tasks(bank, second)
    assert (task["type"], task["shown"]["endorsedBy"], task["freshLoginRequired"]) == (APPROVAL, first.id, True)
    assert task["shown"]["periods"] == proposal["shown"]["periods"]

    (own,) = await open_tasks(bank, first)
    assert own["allowedActions"]["approve"]["because"] == "four-eyes-violation"
    alone = await decide(bank, first, own, "approve", shownHash=own["shownHash"])
    assert (alone.status_code, alone.json()["code"]) == (403, "four-eyes-violation")
    other = await decide(bank, second, task, "approve", shownHash="0f" * 32)
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")
    stale = await decide(bank, second, task, "approve", old=True, shownHash=task["shownHash"])
    assert (stale.status_code, stale.json()["code"]) == (401, "fresh-login-required")
    assert request_of(bank).state == "REQUESTED"

    bank.clock.advance(seconds=1)
    done = await decide(bank, second, task, "approve", shownHash=task["shownHash"])
    assert done.status_code == 201, done.text
    assert await open_tasks(bank, second) == []
    request = request_of(bank)
    assert (request.state, request.endorsed_by, request.decided_by) == ("APPROVED", first.id, second.id)
    assert events_of(bank, request) == ["erasure.approved", "erasure.endorsed", "erasure.proposed"]
    assert await eraser(bank).run_once(bank.clock()) == 1
    sealed(bank, tmp_path)
    assert await eraser(bank).run_once(bank.clock()) == 1
    certificate = (await call(bank, first, "GET", f"/v1/erasure-requests/{request.id}/certificate")).text
    assert check(certificate, subject=subject).ok
    gone = await call(bank, first, "GET", f"/v1/tasks/{task['id']}")
    assert (gone.status_code, gone.json()["state"]) == (200, "DONE")


async def test_whoever_stands_by_it_is_refused_in_every_layer(bank: Office) -> None:
    first, second = officers(bank)
    await proposed(bank)
    (proposal,) = await open_tasks(bank, first)
    await decide(bank, first, proposal, "accept")
    request, (task,) = request_of(bank), await open_tasks(bank, second)
    with pytest.raises(FourEyesViolation), bank.deps.database.write() as session:  # past the API, by another account
        word = Word(
            by=By(tenant="main", staff_id="stf_other", person_id=first.person_id), shown_hash=request.shown_hash
        )
        erasure.decide(session, session.get_one(ErasureRequest, request.id), word, now=bank.clock())
    with bank.deps.database.write() as session:  # a task that has forgotten who it excludes
        session.get_one(Task, task["id"]).excluded_persons = []
    alone = await decide(bank, first, task, "approve", shownHash=task["shownHash"])
    assert (alone.status_code, alone.json()["code"]) == (403, "four-eyes-violation")
    with bank.deps.database.read() as session:
        kept = session.exec(select(Decision.outcome)).all()
    assert list(kept) == ["accept"]


@pytest.mark.parametrize("at", ["proposal", "approval"])
async def test_a_rejection_closes_it_with_its_reason(bank: Office, at: str) -> None:
    first, second = officers(bank)
    await proposed(bank)
    (task,) = await open_tasks(bank, first)
    if at == "approval":
        await decide(bank, first, task, "accept")
        (task,) = await open_tasks(bank, second)
    bare = await decide(bank, second, task, "reject", shownHash=task["shownHash"])
    assert bare.json()["errors"][0]["pointer"] == "/reasonCode"
    answer = await decide(
        bank, second, task, "reject", shownHash=task["shownHash"], reasonCode="ground-not-given", note="x"
    )
    assert answer.status_code == 201, answer.text
    request = request_of(bank)
    assert (request.state, request.reason_code, request.decided_by) == ("REJECTED", "ground-not-given", second.id)
    assert await open_tasks(bank, first) == []
    assert await RetentionSweep(bank.deps.database).run_once(bank.clock()) == 0  # not before as many days


async def test_the_routes_of_the_register_move_the_tasks_too(bank: Office) -> None:
    first, second = officers(bank)
    await proposed(bank)
    request, (proposal,) = request_of(bank), await open_tasks(bank, first)
    path, body = f"/v1/erasure-requests/{request.id}", {"shownHash": request.shown_hash}
    assert (await call(bank, first, "POST", f"{path}/endorsement", body)).status_code == 200
    late = await decide(bank, second, proposal, "accept")
    assert (late.status_code, late.json()["code"]) == (409, "wrong-state")
    (task,) = await open_tasks(bank, second)
    assert task["type"] == APPROVAL
    assert (await call(bank, second, "POST", f"{path}/approval", body)).json()["state"] == "APPROVED"
    assert await open_tasks(bank, second) == []
    late = await decide(bank, second, task, "approve", shownHash=task["shownHash"])
    assert (late.status_code, late.json()["code"]) == (409, "wrong-state")


async def test_the_route_of_the_register_rejects_a_proposal_and_closes_its_task(sqlite_bank: Office) -> None:
    first, _ = officers(sqlite_bank)
    await proposed(sqlite_bank)
    request = request_of(sqlite_bank)
    body = {"shownHash": request.shown_hash, "reason": "ground-not-given"}
    answer = await call(sqlite_bank, first, "POST", f"/v1/erasure-requests/{request.id}/rejection", body)
    assert (answer.status_code, answer.json()["state"]) == (200, "REJECTED")
    assert await open_tasks(sqlite_bank, first) == []


async def test_a_request_of_staff_waits_for_its_second_person_and_a_refused_one_for_nobody(bank: Office) -> None:
    asks = bank.staff("officer", Role.CASE_OFFICER, branch=BRANCH)
    first, second = officers(bank)
    subject = await at_rest(bank, asks)
    path = f"/v1/subjects/{subject}/erasure-requests"
    hold = (await call(bank, first, "POST", f"/v1/subjects/{subject}/legal-holds", {"reason": "regulator"})).json()
    assert (await call(bank, asks, "POST", path, GROUND)).json()["state"] == "REFUSED"
    assert await open_tasks(bank, first) == []
    await call(bank, second, "POST", f"/v1/legal-holds/{hold['id']}/rejection", {"shownHash": hold["shownHash"]})
    made = (await call(bank, asks, "POST", path, GROUND, key="2")).json()
    (task,) = await open_tasks(bank, first)
    assert (task["type"], task["shown"]["erasure"]) == (APPROVAL, made["id"])
    # Something comes up: the approval refuses the request, and the task goes with it.
    await call(bank, first, "POST", f"/v1/subjects/{subject}/legal-holds", {"reason": "litigation"}, key="h2")
    answer = await decide(bank, first, task, "approve", shownHash=task["shownHash"])
    assert answer.status_code == 201, answer.text
    told = (await call(bank, first, "GET", f"/v1/erasure-requests/{made['id']}")).json()
    assert (told["state"], told["obstacles"][0]["rule"]) == ("REFUSED", "legal-hold")
    assert await open_tasks(bank, first) == []


async def test_to_bring_the_tasks_again_changes_nothing(sqlite_bank: Office) -> None:
    first, _ = officers(sqlite_bank)
    await proposed(sqlite_bank)
    (before,) = await open_tasks(sqlite_bank, first)
    sqlite_bank.clock.advance(hours=1)
    with sqlite_bank.deps.database.write() as session:
        request = session.exec(select(ErasureRequest)).one()
        sync_tasks(session, request, now=sqlite_bank.clock())
    assert await open_tasks(sqlite_bank, first) == [before]


async def test_the_sweep_brings_earlier_requests_into_the_inbox_in_chunks(
    sqlite_bank: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests that were made before they had tasks; more of them than fit one chunk."""
    first, _ = officers(sqlite_bank)
    asks = sqlite_bank.staff("asks", Role.CASE_OFFICER, branch=BRANCH)
    await at_rest(sqlite_bank, asks)
    with sqlite_bank.deps.database.write() as session:
        known = session.exec(select(erasure.Subject)).one()
        for no in range(4):
            values = known.model_dump() | {"id": f"sub_{no:026d}", "id_index": bytes([no]) * 32}
            session.add(erasure.Subject(**values))
    monkeypatch.setattr(retention, "_CHUNK", 2)
    assert await RetentionSweep(sqlite_bank.deps.database).run_once(sqlite_bank.clock()) == 5
    assert len(await open_tasks(sqlite_bank, first)) == 5  # one for each person
    with sqlite_bank.deps.database.write() as session:
        session.exec(delete(Task))
    assert await RetentionSweep(sqlite_bank.deps.database).run_once(sqlite_bank.clock()) == 0
    tasks = await open_tasks(sqlite_bank, first)
    assert len({each["shown"]["subject"] for each in tasks}) == 5
    assert all(each["shown"]["periods"] == [] or each["shown"]["periods"][0]["rule"] == "application" for each in tasks)
