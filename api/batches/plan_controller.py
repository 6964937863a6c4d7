"""Standing plans of batches over HTTP (批量排期): made by one person, confirmed by another, held, made up for."""

from http import HTTPStatus
from typing import Any, Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.batches import run_acts
from api.batches.plan_bodies import (
    BackfillAnswer,
    BackfillBody,
    NewPlanBody,
    PlanAnswer,
    PlanDecisionBody,
    PlanList,
)
from api.deps import ApiDeps, Deps
from api.four_eyes import by, refuse_maker
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from compliance.audit.unit import unit_of_work
from models.domain.batches.plans import PlanState
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations.batches import plans
from models.operations.idempotency import KeySlot, open_key
from models.queries.batches.plans import plans_of
from models.tables.batch_plans import BatchBackfill, BatchPlan

PATH: Final = "/v1/batch-plans"
_READ: Final = [requires(Permission.BATCHES_READ)]
_RUN: Final = [requires(Permission.BATCHES_RUN)]


class BatchPlanController(Controller):
    """Plans by which runs of batches begin by themselves."""

    path = PATH
    tags = ("Batches",)

    @get("/", guards=_READ, sync_to_thread=True, operation_id="ListBatchPlans")
    def list_all(self, deps: Deps, principal: Caller) -> PlanList:
        """Every plan of the institution, newest first."""
        with deps.database.read() as session:
            return PlanList(items=[_answer(each) for each in plans_of(session, principal.tenant)])

    @post("/", guards=_RUN, operation_id="ProposeBatchPlan")
    async def propose(
        self, data: JSONBody[NewPlanBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[PlanAnswer]:
        """Lay a plan before a second person; until then nothing begins by it."""
        slot = key_slot(principal, route="batches.propose-plan", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(plan: str) -> Stored:
            answer = _plan(deps, principal, plan)
            headers = {"Location": f"{PATH}/{plan}"}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _propose(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )

    @get("/{plan:str}", guards=_READ, sync_to_thread=True, operation_id="GetBatchPlan")
    def get_one(self, plan: FromPath[str], deps: Deps, principal: Caller) -> PlanAnswer:
        """One plan as it stands."""
        return _plan(deps, principal, plan)

    @post(
        "/{plan:str}/decision",
        guards=[requires(Permission.BATCHES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="DecideBatchPlan",
    )
    def decide(
        self, *, plan: FromPath[str], data: JSONBody[PlanDecisionBody], deps: Deps, principal: Caller
    ) -> PlanAnswer:
        """Confirm or refuse what was shown; never its maker. Needs a fresh log-in."""
        now, approve = deps.clock(), data.outcome == "confirm"
        fresh_login(principal, now=now)
        if not approve and data.reason_code is None:
            raise FormInvalid(faults=(FieldFault(pointer="/reasonCode", code="missing"),))
        refuse_maker(deps, principal, shown_hash=data.shown_hash)
        facts = {"shown": data.shown_hash, "reason": data.reason_code}
        action = "batch.plan-confirmed" if approve else "batch.plan-refused"
        with unit_of_work(deps.database, run_acts.deed(principal, action, plan, now, **facts)) as unit:
            found = plans.plan_of_tenant(unit.session, plan, tenant=principal.tenant)
            unit.deed.facts |= {"plan": found.name}
            plans.decide_plan(
                unit.session,
                found,
                approve=approve,
                shown=data.shown_hash,
                reason_code=data.reason_code,
                by=by(principal),
                now=now,
            )
        return _plan(deps, principal, plan)

    @post("/{plan:str}/pause", guards=_RUN, sync_to_thread=True, status_code=200, operation_id="PauseBatchPlan")
    def pause(self, plan: FromPath[str], deps: Deps, principal: Caller) -> PlanAnswer:
        """Have nothing begin by the clock; runs under way go on, and dates can still be made up for."""
        return _held(deps, principal, plan, paused=True)

    @post("/{plan:str}/resumption", guards=_RUN, sync_to_thread=True, status_code=200, operation_id="ResumeBatchPlan")
    def resume(self, plan: FromPath[str], deps: Deps, principal: Caller) -> PlanAnswer:
        """Have the clock go on; dates that passed meanwhile are made up for by a backfill alone."""
        return _held(deps, principal, plan, paused=False)

    @post("/{plan:str}/retirement", guards=_RUN, sync_to_thread=True, status_code=200, operation_id="RetireBatchPlan")
    def retire(self, plan: FromPath[str], deps: Deps, principal: Caller) -> PlanAnswer:
        """End a plan; its name is free for another one."""
        now = deps.clock()
        with unit_of_work(deps.database, run_acts.deed(principal, "batch.plan-retired", plan, now)) as unit:
            found = plans.plan_of_tenant(unit.session, plan, tenant=principal.tenant)
            unit.deed.facts |= {"plan": found.name}
            plans.retire_plan(unit.session, found, now=now)
        return _plan(deps, principal, plan)

    @post("/{plan:str}/backfills", guards=_RUN, operation_id="BackfillBatchPlan")
    async def fill_back(
        self,
        *,
        plan: FromPath[str],
        data: JSONBody[BackfillBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[BackfillAnswer]:
        """Have dates made up for (补跑), one after the other; a date that has its run gets no other."""
        slot = key_slot(principal, route="batches.backfill-plan", key=idempotency_key)
        asked: dict[str, Any] = {"plan": plan, **data.model_dump(mode="json")}
        digest = await in_thread(fingerprint, deps, slot, asked)
        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _backfill(deps, principal, plan, data, slot=slot, digest=digest),
            rebuild=lambda wish: _asked(deps, wish),
        )


def _propose(deps: ApiDeps, principal: Principal, body: NewPlanBody, *, slot: KeySlot, digest: str) -> str:
    now, on = deps.clock(), run_acts.today(deps, principal)
    settings = body.settings.model_dump(by_alias=True, exclude_none=True, mode="json") if body.settings else {}
    plan = BatchPlan(
        id=new_token("bpl"),
        tenant=principal.tenant,
        name=body.name,
        kind=body.kind.value,
        branch=principal.branch,
        criteria=body.criteria,
        settings=settings,
        rule_set=body.rule_set,
        rhythm=body.rhythm.value,
        month_day=body.month_day,
        hour=body.hour,
        overlap=body.overlap.value,
        catch_up_hours=body.catch_up_hours,
        state=PlanState.PROPOSED.value,
        shown_hash="",
        made_by=principal.staff_id,
        made_by_person=principal.person_id,
        created_at=now,
        updated_at=now,
    )
    token, facts = plan.id, {"plan": plan.name, "kind": plan.kind}
    with unit_of_work(deps.database, run_acts.deed(principal, "batch.plan-proposed", token, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=token, status=HTTPStatus.CREATED, now=now)
        plans.propose_plan(unit.session, plan, on=on, by=by(principal), now=now)
        unit.deed.facts |= {"shown": plan.shown_hash}
    return token


def _held(deps: ApiDeps, principal: Principal, plan: str, *, paused: bool) -> PlanAnswer:
    now, action = deps.clock(), "batch.plan-paused" if paused else "batch.plan-resumed"
    with unit_of_work(deps.database, run_acts.deed(principal, action, plan, now)) as unit:
        found = plans.plan_of_tenant(unit.session, plan, tenant=principal.tenant)
        unit.deed.facts |= {"plan": found.name}
        plans.want_plan_paused(unit.session, found, paused=paused, now=now)
    return _plan(deps, principal, plan)


def _backfill(deps: ApiDeps, principal: Principal, plan: str, body: BackfillBody, *, slot: KeySlot, digest: str) -> str:
    now, today = deps.clock(), run_acts.today(deps, principal)
    facts = {"from": body.first_date.isoformat(), "to": body.last_date.isoformat()}
    with unit_of_work(deps.database, run_acts.deed(principal, "batch.plan-backfilled", plan, now, **facts)) as unit:
        found = plans.plan_of_tenant(unit.session, plan, tenant=principal.tenant)
        wish = plans.ask_backfill(
            unit.session, found, first=body.first_date, last=body.last_date, today=today, by=by(principal), now=now
        )
        open_key(unit.session, slot, fingerprint=digest, resource_id=wish.id, status=HTTPStatus.CREATED, now=now)
        return wish.id


def _asked(deps: ApiDeps, wish: str) -> Stored:
    with deps.database.read() as session:
        kept = session.get_one(BatchBackfill, wish)
    answer = BackfillAnswer(
        backfill=kept.id, plan=kept.plan, first_date=kept.first_date, last_date=kept.last_date, asked_at=kept.asked_at
    )
    return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers={})


def _plan(deps: ApiDeps, principal: Principal, plan: str) -> PlanAnswer:
    with deps.database.read() as session:
        return _answer(plans.plan_of_tenant(session, plan, tenant=principal.tenant))


def _answer(plan: BatchPlan) -> PlanAnswer:
    told = {name: getattr(plan, name) for name in PlanAnswer.model_fields if name != "plan"}
    return PlanAnswer(plan=plan.id, **told)
