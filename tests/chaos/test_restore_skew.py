"""One store is set back to an older backup than the other: no money moves twice (R9), and every gap is named (R10)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.duties.relay import Relay
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.memory import remembered_by_cases
from deploy.snapshot import copy_sqlite
from models.contracts.installments import CaseView
from models.database.engine import Database, open_database
from models.domain.reconciliation.gaps import Gap, GapKind, gaps
from models.domain.states import CaseStage, DecisionState, NewsKind, OutboxKind
from models.operations import outbox
from models.operations.news import enqueue_news
from models.queries.agreements import agreement_of_case
from models.queries.case_gaps import recorded_of
from models.tables.agreements import Agreement, AgreementEvent, LedgerEntry, Signature
from models.tables.core import CoreOrder
from models.tables.installments import InstallmentCase
from models.tables.platform import OutboxEntry
from models.tables.tasks import Decision
from tests.support.casework import TENANT, CaseWorld, case_world
from tests.support.daybook import START as DAYS_START
from tests.support.daybook import daybook
from tests.support.reconciling import reconciled
from tests.support.temporal import running_server
from tests.workflows.installments import lives

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

_CASES = 6
_MONEY = (Agreement, AgreementEvent, LedgerEntry, Signature, CoreOrder)
# What moves money, or would be noticed outside, if it were done again.
_EFFECTS = frozenset(
    {"installments.activate", "core.block_card", "core.recall_collection", "installments.seal_agreement"}
)


@dataclass
class Shadow(Interceptor):
    """Counts the effects as a product without keys would have them: each call is one."""

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Called by the worker."""
        return _Counting(next, self)


class _Counting(ActivityInboundInterceptor):
    def __init__(self, next_interceptor: ActivityInboundInterceptor, shadow: Shadow) -> None:
        super().__init__(next_interceptor)
        self._shadow = shadow

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        info = activity.info()
        if info.activity_type in _EFFECTS:
            self._shadow.calls[info.activity_type, info.workflow_id or ""] += 1
        return await super().execute_activity(input)


def test_temporal_set_back_moves_no_money(sqlite_database, vault, clock, tmp_path: Path) -> None:
    shadow, backup = Shadow(), tmp_path / "older.db"
    folders = [tmp_path / name for name in ("before", "after")]
    for folder in folders:
        folder.mkdir()

    async def live(server) -> list[str]:
        async with case_world(sqlite_database, vault, clock, server, interceptors=[shadow]) as world:
            team = lives.hire_team(world)
            tokens = [world.apply(by=team.officer) for _ in range(_CASES)]
            for number, token in enumerate(tokens):
                await world.start(token)
                await (lives.to_approval if number % 2 else lives.to_signing)(world, team, token)
            copy_sqlite(folders[0] / "temporal.db", backup)
            for token in tokens:
                await _into_service(world, team, token)
            world.tokens.clear()  # they are left running: the server dies under them
            return tokens

    async def go_on(server, tokens: list[str]) -> None:
        async with case_world(sqlite_database, vault, clock, server, interceptors=[shadow], resume=True) as world:
            world.tokens += tokens
            with unit_of_work(sqlite_database, _deed(clock())) as unit:
                outbox.requeue_open(unit.session, now=clock())
            relay = Relay(sqlite_database, world.dispatcher, clock)
            deadline = asyncio.get_running_loop().time() + 120
            while await _stages(world, tokens) != {CaseStage.SERVICING}:
                await relay.run_once(clock() + timedelta(days=1))
                assert asyncio.get_running_loop().time() < deadline
                await asyncio.sleep(0.05)

    with running_server(folders[0], namespace="skew") as server:
        tokens = asyncio.run(live(server))
    before, once = _money(sqlite_database), Counter(shadow.calls)
    backup.rename(folders[1] / "temporal.db")
    with running_server(folders[1], namespace="skew") as server:
        asyncio.run(go_on(server, tokens))
    assert _money(sqlite_database) == before
    assert len(before[Agreement]) == _CASES
    # Teeth: without keys, most cases would have had an effect twice.
    again = {case for (name, case), calls in shadow.calls.items() if calls > once[name, case] >= 1}
    print(f"effects done over in {len(again)} of {_CASES} cases, money moved in 0")
    assert len(again) >= _CASES / 2


