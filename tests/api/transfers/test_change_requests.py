"""A single change of a customer's record: nothing changes by one person alone, and both contact points are told."""

from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from activities.transfers.customer_messages import CustomerMessenger
from api.change_requests.acts import values_of
from compliance.audit.unit import unit_of_work
from compliance.vault.customer_layout import STORED_COLUMNS, Customer, seal_customers
from models.domain.roles import Role
from models.domain.tokens import new_token
from models.domain.transfers.images import columns_of
from models.tables.audit import AuditEvent
from models.tables.change_requests import ChangeRequest
from models.tables.customers import CustomerRecord
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.api import Office
from tests.support.telling import TARGET, Telling

OLD, NEW = "+8613812345678", "+8613987654321"
VALUES = {
    "customer_no": "C1",
    "name": "欧阳晓雯",
    "id_type": "passport",
    "id_number": "E12345678",
    "mobile": OLD,
    "email": "xiaowen@example.com",
    "nationality": "CHN",
    "language": "zh-CN",
}


@pytest.fixture
def record(office: Office, telling: Telling) -> CustomerRecord:
    """A customer of the book."""
    subject, record_id, now = new_token("sub"), new_token("cus"), office.clock()
    customer = Customer(id=record_id, subject=subject, values=VALUES)
    (stored,) = seal_customers(office.deps.vault, tenant=TARGET, customers=[customer], create=True)
    with unit_of_work(office.deps.database, telling.deed()) as unit:
        made = CustomerRecord(
            id=record_id, tenant=TARGET, subject_id=subject, created_at=now, updated_at=now, **stored.columns
        )
        unit.session.add(made)
    return made


