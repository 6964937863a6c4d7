"""A signing on paper is registered with the scan that its checker is shown, and with no other."""

import httpx

from models.domain.states import TaskType
from tests.support.api import Office
from tests.support.applications import CASES
from tests.support.desk import TASKS, officer, task_on_a_case


async def test_the_newest_scan_of_the_case_is_the_one_that_is_registered(office: Office) -> None:
    me = officer(office)
    task = await task_on_a_case(office, me, TaskType.SIGNING)

    async def add(kind: str, key: str) -> str:
        async with office.client(me) as client:
            answer = await client.post(
                f"{CASES}/{task.case_token}/documents",
                data={"kind": kind},
                files={"file": ("scan.pdf", b"%PDF-1.7\n" + bytes(100), "application/pdf")},
                headers={"Idempotency-Key": key},
            )
        assert answer.status_code == 201, answer.text
        document_id: str = answer.json()["id"]
        return document_id

    async def register(document_id: str, key: str) -> httpx.Response:
        async with office.client(me) as client:
            return await client.post(
                f"{TASKS}/{task.id}/decisions",
                json={"outcome": "paper", "documentId": document_id},
                headers={"Idempotency-Key": key, "If-Match": '"v1"'},
            )

    no_scan = await add("income-proof", "a")
    older = await add("signed-paper", "b")
    office.clock.advance(minutes=1)
    newest = await add("signed-paper", "c")
    for wrong in ("doc_" + "0" * 26, no_scan, older):
        answer = await register(wrong, wrong)
        assert answer.status_code == 422
        assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
            ("/documentId", "scan-not-newest")
        ]
    assert (await register(newest, "d")).status_code == 202
