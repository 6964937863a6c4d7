"""A payroll from its file to its close: over HTTP, through the real workflow and adapters, at an independent bank."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlmodel import col

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.batches.states import FinalState, RowState, RunStage
from models.domain.resident_id import check_character
from models.domain.states import Outcome, TaskType
from models.tables.batch_clients import FundingAccount, FundingHold
from models.tables.batch_imports import BatchRow
from models.tables.batch_runs import BatchOutcome
from models.tables.daily import BankFile
from tests.support.batch_books import STATED
from tests.support.batch_house import BatchHouse, batch_house
from tests.support.clock import FakeClock
from tests.support.daybook import START
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal

HEADER = "流水号,姓名,证件类型,证件号码,账号,开户行号,实发金额,发放日期,本人账户,扣除项目"
ROWS, WAGE = 30, 100_000
PAYDAY = START + timedelta(days=1)
GOOD = ROWS - 1  # of the two faulty rows one is corrected
REFUSED = 2  # for which the client's money at the bank does not suffice
SETTLED = GOOD - REFUSED - 1


@pytest_asyncio.fixture
async def house(
    request: pytest.FixtureRequest, vault: Vault, clock: FakeClock, tmp_path: Path, temporal_server: TemporalServer
) -> AsyncIterator[BatchHouse]:
    database: Database = request.getfixturevalue(f"{request.param}_database")
    async with batch_house(database, vault, clock, tmp_path, temporal_server) as found:
        yield found


def line(number: int, *, amount: str = "1000.00", account: str | None = None) -> str:
    body, card = f"110105199003{number:02}{number:03}"[:17], f"622999{number:09}"
    card = account or card + luhn_digit(card)
    return f"W{number},员工甲,身份证,{body + check_character(body)},{card},102100099996,{amount},{PAYDAY},是,无"


def payroll() -> bytes:
    lines = [line(number) for number in range(1, ROWS + 1)]
    lines[4], lines[9] = line(5, amount="abc"), line(10, account="6229990000000001")
    total = (ROWS - 1) * WAGE  # the row without a readable amount is none of the sum
    return "\n".join([HEADER, *lines, f"合计,{ROWS},{total // 100}.00", ""]).encode()


async def ordered(house: BatchHouse) -> tuple[dict[str, Any], str]:
    """A client with a funded account, and its run, which waits for its file."""
    body = {"code": "qingchuan", "name": "北京晴川印刷有限公司", "agreementFrom": "2026-01-01", "agreedDay": 25}
    client = (await house.post("/v1/batch-clients", body))["id"]
    account = (await house.post(f"/v1/batch-clients/{client}/accounts", {"number": "10000000000000001"}))["id"]
    paid = {"amountMinor": ROWS * WAGE, "reference": "E2E-1", "valueDate": START.isoformat()}
    await house.post(f"/v1/batch-clients/{client}/accounts/{account}/payments", paid, by=house.approver)
    wish = {"kind": "payroll", "client": client, "fundingAccount": account, "criteria": {"stated": STATED}}
    run = await house.post("/v1/batches", wish)
    assert (run["paused"], run["awaitsFile"]) == (True, True)
    return wish, run["run"]


async def cleaned(house: BatchHouse, run: str) -> None:
    """Of two faulty rows one is corrected by two persons, the other is rejected for good."""
    await house.until(run, lambda: len(house.tasks(TaskType.BATCH_QUARANTINE)) == 2)
    held = {task.shown["faults"][0]["field"]: task for task in house.tasks(TaskType.BATCH_QUARANTINE)}
    path = f"/v1/batches/{run}/rows/{held['amountMinor'].shown['number']}"
    tag = {"If-Match": f'"v{(await house.get(path))["row"]["version"]}"'}
    said = {"values": {"amountMinor": "1000.00"}}
    waits = (await house.post(f"{path}/correction", said, headers=tag))["correction"]
    assert waits["fields"] == ["amountMinor"]
    assert (await house.ask(f"{path}/correction/reveals")).status_code == 403, "the operator confirms nothing"
    shown = await house.post(f"{path}/correction/reveals", by=house.approver)
    assert shown["fields"] == [{"field": "amountMinor", "before": "abc", "after": "1000.00"}]
    word = {"shownHash": shown["shownHash"]}
    assert (await house.ask(f"{path}/correction/confirmation", word)).status_code == 403, "a maker is no checker"
    done = await house.post(f"{path}/correction/confirmation", word, by=house.approver)
    assert (done["row"]["state"], done["correction"]) == ("replaced", None)
    account = held["payeeAccount"]
    await house.decide(account, Outcome.DISCARD, by=house.operator, reasonCode="cannot-be-corrected")


async def paid(house: BatchHouse, run: str) -> None:
    """The bank takes the file, refuses some, settles the others, and sends one back at the end of its term."""
    house.bank.take_files()
    await house.until(run, lambda: house.states(run).count("rejected") == REFUSED)
    assert house.states(run).count("accepted") == GOOD - REFUSED
    first = next(order for order in house.orders(run) if order.state == "accepted")
    house.bank.sender_behaves("return-later", days=2, reason="AC04", end_to_end_id=first.end_to_end_id)
    for day in (PAYDAY + timedelta(days=days) for days in range(4)):
        house.to(day)
        await house.looked(run)


def adds_up(house: BatchHouse, run: str) -> None:
    """File, orders, funding and the bank's own account say the same; each order has one end."""
    (out,) = house.all(BankFile, col(BankFile.direction) == "out")
    accepted = [row for row in house.all(BatchRow) if row.state == RowState.ACCEPTED]
    assert (out.items, out.total_minor, out.kind) == (GOOD, GOOD * WAGE, "pain.001")
    assert sum(row.amount_minor for row in accepted) == out.total_minor
    ends = [order.final_state for order in house.orders(run)]
    assert {end: ends.count(end) for end in set(ends)} == {
        FinalState.SETTLED: SETTLED,
        FinalState.REJECTED: REFUSED,
        FinalState.RETURNED: 1,
    }
    for order in house.orders(run):
        reached = house.all(BatchOutcome, col(BatchOutcome.order_id) == order.id)
        told = [each for each in reached if each.state == order.state and each.cause.startswith("reply/")]
        assert len(told) == 1, "the bank's word counts once"
    (funding,), (hold,) = house.all(FundingAccount), house.all(FundingHold)
    assert (funding.balance_minor, funding.held_minor) == ((ROWS - SETTLED) * WAGE, 0)
    assert (hold.used_minor, hold.state) == (SETTLED * WAGE, "released")
    assert house.balances() == {"clearing": funding.balance_minor, "funding": -funding.balance_minor}
    assert house.bank.balance_minor() == (GOOD - REFUSED - SETTLED) * WAGE


