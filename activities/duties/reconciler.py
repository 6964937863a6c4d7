"""The reconciler of cases: holds the inbox against the workflows' own accounts, repairs what differs, and counts it."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from temporalio.client import WorkflowFailureError

from activities.duties.reconciling import RPC_PATIENCE, Reconciling
from compliance.audit.unit import unit_of_work
from models.contracts.installments import CaseResult, CaseView
from models.contracts.platform import Fence
from models.domain.ids import installment_workflow_id
from models.domain.states import CaseOutcome, CaseStage
from models.operations import repairs
from models.queries import cases
from models.queries.open_items import OpenItem
from models.tables.installments import InstallmentCase

_PAGE: Final = 200


@dataclass(slots=True)
class Reconciler(Reconciling):
    """One pass over the open cases."""

    name: ClassVar[str] = "reconciler"
    every: ClassVar[timedelta] = timedelta(seconds=60)

    async def run_once(self, now: datetime) -> int:
        """Ask every open case's workflow; returns how many rows were mended."""
        before, after = self.drift.total(), ""
        while page := await asyncio.to_thread(self._page, after):
            await self.check([_item(case) for case in page if case.updated_at <= now - self.settled_after])
            after = page[-1].token
        return self.drift.total() - before

    def _page(self, after: str) -> list[InstallmentCase]:
        with self.database.read() as session:
            return cases.unfinished_cases(session, limit=_PAGE, after=after)

    async def mend_ended(self, item: OpenItem) -> None:
        """As its result says; a case whose workflow was terminated counts as withdrawn by an operator."""
        outcome, reason = CaseOutcome.WITHDRAWN.value, "terminated-by-operator"
        handle = self.client.get_workflow_handle(item.workflow_id, result_type=CaseResult)
        with suppress(WorkflowFailureError):
            result = await handle.result(rpc_timeout=RPC_PATIENCE)
            outcome, reason = result.outcome, result.reason_code or ""
        view = CaseView(
            case_token=item.case_token,
            stage=CaseStage.ENDED,
            outcome=outcome,
            epoch=item.last.epoch,
            seq=item.last.seq,
            reason_code=reason or None,
        )
        await asyncio.to_thread(self.mend, item, view, self.clock())

    def mend(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        """Mend the tasks, then the stage and outcome of the case."""
        self.mend_tasks(item, view, now)
        with self.database.read() as session:
            case = session.get_one(InstallmentCase, item.case_token)
        in_step = (case.epoch, case.seq) == (view.epoch, view.seq)
        if in_step and (case.stage, case.outcome) != (view.stage, view.outcome) and _tells_stage(view):
            self._set_case(item, view, now)

    def _set_case(self, item: OpenItem, view: CaseView, now: datetime) -> None:
        deed = self.deed(item, "inbox.state-corrected", now, stage=view.stage, outcome=view.outcome)
        with unit_of_work(self.database, deed) as unit:
            repairs.set_case(
                unit.session,
                case_token=item.case_token,
                stage=view.stage,
                outcome=view.outcome,
                reason_code=view.reason_code,
                now=now,
            )
            self.count("state")


def _item(case: InstallmentCase) -> OpenItem:
    last = Fence(epoch=case.epoch, seq=case.seq)
    return OpenItem(workflow_id=installment_workflow_id(case.token), case_token=case.token, last=last)


def _tells_stage(view: CaseView) -> bool:
    """Between two tasks the workflow may stand in a stage that it has not written yet."""
    return view.outcome is not None or bool(view.open_tasks)
