"""The workers of a process: which workflows and activities it serves, and with how many hands."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client
from temporalio.common import VersioningBehavior
from temporalio.worker import Interceptor, Worker, WorkerDeploymentConfig, WorkerDeploymentVersion

from activities.aftercare.steps import SqlAftercare
from activities.batches.plan_steps import SqlBatchPlans
from activities.batches.run_steps import SqlBatchRun
from activities.daily.steps import SqlDailyRun
from activities.exchange.bank import BankOf
from activities.gateways.bureau import BureauGateway, BureauQuery
from activities.installments.agreement_steps import SqlAgreements
from activities.installments.case_steps import SqlInstallments
from activities.parties.reseal_steps import SqlReseal
from activities.support.failures import FailureTranslator
from activities.support.registry import activities_of
from activities.tasks.platform import SqlPlatform
from activities.transfers.job_steps import SqlTransferJob
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.aftercare.clocks import WorkingDay, monday_to_friday
from models.domain.clock import Clock
from workflows.aftercare.follow_up import FollowUpCall
from workflows.aftercare.ticket import TicketCase
from workflows.batches.run import BatchRun
from workflows.batches.scheduled import BatchScheduled
from workflows.daily.catch_up import DailyCatchUp
from workflows.daily.run import DailyRun
from workflows.daily.scheduled import DailyScheduled
from workflows.installments.case import InstallmentCase
from workflows.parties.reseal import Reseal
from workflows.ports.agreements import CorePort, SigningPort
from workflows.ports.notices import NoticePort
from workflows.support.ids import BULK_QUEUE, CASES_QUEUE, GATEWAYS_QUEUE
from workflows.support.options import STICKY_TIMEOUT, WORKFLOW_TASK_SLOTS
from workflows.support.sandbox import STRICT_RUNNER
from workflows.transfers.accuracy import AccuracyScheduled
from workflows.transfers.job import TransferJob
from workflows.transfers.wave import MoveWave

# What all workers are called together by an external cluster; a full stop would end the name.
DEPLOYMENT: Final = "casework"
_CASE_WORKFLOWS: Final[list[type]] = [
    InstallmentCase,
    FollowUpCall,
    TicketCase,
    DailyRun,
    DailyCatchUp,
    DailyScheduled,
    TransferJob,
    MoveWave,
    BatchRun,
    BatchScheduled,
]
_BULK_WORKFLOWS: Final[list[type]] = [Reseal, AccuracyScheduled]
ALL_WORKFLOWS: Final[list[type]] = [*_CASE_WORKFLOWS, *_BULK_WORKFLOWS]
# A bigger pool buys nothing under one interpreter lock; the database pool is sized to it.
_THREADS: Final = 8
_LOCAL_SLOTS: Final = 20
_CACHED_WORKFLOWS: Final = 1000


@dataclass(kw_only=True, slots=True)
class WorkerDeps:
    """What the activities need from the composition root; ports come as adapters, since more than one fits each.

    Attributes:
        bank_of: the bank of a tenant; None where no daily run is served.
        is_working_day: the calendar of clocks that count working days.
        files_root: where sealed files lie; None where the bulk queue is not served.
        transfers: the adapters of a transfer job's bulk steps; put together in `deploy.assemble_transfers`.
        batches: the same of a batch's; `deploy.assemble_batches`.
        build_id: names this deployment to an external cluster; None on the embedded stack, which is unversioned.
    """

    client: Client
    database: Database
    vault: Vault
    bureau: BureauGateway
    core: CorePort
    signing: SigningPort
    notices: NoticePort
    clock: Clock
    bank_of: BankOf | None = None
    is_working_day: WorkingDay = monday_to_friday
    files_root: Path | None = None
    transfers: Sequence[object] = ()
    batches: Sequence[object] = ()
    interceptors: Sequence[Interceptor] = ()
    build_id: str | None = None
    graceful_shutdown: timedelta = timedelta(seconds=5)


def create_workers(deps: WorkerDeps, *, queues: Sequence[str] = (CASES_QUEUE, GATEWAYS_QUEUE)) -> list[Worker]:
    """One worker per queue.

    Raises:
        ValueError: a queue that this product does not have, or one that misses what it needs.
    """
    makers = {CASES_QUEUE: _cases_worker, GATEWAYS_QUEUE: _gateways_worker, BULK_QUEUE: _bulk_worker}
    unknown = set(queues) - makers.keys()
    if unknown:
        raise ValueError(f"no such queue: {', '.join(sorted(unknown))}; there are {', '.join(makers)}")
    return [makers[queue](deps) for queue in queues]


def case_adapters(deps: WorkerDeps) -> list[object]:
    """The adapters behind the ports of the `cases` queue."""
    adapters: list[object] = [
        SqlPlatform(deps.database, deps.clock),
        SqlInstallments(deps.database, deps.clock),
        SqlAgreements(deps.database, deps.clock),
        SqlAftercare(deps.database, deps.vault, deps.clock, deps.is_working_day),
        SqlTransferJob(deps.database, deps.clock),
        SqlBatchRun(deps.database, deps.clock),
        SqlBatchPlans(deps.database, deps.vault, deps.clock, deps.is_working_day),
    ]
    if deps.bank_of is not None:
        adapters.append(SqlDailyRun(deps.database, deps.vault, deps.bank_of, deps.clock))
    return adapters


def _cases_worker(deps: WorkerDeps) -> Worker:
    return Worker(
        deps.client,
        task_queue=CASES_QUEUE,
        workflows=_CASE_WORKFLOWS,
        activities=[method for adapter in case_adapters(deps) for method in activities_of(adapter)],
        workflow_runner=STRICT_RUNNER,
        max_concurrent_workflow_tasks=WORKFLOW_TASK_SLOTS,
        max_concurrent_local_activities=_LOCAL_SLOTS,
        max_cached_workflows=_CACHED_WORKFLOWS,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        **_common(deps, VersioningBehavior.AUTO_UPGRADE),
    )


def _gateways_worker(deps: WorkerDeps) -> Worker:
    bureau = BureauQuery(deps.database, deps.vault, deps.bureau, deps.clock)
    adapters = (bureau, deps.core, deps.signing, deps.notices)
    return Worker(
        deps.client,
        task_queue=GATEWAYS_QUEUE,
        activities=[method for adapter in adapters for method in activities_of(adapter)],
        **_common(deps, VersioningBehavior.UNSPECIFIED),
    )


def _bulk_worker(deps: WorkerDeps) -> Worker:
    """Long work in steps that beat, apart from the inbox's."""
    if deps.files_root is None:
        raise ValueError(f"the queue {BULK_QUEUE} needs to know where sealed files lie")
    adapters = (SqlReseal(deps.database, deps.vault, deps.clock, deps.files_root), *deps.transfers, *deps.batches)
    return Worker(
        deps.client,
        task_queue=BULK_QUEUE,
        workflows=_BULK_WORKFLOWS,
        activities=[method for adapter in adapters for method in activities_of(adapter)],
        workflow_runner=STRICT_RUNNER,
        max_concurrent_workflow_tasks=WORKFLOW_TASK_SLOTS,
        max_concurrent_local_activities=_LOCAL_SLOTS,
        sticky_queue_schedule_to_start_timeout=STICKY_TIMEOUT,
        **_common(deps, VersioningBehavior.PINNED),
    )


def _common(deps: WorkerDeps, versioning: VersioningBehavior) -> dict[str, Any]:
    deployment = None
    if deps.build_id is not None:
        deployment = WorkerDeploymentConfig(
            version=WorkerDeploymentVersion(deployment_name=DEPLOYMENT, build_id=deps.build_id),
            use_worker_versioning=True,
            default_versioning_behavior=versioning,
        )
    return {
        "activity_executor": ThreadPoolExecutor(max_workers=_LOCAL_SLOTS, thread_name_prefix="activity"),
        "max_concurrent_activities": _THREADS,
        "interceptors": [FailureTranslator(), *deps.interceptors],
        "graceful_shutdown_timeout": deps.graceful_shutdown,
        "deployment_config": deployment,
    }
