"""A customer asks by their link to be erased: one path with every erasure, from the request to the certificate."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select

from activities.duties.eraser import Eraser
from compliance.audit.seal import seal_keys, seal_pending
from compliance.vault.certificate import check
from compliance.vault.customer_layout import Customer, seal_customers
from compliance.vault.erasure import Erasing
from models.contracts.transfers import JobStep
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.domain.transfers.states import MoveState
from models.errors import SubjectShredded
from models.queries.transfers.conservation import conservation_of
from models.tables.customers import CustomerRecord
from models.tables.erasure import ErasureRequest
from models.tables.staff import Staff
from models.tables.tasks import Task
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfer_telling import CustomerMessage
from models.tables.transfers import TransferRow
from tests.support.api import Office
from tests.support.telling import TARGET, Telling, customer

FIRST = "+8613800000001"
WORDS = {"kind": "erasure", "text": "请删除我的信息"}


@pytest.fixture
def told(office: Office, telling: Telling) -> Telling:
    """Two customers who were told by text message."""
    telling.open(customer(1), customer(2))
    telling.plan()
    telling.send()
    return telling


def only(telling: Telling, table: Any) -> Any:
    with telling.database.read() as session:
        return session.exec(select(table)).one()


def task_of(telling: Telling, kind: str) -> Task:
    with telling.database.read() as session:
        return session.exec(select(Task).where(col(Task.type).endswith(f".{kind}"))).one()


async def ask(office: Office, told: Telling, *, key: str = "k1") -> Any:
    async with office.client() as client:
        path = f"{told.link_of(FIRST)}/transfer/requests"
        return await client.post(path, json=WORDS, headers={"Idempotency-Key": key})


async def call(office: Office, by: Staff, path: str, body: dict[str, Any], *, key: str = "e") -> Any:
    async with office.client(by) as client:
        return await client.post(path, json=body, headers={"Idempotency-Key": key})


def in_book(told: Telling, *, state: str = "active", years_ago: int = 0) -> CustomerRecord:
    """The first customer's row has become a record."""
    record_id, subject = new_token("cus"), new_token("sub")
    (stored,) = seal_customers(
        told.vault, tenant=TARGET, customers=[Customer(record_id, subject, customer(1))], create=True
    )
    now = told.clock()
    at = now.replace(year=now.year - years_ago)
    with told.database.write() as session:
        record = CustomerRecord(
            id=record_id, tenant=TARGET, subject_id=subject, created_at=at, updated_at=at, state=state,
            **stored.columns,
        )  # fmt: skip
        session.add(record)
    told.change_row(1, move=MoveState.MOVED.value, target_record=record_id)
    return record


async def test_who_was_not_moved_is_erased_by_two_persons_and_the_follow_up_ends_with_it(
    office: Office, told: Telling, tmp_path: Path
) -> None:
    asked = await ask(office, told)
    assert asked.status_code == 201, asked.text
    request, follow_up, task = only(told, ErasureRequest), only(told, TransferFollowUp), task_of(told, "follow-up")
    assert (request.state, follow_up.erasure, follow_up.state) == ("PROPOSED", request.id, "open")
    first, second = office.staff("first", Role.PRIVACY_OFFICER), office.staff("second", Role.PRIVACY_OFFICER)
    async with office.client(first) as client:
        await client.post(f"/v1/tasks/{task.id}/claim")
        shown = await client.get(f"/v1/tasks/{task.id}")
        early = await client.post(
            f"/v1/tasks/{task.id}/decisions",
            json={"outcome": "resolve", "reasonCode": "erasure-opened"},
            headers={"Idempotency-Key": "d1", "If-Match": shown.headers["ETag"]},
        )
    assert early.json()["code"] == "wrong-state", "it ends with the request, not before"
    body = {"shownHash": request.shown_hash}
    assert (await call(office, first, f"/v1/erasure-requests/{request.id}/endorsement", body)).status_code == 200
    alone = await call(office, first, f"/v1/erasure-requests/{request.id}/approval", body)
    assert alone.json()["code"] == "four-eyes-violation"
    approved = await call(office, second, f"/v1/erasure-requests/{request.id}/approval", body)
    assert approved.json()["state"] == "APPROVED", approved.text

    duty = Eraser(Erasing(database=told.database, vault=told.vault))
    assert await duty.run_once(told.clock()) == 1
    with told.database.read() as session:
        row = session.get_one(TransferRow, (told.job, 1))
        outcomes = conservation_of(session, told.job).by_outcome
    assert (row.outcome, row.reason_code) == ("held", "erased")
    assert outcomes == {"accepted": 1, "rejected": 0, "merged": 0, "held": 1}
    with pytest.raises(SubjectShredded):
        told.vault.header_of(tenant=TARGET, subject_id=row.subject_id)
    follow_up = only(told, TransferFollowUp)
    assert (follow_up.state, follow_up.answer, follow_up.done_by) == ("done", "erased", second.id)
    assert task_of(told, "follow-up").state == "CANCELLED"
    assert [task_of(told, kind).state for kind in ("erasure-proposal", "erasure-approval")] == ["DONE", "DONE"]
    assert told.notices.follow_ups_open(JobStep(job=told.job)).count == 0
    while seal_pending(told.database, seal_keys(told.vault), now=told.clock(), anchor=tmp_path / "anchor"):
        pass
    await duty.run_once(told.clock())
    certified = only(told, ErasureRequest)
    assert certified.state == "CERTIFIED"
    assert check(str(certified.certificate), subject=row.subject_id).ok


