"""Money in suspense and contested orders of a run over HTTP: two persons, a stopped mandate, decided in the inbox."""

from datetime import date
from typing import Any, Final

import httpx
import pytest
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.suggesting import Suggested
from models.domain.ids import batch_row_workflow_id, job_record
from models.domain.roles import Role
from models.domain.states import TaskType
from models.domain.tokens import named_token, new_token
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.batches.suggestions import open_suggestions
from models.operations.batches.suspense import open_suspense
from models.operations.four_eyes import By
from models.tables.batch_books import BatchDispute, BatchSuggestion
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankFile, BankReply, BusinessDate
from models.tables.staff import Staff
from models.tables.tasks import Task
from tests.support.api import Office

ON: Final = date(2026, 3, 10)
AMOUNT: Final = 700_000
WORDS: Final = "我没有授权这笔扣款"
_FILE: Final = select(BankFile.id)


@pytest.fixture
def operator(office: Office) -> Staff:
    return office.staff("operator", Role.BATCH_OPERATOR, branch="hq")


def _run(office: Office, staff: Staff) -> tuple[str, str, str]:
    """A run with a sent order, a settled order, and money of the sent one's amount that came without a name."""
    now, subject = office.clock(), new_token("sub")
    office.deps.vault.create_subject(tenant="main", subject_id=subject)
    new = NewRun(
        tenant="main",
        branch="hq",
        kind=KindName.AUTO_DEBIT,
        origin=Origin.STAFF,
        source=MemberSource.BOOK,
        request_key="k",
        business_date=ON,
        by=By(tenant="main", staff_id=staff.id, person_id=staff.person_id),
    )
    sent, settled = (named_token("bor", f"{state}") for state in ("sent", "settled"))
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        session = unit.session
        run, _ = begin_run(session, new, now=now)
        session.add(BusinessDate(tenant="main", today=ON, updated_at=now))
        session.add(BankFile(
            id=new_token("bkf"), tenant="main", direction="in", kind="camt.054", name="in.xml", business_date=ON,
            state="TAKEN", created_at=now,
        ))  # fmt: skip
        for member, (order, state) in enumerate(((sent, "sent"), (settled, "settled")), start=1):
            session.add(BatchOrder(
                id=order, tenant="main", run=run.token, member=member, claim_key=f"row/agr/{member}",
                subject_id=subject, amount_minor=AMOUNT, state=state, policy_version="-", requested_on=ON,
                settled_on=date(2026, 3, 9) if state == "settled" else None, created_at=now, updated_at=now,
            ))  # fmt: skip
        session.flush()
        reply = BankReply(
            id=new_token("bkr"), tenant="main", file_id=session.exec(_FILE).one(), business_key="main/ref/1",
            status="SETTLED", amount_minor=AMOUNT, value_date=ON, credit=True, state="SUSPENSE", created_at=now,
        )  # fmt: skip
        session.add(reply)
        session.flush()
        open_suspense(session, run, reply, code="unmatched", signed_minor=AMOUNT, posting="suspense/1", on=ON, now=now)
        return run.token, sent, settled


def _deed(office: Office) -> Deed:
    return Deed(tenant="main", action="test", target="t", actor="stf_x", at=office.clock())


async def _decide(client: httpx.AsyncClient, task: str, body: dict[str, Any], key: str) -> httpx.Response:
    read = await client.get(f"/v1/tasks/{task}")
    if read.status_code != 200:
        return read
    headers = {"Idempotency-Key": key, "If-Match": read.headers["ETag"]}
    return await client.post(f"/v1/tasks/{task}/decisions", json=body, headers=headers)


async def test_money_in_suspense_is_one_persons_proposal_and_anothers_word(office: Office, operator: Staff) -> None:
    run, sent, settled = _run(office, operator)
    path = f"/v1/batches/{run}/suspense"
    async with office.client(operator) as client:
        (held,) = (await client.get(path)).json()["items"]
        assert (held["amountMinor"], held["state"], held["orderId"]) == (AMOUNT, "open", None)
        assign = {"outcome": "assign", "orderId": sent}
        wrong = await _decide(client, held["taskId"], assign | {"orderId": settled}, "w")
        assert wrong.json()["errors"][0]["code"] == "money-of-another"
        proposed = await _decide(client, held["taskId"], assign, "p")
        assert proposed.status_code == 201, proposed.text
        (held,) = (await client.get(path)).json()["items"]
        assert (held["state"], held["orderId"], held["proposedBy"]) == ("open", sent, operator.id)
    same = office.staff("same", Role.BATCH_APPROVER, person_id=operator.person_id, branch="hq")
    async with office.client(same) as client:
        assert (await _decide(client, held["taskId"], assign, "s")).json()["type"].endswith("four-eyes-violation")
    approver = office.staff("approver", Role.BATCH_APPROVER, branch="hq")
    async with office.client(approver) as client:
        confirmed = await _decide(client, held["taskId"], assign, "c")
        assert confirmed.status_code == 201, confirmed.text
        assert (await client.get(f"{path}/{held['id']}")).json()["state"] == "assigned"
        orders = (await client.get(f"/v1/batches/{run}/orders?state=settled")).json()["items"]
        assert {each["order"] for each in orders} == {sent, settled}
        assert (await client.get(f"/v1/tasks/{held['taskId']}")).json()["state"] == "DONE"


