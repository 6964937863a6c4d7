"""News of the daily run reach their cases: each once, in order, and an ended case is not asked for ever."""

import asyncio
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest
from sqlmodel import select
from temporalio import workflow
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.duties.relay import Relay
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher, Fate
from models.contracts.installments import CaseNews
from models.domain.ids import installment_workflow_id
from models.domain.states import NewsKind, OutboxKind
from models.domain.tokens import new_case_token, uuid7
from models.tables.platform import OutboxEntry
from models.tables.tenants import Tenant
from tests.support.workers import running
from workflows.support import options

DAY = date(2026, 11, 23)


@workflow.defn(name="test.listener")
class Listener:
    """Stands where a case in service stands."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: "settled" in self.heard)

    @workflow.signal
    async def told(self, news: CaseNews) -> None:
        self.heard.append(news.kind)

    @workflow.query
    def what(self) -> list[str]:
        return self.heard


@pytest.fixture
def cases(sqlite_database, clock, temporal_client, task_queue):
    """A relay, and cases that listen."""
    with unit_of_work(sqlite_database, _deed(clock)) as unit:
        unit.session.add(Tenant(code="main", name="-", sandbox=True, created_at=clock()))
    dispatcher = Dispatcher(
        client=temporal_client,
        cases_queue=task_queue,
        task_timeout=options.WORKFLOW_TASK_TIMEOUT,
        rpc_timeout=options.RPC_TIMEOUT,
    )

    @asynccontextmanager
    async def make(count: int):
        tokens = [new_case_token("main") for _ in range(count)]
        worker = Worker(
            temporal_client,
            task_queue=task_queue,
            workflows=[Listener],
            workflow_runner=UnsandboxedWorkflowRunner(),
        )
        async with running(worker):
            for token in tokens:
                workflow_id = installment_workflow_id(token)
                await temporal_client.start_workflow("test.listener", id=workflow_id, task_queue=task_queue)
            yield Relay(sqlite_database, dispatcher, clock), tokens
            for token in tokens:
                handle = temporal_client.get_workflow_handle(installment_workflow_id(token))
                if (await handle.describe()).status == 1:
                    await handle.terminate("test over")

    return make


def _deed(clock) -> Deed:
    return Deed(tenant="main", action="test.prepared", target="test", actor="test", at=clock())


def _put(relay: Relay, clock, token: str, *kinds: NewsKind) -> None:
    for offset, kind in enumerate(kinds):
        now = clock.advance(seconds=1)
        entry = OutboxEntry(
            id=uuid7(now),
            tenant="main",
            kind=OutboxKind.NEWS,
            business_key=f"{token}/{kind}/{DAY + timedelta(days=offset)}",
            workflow_id=installment_workflow_id(token),
            next_try_at=now,
            created_at=now,
        )
        with unit_of_work(relay.database, _deed(clock)) as unit:
            unit.session.add(entry)


def _open(relay: Relay) -> int:
    with relay.database.read() as session:
        return sum(entry.done_at is None for entry in session.exec(select(OutboxEntry)).all())


async def test_every_case_hears_its_news_once_and_in_order(cases, clock, temporal_client) -> None:
    async with cases(3) as (relay, tokens):
        for token in tokens:
            _put(relay, clock, token, NewsKind.MISSED, NewsKind.CURED, NewsKind.MISSED)
        assert await relay.run_once(clock()) == 9
        assert await relay.run_once(clock()) == 0
        for token in tokens:
            handle = temporal_client.get_workflow_handle(installment_workflow_id(token))
            assert await handle.query("what") == ["missed", "cured", "missed"]
        assert _open(relay) == 0


async def test_what_does_not_arrive_holds_back_what_comes_after(cases, clock, monkeypatch, temporal_client) -> None:
    async with cases(1) as (relay, (token,)):
        _put(relay, clock, token, NewsKind.MISSED, NewsKind.CURED)

        async def nobody(*_: object) -> Fate:
            return Fate.UNANSWERED

        with monkeypatch.context() as away:
            away.setattr(Dispatcher, "tell", nobody)
            assert await relay.run_once(clock()) == 0
        assert await relay.run_once(clock()) == 0  # the second alone would be wrong
        clock.advance(seconds=5)
        assert await relay.run_once(clock()) == 2
        handle = temporal_client.get_workflow_handle(installment_workflow_id(token))
        assert await handle.query("what") == ["missed", "cured"]


async def test_news_of_a_case_that_has_ended_are_dropped(cases, clock, temporal_client) -> None:
    async with cases(1) as (relay, (token,)):
        _put(relay, clock, token, NewsKind.SETTLED)
        await relay.run_once(clock())
        await asyncio.wait_for(temporal_client.get_workflow_handle(installment_workflow_id(token)).result(), 20)
        _put(relay, clock, token, NewsKind.MISSED)
        await relay.run_once(clock())
        assert _open(relay) == 0
