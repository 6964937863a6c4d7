"""Recorded histories of runs of batches, as those of transfers: `pytest tests/replay --record-histories`."""

from collections.abc import Awaitable, Callable
from typing import Final

import pytest
from temporalio.workflow import NondeterminismError

from models.contracts.batch_steps import ChunkDone, Reconciled, RecordsLeft, RepliesTaken
from models.domain.batches.kinds import KindName, Origin
from models.domain.ids import batch_workflow_id
from models.domain.states import Gate, Outcome, TaskType
from tests.replay import golden
from tests.support.batch_fakes import MAKER, THIRD, World, read_of
from tests.support.batch_office import BatchOffice, batch_office
from tests.support.breakage import Breakage
from tests.support.temporal import TemporalServer
from tests.support.transfer_office import until

Play = Callable[[BatchOffice], Awaitable[None]]


async def _completed(office: BatchOffice) -> None:
    """A file with two bad rows, a retry, and the close."""
    office.world.answers = {
        "quarantined": [RecordsLeft(count=2)],
        "take_replies": [RepliesTaken(open_orders=2, retries=1, due_in_s=1)],
    }
    await office.start()
    await office.nudge()
    await _closed(office)


async def _from_the_book(office: BatchOffice) -> None:
    office.world.read = read_of(KindName.LOAN_DEDUCTION, from_file=False)
    await office.start()
    await _closed(office)


async def _intake(office: BatchOffice) -> None:
    office.world.read = read_of(KindName.INTAKE)
    await office.start()
    await _closed(office)


async def _of_the_daily_run(office: BatchOffice) -> None:
    office.world.read = read_of(KindName.AUTO_DEBIT, origin=Origin.DAILY, from_file=False)
    await office.start()
    await office.end()


async def _paused_and_resumed(office: BatchOffice) -> None:
    """In the middle of its chunks."""
    world = office.world
    world.chunks = 9
    world.during = lambda _step: setattr(world, "paused", world.paused or len(world.executed) > 2)
    await office.start()
    await office.approve()
    await until(lambda: world.paused)
    world.during = lambda _step: None
    world.paused = False
    await office.nudge()
    await office.close()
    await office.end()


async def _cancelled(office: BatchOffice) -> None:
    """After it had begun: what stands is withdrawn and followed to its end."""
    world = office.world
    world.chunks = 30
    world.during = lambda _step: setattr(world, "cancelled", world.cancelled or len(world.executed) > 4)
    await office.start()
    await office.approve()
    await office.close()
    await office.end()


async def _breaker_run_on(office: BatchOffice) -> None:
    """The breaker trips in a chunk, then in the replies; both times people have it go on."""
    office.world.answers = {
        "execute_chunk": [ChunkDone(chunk=1, done=False, stopped="failure-rate")],
        "take_replies": [RepliesTaken(open_orders=3, stopped="failure-rate")],
    }
    await office.start()
    await office.approve()
    await office.decide(TaskType.BATCH_BREAKER, Outcome.RUN_ON)
    await office.decide(TaskType.BATCH_BREAKER, Outcome.RUN_ON)
    await office.close()
    await office.end()


async def _breaker_stopped(office: BatchOffice) -> None:
    office.world.answers = {"execute_chunk": [ChunkDone(chunk=1, done=False, stopped="amount")]}
    await office.start()
    await office.approve()
    await office.decide(TaskType.BATCH_BREAKER, Outcome.STOP, reason_code="error-rate")
    await office.close()
    await office.end()


async def _incident_retried(office: BatchOffice) -> None:
    """A step breaks for good, and the books differ; each is an incident that two people have tried again."""
    office.world.answers = {"reconcile": [Reconciled(orders=3, settled_minor=1, differs=("file-sum",))]}
    await office.start()
    await office.approve()
    for _ in range(2):
        await office.decide(TaskType.INCIDENT, Outcome.RETRY)
        await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=THIRD)
    await office.close()
    await office.end()


async def _given_up(office: BatchOffice) -> None:
    """Before anything was executed: a rule bars its cohort, and the maker lets it go."""
    office.world.blocks[Gate.BATCH_COHORT] = 9
    await office.start()
    await office.decide(TaskType.BATCH_GATE, Outcome.RETRY, person=MAKER)
    await office.decide(TaskType.BATCH_GATE, Outcome.GIVE_UP, person=MAKER)
    await office.end()


async def _returned_and_refused(office: BatchOffice) -> None:
    await office.start()
    await office.decide(TaskType.BATCH_APPROVAL, Outcome.RETURN, reason_code="cohort-wrong")
    await office.decide(TaskType.BATCH_GATE, Outcome.RETRY, person=MAKER)
    await office.decide(TaskType.BATCH_APPROVAL, Outcome.REJECT, reason_code="outside-policy")
    await office.end()


async def _second_run(office: BatchOffice) -> None:
    """The run that an earlier one has gone on as, in the middle of its chunks."""
    office.world.chunks = 30
    await office.start(events_per_run=60)
    await _closed(office)


async def _closed(office: BatchOffice) -> None:
    await office.approve()
    await office.close()
    await office.end()


# name -> (what people do, the step that is refused once)
SCENARIOS: Final[dict[str, tuple[Play, str | None]]] = {
    "batch-completed": (_completed, None),
    "batch-from-the-book": (_from_the_book, None),
    "batch-intake": (_intake, None),
    "batch-of-the-daily-run": (_of_the_daily_run, None),
    "batch-paused-and-resumed": (_paused_and_resumed, None),
    "batch-cancelled": (_cancelled, None),
    "batch-breaker-run-on": (_breaker_run_on, None),
    "batch-breaker-stopped": (_breaker_stopped, None),
    "batch-incident-retried": (_incident_retried, "batches.plan_chunks"),
    "batch-given-up": (_given_up, None),
    "batch-returned-and-refused": (_returned_and_refused, None),
    "batch-second-run": (_second_run, None),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_record(scenario: str, temporal_server: TemporalServer) -> None:
    """Record one scenario; collected only under the switch."""
    play, breaks = SCENARIOS[scenario]
    plan = Breakage(fail_at=breaks or (), fail_times=1)
    async with batch_office(temporal_server, World(), plan) as office:
        await play(office)
        await golden.record(scenario, office.client.get_workflow_handle(batch_workflow_id(office.run)))


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with a step under another name must not replay."""
    record = golden.read(scenario)
    golden.scheduled(record)[-1]["name"] = "batches.other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
