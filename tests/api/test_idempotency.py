"""`Idempotency-Key`: one effect and one answer per key, whoever asks how often."""

import asyncio
import dataclasses
from typing import Any

import pytest
from litestar import Response, post
from litestar.params import JSONBody
from sqlmodel import func, select

from api.app import create_app
from api.bodies import Answer, Body
from api.deps import Deps
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once, parse_key
from api.identity.authenticate import LOGGED_IN
from api.identity.principal import Caller
from api.in_thread import in_thread
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import Role
from models.errors import IdempotencyKeyMissing
from models.operations.idempotency import open_key
from models.tables.audit import AuditEvent
from models.tables.platform import IdempotencyKey
from models.tables.staff import RoleChange, Staff
from tests.support.api import SETTINGS, Office

BODY = {"roles": ["approver"], "staffVersion": 1}


class SlowBody(Body):
    amount_minor: int


class SlowAnswer(Answer):
    id: str
    amount_minor: int


class Switches:
    """What the test's slow handler does after its commit."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.release = asyncio.Event()
        self.dies = False
        self.settled = False  # what the answer waits for has come, by another way
        self.effects = 0


@pytest.fixture
def switches() -> Switches:
    return Switches()


@pytest.fixture
def slow_office(office: Office, switches: Switches, monkeypatch: pytest.MonkeyPatch) -> Office:
    """A route whose answer comes from elsewhere after the commit, as a workflow's does."""
    monkeypatch.setattr("api.idempotency.WAIT_S", 0.3)

    @post("/v1/slow", guards=[LOGGED_IN])
    async def slow(
        data: JSONBody[SlowBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[SlowAnswer]:
        slot = key_slot(principal, route="test.slow", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now = deps.clock()
            with unit_of_work(
                deps.database, Deed(tenant="main", action="slow.done", target="t", actor="a", at=now)
            ) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id="r1", now=now)
                switches.effects += 1
            return "r1"

        async def finish(resource_id: str) -> Stored:
            switches.begun.set()
            if switches.dies:
                raise ConnectionResetError
            await switches.release.wait()
            answer = SlowAnswer(id=resource_id, amount_minor=data.amount_minor)
            return Stored(status=201, body=answer.model_dump(mode="json"), headers={"Location": "/v1/slow/r1"})

        def rebuild(resource_id: str) -> Stored:
            return Stored(status=202, body={"id": resource_id, "rebuilt": True})

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=act,
            finish=finish,
            rebuild=rebuild,
            settled=lambda _resource_id: switches.settled,
        )

    return dataclasses.replace(office, app=create_app(office.deps, settings=SETTINGS, more_routes=[slow]))


def rows(office: Office, kind: type[Any]) -> int:
    with office.deps.database.read() as session:
        return session.exec(select(func.count()).select_from(kind)).one()


async def test_fifty_at_once_under_one_key_are_one_effect_and_fifty_equal_answers(office: Office) -> None:
    maker, target = office.staff("maker", Role.STAFF_ADMIN), office.staff("target")
    async with office.client(maker) as client:
        path = f"/v1/staff/{target.id}/role-changes"
        answers = await asyncio.gather(
            *(client.post(path, json=BODY, headers={"Idempotency-Key": "k"}) for _ in range(50))
        )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert (rows(office, RoleChange), rows(office, IdempotencyKey)) == (1, 1)
    with office.deps.database.read() as session:
        events = session.exec(select(AuditEvent.id).where(AuditEvent.action == "role-change.proposed")).all()
    assert len(events) == 1


async def test_another_body_is_refused_and_spelling_does_not_matter(office: Office) -> None:
    maker, target = office.staff("maker", Role.STAFF_ADMIN), office.staff("target")
    path = f"/v1/staff/{target.id}/role-changes"
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    async with office.client(maker) as client:
        first = await client.post(path, content=b'{"roles":["approver"],"staffVersion":1}', headers=headers)
        same = await client.post(path, content=b'{ "staffVersion": 1, "roles": ["approver"] }', headers=headers)
        other = await client.post(path, content=b'{"roles":["auditor"],"staffVersion":1}', headers=headers)
    assert first.json() == same.json()
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert rows(office, RoleChange) == 1


async def test_another_caller_or_another_route_is_another_key(office: Office) -> None:
    makers = [office.staff(f"maker{n}", Role.STAFF_ADMIN) for n in range(2)]
    targets = [office.staff(f"target{n}") for n in range(2)]
    for maker in makers:
        async with office.client(maker) as client:
            for target in targets:
                answer = await client.post(
                    f"/v1/staff/{target.id}/role-changes", json=BODY, headers={"Idempotency-Key": "k"}
                )
                assert answer.status_code == 201
    assert rows(office, RoleChange) == 4


async def test_a_missing_key_is_asked_for(office: Office) -> None:
    maker, target = office.staff("maker", Role.STAFF_ADMIN), office.staff("target")
    async with office.client(maker) as client:
        answer = await client.post(f"/v1/staff/{target.id}/role-changes", json=BODY)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency-key-required")
    assert rows(office, RoleChange) == 0


@pytest.mark.parametrize("key", [None, "", " ", " a", "a ", "a\n", "é", "a\x7f", "x" * 256])
def test_a_key_is_printable_ascii(key: str | None) -> None:
    with pytest.raises(IdempotencyKeyMissing):
        parse_key(key)


@pytest.mark.parametrize("key", ["a", "x" * 255, "8e03978e-40d5-43dd-bc93-6894a57f9324", '"quoted"', "a b"])
def test_what_clients_send_is_a_key(key: str) -> None:
    assert parse_key(key) == key


async def test_a_second_request_waits_for_the_first_then_gives_up_and_a_later_one_gets_the_answer(
    slow_office: Office, switches: Switches
) -> None:
    staff = slow_office.staff("maker")
    headers = {"Idempotency-Key": "k"}
    async with slow_office.client(staff) as client:
        first = asyncio.create_task(client.post("/v1/slow", json={"amountMinor": 7}, headers=headers))
        await switches.begun.wait()
        second = await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
        other = await client.post("/v1/slow", json={"amountMinor": 8}, headers=headers)
        waiting = asyncio.create_task(client.post("/v1/slow", json={"amountMinor": 7}, headers=headers))
        switches.release.set()
        answers = [await first, await waiting, await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)]
    assert (second.status_code, second.json()["code"]) == (409, "idempotency-in-flight")
    assert int(second.headers["retry-after"]) >= 1
    assert other.status_code == 422
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["location"] for answer in answers} == {"/v1/slow/r1"}
    assert switches.effects == 1