async def test_while_the_relation_stands_it_is_refused_and_the_customer_is_told_why(
    office: Office, told: Telling
) -> None:
    in_book(told)
    assert (await ask(office, told)).status_code == 201
    request, follow_up = only(told, ErasureRequest), only(told, TransferFollowUp)
    assert (request.state, [each["rule"] for each in request.obstacles]) == ("REFUSED", ["relation-stands"])
    assert (follow_up.state, follow_up.answer) == ("done", "relation-stands")
    message = only(told, CustomerMessage)
    assert (message.kind, message.params["answer"]) == ("follow-up-answered", "relation-stands")
    again = await ask(office, told, key="k2")
    assert again.status_code == 201, "a refusal is no bar to asking again"


async def test_a_law_that_still_keeps_the_record_refuses_and_ten_years_later_it_does_not(
    office: Office, told: Telling
) -> None:
    record = in_book(told, state="locked", years_ago=3)
    await ask(office, told)
    first = only(told, ErasureRequest)
    assert (first.state, first.obstacles[0]["rule"]) == ("REFUSED", "AML-34c-identity")
    assert only(told, TransferFollowUp).answer == "law-requires-keeping"
    officer, second = office.staff("officer", Role.PRIVACY_OFFICER), office.staff("second", Role.PRIVACY_OFFICER)
    with told.database.write() as session:
        held = session.get_one(CustomerRecord, record.id)
        held.updated_at = told.clock().replace(year=told.clock().year - 11)
        session.add(held)
    hold = await call(office, officer, f"/v1/customers/{record.id}/legal-holds", {"reason": "litigation"}, key="h")
    assert hold.status_code == 201, hold.text
    barred = await call(office, officer, f"/v1/customers/{record.id}/erasure-requests", {"ground": "period-over"})
    assert (barred.json()["state"], barred.json()["obstacles"][0]["rule"]) == ("REFUSED", "legal-hold")
    agreed = {"shownHash": hold.json()["shownHash"]}
    assert (await call(office, second, f"/v1/legal-holds/{hold.json()['id']}/rejection", agreed)).status_code == 200
    made = await call(
        office, officer, f"/v1/customers/{record.id}/erasure-requests", {"ground": "period-over"}, key="e2"
    )
    assert made.json()["state"] == "REQUESTED", made.text
    body = {"shownHash": made.json()["shownHash"]}
    await call(office, second, f"/v1/erasure-requests/{made.json()['id']}/approval", body)
    await Eraser(Erasing(database=told.database, vault=told.vault)).run_once(told.clock())
    with told.database.read() as session:
        gone = session.get_one(CustomerRecord, record.id)
        row = session.get_one(TransferRow, (told.job, 1))
        done = session.exec(select(ErasureRequest).where(col(ErasureRequest.id) == made.json()["id"])).one()
    assert gone.erased_at is not None
    assert (row.move, row.reason_code) == ("moved", "erased")
    assert done.figures["keys"] == 2, "the record's key and that of the row it came from"
    for subject in (gone.subject_id, row.subject_id):
        with pytest.raises(SubjectShredded):
            told.vault.header_of(tenant=TARGET, subject_id=subject)
