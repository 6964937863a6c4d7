"""The reconciler of transfer jobs: tasks, stages, starts, waves and wishes are held against the workflows, and mended.

Kinds of drift beside those of every reconciler: `start` (a start that counted as arrived, and nothing runs), `wave` (a
wave that moves by the records, and nobody moves it), `wish` (somebody wants the job ended or rolled back, and it has
not heard of it).
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from temporalio.client import WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.duties.reconciling import RPC_PATIENCE, Reconciling
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.installments import CaseView
from models.contracts.platform import Fence
from models.contracts.transfer_job import JobResult, WaveInput
from models.domain.ids import tenant_of_case, transfer_workflow_id, wave_workflow_id
from models.domain.transfers.states import JobOutcome, JobStage
from models.operations.transfers import job_repairs
from models.queries.open_items import OpenItem
from models.queries.transfers.jobs import has_moved
from models.queries.transfers.running import MovingWave, does_move, has_unheard_wish, moving_waves, running_jobs
from models.tables.transfers import TransferJob

_PAGE: Final = 100


@dataclass(slots=True, kw_only=True)
class TransferReconciler(Reconciling):
    """One pass over the jobs that have not ended.

    Attributes:
        queue: where jobs and waves are served.
        task_timeout: of a workflow task, as jobs give it to their waves.
    """

    queue: str
    task_timeout: timedelta
    name: ClassVar[str] = "transfer-reconciler"
    every: ClassVar[timedelta] = timedelta(seconds=60)

    async def run_once(self, now: datetime) -> int:
        """Ask every open job's workflow, and see to its waves; returns how much was mended."""
        before, after, settled = self.drift.total(), "", now - self.settled_after
        while page := await asyncio.to_thread(self._page, after):
            await self.check([_item(job) for job in page if job.updated_at <= settled])
            for wave in await asyncio.to_thread(self._waves, [job.token for job in page], settled):
                await self._see_to(wave)
            for job in await asyncio.to_thread(self._unheard, page, settled):
                await self._nudge(job)
            after = page[-1].token
        return self.drift.total() - before

    async def mend_ended(self, item: OpenItem) -> None:
        """As its result says; a job whose workflow was terminated counts as cancelled by an operator."""
        outcome, reason = JobOutcome.CANCELLED.value, "terminated-by-operator"
        handle = self.client.get_workflow_handle(item.workflow_id, result_type=JobResult)
        with suppress(WorkflowFailureError):
            result = await handle.result(rpc_timeout=RPC_PATIENCE)
            outcome, reason = result.outcome, result.reason_code or ""
        view = CaseView(
            case_token=item.case_token,
            stage=JobStage.ENDED,
            outcome=outcome,
            epoch=item.last.epoch,
            seq=item.last.seq,
            reason_code=reason or None,
        )
        await asyncio.to_thread(self.mend, item, view, self.clock())

    async def mend_absent(self, item: OpenItem) -> None:
        """Its start has got lost, after it counted as arrived. Once rows have moved that is for people to see to."""
        await asyncio.to_thread(self._start_again, item, self.clock())

    def mend(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        """Mend the tasks, then stage and outcome of the job."""
        self.mend_tasks(item, view, now)
        with self.database.read() as session:
            job = session.get_one(TransferJob, item.case_token)
        known = (job.epoch, job.seq) <= (view.epoch, view.seq)
        if known and (job.stage, job.outcome) != (view.stage, view.outcome):
            self._set_job(item, view, now)

    def _set_job(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        deed = self.deed(item, "inbox.state-corrected", now, stage=view.stage, outcome=view.outcome)
        with unit_of_work(self.database, deed) as unit:
            written = job_repairs.set_job(
                unit.session,
                item.case_token,
                seen=Fence(epoch=view.epoch, seq=view.seq),
                stage=view.stage,
                outcome=view.outcome,
                reason_code=view.reason_code,
                now=now,
            )
            if not written:
                raise Unchanged
            self.count("state")

    def _start_again(self, item: OpenItem, now: datetime) -> None:
        with unit_of_work(self.database, self.deed(item, "transfer.start-requeued", now)) as unit:
            if has_moved(unit.session, item.case_token):
                raise Unchanged
            if not job_repairs.start_again(unit.session, item.case_token, now=now):
                raise Unchanged
            self.count("start")

    # -- waves ---------------------------------------------------------------------------------------------------------

    async def _see_to(self, wave: MovingWave) -> None:
        """Have somebody move a wave that nobody moves: what is moved already is found moved."""
        workflow_id = wave_workflow_id(wave.job, wave.number)
        try:
            description = await self.client.get_workflow_handle(workflow_id).describe(rpc_timeout=RPC_PATIENCE)
            if description.status is WorkflowExecutionStatus.RUNNING:
                return
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                return  # Temporal is away, and nothing can be said
        if not await asyncio.to_thread(self._does_move, wave):  # it has come to its end just now
            return
        given = WaveInput(job=wave.job, wave=wave.number, attempt=wave.attempt, begun=True)
        try:
            await self.client.start_workflow(
                "transfers.wave",
                given,
                id=workflow_id,
                task_queue=self.queue,
                task_timeout=self.task_timeout,
                rpc_timeout=RPC_PATIENCE,
            )
        except (RPCError, WorkflowAlreadyStartedError):
            return
        await asyncio.to_thread(self._note_wave, wave)

    def _note_wave(self, wave: MovingWave) -> None:
        deed = Deed(
            tenant=tenant_of_case(wave.job),
            action="transfer.wave-restarted",
            target=wave.job,
            actor=f"duty:{self.name}",
            at=self.clock(),
            facts={"wave": wave.number, "attempt": wave.attempt},
        )
        with unit_of_work(self.database, deed):
            self.count("wave")

    # -- wishes --------------------------------------------------------------------------------------------------------

    async def _nudge(self, job: str) -> None:
        handle = self.client.get_workflow_handle(transfer_workflow_id(job))
        with suppress(RPCError):
            await handle.signal("nudged", rpc_timeout=RPC_PATIENCE)
            self.count("wish")

    # -- reads ---------------------------------------------------------------------------------------------------------

    def _page(self, after: str) -> list[TransferJob]:
        with self.database.read() as session:
            return running_jobs(session, limit=_PAGE, after=after)

    def _waves(self, jobs: list[str], before: datetime) -> list[MovingWave]:
        with self.database.read() as session:
            return moving_waves(session, jobs, before=before)

    def _does_move(self, wave: MovingWave) -> bool:
        with self.database.read() as session:
            return does_move(session, wave)

    def _unheard(self, jobs: list[TransferJob], before: datetime) -> list[str]:
        with self.database.read() as session:
            return [job.token for job in jobs if has_unheard_wish(session, job, before=before)]


def _item(job: TransferJob) -> OpenItem:
    last = Fence(epoch=job.epoch, seq=job.seq)
    return OpenItem(workflow_id=transfer_workflow_id(job.token), case_token=job.token, last=last)
