"""Recorded histories of transfer jobs, waves and the periodic check: `pytest tests/replay --record-histories`."""

from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from temporalio import activity
from temporalio.worker import Worker
from temporalio.workflow import NondeterminismError

from activities.support.registry import activities_of
from models.contracts.transfer_accuracy import AccuracyDone, AccuracyInput
from models.contracts.transfers import NoticesLeft
from models.domain.ids import transfer_workflow_id, wave_workflow_id
from models.domain.states import Gate, Outcome, TaskType
from models.domain.transfers.states import WaveState
from tests.replay import golden
from tests.support.temporal import TemporalServer
from tests.support.transfer_fakes import BUYER, SELLER, FakeWave, World
from tests.support.transfer_office import FakeOffice, fake_office, until
from workflows.ports.transfer_accuracy import AccuracyPort
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.accuracy import AccuracyScheduled


async def _completed(office: FakeOffice) -> str:
    office.world.left.append(NoticesLeft(left=1))
    await office.start()
    await office.go()
    await office.close()
    await office.end()
    return transfer_workflow_id(office.job)


async def _barred_and_mended(office: FakeOffice) -> str:
    """A gate, a proof that fails, a plan that is returned, and a figure that sends the job back."""
    office.world.blocks[Gate.TRANSFER_BACKUP] = 1
    office.world.stops["prove_backup"] = ["backup-chunk-swapped"]
    await office.start()
    await office.decide(TaskType.TRANSFER_CLASSIFICATION, Outcome.ACCEPT)
    await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.RETURN, person=SELLER, reason_code="plan-incomplete")
    await office.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
    await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=SELLER)
    await office.decide(TaskType.TRANSFER_PLAN_APPROVAL, Outcome.APPROVE, person=BUYER)
    await office.decide(TaskType.INCIDENT, Outcome.RETRY, person=SELLER)
    await office.decide(TaskType.INCIDENT_CONFIRM, Outcome.CONFIRM, person=BUYER)
    await office.decide(TaskType.TRANSFER_GATE, Outcome.RETRY)
    await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.RETURN, reason_code="figures-unclear")
    await office.decide(TaskType.TRANSFER_GO_NO_GO, Outcome.APPROVE)
    await office.close()
    await office.end()
    return transfer_workflow_id(office.job)


async def _wave_undone(office: FakeOffice) -> str:
    office.world.wave_stops[2] = ["error-budget"]
    await office.start()
    await office.go()
    await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_WAVE)
    await until(lambda: office.world.waves[2].state is WaveState.UNDONE)
    await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.RUN_ON)
    await office.close()
    await office.end()
    return transfer_workflow_id(office.job)


async def _rolled_back(office: FakeOffice) -> str:
    office.world.wave_stops[2] = ["error-budget"]
    await office.start()
    await office.go()
    await office.decide(TaskType.TRANSFER_WAVE_STOPPED, Outcome.UNDO_JOB)
    await office.end()
    return transfer_workflow_id(office.job)


async def _second_run(office: FakeOffice) -> str:
    """The run that an earlier one has gone on as."""
    office.world.waves = {1: FakeWave(40)}
    await office.start(events_per_run=30)
    await office.go()
    await office.close()
    await office.end()
    return transfer_workflow_id(office.job)


async def _wave(office: FakeOffice) -> str:
    await _completed(office)
    return wave_workflow_id(office.job, 1)


async def _wave_stopped(office: FakeOffice) -> str:
    office.world.wave_stops[2] = ["error-budget"]
    await office.start()
    await office.go()
    await office.task(TaskType.TRANSFER_WAVE_STOPPED)
    return wave_workflow_id(office.job, 2)


SCENARIOS: Final[dict[str, Callable[[FakeOffice], Awaitable[str]]]] = {
    "transfer-completed": _completed,
    "transfer-barred-and-mended": _barred_and_mended,
    "transfer-wave-undone": _wave_undone,  # its gates were asked again afterwards
    "transfer-wave-undone-gates-stay-passed": _wave_undone,
    "transfer-rolled-back": _rolled_back,
    "transfer-second-run": _second_run,
    "wave-moved": _wave,
    "wave-stopped": _wave_stopped,
}
_ACCURACY: Final = "accuracy-scheduled"


class _Accuracy(AccuracyPort):
    @activity.defn(name="transfers.check_accuracy", no_thread_cancel_exception=True)
    def check_accuracy(self, input: AccuracyInput) -> AccuracyDone:
        return AccuracyDone(checked=1, findings=0)


@pytest.mark.parametrize("scenario", [*SCENARIOS, _ACCURACY])
async def test_record(scenario: str, temporal_server: TemporalServer, task_queue: str) -> None:
    """Record one scenario; collected only under the switch."""
    if scenario == _ACCURACY:
        await _record_accuracy(temporal_server, task_queue)
        return
    async with fake_office(temporal_server, World()) as office:
        workflow_id = await SCENARIOS[scenario](office)
        await golden.record(scenario, office.client.get_workflow_handle(workflow_id))


async def _record_accuracy(server: TemporalServer, queue: str) -> None:
    client = await server.connect()
    with ThreadPoolExecutor(1) as hands:
        async with Worker(
            client,
            task_queue=queue,
            workflows=[AccuracyScheduled],
            activities=activities_of(_Accuracy()),
            activity_executor=hands,
            workflow_runner=STRICT_RUNNER,
        ):
            workflow_id = "accuracy/main/scheduled-2026-11-25T12:00:00Z"
            await client.execute_workflow(AccuracyScheduled.run, id=workflow_id, task_queue=queue)
            await golden.record(_ACCURACY, client.get_workflow_handle(workflow_id))


@pytest.mark.parametrize("scenario", [*SCENARIOS, _ACCURACY])
async def test_a_changed_order_of_commands_is_noticed(scenario: str) -> None:
    """The teeth: the same history with a step under another name must not replay."""
    record = golden.read(scenario)
    golden.scheduled(record)[-1]["name"] = "transfers.other"
    with pytest.raises(NondeterminismError):
        await golden.replay(scenario, record)
