"""Receipts that gateways push: signed, refused without a word why, counted once, and not without end."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.transfers.receipt_signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, holds, sign
from deploy.demo.receivers import HookReceiver, MailReceiver
from models.domain.transfers.states import NoticeState
from tests.support.api import Office
from tests.support.clock import MONDAY_MORNING as START
from tests.support.office_fixtures import dispatcher, office, sqlite_office
from tests.support.telling import Telling, customer

__all__ = ("dispatcher", "office", "sqlite_office")
SECRET = "5" * 64
PATH = "/v1/gateway-receipts"


@pytest.fixture
def telling(office: Office, tmp_path: Path) -> Iterator[Telling]:
    """Two customers who were sent a text message, and a gateway that knows the secret."""
    office.deps.receipts_secret = SECRET
    with HookReceiver(token="t0ken") as hooks, MailReceiver() as mail:
        told = Telling(office.deps.database, office.deps.vault, office.clock, tmp_path, hooks, mail)
        told.open(customer(1), customer(2))
        told.plan()
        told.send()
        yield told


async def push(office: Office, told: Any, *, headers: dict[str, str] | None = None, raw: bytes | None = None) -> Any:
    body = json.dumps(told).encode() if raw is None else raw
    signed = sign(SECRET, body, at=office.clock()) if headers is None else headers
    async with office.client() as client:
        return await client.post(PATH, content=body, headers={"Content-Type": "application/json", **signed})


async def test_a_pushed_receipt_counts_once(office: Office, telling: Telling) -> None:
    first, second = sorted(telling.hooks.inbox.messages)
    told = {"receipts": [{"id": first, "state": "delivered"}, {"id": second, "state": "bounced", "reason": "5.1.1"}]}
    took = await push(office, told)
    assert (took.status_code, took.json()) == (200, {"news": 2, "known": 0, "unknown": 0}), took.text
    again = await push(office, told)
    assert again.json() == {"news": 0, "known": 2, "unknown": 0}
    weaker = await push(office, {"id": second, "state": "delivered"})
    assert weaker.json() == {"news": 0, "known": 1, "unknown": 0}, "a delivery does not take back a bounce"
    unknown = await push(office, {"id": "0" * 32, "state": "delivered"})
    assert unknown.json() == {"news": 0, "known": 0, "unknown": 1}
    states = sorted([telling.state(1), telling.state(2)])
    assert NoticeState.DELIVERED in states
    assert states != [NoticeState.DELIVERED, NoticeState.DELIVERED]


async def test_a_wrong_signature_is_refused_without_a_word_why(office: Office, telling: Telling) -> None:
    body = json.dumps({"id": "0" * 32, "state": "delivered"}).encode()
    right = sign(SECRET, body, at=office.clock())
    old = sign(SECRET, body, at=office.clock() - timedelta(seconds=301))
    wrong = [
        {},
        {TIMESTAMP_HEADER: right[TIMESTAMP_HEADER]},
        right | {SIGNATURE_HEADER: "v1=" + "0" * 64},
        right | {SIGNATURE_HEADER: right[SIGNATURE_HEADER][3:]},
        right | {TIMESTAMP_HEADER: "soon"},
        right | {TIMESTAMP_HEADER: old[TIMESTAMP_HEADER]},
        old,
        sign(SECRET, body, at=office.clock() + timedelta(seconds=301)),
        sign("6" * 64, body, at=office.clock()),
    ]
    answers = set()
    for headers in wrong:
        refused = await push(office, None, headers=headers, raw=body)
        assert refused.status_code == 401
        told = refused.json()
        answers.add(json.dumps({name: told[name] for name in ("code", "title", "detail") if name in told}))
    assert len(answers) == 1, "the same answer whatever was wrong"
    office.deps.receipts_secret = None
    assert (await push(office, None, raw=body)).status_code == 404


async def test_what_is_no_receipt_is_named_by_its_place_alone(office: Office, telling: Telling) -> None:
    for body, pointer in (
        (b"{", ""),
        (b'{"receipts": []}', "/receipts"),
        (json.dumps({"receipts": [{"id": "0" * 32, "state": "delivered"}, {"id": 1}]}).encode(), "/receipts/1"),
        (json.dumps({"id": "0" * 32, "state": "delivered", "reason": "no such user a@b.cn"}).encode(), ""),
    ):
        refused = await push(office, None, raw=body)
        assert refused.status_code in (400, 422), refused.text
        assert "a@b.cn" not in refused.text
        if refused.status_code == 422:
            assert [each["pointer"] for each in refused.json()["errors"]] == [pointer]


async def test_too_many_pushes_are_told_when_to_come_again(office: Office, telling: Telling) -> None:
    told = {"id": "0" * 32, "state": "delivered"}
    codes = [(await push(office, told)).status_code for _ in range(52)]
    assert codes == [200] * 50 + [429] * 2
    office.clock.advance(seconds=1)
    assert (await push(office, told)).status_code == 200


@given(body=st.binary(max_size=200), other=st.binary(max_size=200), shift=st.integers(-2_000, 2_000))
def test_a_signature_holds_for_its_body_and_time_alone(body: bytes, other: bytes, shift: int) -> None:
    headers = sign(SECRET, body, at=START)
    now = START + timedelta(seconds=shift)
    stamp, signature = headers[TIMESTAMP_HEADER], headers[SIGNATURE_HEADER]
    assert holds(SECRET, body, stamp=stamp, signature=signature, now=now) is (abs(shift) <= 300)
    assert holds(SECRET, other, stamp=stamp, signature=signature, now=START) is (other == body)
    assert not holds(SECRET, body, stamp=str(int(stamp) + 1), signature=signature, now=START)
