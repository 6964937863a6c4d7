"""Changes of suite over HTTP: two persons start one, it can be held, and it tells how far it is."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from api.four_eyes import refuse_maker
from api.identity.authenticate import load_principal
from compliance.vault.suites import EnabledSuites
from models.database.engine import Database
from models.domain.roles import Role
from models.domain.tokens import new_case_token
from models.errors import FourEyesViolation, SuiteChangeUnderWay
from models.operations import suite_changes
from models.operations.four_eyes import By
from models.operations.suite_guard import refuse_beside_suite_change
from models.tables.audit import AuditEvent
from models.tables.platform import OutboxEntry
from models.tables.staff import Staff
from models.tables.transfers import TransferJob, TransferWave
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, open_desk
from tests.support.customers import Counter

SM4 = {"suite": "sm4-gcm", "reasonCode": "commercial-cryptography"}


@pytest.fixture
def dispatcher() -> FakeDispatcher:
    return FakeDispatcher()


@pytest.fixture
def bank(database: Database, vault, clock, tmp_path: Path, dispatcher) -> Office:
    return open_desk(database, vault, clock, tmp_path, dispatcher)


@pytest.fixture
def maker(bank: Office) -> Staff:
    return bank.staff("maker", Role.OPERATOR)


@pytest.fixture
def checker(bank: Office) -> Staff:
    return bank.staff("checker", Role.PRIVACY_OFFICER)


async def propose(bank: Office, by: Staff, key: str = "k1", **body: Any) -> Any:
    async with bank.client(by) as client:
        return await client.post("/v1/suite-changes", json=body or SM4, headers={"Idempotency-Key": key})


async def decide(bank: Office, by: Staff, change: dict[str, Any], how: str = "confirmation", **body: Any) -> Any:
    async with bank.client(by) as client:
        shown = {"shownHash": change["shownHash"]} | body
        return await client.post(f"/v1/suite-changes/{change['id']}/{how}", json=shown)


async def act(bank: Office, by: Staff, change: dict[str, Any], how: str) -> Any:
    async with bank.client(by) as client:
        return await client.post(f"/v1/suite-changes/{change['id']}/{how}")


async def test_two_persons_start_a_change_and_its_workflow_begins(bank, maker, checker, dispatcher) -> None:
    proposed = await propose(bank, maker)
    assert proposed.status_code == 201
    change = proposed.json()
    assert proposed.headers["location"] == f"/v1/suite-changes/{change['id']}"
    assert (change["state"], change["kind"], change["keys"]) == ("PROPOSED", "suite", {"moved": 0, "left": 0})
    assert dispatcher.starts == []

    done = await decide(bank, checker, change)
    assert (done.status_code, done.json()["state"], done.json()["decidedBy"]) == (200, "RUNNING", checker.id)
    workflow_id = f"parties/main/reseal/{change['id']}"
    assert dispatcher.starts == [workflow_id]
    with bank.deps.database.read() as session:
        [waiting] = session.exec(select(OutboxEntry).where(OutboxEntry.workflow_id == workflow_id)).all()
        actions = session.exec(select(AuditEvent.action).where(AuditEvent.target == change["id"])).all()
    assert waiting.done_at is None, "the relay starts it should that be lost"
    assert sorted(actions) == ["suite-change.confirmed", "suite-change.proposed"]
    async with bank.client(maker) as client:
        [listed] = (await client.get("/v1/suite-changes")).json()["items"]
    assert listed["id"] == change["id"]


async def test_the_same_request_is_one_proposal(bank, maker) -> None:
    first, again = await propose(bank, maker), await propose(bank, maker)
    assert first.json()["id"] == again.json()["id"]


async def test_who_asked_cannot_confirm_under_any_account(bank, maker) -> None:
    change = (await propose(bank, maker)).json()
    same = bank.staff("other-account", Role.PRIVACY_OFFICER, person_id=maker.person_id)
    refused = await decide(bank, same, change)
    assert (refused.status_code, refused.json()["code"]) == (403, "four-eyes-violation")

    principal = load_principal(bank.deps, bank.deps.verifier.verify(bank.token(same), now=bank.clock()))[0]
    with bank.deps.database.read() as session:
        row = suite_changes.of_tenant(session, tenant="main", change_id=change["id"])
    with pytest.raises(FourEyesViolation):  # the API's own question
        refuse_maker(bank.deps, principal, shown_hash=row.shown_hash)
    by = By(tenant="main", staff_id=same.id, person_id=same.person_id)
    with pytest.raises(FourEyesViolation), bank.deps.database.write() as session:  # the compare-and-set
        suite_changes.decide(session, row, shown_hash=row.shown_hash, confirm=True, by=by, now=bank.clock())


async def test_a_suite_that_is_not_enabled_is_refused_at_once(bank, maker) -> None:
    bank.deps.vault.branches.suites = EnabledSuites.named(["aes-256-gcm"])
    refused = (await propose(bank, maker)).json()
    assert [(fault["pointer"], fault["code"]) for fault in refused["errors"]] == [("/suite", "suite-not-enabled")]


async def test_an_operator_may_ask_and_not_confirm(bank, maker) -> None:
    change = (await propose(bank, maker)).json()
    second = bank.staff("second", Role.OPERATOR)
    assert (await decide(bank, second, change)).json()["code"] == "permission-missing"


async def test_a_rejected_change_stays_rejected(bank, maker, checker, dispatcher) -> None:
    change = (await propose(bank, maker)).json()
    assert (await decide(bank, checker, change, "rejection")).json()["state"] == "REJECTED"
    assert (await decide(bank, checker, change)).json()["code"] == "wrong-state"
    assert dispatcher.starts == []


async def test_what_was_shown_is_what_is_confirmed(bank, maker, checker) -> None:
    change = (await propose(bank, maker)).json()
    other = await decide(bank, checker, change, shownHash="0" * 64)
    assert (other.status_code, other.json()["code"]) == (409, "shown-changed")


async def test_a_tenant_has_one_change_under_way(bank, maker, checker) -> None:
    first, second = [(await propose(bank, maker, key)).json() for key in ("k1", "k2")]
    assert (await decide(bank, checker, first)).status_code == 200
    refused = await decide(bank, checker, second)
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_it_is_paused_resumed_and_cancelled_and_the_workflow_is_told(bank, maker, checker, dispatcher) -> None:
    change = (await propose(bank, maker)).json()
    assert (await act(bank, maker, change, "pause")).json()["code"] == "wrong-state"
    await decide(bank, checker, change)
    states = [(await act(bank, maker, change, how)).json()["state"] for how in ("pause", "resumption", "cancellation")]
    assert states == ["PAUSED", "RUNNING", "CANCELLING"]
    assert (await act(bank, maker, change, "resumption")).json()["code"] == "wrong-state"
    assert dispatcher.nudged == [f"parties/main/reseal/{change['id']}"] * 3


async def test_one_persons_key(bank, maker, checker) -> None:
    customer = Counter(bank.deps.database, bank.deps.vault, bank.clock).customer()
    change = (await propose(bank, maker, subjectId=customer.subject_id, reasonCode="compromise")).json()
    assert (change["kind"], change["suite"], change["oldVersion"]) == ("subject", "aes-256-gcm", 1)
    assert (await decide(bank, checker, change)).json()["state"] == "RUNNING"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"reasonCode": "schedule"}, "", "exactly-one"),
        ({"reasonCode": "schedule", "suite": "sm4-gcm", "subjectId": "sub_" + "0" * 26}, "", "exactly-one"),
        ({"reasonCode": "schedule", "subjectId": "sub_" + "0" * 26}, "/subjectId", "unknown-person"),
        ({"reasonCode": "schedule", "suite": "rot13"}, "/suite", "not-one-of"),
        ({"reasonCode": "boredom", "suite": "sm4-gcm"}, "/reasonCode", "not-one-of"),
    ],
)
async def test_a_bad_request_names_field_and_rule(bank, maker, body: dict[str, Any], pointer: str, code: str) -> None:
    answer = await propose(bank, maker, **body)
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]


async def test_another_institutions_change_is_not_found(bank, maker) -> None:
    change = (await propose(bank, maker)).json()
    bank.tenant("other")
    stranger = bank.staff("stranger", Role.PRIVACY_OFFICER, tenant="other")
    assert (await decide(bank, stranger, change)).status_code == 404


def _job_with_waves(bank: Office, *states: str) -> str:
    """A transfer job of the institution whose waves are in these states."""
    token, now = new_case_token("main"), bank.clock()
    with bank.deps.database.write() as session:
        session.add(
            TransferJob(
                token=token, tenant="main", branch="hq", plan_hash="-", stage="updating", created_by="stf_1",
                created_by_person="psn_1", created_at=now, updated_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add_all(
            TransferWave(job=token, number=number, tenant="main", state=state, rows=1)
            for number, state in enumerate(states, start=1)
        )
    return token


async def test_nothing_is_sealed_anew_while_a_transfer_can_be_rolled_back(bank, maker, checker, dispatcher) -> None:
    proposed = (await propose(bank, maker)).json()
    job = _job_with_waves(bank, "moved", "planned", "undone")
    refused = await decide(bank, checker, proposed)
    assert (refused.status_code, refused.json()["code"]) == (409, "suite-held-by-transfer"), refused.text
    assert refused.json()["params"] == {"job": job, "waves": 1}
    assert job in refused.json()["detail"]
    early = await propose(bank, maker, key="k2")
    assert early.json()["code"] == "suite-held-by-transfer"
    assert dispatcher.starts == []
    with bank.deps.database.write() as session:
        ended = session.get_one(TransferJob, job)
        ended.ended_at = bank.clock()
        session.add(ended)
    done = await decide(bank, checker, proposed)
    assert done.json()["state"] == "RUNNING", done.text
    with bank.deps.database.write() as session, pytest.raises(SuiteChangeUnderWay) as barred:
        refuse_beside_suite_change(session, "main")
    assert barred.value.params == {"change": proposed["id"]}
