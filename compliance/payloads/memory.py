"""What case workflows remember, read from their histories: decisions applied, news told, an agreement put in force.

It asks Temporal's store alone: no worker is needed, nothing is sent to a workflow, and nothing is written anywhere.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowExecution
from temporalio.converter import DataConverter, WorkflowSerializationContext
from temporalio.service import RPCError

from models.contracts.installments import CaseNews
from models.domain.ids import case_of_workflow, tenant_of_case
from models.domain.reconciliation.gaps import Remembered
from models.errors import WorkflowUnavailable

_QUERY: Final = "WorkflowType = 'installments.case'"
_PUT_IN_FORCE: Final = "installments.activate"
_TELLING: Final = "told"
_AT_ONCE: Final = 8
_RPC_TIMEOUT: Final = timedelta(seconds=10)


async def remembered_by_cases(client: Client, *, tenant: str) -> AsyncIterator[Remembered]:
    """What the runs of the tenant's cases remember, each run for itself, as far back as histories are kept.

    Raises:
        WorkflowUnavailable: Temporal does not answer.
    """
    try:
        waiting: list[asyncio.Task[Remembered]] = []
        async for run in client.list_workflows(_QUERY, rpc_timeout=_RPC_TIMEOUT):
            if tenant_of_case(case_of_workflow(run.id)) != tenant:
                continue
            waiting.append(asyncio.create_task(_remembered(client, run)))
            if len(waiting) == _AT_ONCE:
                for told in await asyncio.gather(*waiting):
                    yield told
                waiting = []
        for told in await asyncio.gather(*waiting):
            yield told
    except (RPCError, RuntimeError, OSError):
        raise WorkflowUnavailable(detail=tenant) from None


async def _remembered(client: Client, run: WorkflowExecution) -> Remembered:
    handle = client.get_workflow_handle(run.id, run_id=run.run_id)
    context = WorkflowSerializationContext(namespace=client.namespace, workflow_id=run.id)
    converter = client.data_converter.with_context(context)
    decisions, news, scheduled, in_force = set(), set(), set(), False
    async for event in handle.fetch_history_events(rpc_timeout=_RPC_TIMEOUT):
        if event.HasField("workflow_execution_update_completed_event_attributes"):
            update = event.workflow_execution_update_completed_event_attributes
            if update.outcome.HasField("success"):
                decisions.add(update.meta.update_id)
        elif event.HasField("workflow_execution_signaled_event_attributes"):
            news |= await _news_in(event, converter)
        elif event.HasField("activity_task_scheduled_event_attributes"):
            if event.activity_task_scheduled_event_attributes.activity_type.name == _PUT_IN_FORCE:
                scheduled.add(event.event_id)
        elif event.HasField("activity_task_completed_event_attributes"):
            done = event.activity_task_completed_event_attributes.scheduled_event_id
            in_force = in_force or done in scheduled
    return Remembered(
        case_token=case_of_workflow(run.id),
        decisions=frozenset(decisions),
        news=frozenset(news),
        in_force=in_force,
    )


async def _news_in(event: HistoryEvent, converter: DataConverter) -> set[str]:
    signal = event.workflow_execution_signaled_event_attributes
    if signal.signal_name != _TELLING:
        return set()
    (told,) = await converter.decode(signal.input.payloads, [CaseNews])
    return {told.key}
