"""A bulk intake (批量进件) from its file to its close: each good row is one case, which the relay starts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlmodel import col

from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.states import Outcome, TaskType
from models.tables.batch_runs import BatchOrder
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.platform import OutboxEntry
from tests.support.batch_books import STATED
from tests.support.batch_house import BatchHouse, batch_house
from tests.support.clock import FakeClock
from tests.support.daybook import START
from tests.support.people import people
from tests.support.temporal import TemporalServer

pytestmark = pytest.mark.temporal

HEADER = ",".join(
    (
        *("流水号", "姓名", "证件类型", "证件号码", "手机号", "信用卡号", "欠款余额", "申请金额", "申请期数"),
        *("困难原因", "月收入", "月必要支出", "其他月还款", "供养人数", "申请日期"),
    )
)
ROWS = 8
ASKED_MINOR = 3_000_000


@pytest_asyncio.fixture
async def house(
    request: pytest.FixtureRequest, vault: Vault, clock: FakeClock, tmp_path: Path, temporal_server: TemporalServer
) -> AsyncIterator[BatchHouse]:
    database: Database = request.getfixturevalue(f"{request.param}_database")
    async with batch_house(database, vault, clock, tmp_path, temporal_server) as found:
        yield found


def applications() -> bytes:
    """One row names no hardship, and one person comes twice."""
    rows = people(ROWS)
    rows[6] = rows[0]
    lines = [
        f"A{number},{each.name},居民身份证,{each.id_number},{each.mobile},{each.card_number},50000.00,30000.00,36,"
        f"{'失业' if number != 3 else '不明'},8000.00,3500.00,1000.00,1,{START}"
        for number, each in enumerate(rows, start=1)
    ]
    return "\n".join([HEADER, *lines, f"合计,{ROWS},{ROWS * ASKED_MINOR // 100}.00", ""]).encode()


@pytest.mark.parametrize("house", ["sqlite", pytest.param("postgres", marks=pytest.mark.long)], indirect=True)
async def test_an_intake_from_its_file_to_its_close(house: BatchHouse) -> None:
    run = (await house.post("/v1/batches", {"kind": "intake", "source": "file", "criteria": {"stated": STATED}}))["run"]
    taken = await house.send_file(run, applications(), layout="intake-csv")
    assert taken.status_code == 201, taken.text
    faulty = await house.task(run, TaskType.BATCH_QUARANTINE)
    assert [fault["field"] for fault in faulty.shown["faults"]] == ["hardship"]
    await house.decide(faulty, Outcome.DISCARD, by=house.operator, reasonCode="cannot-be-corrected")
    approval = await house.task(run, TaskType.BATCH_APPROVAL)
    assert house.all(InstallmentCase) == [], "a dry run has no effect"
    await house.decide(approval, Outcome.APPROVE)
    await house.decide(await house.task(run, TaskType.BATCH_CLOSE), Outcome.CONFIRM)
    assert (await house.end(run))["outcome"] == "completed"

    ends = [order.final_state for order in house.orders(run)]
    cases = house.all(InstallmentCase)
    opened = {order.case_token for order in house.all(BatchOrder, col(BatchOrder.final_state) == "opened")}
    assert ends.count("opened") == len(cases) == ROWS - 1
    assert opened == {each.token for each in cases}
    assert len(house.all(Subject)) == ROWS - 2, "who comes twice is one person"
    starts = house.all(OutboxEntry, col(OutboxEntry.kind) == "start", col(OutboxEntry.business_key).in_(opened))
    assert len(starts) == ROWS - 1
    report = await house.get(f"/v1/batches/{run}/report?format=json&language=en")
    assert report["blocks"][1]["level"] == "passed"
    again = (await house.post("/v1/batches", {"kind": "intake", "source": "file", "criteria": {"stated": STATED}}))[
        "run"
    ]
    known = await house.send_file(again, applications(), layout="intake-csv")
    assert (known.status_code, known.json()["params"]["run"]) == (409, run)
