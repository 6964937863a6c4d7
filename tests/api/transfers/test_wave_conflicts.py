"""Conflicts of a wave over HTTP: seen masked, decided by one person, or by two where a key field is overwritten."""

from dataclasses import dataclass
from typing import Any

import pytest

from models.domain.roles import Role
from models.domain.tokens import new_token
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.training import train
from tests.support.transfer_waves import JOB, TENANT, WaveOffice, persons

PATH = f"/v1/transfers/{JOB}"
NEW_MOBILE = "+8613900000000"


@dataclass
class Desk:
    office: Office
    waves: WaveOffice
    record: str
    one: Staff
    two: Staff

    async def call(self, method: str, path: str, body: Any = None, *, by: Staff | None = None, **headers: str) -> Any:
        async with self.office.client(by or self.one) as client:
            given = {"Idempotency-Key": new_token("key"), **headers}
            return await client.request(method, path, json=body, headers=given)

    async def decide(self, outcome: str, reason: str, *, by: Staff | None = None) -> Any:
        [conflict] = (await self.call("GET", f"{PATH}/conflicts")).json()["items"]
        task = (await self.call("GET", f"/v1/tasks/{conflict['taskId']}")).json()
        return await self.call(
            "POST",
            f"/v1/tasks/{conflict['taskId']}/decisions",
            {"outcome": outcome, "reasonCode": reason},
            by=by,
            **{"If-Match": f'"v{task["version"]}"'},
        )

    async def conflict(self) -> dict[str, Any]:
        [found] = (await self.call("GET", f"{PATH}/conflicts")).json()["items"]
        return (await self.call("GET", f"{PATH}/conflicts/{found['id']}")).json()


@pytest.fixture
def desk(office: Office, database, vault, clock) -> Desk:
    waves = WaveOffice(database, vault, clock)
    waves.open()
    [theirs] = persons(1, prefix="T")
    [record] = waves.book([theirs])
    waves.rows([theirs | {"mobile": NEW_MOBILE, "occupation": "会计"}], into={0: record})
    waves.plan_waves()
    waves.run(1)
    one, two = (office.staff(login, Role.OPERATOR, tenant=TENANT) for login in ("one", "two"))
    train(database, JOB, one.id, two.id, tenant=TENANT)
    return Desk(office, waves, record, one, two)


async def test_a_conflict_is_shown_masked_and_says_what_may_be_decided(desk: Desk) -> None:
    shown = await desk.conflict()
    assert (shown["kind"], shown["fields"], shown["choices"]) == ("key-fields", ["mobile"], ["keep", "take", "hold"])
    assert shown["rowValues"]["mobile"] == "+86139****0000"
    assert shown["recordValues"]["mobile"] != shown["rowValues"]["mobile"]
    assert NEW_MOBILE not in str(shown)
    assert "会计" not in str(shown)


async def test_one_person_may_keep_the_targets_record(desk: Desk) -> None:
    before = desk.waves.stored()
    answer = await desk.decide("keep", "target-newer")
    assert answer.status_code == 201, answer.text
    assert desk.waves.stored() == before
    assert desk.waves.row(1).move == "moved"
    assert (await desk.conflict())["state"] == "decided"
    assert desk.waves.reconcile() is None
    desk.waves.assert_conserved()
    assert desk.waves.undo(1).root_equal


async def test_a_remark_on_a_conflict_is_kept_and_read(desk: Desk) -> None:
    path = f"/v1/tasks/{(await desk.conflict())['taskId']}/comments"
    for text in ("已致电客户", "待回电"):
        made = await desk.call("POST", path, {"text": text})
        assert made.status_code == 201, made.text
    read = (await desk.call("GET", path)).json()
    assert {item["text"] for item in read["items"]} == {"已致电客户", "待回电"}


async def test_a_row_that_is_set_aside_is_held(desk: Desk) -> None:
    assert (await desk.decide("hold", "ask-the-customer")).status_code == 201
    assert (desk.waves.row(1).outcome, desk.waves.row(1).reason_code) == ("held", "conflict-held")
    assert desk.waves.reconcile() is None
    desk.waves.assert_conserved()