async def test_a_contested_debit_is_taken_in_once_and_paid_back(office: Office, operator: Staff) -> None:
    run, _, settled = _run(office, operator)
    officer = office.staff("officer", Role.CASE_OFFICER, branch="hq")
    path, body = f"/v1/batches/{run}/orders/{settled}/disputes", {"reasonCode": "mandate-missing", "text": WORDS}
    async with office.client(operator) as client:
        made = await client.post(path, json=body, headers={"Idempotency-Key": "d"})
        again = await client.post(path, json=body, headers={"Idempotency-Key": "d"})
        assert (made.status_code, made.json()["state"], again.json()) == (201, "open", made.json())
        assert (await client.post(path, json=body, headers={"Idempotency-Key": "e"})).status_code == 409
        unknown = await client.post(path, json=body | {"reasonCode": "mood"}, headers={"Idempotency-Key": "f"})
        assert unknown.json()["errors"][0]["pointer"] == "/reasonCode"
        assert WORDS not in (await client.get(f"/v1/batches/{run}/disputes")).text
    async with office.client(officer) as client:
        task = made.json()["taskId"]
        back = await _decide(client, task, {"outcome": "refund", "reasonCode": "bank-at-fault"}, "r")
        assert back.status_code == 201, back.text
        (dispute,) = (await client.get(f"/v1/batches/{run}/disputes")).json()["items"]
    assert (dispute["state"], dispute["refundMinor"], dispute["interestMinor"]) == ("refunded", AMOUNT, 7)
    with office.deps.database.read() as session:
        kept = session.get_one(BatchDispute, dispute["id"])
    assert kept.text_cell is not None
    assert WORDS.encode() not in kept.text_cell


async def test_quarantine_is_listed_without_values_and_a_row_rejected_for_good(office: Office, operator: Staff) -> None:
    run, now = _run(office, operator)[0], office.clock()
    held = new_token("sub")
    task = Task(
        id=new_token("tsk"), tenant="main", workflow_id=batch_row_workflow_id(run, held), task_no=1,
        type=TaskType.BATCH_QUARANTINE.value, state="READY", candidate_role=Role.BATCH_OPERATOR.value, branch="hq",
        priority=50, due_at=now, title_params={"case": run[-6:], "line": 3}, shown={"run": run}, shown_hash="0" * 64,
        created_at=now, updated_at=now,
    )  # fmt: skip
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        unit.session.add(BatchImport(
            id="bim_1", tenant="main", run=run, layout="l", layout_version="1", file_name="bim_1", digest="0" * 64,
            size_bytes=1, created_at=now,
        ))  # fmt: skip
        unit.session.flush()
        fault = {"field": "amountMinor", "rule": "amount-unreadable"}
        for number, (subject, state) in enumerate(((new_token("sub"), "accepted"), (held, "held")), start=1):
            unit.session.add(BatchRow(
                import_id="bim_1", number=number, tenant="main", line=number + 1, subject_id=subject, row_cell=b"-",
                state=state, faults=[fault] if state == "held" else [],
            ))  # fmt: skip
        unit.session.add(task)
    async with office.client(operator) as client:
        path = f"/v1/batches/{run}/rows"
        assert [each["line"] for each in (await client.get(path)).json()["items"]] == [2, 3]
        assert len((await client.get(f"{path}?limit=1")).json()["items"]) == 1
        (row,) = (await client.get(f"{path}?state=held")).json()["items"]
        assert row["faults"] == [{"field": "amountMinor", "rule": "amount-unreadable", "title": "Unreadable amount"}]
        discard = {"outcome": "discard", "reasonCode": "cannot-be-corrected"}
        done = await _decide(client, task.id, discard, "d")
        assert done.status_code == 201, done.text
        (row,) = (await client.get(f"{path}?state=rejected")).json()["items"]
        assert (row["number"], row["reasonCode"]) == (2, "cannot-be-corrected")


async def test_a_suggestion_is_dismissed_by_an_approver_and_why_is_kept(office: Office, operator: Staff) -> None:
    run, _, _ = _run(office, operator)
    office.deps.vault.create_subject(tenant="main", subject_id=job_record(run))  # as beginning a run does
    better = Suggested(code="presentment-day", basis={"days": []}, change={"fromDay": 5, "presentmentDay": 17})
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        session = unit.session
        (made,) = open_suggestions(session, session.get_one(BatchRun, run), [better], now=office.clock())
        task = made.task_id
    approver = office.staff("approver", Role.BATCH_APPROVER, branch="hq")
    async with office.client(approver) as client:
        why = {"outcome": "dismiss", "reasonCode": "not-needed", "note": "发薪日已在别处约定"}
        dismissed = await _decide(client, task, why, "x")
        assert dismissed.status_code == 201, dismissed.text
        assert (await _decide(client, task, why, "y")).status_code == 409
    with office.deps.database.read() as session:
        kept = session.exec(select(BatchSuggestion)).one()
        assert (kept.state, kept.decided_by) == ("dismissed", approver.id)


async def test_another_institution_finds_none_of_it(office: Office, operator: Staff) -> None:
    run, sent, _ = _run(office, operator)
    office.tenant("other")
    stranger = office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")
    async with office.client(stranger) as client:
        for route in ("suspense", "disputes"):
            assert (await client.get(f"/v1/batches/{run}/{route}")).status_code == 404
        body = {"reasonCode": "mandate-missing"}
        path = f"/v1/batches/{run}/orders/{sent}/disputes"
        assert (await client.post(path, json=body, headers={"Idempotency-Key": "d"})).status_code == 404
