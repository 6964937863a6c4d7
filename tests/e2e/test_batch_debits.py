"""An auto debit whose rows a file names, fees out of the book and refunds, from the first row to the close."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import col

from activities.batches.plan_steps import SqlBatchPlans
from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import rejected, returned
from models.contracts.batch_plans import PlannedDate
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.batches.states import FinalState, RunStage
from models.domain.ids import batch_workflow_id
from models.domain.roles import Role
from models.domain.states import Outcome, TaskType
from models.tables.agreements import Agreement
from models.tables.daily import BankFile
from models.tables.notices import Notice
from models.tables.tasks import Task
from tests.support.batch_books import STATED
from tests.support.batch_house import BatchHouse, batch_house
from tests.support.clock import FakeClock
from tests.support.daybook import START, fate_of
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal

HEADER = "流水号,协议编号,授权编号,户名,账号,开户行号,金额,扣款日期"
AMOUNT = 70_000


@pytest_asyncio.fixture
async def house(
    request: pytest.FixtureRequest, vault: Vault, clock: FakeClock, tmp_path: Path, temporal_server: TemporalServer
) -> AsyncIterator[BatchHouse]:
    database: Database = request.getfixturevalue(f"{request.param}_database")
    async with batch_house(database, vault, clock, tmp_path, temporal_server) as found:
        yield found


def card(number: int) -> str:
    body = f"62220000{number:010}"
    return body + luhn_digit(body)


def agreed(house: BatchHouse, count: int) -> list[Agreement]:
    return [house.book.agree(account=card(number), on=START - timedelta(days=90)) for number in range(count)]


def named(agreements: list[Agreement]) -> bytes:
    """A file that names a mandate in each row."""
    lines = [
        f"D{number},C{number},{each.mandate_id},测试客户,{card(number)},102100099996,700.00,{START}"
        for number, each in enumerate(agreements)
    ]
    return "\n".join([HEADER, *lines, f"合计,{len(lines)},{len(lines) * AMOUNT // 100}.00", ""]).encode()


async def through(house: BatchHouse, run: str, *, days: int = 12) -> None:
    """Approved, sent, answered day by day, and closed."""
    await house.decide(await house.task(run, TaskType.BATCH_APPROVAL), Outcome.APPROVE)
    await house.reach(run, RunStage.AWAITING)
    for day in range(1, days):
        house.bank.take_files()
        await house.looked(run)
        house.to(START + timedelta(days=day))
        await house.looked(run)
    await house.decide(await house.task(run, TaskType.BATCH_CLOSE), Outcome.CONFIRM)
    assert (await house.end(run))["outcome"] == "completed"


@pytest.mark.parametrize("house", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)], indirect=True)
async def test_debits_that_a_file_names_are_presented_again_returned_and_told(house: BatchHouse) -> None:
    await house.rules("debits", "auto-debit")
    agreements = agreed(house, 6)
    fate_of(house.book, agreements[0], rejected("AM04"))
    fate_of(house.book, agreements[1], rejected("MD01"))
    fate_of(house.book, agreements[2], returned("AC04", days=1))
    wish = {"kind": "auto-debit", "source": "file", "criteria": {"stated": STATED}}
    run = (await house.post("/v1/batches", wish))["run"]
    sent = await house.send_file(run, named(agreements), layout="auto-debit-csv")
    assert sent.status_code == 201, sent.text
    await through(house, run)
    ends = [(order.member, order.attempt, order.final_state) for order in house.orders(run)]
    first = {member: [end for each, _, end in ends if each == member] for member in range(1, 7)}
    assert first == {
        1: [FinalState.REJECTED, FinalState.SETTLED],
        2: [FinalState.REJECTED],
        3: [FinalState.RETURNED],
        **{member: [FinalState.SETTLED] for member in (4, 5, 6)},
    }
    assert house.balances() == {"clearing": 4 * AMOUNT, "receivable": -4 * AMOUNT}
    assert house.bank.balance_minor() == 4 * AMOUNT
    told = [each.business_key for each in house.all(Notice) if each.business_key.startswith("paid/")]
    assert len(told) == len(set(told)) == 5  # one for each debit that came, also for the one that went back
    files = house.all(BankFile, col(BankFile.direction) == "out")
    assert [file.items for file in sorted(files, key=lambda each: each.message_id)] == [6, 1]
    before = house.picture()
    await house.deliver_again(run)
    assert house.picture() == before


async def planned(house: BatchHouse, criteria: dict[str, Any]) -> str:
    """The run of a date of a plan that one person proposed and another confirmed; begun as the clock does."""
    wish = {"name": "fees", "kind": "fee-collection", "ruleSet": "fees", "rhythm": "bank-days", "criteria": criteria}
    plan = await house.post("/v1/batch-plans", wish)
    word = {"outcome": "confirm", "shownHash": plan["shownHash"]}
    await house.post(f"/v1/batch-plans/{plan['plan']}/decision", word, by=house.approver)
    steps = SqlBatchPlans(house.book.database, house.book.vault, house.book.clock, lambda _day: True)
    begun = steps.begin_planned(PlannedDate(plan=plan["plan"], on=START.isoformat()))
    assert begun.run is not None
    await house.office.deps.dispatcher.start(batch_workflow_id(begun.run))
    return begun.run


@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
async def test_rows_of_agreements_are_refused_in_words_and_fees_of_the_book_are_collected(house: BatchHouse) -> None:
    await house.rules("fees", "fee-collection")
    agreed(house, 3)
    refused = (await house.post("/v1/batches", {"kind": "auto-debit", "criteria": {"stated": STATED}}))["run"]
    gate = await house.task(refused, TaskType.BATCH_GATE)
    (told,) = (await house.get(f"/v1/tasks/{gate.id}"))["blocked"]
    assert (told["rule"], "daily run" in told["title"]) == ("agreement-rows-by-daily-run", True)
    await house.decide(gate, Outcome.GIVE_UP, by=house.operator, reasonCode="batch-called-off")
    assert (await house.end(refused))["outcome"] == "refused"

    fee = {"code": "annual-fee", "amountMinor": 3_000}
    run = await planned(house, {"stated": STATED, "fee": fee})
    await through(house, run, days=6)
    assert [order.final_state for order in house.orders(run)] == [FinalState.SETTLED] * 3
    assert house.balances() == {"clearing": 9_000, "receivable": -9_000}


async def disputed(house: BatchHouse, run: str) -> None:
    """Every order of a run is contested, and the bank was at fault."""
    officer = house.office.staff("officer", Role.CASE_OFFICER, branch="hq")
    for order in house.orders(run):
        path = f"/v1/batches/{run}/orders/{order.id}/disputes"
        made = await house.post(path, {"reasonCode": "mandate-missing"})
        (task,) = house.all(Task, col(Task.id) == made["taskId"])
        await house.decide(task, Outcome.REFUND, by=officer, reasonCode="bank-at-fault")


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
async def test_what_a_dispute_has_refunded_is_paid_once_and_owed_again_when_it_comes_back(house: BatchHouse) -> None:
    await house.rules("fees", "fee-collection")
    agreed(house, 2)
    fees = await planned(house, {"stated": STATED, "fee": {"code": "annual-fee", "amountMinor": 3_000}})
    await through(house, fees, days=6)
    house.to(START + timedelta(days=7))  # a Monday again
    await disputed(house, fees)
    assert house.balances() == {"clearing": 6_000, "receivable": -6_000, "refund": 6_002, "payable": -6_002}

    wish = {"kind": "refund", "criteria": {"stated": STATED}}
    assert (await house.post("/v1/batches/preview", wish))["amountMinor"] == 6_002
    run = (await house.post("/v1/batches", wish))["run"]
    await house.decide(await house.task(run, TaskType.BATCH_APPROVAL), Outcome.APPROVE)
    await house.reach(run, RunStage.AWAITING)
    (out,) = house.all(BankFile, col(BankFile.kind) == "pain.001")
    written = (house.book.folders.outbox / out.name).read_text()
    assert all(card(number) in written for number in range(2)), "back to where it was taken from"
    assert (await house.post("/v1/batches/preview", wish))["members"] == 0, "it is under way"
    _, back = house.orders(run)
    house.bank.sender_behaves("return-later", days=2, reason="AC04", end_to_end_id=back.end_to_end_id)
    for _ in range(6):
        house.bank.take_files()
        await house.looked(run)
        house.to(house.book.today() + timedelta(days=1))
        await house.looked(run)
    await house.decide(await house.task(run, TaskType.BATCH_CLOSE), Outcome.CONFIRM)
    assert (await house.end(run))["outcome"] == "completed"
    assert [order.final_state for order in house.orders(run)] == [FinalState.SETTLED, FinalState.RETURNED]
    assert house.balances() == {"clearing": 2_999, "receivable": -6_000, "refund": 6_002, "payable": -3_001}
    assert house.bank.balance_minor() == 2_999
    assert (await house.post("/v1/batches/preview", wish))["amountMinor"] == 3_001, "owed again"
