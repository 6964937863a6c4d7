"""Changes of suite (密码算法切换) and renewals of one person's key: two persons start one, either of them holds it."""

from collections.abc import Collection
from http import HTTPStatus
from typing import Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.deps import ApiDeps, Deps
from api.four_eyes import by, refuse_maker
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.suites.bodies import (
    KeysAnswer,
    SuiteChangeAnswer,
    SuiteChangeBody,
    SuiteChangeDecisionBody,
    SuiteChangeList,
)
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.renewal import SUITES_BY_NAME
from models.domain.ids import reseal_workflow_id, start_key
from models.domain.roles import Permission
from models.domain.states import OutboxKind
from models.domain.suite_changes import ChangeKind, ChangeState, SuiteName
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, ShownChanged, WrongState
from models.operations import outbox, suite_changes
from models.operations.idempotency import KeySlot, open_key
from models.operations.suite_guard import refuse_beside_transfer
from models.tables.parties import Subject
from models.tables.suite_changes import SuiteChange

PATH: Final = "/v1/suite-changes"
_SHOWN: Final = 50


class SuiteChangeController(Controller):
    """Under which suite the institution's data lie, and how that is changed."""

    path = PATH
    tags = ("Suites",)

    @get("/", guards=[requires(Permission.SUITES_READ)], sync_to_thread=True, operation_id="ListSuiteChanges")
    def list_changes(self, deps: Deps, principal: Caller) -> SuiteChangeList:
        """The newest changes, and how far they are."""
        with deps.database.read() as session:
            found = suite_changes.latest(session, tenant=principal.tenant, limit=_SHOWN)
        return SuiteChangeList(items=[_answer(deps, change) for change in found])

    @get(
        "/{change_id:str}",
        guards=[requires(Permission.SUITES_READ)],
        sync_to_thread=True,
        operation_id="GetSuiteChange",
    )
    def get_change(self, change_id: FromPath[str], deps: Deps, principal: Caller) -> SuiteChangeAnswer:
        """One change: figures, keys as they stand now, what could not be opened, and the last scan."""
        return _answer(deps, _change(deps, principal, change_id))

    @post("/", guards=[requires(Permission.SUITES_PROPOSE)], operation_id="ProposeSuiteChange")
    async def propose(
        self, data: JSONBody[SuiteChangeBody], deps: Deps, principal: Caller, idempotency_key: KeyHeader
    ) -> Response[SuiteChangeAnswer]:
        """Ask for a change; nothing is done before another person confirms."""
        slot = key_slot(principal, route="suite-changes.propose", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def rebuild(change_id: str) -> Stored:
            answer = _answer(deps, _change(deps, principal, change_id))
            return Stored(
                status=HTTPStatus.CREATED,
                body=answer.model_dump(mode="json"),
                headers={"Location": f"{PATH}/{change_id}"},
            )

        return await once(
            deps,
            slot,
            fingerprint=digest,
            act=lambda: _propose(deps, principal, data, slot=slot, digest=digest),
            rebuild=rebuild,
        )

    @post(
        "/{change_id:str}/confirmation",
        guards=[requires(Permission.SUITES_CONFIRM)],
        status_code=200,
        operation_id="ConfirmSuiteChange",
    )
    async def confirm(
        self, change_id: FromPath[str], data: JSONBody[SuiteChangeDecisionBody], deps: Deps, principal: Caller
    ) -> SuiteChangeAnswer:
        """Confirm as the second person: the workflow starts. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        change = await in_thread(_decide, deps, principal, change_id, shown=data.shown_hash, confirm=True)
        # Where that does not arrive, the relay starts it.
        await deps.dispatcher.start(reseal_workflow_id(principal.tenant, change.id))
        return await in_thread(_answer, deps, change)

    @post(
        "/{change_id:str}/rejection",
        guards=[requires(Permission.SUITES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectSuiteChange",
    )
    def reject(
        self, change_id: FromPath[str], data: JSONBody[SuiteChangeDecisionBody], deps: Deps, principal: Caller
    ) -> SuiteChangeAnswer:
        """Reject as the second person; everything stays where it is."""
        return _answer(deps, _decide(deps, principal, change_id, shown=data.shown_hash, confirm=False))

    @post(
        "/{change_id:str}/pause",
        guards=[requires(Permission.SUITES_PROPOSE)],
        status_code=200,
        operation_id="PauseSuiteChange",
    )
    async def pause(self, change_id: FromPath[str], deps: Deps, principal: Caller) -> SuiteChangeAnswer:
        """Stop after the present step. Everything stays readable, under either suite."""
        return await _want(deps, principal, change_id, ChangeState.PAUSED, among=(ChangeState.RUNNING,))

    @post(
        "/{change_id:str}/resumption",
        guards=[requires(Permission.SUITES_PROPOSE)],
        status_code=200,
        operation_id="ResumeSuiteChange",
    )
    async def resume(self, change_id: FromPath[str], deps: Deps, principal: Caller) -> SuiteChangeAnswer:
        """Go on after a pause, or after what could not be opened was mended."""
        waiting = (ChangeState.PAUSED, ChangeState.STOPPED)
        return await _want(deps, principal, change_id, ChangeState.RUNNING, among=waiting)

    @post(
        "/{change_id:str}/cancellation",
        guards=[requires(Permission.SUITES_PROPOSE)],
        status_code=200,
        operation_id="CancelSuiteChange",
    )
    async def cancel(self, change_id: FromPath[str], deps: Deps, principal: Caller) -> SuiteChangeAnswer:
        """End it where it stands. What was moved stays moved; another change leads back, or to the end."""
        ongoing = (ChangeState.RUNNING, ChangeState.PAUSED, ChangeState.STOPPED)
        return await _want(deps, principal, change_id, ChangeState.CANCELLING, among=ongoing)


def _propose(deps: ApiDeps, principal: Principal, body: SuiteChangeBody, *, slot: KeySlot, digest: str) -> str:
    now, change = deps.clock(), _draft(deps, principal, body)
    change.shown_hash = shown_hash(suite_changes.shown(change))
    deed = _deed(deps, principal, change, "suite-change.proposed")
    with unit_of_work(deps.database, deed) as unit:
        open_key(unit.session, slot, fingerprint=digest, resource_id=change.id, status=HTTPStatus.CREATED, now=now)
        if suite_changes.is_whole_tenant(change):
            refuse_beside_transfer(unit.session, change.tenant)
        suite_changes.propose(unit.session, change, by=by(principal), now=now)
    return change.id


def _draft(deps: ApiDeps, principal: Principal, body: SuiteChangeBody) -> SuiteChange:
    """What is asked for.

    Raises:
        FormInvalid: not exactly one of suite and subject, a suite that is not enabled, or no such subject.
        SubjectShredded: the person's keys are gone.
    """
    if (body.suite is None) == (body.subject_id is None):
        fault = FieldFault(pointer="", code="exactly-one", params={"allowed": "suite, subjectId"})
        raise FormInvalid(faults=(fault,))
    if body.suite is not None and SUITES_BY_NAME[body.suite] not in deps.vault.branches.suites.suites:
        enabled = ", ".join(suite.code for suite in deps.vault.branches.suites.suites)
        fault = FieldFault(pointer="/suite", code="suite-not-enabled", params={"allowed": enabled})
        raise FormInvalid(faults=(fault,))
    tenant, old_version = principal.tenant, None
    if body.subject_id is not None:
        with deps.database.read() as session:
            subject = session.get(Subject, body.subject_id)
        if subject is None or subject.tenant != tenant:
            raise FormInvalid(faults=(FieldFault(pointer="/subjectId", code="unknown-person"),))
        _, old_version = deps.vault.header_of(tenant=tenant, subject_id=subject.id)
    present = deps.vault.suite_of_tenant(tenant)
    name = body.suite or next(name for name, suite in SUITES_BY_NAME.items() if suite is present)
    return SuiteChange(
        id=new_token("sch"),
        tenant=tenant,
        kind=ChangeKind.SUITE if body.subject_id is None else ChangeKind.SUBJECT,
        suite=name,
        subject_id=body.subject_id,
        old_version=old_version,
        reason_code=body.reason_code,
        shown_hash="",
        state=ChangeState.PROPOSED,
        proposed_by=principal.staff_id,
        proposed_at=deps.clock(),
    )


def _decide(deps: ApiDeps, principal: Principal, change_id: str, *, shown: str, confirm: bool) -> SuiteChange:
    """The second person's word.

    Raises:
        NotFound, FourEyesViolation, WrongState, ShownChanged, Conflict: why not.
        SuiteHeldByTransfer: a job of the institution has waves that can be put back.
    """
    change = _change(deps, principal, change_id)
    refuse_maker(deps, principal, shown_hash=change.shown_hash)
    if change.state != ChangeState.PROPOSED:
        raise WrongState(params={"state": change.state})
    if change.shown_hash != shown:
        raise ShownChanged
    now = deps.clock()
    deed = _deed(deps, principal, change, "suite-change.confirmed" if confirm else "suite-change.rejected")
    with unit_of_work(deps.database, deed) as unit:
        if confirm and suite_changes.is_whole_tenant(change):
            refuse_beside_transfer(unit.session, change.tenant)
        decided = suite_changes.decide(
            unit.session, change, shown_hash=shown, confirm=confirm, by=by(principal), now=now
        )
        if confirm:
            workflow_id = reseal_workflow_id(change.tenant, change.id)
            outbox.enqueue(
                unit.session,
                tenant=change.tenant,
                kind=OutboxKind.START,
                business_key=start_key(workflow_id),
                workflow_id=workflow_id,
                traceparent=None,
                now=now,
            )
    return decided


async def _want(
    deps: ApiDeps, principal: Principal, change_id: str, state: ChangeState, *, among: Collection[ChangeState]
) -> SuiteChangeAnswer:
    def write() -> SuiteChange:
        change = _change(deps, principal, change_id)
        deed = _deed(deps, principal, change, f"suite-change.{_WORDS[state]}")
        with unit_of_work(deps.database, deed) as unit:
            suite_changes.want(unit.session, change.id, state=state, among=among)
        return _change(deps, principal, change_id)

    change = await in_thread(write)
    await deps.dispatcher.nudge(reseal_workflow_id(principal.tenant, change.id))
    return await in_thread(_answer, deps, change)


_WORDS: Final = {
    ChangeState.PAUSED: "paused",
    ChangeState.RUNNING: "resumed",
    ChangeState.CANCELLING: "cancel-asked",
}


def _change(deps: ApiDeps, principal: Principal, change_id: str) -> SuiteChange:
    with deps.database.read() as session:
        return suite_changes.of_tenant(session, tenant=principal.tenant, change_id=known_token(change_id))


def _answer(deps: ApiDeps, change: SuiteChange) -> SuiteChangeAnswer:
    counts = deps.vault.renewal.counts(change.tenant).subjects
    moved = counts.get(SUITES_BY_NAME[SuiteName(change.suite)].id, 0)
    return SuiteChangeAnswer.of(change, KeysAnswer(moved=moved, left=sum(counts.values()) - moved))


def _deed(deps: ApiDeps, principal: Principal, change: SuiteChange, action: str) -> Deed:
    return Deed(
        tenant=change.tenant,
        action=action,
        target=change.id,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={**suite_changes.shown(change), "shown": change.shown_hash},
    )