async def delivered_again(house: BatchHouse, run: str, wish: dict[str, Any], ours: dict[str, bytes]) -> None:
    """The client's file, ours to the bank, and the bank's to us: each once more."""
    again = (await house.post("/v1/batches", wish))["run"]
    known = await house.send_file(again, payroll(), layout="payroll-csv")
    assert (known.status_code, known.json()["params"]["run"]) == (409, run)
    for name, content in ours.items():
        (house.book.folders.outbox / f"again-{name}").write_bytes(content)
    house.bank.sender_behaves("duplicate-file")
    house.bank.take_files()
    await house.deliver_again(run)


@pytest.mark.parametrize("house", ["sqlite", "postgres"], indirect=True)
async def test_a_payroll_from_its_file_to_its_close(house: BatchHouse) -> None:
    await house.rules("wages", "payroll")
    wish, run = await ordered(house)
    taken = await house.send_file(run, payroll(), layout="payroll-csv", controlCount=str(ROWS))
    assert taken.status_code == 201, taken.text
    await cleaned(house, run)
    approval = await house.task(run, TaskType.BATCH_APPROVAL)
    progress = await house.get(f"/v1/batches/{run}/progress")
    assert progress["expected"] == {"queued": {"count": GOOD, "amountMinor": GOOD * WAGE}}
    assert not house.orders(run), "a dry run has no effect"
    house.ahead_to(PAYDAY)
    house.bank.fund((GOOD - REFUSED) * WAGE)
    house.bank.sender_behaves("insufficient-funds")
    await house.decide(approval, Outcome.APPROVE)
    await house.reach(run, RunStage.AWAITING)
    ours = {path.name: path.read_bytes() for path in house.book.folders.outbox.iterdir() if path.is_file()}
    await paid(house, run)
    await house.decide(await house.task(run, TaskType.BATCH_CLOSE), Outcome.CONFIRM)
    assert (await house.end(run))["outcome"] == "completed"
    adds_up(house, run)
    assert await house.get(f"/v1/batches/{run}/report?format=json&language=en")
    before = house.picture()
    await delivered_again(house, run, wish, ours)
    assert house.picture() == before
