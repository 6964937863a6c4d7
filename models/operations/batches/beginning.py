"""A run begins (批次发起): one wish is one run, however often it is said; its workflow starts through the outbox."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.batches.cohort_filter import read_criteria
from models.domain.batches.cohorts import cohort_id
from models.domain.batches.kinds import KINDS, KindName, MemberSource, Origin
from models.domain.batches.states import RunStage
from models.domain.tokens import new_case_token
from models.errors import Conflict, FieldFault, FormInvalid, NotFound, WrongState
from models.operations.batches.runs import have_started
from models.operations.four_eyes import By
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_cohorts import BatchCohort
from models.tables.batch_runs import BatchRun

_RUNS: Final = BatchRun.__table__  # type: ignore[attr-defined]
# The same wish: what differs otherwise under one key is refused.
_WISH: Final = ("branch", "kind", "origin", "source", "business_date", "client", "funding_account", "criteria")


@dataclass(frozen=True, kw_only=True, slots=True)
class NewRun:
    """A wish for a run.

    Attributes:
        request_key: by which the same wish is one run (`BatchRun.request_key`).
        token: who makes a key for the run's own subject first has named it; otherwise it is made here.
    """

    tenant: str
    branch: str
    kind: KindName
    origin: Origin
    source: MemberSource
    request_key: str
    business_date: date
    by: By
    criteria: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    client: str | None = None
    funding_account: str | None = None
    rule_set: str | None = None
    token: str | None = None


def begin_run(session: Session, new: NewRun, *, now: datetime) -> tuple[BatchRun, bool]:
    """Get the run of a wish, or make it and have its workflow started.

    Returns:
        The run, and whether it is new.

    Raises:
        FormInvalid: the criteria break a rule, or the kind asks for a client and its account, or for none.
        NotFound: no such client or account of the tenant.
        Conflict: the key stands for another wish; `params.field` names the first member that differs.
    """
    if new.origin is not Origin.DAILY:
        read_criteria(new.criteria, kind=new.kind, source=new.source, on=new.business_date)
        _check_client(session, new)
    values = _values(new, now=now)
    make = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    once = make(_RUNS).values(values).on_conflict_do_nothing(index_elements=["tenant", "request_key"])
    is_new = session.connection().execute(once.returning(_RUNS.c.token)).first() is not None
    found = session.exec(
        select(BatchRun).where(col(BatchRun.tenant) == new.tenant, col(BatchRun.request_key) == new.request_key)
    ).one()
    if not is_new:
        differs = next((name for name in _WISH if getattr(found, name) != values[name]), None)
        if differs is not None:
            raise Conflict(detail=found.token, params={"field": differs})
        return found, False
    have_started(session, found, now=now)
    return found, True


def amend_criteria(session: Session, run: BatchRun, *, criteria: dict[str, Any], now: datetime) -> None:
    """Put other criteria in place of those that a returned run had, before anything was chosen by them.

    Raises:
        FormInvalid: they break a rule.
        WrongState: the run is at another stage, or its present cohort has members.
    """
    read_criteria(criteria, kind=KindName(run.kind), source=MemberSource(run.source), on=run.business_date)
    changed = 0
    if session.get(BatchCohort, cohort_id(run.token, run.revision)) is None:
        changed = session.exec(
            update(BatchRun)
            .where(
                col(BatchRun.token) == run.token,
                col(BatchRun.stage) == RunStage.COHORT.value,
                col(BatchRun.version) == run.version,
            )
            .values(criteria=criteria, version=BatchRun.version + 1, updated_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount
    if not changed:
        raise WrongState(detail=run.token, params={"state": run.stage})


def _check_client(session: Session, new: NewRun) -> None:
    kind = KINDS[new.kind]
    faults = []
    if kind.needs_client and new.client is None:
        faults.append(FieldFault(pointer="/client", code="missing"))
    if kind.needs_funding and new.funding_account is None:
        faults.append(FieldFault(pointer="/fundingAccount", code="missing"))
    if not kind.needs_client and (new.client is not None or new.funding_account is not None):
        faults.append(FieldFault(pointer="/client", code="unknown-field"))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    if new.client is not None:
        client = session.get(BatchClient, new.client)
        if client is None or client.tenant != new.tenant:
            raise NotFound(detail=new.client)
    if new.funding_account is not None:
        account = session.get(FundingAccount, new.funding_account)
        if account is None or account.client != new.client:
            raise NotFound(detail=new.funding_account)


def _values(new: NewRun, *, now: datetime) -> dict[str, Any]:
    return {
        "token": new.token or new_case_token(new.tenant),
        "tenant": new.tenant,
        "branch": new.branch,
        "kind": new.kind.value,
        "origin": new.origin.value,
        "source": new.source.value,
        "request_key": new.request_key,
        "business_date": new.business_date,
        "client": new.client,
        "funding_account": new.funding_account,
        "revision": 1,
        "criteria": new.criteria,
        "settings": new.settings,
        "rule_set": new.rule_set,
        "stage": RunStage.COHORT.value,
        "counts": {},
        "created_by": new.by.staff_id,
        "created_by_person": new.by.person_id,
        "epoch": 0,
        "seq": 0,
        "version": 1,
        "created_at": now,
        "updated_at": now,
    }