async def test_a_key_field_is_overwritten_only_when_a_second_person_says_the_same(desk: Desk) -> None:
    before = desk.waves.stored()
    assert (await desk.decide("take", "customer-confirmed")).status_code == 201
    assert desk.waves.stored() == before, "proposed, nothing more"
    assert (await desk.conflict())["state"] == "proposed"
    again = await desk.decide("take", "customer-confirmed")
    assert (again.status_code, again.json()["code"]) == (403, "four-eyes-violation")
    assert (await desk.decide("take", "customer-confirmed", by=desk.two)).status_code == 201
    assert desk.waves.values(desk.record)["mobile"] == NEW_MOBILE
    assert desk.waves.values(desk.record)["customer_no"] == "T0000001"
    shown = await desk.conflict()
    assert (shown["state"], shown["decidedBy"], shown["secondBy"]) == ("decided", desk.one.id, desk.two.id)
    assert desk.waves.reconcile() is None
    assert desk.waves.undo(1).root_equal
    assert desk.waves.stored() == before


async def test_the_second_person_agrees_on_the_record_that_the_first_one_saw(desk: Desk) -> None:
    await desk.decide("take", "customer-confirmed")
    desk.waves.change(desk.record, email="changed@example.com")
    answer = await desk.decide("take", "customer-confirmed", by=desk.two)
    assert (answer.status_code, answer.json()["code"]) == (409, "shown-changed")
    assert desk.waves.values(desk.record)["mobile"] != NEW_MOBILE


async def test_the_journal_of_a_record_is_shown_masked_and_one_record_is_put_back_by_two(desk: Desk) -> None:
    before = desk.waves.stored()
    await desk.decide("take", "customer-confirmed")
    await desk.decide("take", "customer-confirmed", by=desk.two)
    journal = (await desk.call("GET", f"{PATH}/records/{desk.record}/changes")).json()
    [line] = journal["items"]
    [mobile] = [field for field in line["fields"] if field["field"] == "mobile"]
    assert (mobile["changed"], mobile["after"]) == (True, "+86139****0000")
    assert NEW_MOBILE not in str(journal)

    body = {"reasonCode": "customer-objects"}
    asked = await desk.call("POST", f"{PATH}/records/{desk.record}/rollback-requests", body)
    assert asked.status_code == 201, asked.text
    task = (await desk.call("GET", f"/v1/tasks/{asked.json()['taskId']}")).json()
    decision = {"outcome": "take", "reasonCode": "put-back"}
    headers = {"If-Match": f'"v{task["version"]}"'}
    path = f"/v1/tasks/{task['id']}/decisions"
    refused = await desk.call("POST", path, decision, **headers)
    assert refused.json()["code"] == "four-eyes-violation"
    done = await desk.call("POST", path, decision, by=desk.two, **headers)
    assert done.status_code == 201, done.text
    assert desk.waves.stored() == before
    assert (desk.waves.row(1).move, desk.waves.wave(1).moved) == ("undone", 0)
    desk.waves.assert_conserved()
    assert desk.waves.undo(1).root_equal


async def test_waves_are_told_with_their_roots_and_another_institution_sees_none(desk: Desk) -> None:
    [wave] = (await desk.call("GET", f"{PATH}/waves")).json()["items"]
    assert (wave["state"], wave["conflicts"], len(wave["rootBefore"])) == ("moved", 1, 64)
    stranger = desk.office.staff("stranger", Role.OPERATOR, tenant="main")
    for path in ("waves", "conflicts", f"records/{desk.record}/changes"):
        assert (await desk.call("GET", f"{PATH}/{path}", by=stranger)).status_code == 404


async def test_an_inserted_record_that_is_put_back_is_gone_with_its_key(desk: Desk) -> None:
    desk.waves.rows(persons(3, prefix="S", first=50))
    desk.waves.plan_waves()
    desk.waves.run(2)
    record = desk.waves.row(3).target_record
    subject = desk.waves.records()[record].subject_id
    asked = await desk.call("POST", f"{PATH}/records/{record}/rollback-requests", {"reasonCode": "moved-wrongly"})
    task = (await desk.call("GET", f"/v1/tasks/{asked.json()['taskId']}")).json()
    await desk.call(
        "POST",
        f"/v1/tasks/{task['id']}/decisions",
        {"outcome": "take", "reasonCode": "put-back"},
        by=desk.two,
        **{"If-Match": f'"v{task["version"]}"'},
    )
    assert record not in desk.waves.records()
    assert desk.waves.vault.subject_key_count(tenant=TENANT, subject_id=subject) == 0
    journal = (await desk.call("GET", f"{PATH}/records/{record}/changes")).json()
    assert [(line["readable"], line["fields"]) for line in journal["items"]] == [(False, [])]
    assert desk.waves.run(2).state == "moved", "one row that was put back does not make a wave differ"