def test_books_set_back_have_every_gap_named_and_post_nothing(sqlite_database, vault, clock, tmp_path: Path) -> None:
    backup = tmp_path / "older.db"

    async def live(server) -> None:
        async with case_world(sqlite_database, vault, clock, server) as world:
            team = lives.hire_team(world)
            known = [world.apply(by=team.officer) for _ in range(6)]
            for number, token in enumerate(known):
                await world.start(token)
                await (lives.to_approval if number < 3 else lives.to_service)(world, team, token)
            assert await _gaps(world, sqlite_database) == []
            copy_sqlite(Path(sqlite_database.engine.url.database or ""), backup)
            late = [world.apply(by=team.officer) for _ in range(2)]
            for token in late:
                await world.start(token)
                await lives.to_assessment(world, team, token)
            for token in known[:3]:
                await _into_service(world, team, token)
            for token in known[2:5]:
                await _told(world, token)
            assert await _gaps(world, sqlite_database) == []
            older = open_database(f"sqlite:///{backup}")
            try:
                rows = _counts(older)
                found = await _gaps(world, older)
                assert _counts(older) == rows  # nothing was posted, mended or sent
                expected = _lost(sqlite_database, older)
            finally:
                older.dispose()
            assert Counter(found) == Counter(expected)
            by_kind = Counter(gap.kind for gap in found)
            print(dict(by_kind))
            assert by_kind[GapKind.CASE] == 2
            assert by_kind[GapKind.AGREEMENT] == 3
            assert by_kind[GapKind.NEWS] == 3
            assert by_kind[GapKind.DECISION] >= 8

    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", namespace="skew") as server:
        asyncio.run(live(server))


def test_bank_lines_that_the_older_books_lack_are_found_in_the_files(
    sqlite_database, vault, clock, tmp_path: Path
) -> None:
    backup = tmp_path / "older.db"
    with daybook(sqlite_database, vault, clock, tmp_path) as book:
        for number in range(5):
            book.agree(account=f"62220000{number:08}")
        book.run_until(DAYS_START + timedelta(days=40), check=False)
        copy_sqlite(Path(sqlite_database.engine.url.database or ""), backup)
        known = len(book.orders())
        book.run_until(DAYS_START + timedelta(days=75), check=False)
        last = book.today()
        whole = reconciled(book, DAYS_START, last, files=True)
        assert (whole.agreeing, whole.differences) == (10, ())
        older = open_database(f"sqlite:///{backup}")
        try:
            rows = _counts(older)
            book.database = older
            assert reconciled(book, DAYS_START, last).differences == ()  # its own records know nothing of it
            found = reconciled(book, DAYS_START, last, files=True)
            assert _counts(older) == rows
        finally:
            older.dispose()
    assert known == 5
    assert [difference.kind for difference in found.differences] == ["orphan"] * 5
    assert found.agreeing == known


async def _into_service(world: CaseWorld, team: lives.Team, token: str) -> None:
    if world.case(token).stage == CaseStage.APPROVAL:
        await world.decide(token, lives.TaskType.APPROVAL, team.approver, lives.Outcome.APPROVE)
    await world.sign(token)
    await world.reached(token, CaseStage.SERVICING)


async def _told(world: CaseWorld, token: str) -> None:
    """News as the daily run tells it: in the books first."""
    today = world.clock().date()
    with unit_of_work(world.database, _deed(world.clock())) as unit:
        agreement = agreement_of_case(unit.session, case_token=token)
        assert agreement is not None
        enqueue_news(unit.session, [(agreement, NewsKind.MISSED)], on=today, now=world.clock())
    await world.tell(token, NewsKind.MISSED)


async def _stages(world: CaseWorld, tokens: list[str]) -> set[str]:
    views = [await world.handle(token).query("view", result_type=CaseView) for token in tokens]
    return {view.stage for view in views}


async def _gaps(world: CaseWorld, database: Database) -> list[Gap]:
    told = [each async for each in remembered_by_cases(world.client, tenant=TENANT)]
    with database.read() as session:
        return list(gaps(told, recorded_of(session, told)))


def _lost(now: Database, older: Database) -> list[Gap]:
    """What the newer books hold and the older do not, read from both without asking Temporal."""

    def missing(kind: GapKind, rows: Callable[[Database], dict[str, str]]) -> list[Gap]:
        lost = rows(now).items() - rows(older).items()
        named = kind in (GapKind.DECISION, GapKind.NEWS)
        return [Gap(kind=kind, case_token=case, name=name if named else "") for name, case in lost]

    return [
        *missing(GapKind.CASE, lambda books: {row.token: row.token for row in _all(books, InstallmentCase)}),
        *missing(GapKind.AGREEMENT, lambda books: {row.id: row.case_token for row in _all(books, Agreement)}),
        *missing(GapKind.DECISION, lambda books: {
            row.id: row.case_token for row in _all(books, Decision) if row.state == DecisionState.APPLIED
        }),
        *missing(GapKind.NEWS, lambda books: {
            row.business_key: row.business_key.partition("/")[0]
            for row in _all(books, OutboxEntry)
            if row.kind == OutboxKind.NEWS
        }),
    ]  # fmt: skip


def _all(database: Database, table: type[Any]) -> list[Any]:
    with database.read() as session:
        return list(session.exec(select(table)).all())


def _money(database: Database) -> dict[type[Any], list[dict[str, Any]]]:
    return {
        table: sorted((row.model_dump() for row in _all(database, table)), key=lambda row: str(row["id"]))
        for table in _MONEY
    }


def _counts(database: Database) -> dict[str, int]:
    tables = (*_MONEY, InstallmentCase, Decision, OutboxEntry)
    return {table.__name__: len(_all(database, table)) for table in tables}


def _deed(now: Any) -> Deed:
    return Deed(tenant=TENANT, action="test.restored", target="test", actor="test", at=now)
