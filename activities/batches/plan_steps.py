"""The adapter of standing plans (批量排期): a plan's run of a date is begun once, whoever asks."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlmodel import Session
from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.batch_plans import PlannedDate, PlannedRun
from models.database.engine import Database
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.plans import Calendar, LeftOut, PlanState, Rhythm, is_due, plan_key
from models.domain.batches.states import RunStage
from models.domain.clock import Clock
from models.domain.ids import job_record
from models.domain.reconciliation.tolerance import BankDays
from models.domain.tokens import new_case_token
from models.errors import FormInvalid
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.four_eyes import By
from models.queries.bank_days import bank_days_of
from models.queries.batches.plans import run_by_key
from models.tables.batch_plans import BatchPlan
from models.tables.batch_runs import BatchRun
from models.tables.daily import BusinessDate
from workflows.ports.batch_plans import BatchPlanPort

# Behind these a run makes no order by itself but retries; until then it stands in the way of the plan's next date.
_LEFT_THE_HOUSE: Final = frozenset(
    stage for stage in RunStage if tuple(RunStage).index(stage) >= tuple(RunStage).index(RunStage.AWAITING)
)


@dataclass(slots=True)
class SqlBatchPlans(BatchPlanPort):
    """The adapter that the workers of the `cases` queue register."""

    database: Database
    vault: Vault
    clock: Clock
    is_bank_day: BankDays

    @activity.defn(name="batches.begin_planned", no_thread_cancel_exception=True)
    def begin_planned(self, input: PlannedDate) -> PlannedRun:
        """Get the run of a plan's date, or begin it if it is due; one run, whoever asks and however often."""
        on = date.fromisoformat(input.on)
        with self.database.read() as session:
            plan = session.get_one(BatchPlan, input.plan)
            found = run_by_key(session, plan.tenant, plan_key(plan.id, on))
            if found is not None:
                return _stands(found)
            books = session.get(BusinessDate, plan.tenant)
            left_out = self._left_out(session, plan, on)
        if left_out is LeftOut.NOT_DUE:
            return PlannedRun(left_out=left_out)
        if left_out is None and (books is None or books.today < on):
            return PlannedRun(under_way=True)  # the books come first: money code knows no other today
        if left_out is None:
            try:
                return self._begin(plan, on)
            except FormInvalid:
                left_out = LeftOut.REFUSED
        return self._leave_out(plan, on, left_out)

    def _left_out(self, session: Session, plan: BatchPlan, on: date) -> LeftOut | None:
        if plan.state != PlanState.ACTIVE:
            return LeftOut.NOT_ACTIVE
        calendar = Calendar(rhythm=Rhythm(plan.rhythm), month_day=plan.month_day)
        try:
            due = is_due(calendar, on, bank_days_of(session, plan.tenant, otherwise=self.is_bank_day))
        except LookupError:
            return LeftOut.NO_CALENDAR
        return None if due else LeftOut.NOT_DUE

    def _begin(self, plan: BatchPlan, on: date) -> PlannedRun:
        now, token = self.clock(), new_case_token(plan.tenant)
        # What people will say about the run is sealed under a key of its own; keys come before rows.
        self.vault.create_subject(tenant=plan.tenant, subject_id=job_record(token))
        new = NewRun(
            tenant=plan.tenant,
            branch=plan.branch,
            kind=KindName(plan.kind),
            origin=Origin.SCHEDULE,
            source=MemberSource.BOOK,
            request_key=plan_key(plan.id, on),
            business_date=on,
            # Who made the plan made its runs: another person approves them.
            by=By(tenant=plan.tenant, staff_id=plan.made_by, person_id=plan.made_by_person),
            criteria=plan.criteria,
            settings=plan.settings,
            rule_set=plan.rule_set,
            token=token,
        )
        facts = {"kind": plan.kind, "source": "book", "businessDate": on.isoformat(), "plan": plan.id}
        answer = PlannedRun(under_way=True)
        with unit_of_work(self.database, _deed(plan, "batch.created", token, now, **facts)) as unit:
            begun, is_new = begin_run(unit.session, new, now=now)
            answer = _stands(begun)
            if not is_new:
                raise Unchanged
        return answer

    def _leave_out(self, plan: BatchPlan, on: date, why: LeftOut) -> PlannedRun:
        facts = {"plan": plan.name, "on": on.isoformat(), "reason": why.value}
        with unit_of_work(self.database, _deed(plan, "batch.plan-date-left-out", plan.id, self.clock(), **facts)):
            pass  # the event is all there is to write
        return PlannedRun(left_out=why)


def _stands(run: BatchRun) -> PlannedRun:
    return PlannedRun(run=run.token, under_way=RunStage(run.stage) not in _LEFT_THE_HOUSE)


def _deed(of: BatchPlan, action: str, target: str, now: datetime, **facts: object) -> Deed:
    return Deed(tenant=of.tenant, action=action, target=target, actor=f"plan:{of.id}", at=now, facts=facts)
