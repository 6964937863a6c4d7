"""Months pass: the operator runs business date after business date, the bank keeps step, customers and staff act."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlmodel import col, select

from deploy.demo.counterparty import Counterparty
from deploy.demo.lives import PATH, Life
from deploy.demo.mock_bank import Entry
from deploy.demo.office import Office, Unexpected
from deploy.demo.plans import IN_SERVICE
from deploy.demo.quiet import next_busy_date
from deploy.demo.serving import Serving
from models.database.engine import Database
from models.domain.daily import AFTER_ITS_END, NO_CALENDAR, CloseReason
from models.domain.states import CaseStage, FollowUpState, TaskType
from models.domain.tokens import new_token
from models.operations.outbox import oldest_open
from models.tables.aftercare import FollowUp

_DATES: Final = "/v1/business-dates"
_MONTHS: Final = 13
_ONE_DAY: Final = timedelta(days=1)
_MOST_AT_ONCE: Final = 28  # the API tells the figures of the last 31 runs
_AT_ONCE: Final = 12  # tasks that are answered at the same time
_POLL_SECONDS: Final = 0.1
_RUN_POLL_SECONDS: Final = 0.2  # for each date that is left: the answer holds a month of figures
_LONGEST_RUN_POLL_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 600.0
_NEWS_SECONDS: Final = 60.0
_END_SECONDS: Final = 180.0
_ASKING: Final = ("told-missed", "told-default-due")  # news that makes a case ask somebody
_ASKED: Final = (TaskType.MISSED, TaskType.DEFAULT)  # … this


@dataclass(kw_only=True, slots=True)
class Months:
    """What the months came to.

    Attributes:
        first, last: the dates that were run.
        figures: what the runs counted, by `<step>.<name>`, summed over all dates.
        days: of each date that was run, whether it ended and by how much its books were off.
        requests: how often runs were asked for: dates on which nothing could happen were asked for together.
        run_seconds: how long the runs took, without people and bank.
        bank_debits: every debit that the bank read.
        bank_balance_minor: what lies on the bank's account in the end.
        open_exceptions: what lies in the exception queue in the end.
        closed_exceptions: what the operator closed there, since the bank days of the year to come are not announced,
            or money came back behind the end of a batch.
    """

    first: date
    last: date
    figures: Counter[str] = field(default_factory=Counter)
    days: dict[date, tuple[bool, int]] = field(default_factory=dict)
    requests: int = 0
    run_seconds: float = 0.0
    seconds: float = 0.0
    bank_debits: list[Entry] = field(default_factory=list)
    bank_balance_minor: int = 0
    open_exceptions: int = 0
    closed_exceptions: int = 0
    servings: list[Serving] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The figures, for programs."""
        ends: dict[str, dict[str, int]] = {}
        for serving in self.servings:
            by_end = ends.setdefault(serving.course.name, {})
            outcome = str(serving.life.outcome)
            by_end[outcome] = by_end.get(outcome, 0) + 1
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "dates": len(self.days),
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "secondsPerDate": round(self.run_seconds / max(1, len(self.days)), 3),
            "debits": self.figures["debit-orders.orders"],
            "retries": self.figures["debit-orders.retries"],
            "paid": self.figures["post.paid"],
            "rejected": self.figures["post.rejected"],
            "returned": self.figures["post.returned"],
            "paidByHandMinor": sum(serving.paid_by_hand_minor for serving in self.servings),
            "bankBalanceMinor": self.bank_balance_minor,
            "openExceptions": self.open_exceptions,
            "closedExceptions": self.closed_exceptions,
            "lives": ends,
        }


