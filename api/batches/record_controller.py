"""Money in suspense and contested orders of a run over HTTP; they are decided in the inbox, as record tasks."""

from http import HTTPStatus

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.batches import run_acts
from api.batches.controller import PATH
from api.batches.lookup import known_run
from api.batches.record_bodies import DisputeAnswer, DisputeList, NewDisputeBody, SuspenseAnswer, SuspenseList
from api.bodies import known_token
from api.deps import ApiDeps, Deps
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from models.domain.ids import batch_workflow_id
from models.domain.roles import Permission
from models.domain.tokens import named_token
from models.errors import Conflict, NotFound
from models.operations.batches.disputes import open_dispute
from models.operations.idempotency import KeySlot, open_key
from models.queries.bank_days import bank_days_of
from models.queries.batches.records import disputes_of, disputes_of_order, suspense_of
from models.tables.batch_books import BatchDispute, BatchSuspense
from models.tables.batch_runs import BatchOrder

_READ = [requires(Permission.BATCHES_READ)]


class BatchRecordController(Controller):
    """What people decide about single rows of a run."""

    path = f"{PATH}/{{run:str}}"
    tags = ("Batches",)

    @get("/suspense", guards=_READ, sync_to_thread=True, operation_id="ListBatchSuspense")
    def list_suspense(self, run: FromPath[str], deps: Deps, principal: Caller) -> SuspenseList:
        """Money of the run that no order explains (暂收)."""
        with deps.database.read() as session:
            found = suspense_of(session, known_run(session, principal, run).token)
        return SuspenseList(items=[_suspense(each) for each in found])

    @get("/suspense/{suspense_id:str}", guards=_READ, sync_to_thread=True, operation_id="GetBatchSuspense")
    def get_suspense(
        self, run: FromPath[str], suspense_id: FromPath[str], deps: Deps, principal: Caller
    ) -> SuspenseAnswer:
        """One of them."""
        with deps.database.read() as session:
            known_run(session, principal, run)
            held = session.get(BatchSuspense, known_token(suspense_id))
        if held is None or held.run != run:
            raise NotFound
        return _suspense(held)

    @get("/disputes", guards=_READ, sync_to_thread=True, operation_id="ListBatchDisputes")
    def list_disputes(self, run: FromPath[str], deps: Deps, principal: Caller) -> DisputeList:
        """Orders of the run that customers contest (争议)."""
        with deps.database.read() as session:
            found = disputes_of(session, known_run(session, principal, run).token)
        return DisputeList(items=[_dispute(each) for each in found])

    @get("/disputes/{dispute_id:str}", guards=_READ, sync_to_thread=True, operation_id="GetBatchDispute")
    def get_dispute(
        self, run: FromPath[str], dispute_id: FromPath[str], deps: Deps, principal: Caller
    ) -> DisputeAnswer:
        """One of them."""
        with deps.database.read() as session:
            known_run(session, principal, run)
            found = session.get(BatchDispute, known_token(dispute_id))
        if found is None or found.run != run:
            raise NotFound
        return _dispute(found)

    @post(
        "/orders/{order_id:str}/disputes",
        guards=[requires(Permission.BATCHES_DISPUTE)],
        operation_id="DisputeBatchOrder",
    )
    async def dispute(
        self,
        *,
        run: FromPath[str],
        order_id: FromPath[str],
        data: JSONBody[NewDisputeBody],
        deps: Deps,
        principal: Caller,
        idempotency_key: KeyHeader,
    ) -> Response[DisputeAnswer]:
        """Take in that a customer contests an order: its mandate stops in the same commit, and a clock runs."""
        slot = key_slot(principal, route=f"batches.dispute/{order_id}", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(dispute: str) -> Stored:
            with deps.database.read() as session:
                answer = _dispute(session.get_one(BatchDispute, dispute))
            headers = {"Location": f"{PATH}/{run}/disputes/{dispute}"}
            return Stored(status=HTTPStatus.CREATED, body=answer.model_dump(mode="json"), headers=headers)

        answer = await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _open(deps, principal, run, order_id, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )
        await deps.dispatcher.nudge(batch_workflow_id(run))
        return answer


def _open(
    deps: ApiDeps, principal: Principal, run: str, order_id: str, body: NewDisputeBody, *, slot: KeySlot, digest: str
) -> str:
    now = deps.clock()
    with deps.database.read() as session:
        order = _order(session.get(BatchOrder, known_token(order_id)), known_run(session, principal, run).token)
        earlier = disputes_of_order(session, order.id)
        days = bank_days_of(session, order.tenant, otherwise=deps.is_bank_day)
    dispute_id = named_token("bdi", f"{order.id}/{earlier + 1}")
    text_cell = None
    if body.text is not None:
        address = CellAddress(order.tenant, "batch_disputes", "text_cell", dispute_id, order.subject_id)
        text_cell = deps.vault.seal(address, body.text)
    facts = {"order": order.id, "reason": body.reason_code, "text": text_cell is not None}
    with unit_of_work(deps.database, run_acts.deed(principal, "batch.dispute-opened", run, now, **facts)) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=dispute_id, status=HTTPStatus.CREATED, now=now)
        opened = open_dispute(
            unit.session,
            known_run(unit.session, principal, run),
            order,
            reason_code=body.reason_code,
            text_cell=text_cell,
            by=principal.staff_id,
            now=now,
            is_working_day=days,
        )
        if opened.id != dispute_id:  # another one came and ended in between; the words are sealed for this one
            raise Conflict(detail=order.id)
        unit.deed.facts |= {"dispute": dispute_id, "mandate": order.mandate_id}
    return dispute_id


def _order(order: BatchOrder | None, run: str) -> BatchOrder:
    if order is None or order.run != run:
        raise NotFound
    return order


def _suspense(held: BatchSuspense) -> SuspenseAnswer:
    return SuspenseAnswer(
        id=held.id,
        run=held.run or "",
        amount_minor=held.amount_minor,
        code=held.code,
        state=held.state,
        order_id=held.order_id,
        task_id=held.task_id,
        proposed_by=held.proposed_by,
        decided_by=held.decided_by,
        opened_at=held.opened_at,
        decided_at=held.decided_at,
    )


def _dispute(found: BatchDispute) -> DisputeAnswer:
    return DisputeAnswer(
        id=found.id,
        run=found.run,
        order_id=found.order_id,
        reason_code=found.reason_code,
        state=found.state,
        refund_minor=found.refund_minor,
        interest_minor=found.interest_minor,
        task_id=found.task_id,
        due_at=found.due_at,
        opened_at=found.opened_at,
        decided_by=found.decided_by,
        decided_at=found.decided_at,
    )
