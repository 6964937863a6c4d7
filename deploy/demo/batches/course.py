"""The course of the demo's batches: people decide, the bank answers, business dates pass until both runs have ended."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from sqlmodel import Session, col, func, select

from deploy.demo.batches import calls
from deploy.demo.batches.desk import Desk
from deploy.demo.counterparty import Counterparty
from deploy.demo.office import Unexpected
from models.database.engine import Database
from models.domain.batches.states import OrderState, RunStage
from models.domain.daily import ReplyState
from models.tables.batch_runs import BatchOrder
from models.tables.daily import BankReply

_POLL_S: Final = 0.3
_LOOK_EVERY_S: Final = 2.0
_PATIENCE_S: Final = 300.0  # for one thing to happen
_MOST_DATES: Final = 40
_ONE_DAY: Final = timedelta(days=1)
_AWAY: Final = (RunStage.AWAITING, RunStage.RECONCILING, RunStage.REPORTING, RunStage.CLOSING, RunStage.ENDED)
_RETURN_REASON: Final = "AC04"


@dataclass(slots=True)
class Course:
    """The runs on their way.

    Attributes:
        database: the institution's, to read from.
        runs: by kind; `wages` is the one of which a payment comes back.
        today: the open business date.
        dates: how many were run.
        tell: called with the runs whenever they were looked at.
    """

    desk: Desk
    bank: Counterparty
    database: Database
    debits: str
    wages: str
    today: date
    dates: int = 0
    stages: dict[str, str] = field(default_factory=dict)
    tell: Callable[[dict[str, str]], object] = lambda _stages: None

    @property
    def runs(self) -> list[str]:
        """Both."""
        return [self.debits, self.wages]

    async def to_the_end(self) -> dict[str, dict[str, Any]]:
        """Answer what is asked, and let dates pass, until both runs have ended; both as they stand then.

        Raises:
            Unexpected: nobody planned for a task, or nothing goes on.
        """
        await self._until(self._all_away, "files at the bank")
        await asyncio.to_thread(self._one_wage_comes_back)
        while not await self._all_ended():
            if self.dates >= _MOST_DATES:
                raise Unexpected(f"after {self.dates} dates the runs stand in {self.stages}")
            await asyncio.to_thread(self.bank.evening)
            await self._until(self._nothing_waits, "answers of the bank")
            await self._pass_date()
            await asyncio.to_thread(self.bank.morning, self.today)
            await self._until(self._nothing_waits, "statements of the bank")
        return {run: await calls.told(self.desk.company.auditor, run) for run in self.runs}

    async def _all_away(self) -> bool:
        await self._look()
        return all(stage in _AWAY for stage in self.stages.values())

    async def _all_ended(self) -> bool:
        await self._look()
        return all(stage == RunStage.ENDED for stage in self.stages.values())

    async def _look(self) -> None:
        for run in self.runs:
            told = await calls.told(self.desk.company.auditor, run)
            self.stages[run] = str(told["stage"])
            if told["tripped"]:
                raise Unexpected(f"a breaker has stopped a run: {told['tripped']}")
        self.tell(self.stages)

    async def _nothing_waits(self) -> bool:
        """Whether all that the bank has said is booked, what is due again has left, and nobody is on the way."""
        await self._look()
        if all(stage == RunStage.ENDED for stage in self.stages.values()):
            return True  # what the bank brings from now on is for the daily run, on a date that need not come
        waits = await asyncio.to_thread(self._waits)
        still = [stage for stage in self.stages.values() if stage not in (RunStage.AWAITING, RunStage.ENDED)]
        return not waits and not still

    def _waits(self) -> bool:
        if any(self.bank.folders.inbox.iterdir()):
            return True
        with self.database.read() as session:
            return self._any_line(session) or self._any_order(session)

    def _any_line(self, session: Session) -> bool:
        new = select(func.count()).select_from(BankReply).where(col(BankReply.state) == ReplyState.NEW)
        return bool(session.exec(new).one())

    def _any_order(self, session: Session) -> bool:
        """Orders that have not left, or are to be presented again by today; of runs that go on."""
        open_runs = [run for run, stage in self.stages.items() if stage == RunStage.AWAITING]
        mine = (col(BatchOrder.run).in_(open_runs), col(BatchOrder.final_state).is_(None))
        held = col(BatchOrder.state).in_((OrderState.QUEUED, OrderState.IN_FILE))
        again = col(BatchOrder.next_try_on) <= self.today
        return bool(session.exec(select(func.count()).select_from(BatchOrder).where(*mine, held | again)).one())

    async def _until(self, holds: Callable[[], Any], what: str) -> None:
        """Decide what is asked until something holds; runs that wait are made to look now and then."""
        deadline, looked = time.monotonic() + _PATIENCE_S, 0.0
        while not await holds():
            if await self.desk.answer(self.runs):
                deadline = time.monotonic() + _PATIENCE_S
            if time.monotonic() > deadline:
                raise Unexpected(f"waiting for {what}: the runs stand in {sorted(self.stages.values())}")
            if time.monotonic() - looked > _LOOK_EVERY_S:
                looked = time.monotonic()
                for run in (run for run, stage in self.stages.items() if stage == RunStage.AWAITING):
                    await calls.look_again(self.desk.maker, run)
            await asyncio.sleep(_POLL_S)

    async def _pass_date(self) -> None:
        """The operator runs the open date."""
        until = self.today
        await calls.run_until(self.desk.operator, until)
        deadline = time.monotonic() + _PATIENCE_S
        while self.today <= until:
            if time.monotonic() > deadline:
                raise Unexpected(f"the run of {until} did not end")
            await asyncio.sleep(_POLL_S)
            self.today = await calls.business_date(self.desk.operator)
        self.dates += 1

    def _one_wage_comes_back(self) -> None:
        """The bank will send the first payment of the file back, the day after it was made."""
        with self.database.read() as session:
            first = session.exec(
                select(BatchOrder.end_to_end_id)
                .where(col(BatchOrder.run) == self.wages, col(BatchOrder.state) == OrderState.SENT)
                .order_by(col(BatchOrder.member))
            ).first()
        self.bank.bank.sender_behaves("return-later", days=1, reason=_RETURN_REASON, end_to_end_id=first)


async def pass_to_bank_day(desk: Desk, *, is_bank_day: Callable[[date], bool]) -> date:
    """Batches begin on a bank day: the operator runs the dates before it. Returns the open date.

    Raises:
        Unexpected: it did not come.
    """
    today = await calls.business_date(desk.operator)
    first = next(each for each in (today + timedelta(days=ahead) for ahead in range(_MOST_DATES)) if is_bank_day(each))
    if first > today:
        await calls.run_until(desk.operator, first - _ONE_DAY)
    deadline = time.monotonic() + _PATIENCE_S
    while today < first:
        if time.monotonic() > deadline:
            raise Unexpected(f"the books did not come to {first}")
        await asyncio.sleep(_POLL_S)
        today = await calls.business_date(desk.operator)
    return today