@dataclass(slots=True)
class Calendar:
    """Who makes the months pass.

    Attributes:
        database: the institution's, to read from.
        tenant: whose dates.
    """

    office: Office
    bank: Counterparty
    database: Database
    tenant: str
    servings: Sequence[Serving]
    months: Months

    async def pass_months(self, console: Console) -> None:
        """Run every date from the open one to the last.

        Raises:
            Unexpected: the API refused something, or a run did not end in time.
        """
        began = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            total = (self.months.last - self.months.first).days + 1
            bar = progress.add_task("dates", total=total)

            def show(open_date: date) -> None:
                done = (open_date - self.months.first).days
                progress.update(bar, completed=done, description=(open_date - _ONE_DAY).isoformat())

            today = self.months.first
            while today <= self.months.last:
                await asyncio.to_thread(self.bank.morning, today)
                for serving in self.servings:
                    await serving.act_on(today)
                until = await asyncio.to_thread(self._quiet_until, today)
                told = await self._run(today, until, show)
                asked = self._count(told, today, until)
                await asyncio.to_thread(self.bank.evening)
                await self._answer(asked)
                today = until + _ONE_DAY
        await self._see_to_the_end()
        await self._close_what_only_tells()
        self.months.seconds = time.monotonic() - began
        self.months.bank_debits = self.bank.entries()
        self.months.bank_balance_minor = self.bank.bank.balance_minor()
        self.months.open_exceptions = (await self._dates())["openExceptions"]

    # -- one or more dates ---------------------------------------------------------------------------------------------

    def _quiet_until(self, today: date) -> date:
        """The last date that can be run together with today: nothing happens after today until then."""
        if self.bank.bank.is_waiting():
            return today
        with self.database.read() as session:
            busy = next_busy_date(session, tenant=self.tenant, today=today)
        acts = [serving.next_act for serving in self.servings if serving.next_act is not None]
        ends = [on - _ONE_DAY for on in (busy, *acts) if on is not None]
        return max(today, min([self.months.last, today + timedelta(days=_MOST_AT_ONCE - 1), *ends]))

    async def _run(self, today: date, until: date, show: Callable[[date], None]) -> dict[str, Any]:
        """Have dates run, and wait for their end; answers what the API tells of the runs then."""
        began = time.monotonic()
        headers = {"Idempotency-Key": new_token("demo")}
        await self.office.operator.call("POST", _DATES, json={"until": until.isoformat()}, headers=headers)
        self.months.requests += 1
        deadline = began + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            told = await self._dates()
            open_date = date.fromisoformat(told["today"])
            show(open_date)
            if open_date > until:
                self.months.run_seconds += time.monotonic() - began
                return told
            left = (until - open_date).days + 1
            await asyncio.sleep(min(_RUN_POLL_SECONDS * left, _LONGEST_RUN_POLL_SECONDS))
        raise Unexpected(f"the runs of {today} to {until} did not end")

    def _count(self, told: dict[str, Any], today: date, until: date) -> int:
        """Take in the figures of these dates; answers how many cases were told what makes them ask somebody."""
        asked = 0
        for run in told["runs"]:
            on = date.fromisoformat(run["businessDate"])
            if not today <= on <= until:
                continue
            off = 0
            for step in run["steps"]:
                off += abs(step["figures"].get("outOfBalanceMinor", 0))
                self.months.figures.update({f"{step['step']}.{name}": n for name, n in step["figures"].items()})
                asked += sum(step["figures"].get(name, 0) for name in _ASKING)
            self.months.days[on] = (run["state"] == "DONE", off)
        return asked

    async def _dates(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.office.operator.call("GET", _DATES)).json()
        return told

    # -- people --------------------------------------------------------------------------------------------------------

    async def _answer(self, asked: int) -> None:
        """Answer every open task; news travels to its case apart from the run, so wait for so many of them."""
        by_case = {serving.life.token: serving for serving in self.servings}
        answered, began = 0, time.monotonic()
        while time.monotonic() < began + _PATIENCE_SECONDS:
            page = (await self.office.auditor.call("POST", "/v1/tasks/search", json={"limit": _AT_ONCE})).json()
            waiting = [task for task in page["items"] if task["state"] != "DECIDING"]
            stray = [task["type"] for task in waiting if task["caseToken"] not in by_case]
            if stray:
                raise Unexpected(f"tasks of no agreement: {', '.join(stray)}")
            await asyncio.gather(*(by_case[task["caseToken"]].answer(task) for task in waiting))
            answered += sum(task["type"] in _ASKED for task in waiting)
            if not page["items"] and (answered >= asked or time.monotonic() >= began + _NEWS_SECONDS):
                return
            await asyncio.sleep(_POLL_SECONDS)
        raise Unexpected("the inbox did not become empty")

    async def _see_to_the_end(self) -> None:
        """Wait until each case has come to where its course ends; whoever is elsewhere then is a check's business."""
        deadline = time.monotonic() + _END_SECONDS
        for serving in self.servings:
            life = serving.life
            while True:
                await self._answer(0)
                life.outcome = await _stands_at(self.office, life)
                if life.outcome == life.end or time.monotonic() >= deadline:
                    break
                await asyncio.sleep(_POLL_SECONDS)
        while await asyncio.to_thread(self._is_under_way) and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_SECONDS)
            await self._answer(0)

    def _is_under_way(self) -> bool:
        """Whether something is on its way to a workflow, or a follow-up call has not been answered."""
        with self.database.read() as session:
            called = session.exec(select(FollowUp.id).where(col(FollowUp.state) == FollowUpState.OPEN).limit(1)).first()
            return called is not None or oldest_open(session) is not None

    async def _close_what_only_tells(self) -> None:
        """The operator closes what asks for nothing: no bank days announced, and late returns, which are booked."""
        reasons = {NO_CALENDAR: CloseReason.NOT_NEEDED, AFTER_ITS_END: CloseReason.WITH_THE_BANK}
        for code, reason in reasons.items():
            path, wanted = f"{_DATES}/exceptions", {"state": "OPEN", "code": code}
            while items := (await self.office.operator.call("GET", path, params=wanted)).json()["items"]:
                for item in items:
                    close = f"{path}/{item['id']}/close"
                    headers = {"Idempotency-Key": new_token("demo")}
                    await self.office.operator.call("POST", close, json={"reason": reason}, headers=headers)
                    self.months.closed_exceptions += 1


def last_date(first: date) -> date:
    """The same day of the month, thirteen months later."""
    year, month = divmod(first.year * 12 + first.month - 1 + _MONTHS, 12)
    return date(year, month + 1, min(first.day, 28))


async def _stands_at(office: Office, life: Life) -> str | None:
    case = (await office.auditor.call("GET", f"{PATH}/{life.token}")).json()
    return IN_SERVICE if case["stage"] == CaseStage.SERVICING else case["outcome"]
