"""What a customer does by the link of a transfer's notice, and what staff make of it."""

from typing import Any

import httpx
import pytest
from sqlmodel import select

from models.contracts.transfers import JobStep
from models.domain.roles import Role
from models.domain.transfers.states import MoveState, NoticeState
from models.tables.audit import AuditEvent
from models.tables.tasks import Task
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfer_telling import CustomerMessage, TransferConsent, TransferRating
from models.tables.transfers import TransferRow
from tests.support.api import Office
from tests.support.telling import Telling, customer

FIRST = "+8613800000001"
WORDS = "请更正我的住址，电话 010-12345678"


@pytest.fixture
def asked(telling: Telling) -> Telling:
    """Two customers who were asked for consent, by text message."""
    telling.open(customer(1), customer(2), classes=["E"])
    telling.plan()
    telling.send()
    return telling


async def post(office: Office, path: str, body: dict[str, Any], *, key: str = "k1") -> httpx.Response:
    async with office.client() as client:
        return await client.post(path, json=body, headers={"Idempotency-Key": key})


async def read(office: Office, path: str) -> dict[str, Any]:
    async with office.client() as client:
        answer = await client.get(f"{path}/transfer")
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def only(telling: Telling, model: Any) -> Any:
    with telling.database.read() as session:
        return session.exec(select(model)).one()


async def test_to_come_by_the_link_is_proof_that_the_message_arrived(office: Office, asked: Telling) -> None:
    told = await read(office, asked.link_of(FIRST))
    assert "乙银行" in told["text"]
    assert "身份信息" in told["text"]
    assert told["consent"] == "asked"
    notice = asked.notice()
    assert notice.state == NoticeState.DELIVERED
    assert notice.evidence["kind"] == "opened"
    assert asked.attempts()[0].reason_code == "link-opened"


async def test_consent_is_bound_to_the_words_and_is_given_once(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    told = await read(office, path)
    wrong = await post(office, f"{path}/transfer/consent", {"answer": "given", "textHash": "0" * 64}, key="wrong")
    assert wrong.json()["code"] == "shown-changed"
    body = {"answer": "given", "textHash": told["textHash"]}
    for _ in range(2):
        given = await post(office, f"{path}/transfer/consent", body)
        assert (given.status_code, given.json()["consent"]) == (201, "given")
    row = only(asked, TransferConsent)
    assert (row.answer, row.text_hash, row.serial) == ("given", told["textHash"], 1)
    refused = await post(office, f"{path}/transfer/consent", body | {"answer": "refused"}, key="k2")
    assert refused.json()["code"] == "wrong-state"


async def test_who_refuses_is_held_and_not_asked_again(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    told = await read(office, path)
    await post(office, f"{path}/transfer/consent", {"answer": "refused", "textHash": told["textHash"]})
    with asked.database.read() as session:
        row = session.get_one(TransferRow, (asked.job, 1))
    assert (row.outcome, row.reason_code) == ("held", "consent-refused")
    before = len(asked.hooks.inbox.messages)
    asked.clock.advance(days=90)
    asked.plan()
    asked.send()
    assert len(asked.hooks.inbox.to(FIRST)) == 1
    assert len(asked.hooks.inbox.messages) == before
    assert not [mail for mail in asked.mail.inbox.messages.values() if mail["to"] == "customer1@example.com"]


async def test_consent_that_is_withdrawn_after_the_move_is_followed_up(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    body = {"answer": "given", "textHash": (await read(office, path))["textHash"]}
    await post(office, f"{path}/transfer/consent", body)
    asked.change_row(1, move=MoveState.MOVED.value)
    await post(office, f"{path}/transfer/consent", body | {"answer": "withdrawn"}, key="k2")
    follow_up = only(asked, TransferFollowUp)
    assert follow_up.kind == "objection"
    with asked.database.read() as session:
        assert session.get_one(TransferRow, (asked.job, 1)).outcome == "accepted"  # moved: nothing is undone in secret


async def test_an_objection_ends_the_notice_and_the_customer_is_told_the_answer(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    body = {"kind": "objection", "text": WORDS}
    first = await post(office, f"{path}/transfer/requests", body)
    assert first.status_code == 201, first.text
    again = await post(office, f"{path}/transfer/requests", body, key="k2")
    assert again.json()["code"] == "wrong-state"
    assert asked.state() is NoticeState.OBJECTION
    task, follow_up = only(asked, Task), only(asked, TransferFollowUp)
    assert WORDS.encode() not in follow_up.note_cell
    assert task.candidate_role == Role.PRIVACY_OFFICER
    assert asked.notices.follow_ups_open(JobStep(job=asked.job)).count == 1

    officer = office.staff("privacy", Role.PRIVACY_OFFICER)
    async with office.client(officer) as client:
        await client.post(f"/v1/tasks/{task.id}/claim")
        shown = await client.get(f"/v1/tasks/{task.id}")
        assert "objection" in shown.json()["title"]
        decided = await client.post(
            f"/v1/tasks/{task.id}/decisions",
            json={"outcome": "dismiss", "reasonCode": "data-right", "note": "looked at"},
            headers={"Idempotency-Key": "d1", "If-Match": shown.headers["ETag"]},
        )
    assert decided.status_code == 201, decided.text
    follow_up = only(asked, TransferFollowUp)
    assert (follow_up.state, follow_up.answer, follow_up.done_by) == ("done", "data-right", officer.id)
    assert asked.notices.follow_ups_open(JobStep(job=asked.job)).count == 0
    message = only(asked, CustomerMessage)
    assert (message.kind, message.params["answer"]) == ("follow-up-answered", "data-right")
    told = await read(office, path)
    assert told["requests"][0]["answerText"] == "the information was checked and is right"
    with asked.database.read() as session:
        assert "010-12345678" not in repr([each.body for each in session.exec(select(AuditEvent)).all()])


async def test_a_rating_is_kept_without_anything_of_the_customer(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    assert (await post(office, f"{path}/transfer/rating", {"score": 6})).status_code == 422
    rated = await post(office, f"{path}/transfer/rating", {"score": 4}, key="k2")
    assert rated.json()["rated"] is True
    twice = await post(office, f"{path}/transfer/rating", {"score": 1}, key="k3")
    assert twice.json()["code"] == "wrong-state"
    rating = only(asked, TransferRating)
    assert rating.score == 4
    assert set(rating.model_dump()) == {"id", "tenant", "job", "score", "on"}


async def test_other_links_and_forged_ones_open_nothing(office: Office, asked: Telling) -> None:
    path = asked.link_of(FIRST)
    async with office.client() as client:
        forged = await client.get(f"{path[:-2]}xx/transfer")
        progress = await client.get(f"{path}/progress")
        asked.clock.advance(days=61)
        late = await client.get(f"{path}/transfer")
    assert (forged.status_code, progress.status_code, late.json()["code"]) == (404, 404, "link-expired")