class Desk:
    """Three people at work."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.officer = office.staff("officer", Role.CASE_OFFICER)
        self.reviewer = office.staff("reviewer", Role.CASE_OFFICER)
        self.second = office.staff("second", Role.APPROVER)
        self.keys = iter(range(100))

    async def post(self, path: str, body: dict[str, Any], *, by: Staff) -> httpx.Response:
        async with self.office.client(by) as client:
            headers = {"Idempotency-Key": f"k{next(self.keys)}"}
            return await client.post(f"/v1/change-requests{path}", json=body, headers=headers)

    async def asked(self, record: CustomerRecord, **values: str | None) -> dict[str, Any]:
        body = {"customerId": record.id, "channel": "phone", "values": values}
        made = await self.post("/", body, by=self.officer)
        assert made.status_code == 201, made.text
        told: dict[str, Any] = made.json()
        return told

    async def decided(self, asked: dict[str, Any], route: str, *, by: Staff, **more: Any) -> httpx.Response:
        body = {"approve": True, "shownHash": asked["shownHash"], **more}
        return await self.post(f"/{asked['id']}/{route}", body, by=by)


@pytest.fixture
def desk(office: Office) -> Desk:
    return Desk(office)


def now_of(office: Office, record: CustomerRecord) -> CustomerRecord:
    with office.deps.database.read() as session:
        return session.get_one(CustomerRecord, record.id)


async def test_a_key_field_takes_two_and_both_numbers_are_told(
    office: Office, telling: Telling, desk: Desk, record: CustomerRecord
) -> None:
    asked = await desk.asked(record, mobile="139 8765 4321", address="上海市浦东新区某路1号2室")
    assert asked["needsSecond"] is True
    async with office.client(desk.reviewer) as client:
        shown = (await client.get(f"/v1/change-requests/{asked['id']}")).json()
    (mobile,) = [each for each in shown["values"] if each["field"] == "mobile"]
    assert mobile["before"].endswith("5678")
    assert mobile["after"].endswith("4321")
    assert "1234" not in mobile["before"]
    reviewed = await desk.decided(asked, "review", by=desk.reviewer)
    assert reviewed.json()["state"] == "confirm", reviewed.text
    assert now_of(office, record).version == 1
    for maker in (desk.officer, desk.reviewer):
        refused = await desk.decided(asked, "confirmation", by=maker)
        assert refused.json()["code"] == "four-eyes-violation"
    done = await desk.decided(asked, "confirmation", by=desk.second)
    assert done.json()["state"] == "applied", done.text
    changed = now_of(office, record)
    values = values_of(office.deps.vault, changed)
    assert (values["mobile"], values["address"], values["name"]) == (NEW, "上海市浦东新区某路1号2室", VALUES["name"])
    assert changed.mobile_index != record.mobile_index
    assert changed.version == 2

    messenger = CustomerMessenger(office.deps.database, office.deps.vault, telling.notices.carriers, office.clock)
    messenger.send_due(office.clock())
    messenger.send_due(office.clock())
    for number in (OLD, NEW):
        (message,) = telling.hooks.inbox.to(number)
        assert "手机号码" in message["text"]
        assert NEW[-8:] not in message["text"]

    with office.deps.database.read() as session:
        kept = session.exec(select(ChangeRequest)).one()
        task = session.exec(select(Task).where(col(Task.id) == kept.task_id)).one()
        events = repr([each.body for each in session.exec(select(AuditEvent)).all()])
    assert kept.values_cell is None
    before = columns_of(kept.before_image or b"")
    assert {name: before[name] for name in STORED_COLUMNS} == {name: getattr(record, name) for name in STORED_COLUMNS}
    assert columns_of(kept.after_image or b"")["version"] == 2
    assert NEW[-8:] not in events
    async with office.client(desk.officer) as client:
        await client.post(f"/v1/tasks/{task.id}/claim")
        etag = (await client.get(f"/v1/tasks/{task.id}")).headers["ETag"]
        ended = await client.post(
            f"/v1/tasks/{task.id}/decisions",
            json={"outcome": "resolve", "reasonCode": "done", "note": "it was her"},
            headers={"Idempotency-Key": "call", "If-Match": etag},
        )
    assert ended.status_code == 201, ended.text
    with office.deps.database.read() as session:
        assert session.exec(select(ChangeRequest)).one().ended_at is not None


async def test_without_a_key_field_a_review_is_enough(office: Office, desk: Desk, record: CustomerRecord) -> None:
    asked = await desk.asked(record, occupation="教师")
    done = await desk.decided(asked, "review", by=desk.reviewer)
    assert done.json()["state"] == "applied"
    assert values_of(office.deps.vault, now_of(office, record))["occupation"] == "教师"
    again = await desk.decided(asked, "review", by=desk.second)
    assert again.json()["code"] == "wrong-state"


async def test_a_record_that_changed_meanwhile_is_a_conflict(
    office: Office, telling: Telling, desk: Desk, record: CustomerRecord
) -> None:
    asked = await desk.asked(record, email="new@example.com")
    with unit_of_work(office.deps.database, telling.deed()) as unit:
        row = unit.session.get_one(CustomerRecord, record.id)
        row.version += 1
        unit.session.add(row)
    done = await desk.decided(asked, "review", by=desk.reviewer)
    assert (done.json()["state"], done.json()["reasonCode"]) == ("conflict", "record-changed")
    assert values_of(office.deps.vault, now_of(office, record))["email"] == VALUES["email"]


async def test_a_refusal_has_a_reason_and_drops_the_values(office: Office, desk: Desk, record: CustomerRecord) -> None:
    asked = await desk.asked(record, name="欧阳晓文")
    without = await desk.decided(asked, "review", by=desk.reviewer, approve=False)
    assert without.status_code == 422
    done = await desk.decided(asked, "review", by=desk.reviewer, approve=False, reasonCode="identity-not-proven")
    assert done.json()["state"] == "refused"
    with office.deps.database.read() as session:
        assert session.exec(select(ChangeRequest)).one().values_cell is None


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"mobile": "12345"}, "/values/mobile"),
        ({"customer_no": "C2"}, "/values/customer_no"),
        ({"shoe_size": "42"}, "/values/shoe_size"),
        ({"name": None}, "/values/name"),
        ({"mobile": OLD}, "/values"),
    ],
)
async def test_what_breaks_a_rule_of_the_record_is_named_and_not_repeated(
    desk: Desk, record: CustomerRecord, values: dict[str, str | None], pointer: str
) -> None:
    body = {"customerId": record.id, "channel": "counter", "values": values}
    refused = await desk.post("/", body, by=desk.officer)
    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]
    assert "12345" not in refused.text


async def test_a_record_that_has_moved_out_is_not_written_to_and_says_so(
    office: Office, record: CustomerRecord
) -> None:
    desk = Desk(office)
    waiting = await desk.asked(record, email="waits@example.com")
    with office.deps.database.write() as session:
        held = session.get_one(CustomerRecord, record.id)
        held.state, held.version = "moved-out", held.version + 1
        session.add(held)
    body = {"customerId": record.id, "channel": "phone", "values": {"email": "new@example.com"}}
    refused = await desk.post("/", body, by=desk.officer)
    assert (refused.status_code, refused.json()["code"]) == (409, "customer-moved-out"), refused.text
    late = await desk.decided(waiting, "review", by=desk.reviewer)
    assert late.json()["state"] == "conflict", "what was asked before it left is not written either"
    async with office.client(desk.officer) as client:
        shown = await client.get(f"/v1/customers/{record.id}")
        assert shown.json()["state"] == "moved-out"
