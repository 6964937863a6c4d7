"""What crosses to Temporal: starts and decisions, sent under business ids so that a repeated send is one send."""

import contextlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.aftercare import CareInput
from models.contracts.batch_run import RunInput
from models.contracts.daily import CatchUpInput
from models.contracts.installments import CaseInput, CaseNews, DecideInput, DecideResult
from models.contracts.parties import ResealInput
from models.contracts.transfer_job import JobInput
from models.database.engine import Database
from models.domain.ids import (
    care_item,
    case_of_start,
    catch_up_workflow_id,
    change_of_reseal,
    installment_workflow_id,
    start_key,
    tenant_of_workflow,
)
from models.operations import decisions

# Workflows of after-care, by the area of their ids.
_CARE: Final = {"aftercare": "aftercare.follow_up", "tickets": "aftercare.ticket"}


class Fate(StrEnum):
    """What became of a send."""

    APPLIED = "applied"
    REFUSED = "refused"
    GONE = "gone"  # no such workflow runs: it has ended, or has not been started yet
    UNANSWERED = "unanswered"  # nobody knows; only the same send again can tell


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The fate, with the state after it or the code of the refusal."""

    fate: Fate
    result: DecideResult | None = None
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Dispatcher:
    """Sends through one client. Time-outs and queue come from `workflows.support`, by way of the composition root."""

    client: Client
    cases_queue: str
    task_timeout: timedelta
    rpc_timeout: timedelta
    bulk_queue: str = "bulk"

    async def start_case(self, case_token: str) -> bool:
        """Start the case's workflow, as `start` does."""
        return await self.start(installment_workflow_id(case_token))

    async def start(self, workflow_id: str) -> bool:
        """Start the workflow that a business id stands for; "already started" is success.

        Returns:
            False if Temporal did not answer; the relay tries again.
        """
        name, started_with = _beginning(workflow_id)
        try:
            await self.client.start_workflow(
                name,
                started_with,
                id=workflow_id,
                task_queue=self.bulk_queue if isinstance(started_with, ResealInput) else self.cases_queue,
                id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                task_timeout=self.task_timeout,
                request_eager_start=True,
                rpc_timeout=self.rpc_timeout,
            )
        except WorkflowAlreadyStartedError:
            return True
        except (RPCError, RuntimeError, OSError):
            return False
        return True

    async def tell(self, workflow_id: str, news: CaseNews) -> Fate:
        """Signal a case that its next step has changed; the case knows a repeated signal by its key."""
        handle = self.client.get_workflow_handle(workflow_id)
        try:
            await handle.signal("told", news, rpc_timeout=self.rpc_timeout)
        except RPCError as error:
            return Fate.GONE if error.status is RPCStatusCode.NOT_FOUND else Fate.UNANSWERED
        except (RuntimeError, OSError):
            return Fate.UNANSWERED
        return Fate.APPLIED

    async def nudge(self, workflow_id: str) -> None:
        """Have a workflow look at its record now. Nothing is lost where this does not arrive: it looks by itself."""
        with contextlib.suppress(RPCError, RuntimeError, OSError):
            await self.client.get_workflow_handle(workflow_id).signal("nudged", rpc_timeout=self.rpc_timeout)

    async def catch_up(self, *, tenant: str, until: date) -> bool:
        """Start the runs of all open business dates up to `until`, in order; started before is success.

        Returns:
            False if Temporal did not answer; nothing was started as far as we know.
        """
        try:
            await self.client.start_workflow(
                "daily.catch_up",
                CatchUpInput(tenant=tenant, until=until.isoformat()),
                id=catch_up_workflow_id(tenant, until.isoformat()),
                task_queue=self.cases_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                task_timeout=self.task_timeout,
                rpc_timeout=self.rpc_timeout,
            )
        except (RPCError, RuntimeError, OSError):
            return False
        return True

    async def send(self, workflow_id: str, decision: DecideInput, *, budget: timedelta) -> Answer:
        """Send a decision as the Update of its own id, and wait at most `budget` for the workflow's word."""
        handle = self.client.get_workflow_handle(workflow_id)
        try:
            result = await handle.execute_update(
                "decide", decision, id=decision.decision_id, result_type=DecideResult, rpc_timeout=budget
            )
        except WorkflowUpdateFailedError as error:
            code = error.cause.type if isinstance(error.cause, ApplicationError) else None
            if code is None or code == "AcceptedUpdateCompletedWorkflow":
                code = "wrong-state"  # the case ended before the decision's turn came
            return Answer(fate=Fate.REFUSED, reason=code)
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            return Answer(fate=Fate.UNANSWERED)
        except RPCError as error:
            gone = error.status is RPCStatusCode.NOT_FOUND
            return Answer(fate=Fate.GONE if gone else Fate.UNANSWERED)
        except (RuntimeError, OSError):  # a lazily connected client that finds no server
            return Answer(fate=Fate.UNANSWERED)
        return Answer(fate=Fate.APPLIED, result=result)


def _beginning(workflow_id: str) -> tuple[str, CaseInput | CareInput | ResealInput | JobInput | RunInput]:
    """The workflow type behind a business id, and what it starts with."""
    area, key = workflow_id.partition("/")[0], start_key(workflow_id)
    if area == "parties":
        return "parties.reseal", ResealInput(
            tenant=tenant_of_workflow(workflow_id), change=change_of_reseal(workflow_id)
        )
    if area == "transfers":
        return "transfers.job", JobInput(job=key)
    if area == "batches":
        return "batches.run", RunInput(run=key)
    if area in _CARE:
        return _CARE[area], CareInput(case_token=case_of_start(key), item=care_item(workflow_id))
    return "installments.case", CaseInput(case_token=key)


def record_refusal(
    database: Database, *, tenant: str, target: str, decision_id: str, reason: str, now: datetime
) -> None:
    """The workflow refused: task and case go back to people, with the reason. Repeatable."""
    deed = Deed(
        tenant=tenant,
        action="decision.refused",
        target=target,
        actor="workflow",
        at=now,
        facts={"decision": decision_id, "reason": reason},
    )
    with unit_of_work(database, deed) as unit:
        if not decisions.refuse_decision(unit.session, decision_id=decision_id, reason=reason, now=now):
            raise Unchanged
