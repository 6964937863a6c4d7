"""A change of suite as a workflow: its steps are known, can break, repeat, lose their answers; people can hold it."""

from datetime import timedelta
from pathlib import Path

import pytest

from activities.parties import reseal_work
from models.contracts.parties import ResealInput, ResealProgress
from models.domain.ids import reseal_workflow_id
from models.domain.suite_changes import ChangeState, SuiteName
from models.operations.suite_changes import want
from models.tables.parties import Subject
from tests.support.breakage import Breakage
from tests.support.people import people
from tests.support.reseal_office import STEPS, ResealOffice, reseal_office
from tests.support.sealed_book import TENANT, SealedBook
from workflows.parties.reseal import Reseal

AES, SM4 = SuiteName.AES_256_GCM, SuiteName.SM4_GCM
_AT_ONCE = {"rest": timedelta(), "subjects_a_step": 5}


@pytest.fixture
def book(sqlite_database, vault, clock, tmp_path: Path) -> SealedBook:
    """Twelve people; a step takes five."""
    book = SealedBook(sqlite_database, vault, clock, tmp_path / "files")
    book.open()
    book.add(people(12))
    return book


@pytest.fixture
def office(book, temporal_server, task_queue):
    """The book with a worker, which the interceptors break."""
    return lambda *interceptors, **keywords: reseal_office(
        book, temporal_server, task_queue, *interceptors, **(_AT_ONCE | keywords)
    )


def _check_moved(office: ResealOffice, change: str, before: str, suite: int) -> None:
    record = office.book.record_of(change)
    assert (record.state, record.unopened) == (ChangeState.DONE, [])
    assert (record.scan["old"], set(record.scan["bySuite"])) == (0, {str(suite)})
    assert record.figures["keysMade"] == record.figures["keysDestroyed"] == 12
    assert office.book.digest() == before
    assert office.book.vault.renewal.counts(TENANT).subjects == {suite: 12}


async def test_the_list_of_steps_is_complete_there_and_back(office) -> None:
    plan = Breakage()
    async with office(plan) as desk:
        before = desk.book.digest()
        for suite, number in ((SM4, 2), (AES, 1)):
            change = await desk.start(suite)
            await desk.end(change)
            _check_moved(desk, change, before, number)
        assert plan.steps() == STEPS


async def test_every_step_twice_is_every_step_once(office, monkeypatch: pytest.MonkeyPatch) -> None:
    # Called a second time inside one activity, the SDK's beat waits for itself.
    monkeypatch.setattr(reseal_work.activity, "heartbeat", lambda: None)
    async with office(Breakage(repeat=True)) as desk:
        before = desk.book.digest()
        change = await desk.start(SM4)
        await desk.end(change)
        _check_moved(desk, change, before, 2)


async def test_a_step_whose_answer_is_lost_is_done_once(office) -> None:
    plan = Breakage(lose_answer_of=STEPS)
    async with office(plan) as desk:
        before = desk.book.digest()
        change = await desk.start(SM4)
        await desk.end(change)
        assert plan.failed == dict.fromkeys(STEPS, 1)
        _check_moved(desk, change, before, 2)


async def test_a_broken_step_is_recorded_and_tried_again(office) -> None:
    steps = STEPS[1:]
    async with office(Breakage(fail_at=steps, fail_times=1)) as desk:
        before = desk.book.digest()
        change = await desk.start(SM4)
        await desk.end(change)
        _check_moved(desk, change, before, 2)
        assert desk.book.record_of(change).figures["failures"] == len(steps)


async def test_a_long_run_goes_on_as_a_new_one_where_it_left_off(office, book) -> None:
    plan = Breakage()
    async with office(plan, subjects_a_step=2) as desk:
        before, change = book.digest(), book.change(SM4)
        started_with = ResealInput(tenant=TENANT, change=change, steps_a_run=4)
        first = await desk.client.start_workflow(
            Reseal.run, started_with, id=reseal_workflow_id(TENANT, change), task_queue=desk.queue
        )
        await desk.end(change)
        _check_moved(desk, change, before, 2)
        assert (await desk.handle(change).describe()).run_id != first.first_execution_run_id
        assert plan.seen.count("reseal.publish") == plan.seen.count("reseal.activate") == 1