async def test_an_answer_that_a_dead_process_never_stored_is_built_again(
    slow_office: Office, switches: Switches
) -> None:
    staff = slow_office.staff("maker")
    switches.dies = True
    headers = {"Idempotency-Key": "k"}
    async with slow_office.client(staff) as client:
        lost = await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
        soon = await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
        slow_office.clock.advance(seconds=11)
        later = await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
    assert (lost.status_code, soon.status_code) == (500, 409)
    assert (later.status_code, later.json()) == (202, {"id": "r1", "rebuilt": True})
    assert switches.effects == 1


async def test_once_its_fate_is_known_the_answer_of_a_dead_process_need_not_be_waited_for(
    slow_office: Office, switches: Switches
) -> None:
    staff = slow_office.staff("maker")
    switches.dies = True
    headers = {"Idempotency-Key": "k"}
    async with slow_office.client(staff) as client:
        await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
        switches.settled = True  # the relay has got it across meanwhile
        at_once = await client.post("/v1/slow", json={"amountMinor": 7}, headers=headers)
    assert (at_once.status_code, at_once.json()) == (202, {"id": "r1", "rebuilt": True})
    assert switches.effects == 1


async def test_a_refused_effect_leaves_no_key(office: Office) -> None:
    maker, target = office.staff("maker", Role.STAFF_ADMIN), office.staff("target")
    path = f"/v1/staff/{target.id}/role-changes"
    async with office.client(maker) as client:
        stale = await client.post(path, json={**BODY, "staffVersion": 2}, headers={"Idempotency-Key": "k"})
        good = await client.post(path, json=BODY, headers={"Idempotency-Key": "k"})
    assert (stale.status_code, good.status_code) == (412, 201)


async def test_stored_rows_hold_no_name_and_no_body_in_clear(office: Office) -> None:
    maker = office.staff("maker", Role.STAFF_ADMIN)
    body = {"login": "lin", "name": "Canary Name", "branch": "hq", "initialPassword": "seven gardens under quiet rain"}
    async with office.client(maker) as client:
        first = await client.post("/v1/staff", json=body, headers={"Idempotency-Key": "k"})
        again = await client.post("/v1/staff", json=body, headers={"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert first.json()["name"] == "Canary Name"
    with office.deps.database.read() as session:
        stored = repr([row.model_dump() for row in session.exec(select(IdempotencyKey))])
        events = repr([row.body for row in session.exec(select(AuditEvent))])
        accounts = session.exec(select(func.count()).select_from(Staff)).one()
    assert "Canary" not in stored + events
    assert "seven gardens" not in stored + events
    assert accounts == 2
