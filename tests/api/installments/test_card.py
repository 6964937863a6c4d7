"""The card whose debt is meant: asked for before the documents are accepted, sealed, and never replaced in passing."""

from typing import Any

import pytest

from models.domain.bank_card import luhn_digit
from models.domain.roles import Role
from models.domain.states import TaskType
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.api import Office
from tests.support.applications import CARD, CASES, application, taken_in
from tests.support.desk import TASKS, events
from tests.support.inbox import add_tasks, make_task

OTHER_CARD = "622999000000777" + luhn_digit("622999000000777")


async def bare_case(office: Office, officer: Staff) -> str:
    """A case whose application named no card."""
    body = application(applicant__cardNumber=...)
    async with office.client(officer) as client:
        answer = await client.post(CASES, json=body, headers={"Idempotency-Key": "bare"})
    assert answer.status_code in (201, 202), answer.text
    return str(answer.json()["token"])


def documents_task(office: Office, token: str) -> Task:
    task = make_task(
        TaskType.DOCUMENTS,
        case_token=token,
        workflow_id=f"installments/{token}",
        branch="hq",
        candidate_role="case-officer",
    )
    row = task.model_dump()
    add_tasks(office.deps.database, [task])
    return Task(**row)


async def accept(office: Office, officer: Staff, task: Task, key: str) -> Any:
    async with office.client(officer) as client:
        return await client.post(
            f"{TASKS}/{task.id}/decisions",
            json={"outcome": "accept"},
            headers={"Idempotency-Key": key, "If-Match": f'"v{task.version}"'},
        )


async def put(office: Office, officer: Staff, token: str, number: str) -> Any:
    async with office.client(officer) as client:
        return await client.put(f"{CASES}/{token}/card", json={"cardNumber": number})


async def test_documents_are_not_accepted_before_the_card_is_known(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = await bare_case(sqlite_office, officer)
    task = documents_task(sqlite_office, token)
    refused = await accept(sqlite_office, officer, task, "first")
    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]] == [
        ("/cardNumber", "card-missing")
    ]
    assert (await put(sqlite_office, officer, token, f" {CARD[:4]} {CARD[4:]} ")).status_code == 204
    assert (await accept(sqlite_office, officer, task, "second")).status_code in (201, 202)


async def test_the_card_is_sealed_and_on_record_once(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = await bare_case(office, officer)
    for _ in range(2):
        assert (await put(office, officer, token, CARD)).status_code == 204
    [event] = events(office, "subject.card-recorded")
    assert CARD not in event.body
    with office.deps.database.read() as session:
        case = session.get_one(InstallmentCase, token)
        cell = session.get_one(Subject, case.subject_id).card_cell
    assert cell is not None
    assert CARD.encode() not in cell


@pytest.mark.parametrize(
    ("number", "code"), [(OTHER_CARD, "card-differs"), (CARD[:-1] + "x", "card-length"), (CARD[:-1], "card-length")]
)
async def test_another_card_or_none_is_refused(sqlite_office: Office, number: str, code: str) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    refused = await put(sqlite_office, officer, token, number)
    assert refused.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in refused.json()["errors"]] == [("/cardNumber", code)]
    assert number not in refused.text