async def test_people_pause_it_and_have_it_go_on(office, book) -> None:
    plan = Breakage(hold="reseal.publish")
    async with office(plan) as desk:
        change = await desk.start(SM4)
        await plan.held.wait()
        _want(book, change, ChangeState.PAUSED, ChangeState.RUNNING)
        plan.release.set()
        await _until_waiting(desk, change)
        assert book.vault.renewal.counts(TENANT).subjects == {1: 12}
        _want(book, change, ChangeState.RUNNING, ChangeState.PAUSED)
        await desk.dispatcher.nudge(desk.handle(change).id)
        assert (await desk.end(change)).state == ChangeState.DONE


async def test_people_cancel_it_and_everything_stays_readable(office, book) -> None:
    plan = Breakage(hold="reseal.activate")
    async with office(plan) as desk:
        before = book.digest()
        change = await desk.start(SM4)
        await plan.held.wait()
        _want(book, change, ChangeState.CANCELLING, ChangeState.RUNNING)
        plan.release.set()
        assert (await desk.end(change)).state == ChangeState.CANCELLED
        assert book.digest() == before
        back = await desk.start(AES)
        assert (await desk.end(back)).state == ChangeState.DONE
        assert book.record_of(back).scan["bySuite"].keys() == {"1"}


async def test_what_cannot_be_opened_stops_it_until_somebody_has_mended_it(office, book) -> None:
    with book.database.write() as session:
        row = session.get_one(Subject, book.vault.renewal.subjects_after(TENANT, "", limit=1)[0])
        good, row.card_cell = row.card_cell, row.card_cell[:-1]
    async with office() as desk:
        change = await desk.start(SM4)
        record = await desk.until(change, ChangeState.STOPPED)
        assert record.unopened == [{"table": "subjects", "column": "card_cell", "row": row.id}]
        with book.database.write() as session:
            session.get_one(Subject, row.id).card_cell = good
        _want(book, change, ChangeState.RUNNING, ChangeState.STOPPED)
        await desk.dispatcher.nudge(desk.handle(change).id)
        record = await desk.end(change)
        assert (record.state, record.unopened, record.scan["old"]) == (ChangeState.DONE, [], 0)


async def test_one_persons_key_is_renewed_without_the_tenants(office, book) -> None:
    plan = Breakage()
    [subject] = book.vault.renewal.subjects_after(TENANT, "", limit=1)
    async with office(plan) as desk:
        before = book.digest()
        change = await desk.start(AES, subject=subject)
        assert (await desk.end(change)).state == ChangeState.DONE
        assert plan.steps() == ["reseal.begin", "reseal.subjects", "reseal.scan", "reseal.close"]
        assert book.digest() == before
        assert book.vault.header_of(tenant=TENANT, subject_id=subject) == (1, 2)


async def test_a_change_that_was_carried_out_is_left_alone(office, book) -> None:
    plan = Breakage()
    async with office(plan) as desk:
        change = await desk.start(SM4)
        await desk.end(change)
        plan.seen.clear()
        await desk.client.execute_workflow(
            "parties.reseal", {"tenant": TENANT, "change": change}, id=f"parties/{TENANT}/reseal/again",
            task_queue=desk.queue,
        )  # fmt: skip
        assert plan.steps() == ["reseal.begin"]


def _want(book: SealedBook, change: str, state: ChangeState, among: ChangeState) -> None:
    with book.database.write() as session:
        want(session, change, state=state, among=[among])


async def _until_waiting(desk: ResealOffice, change: str) -> None:
    while True:
        progress = await desk.handle(change).query("progress", result_type=ResealProgress)
        if progress.waits:
            return
