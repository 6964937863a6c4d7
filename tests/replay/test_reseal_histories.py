"""Recorded histories of a change of suite: `pytest tests/replay --record-histories`."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest
from temporalio.workflow import NondeterminismError

from models.contracts.parties import ResealInput, ResealProgress
from models.domain.ids import reseal_workflow_id
from models.domain.suite_changes import ChangeState, SuiteName
from models.operations.suite_changes import want
from models.tables.parties import Subject
from tests.replay import golden
from tests.support.breakage import Breakage
from tests.support.people import people
from tests.support.reseal_office import ResealOffice, reseal_office
from tests.support.sealed_book import TENANT, SealedBook
from workflows.parties.reseal import Reseal

SM4: Final = SuiteName.SM4_GCM


async def _moved(office: ResealOffice) -> str:
    change = await office.start(SM4)
    await office.end(change)
    return change


async def _one_person(office: ResealOffice) -> str:
    [subject] = office.book.vault.renewal.subjects_after(TENANT, "", limit=1)
    change = await office.start(SuiteName.AES_256_GCM, subject=subject)
    await office.end(change)
    return change


async def _stopped_and_mended(office: ResealOffice) -> str:
    [subject] = office.book.vault.renewal.subjects_after(TENANT, "", limit=1)
    with office.book.database.write() as session:
        row = session.get_one(Subject, subject)
        good, row.card_cell = row.card_cell, (row.card_cell or b"")[:-1]
    change = await office.start(SM4)
    await office.until(change, ChangeState.STOPPED)
    while not (await office.handle(change).query("progress", result_type=ResealProgress)).waits:
        pass
    with office.book.database.write() as session:
        session.get_one(Subject, subject).card_cell = good
        want(session, change, state=ChangeState.RUNNING, among=[ChangeState.STOPPED])
    await office.dispatcher.nudge(office.handle(change).id)
    await office.end(change)
    return change


async def _second_run(office: ResealOffice) -> str:
    """The run that an earlier one has gone on as."""
    change = office.book.change(SM4)
    started_with = ResealInput(tenant=TENANT, change=change, steps_a_run=2)
    await office.client.start_workflow(
        Reseal.run, started_with, id=reseal_workflow_id(TENANT, change), task_queue=office.queue
    )
    await office.end(change)
    return change


# name -> (who starts what, the step that breaks once)
SCENARIOS: Final[dict[str, tuple[Callable[[ResealOffice], Awaitable[str]], str | None]]] = {
    "reseal-suite": (_moved, None),
    "reseal-step-tried-again": (_moved, "reseal.subjects"),
    "reseal-subject": (_one_person, None),
    "reseal-stopped-and-mended": (_stopped_and_mended, None),
    "reseal-second-run": (_second_run, None),
}


@pytest.fixture
def book(sqlite_database, vault, clock, tmp_path: Path) -> SealedBook:
    """Three people."""
    book = SealedBook(sqlite_database, vault, clock, tmp_path / "files")
    book.open()
    book.add(people(3))
    return book


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, book, temporal_server, task_queue: str) -> None:
    """Record one scenario; collected only under the switch."""
    play, breaks = SCENARIOS[scenario]
    plan = Breakage(fail_at=breaks or (), fail_times=1)
    keywords = {"plain": True, "rest": timedelta(), "subjects_a_step": 1}
    async with reseal_office(book, temporal_server, task_queue, plan, **keywords) as office:
        change = await play(office)
        await golden.record(scenario, office.handle(change))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with a step under another name must not replay."""
    record = golden.read(scenario)
    golden.scheduled(record)[-1]["name"] = "reseal.other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
