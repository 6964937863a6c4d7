"""Reads of standing plans (批量排期)."""

from sqlmodel import Session, col, select

from models.domain.batches.plans import PlanState
from models.tables.batch_plans import BatchBackfill, BatchPlan
from models.tables.batch_runs import BatchRun
from models.tables.tenants import Tenant


def plans_of(session: Session, tenant: str) -> list[BatchPlan]:
    """Every plan of a tenant, newest first."""
    newest = col(BatchPlan.created_at).desc()
    return list(session.exec(select(BatchPlan).where(col(BatchPlan.tenant) == tenant).order_by(newest)))


def clocked_plans(session: Session) -> list[tuple[BatchPlan, bool]]:
    """Plans that Temporal has to know, or to forget, of; each with whether its tenant is a sandbox."""
    known = (PlanState.ACTIVE.value, PlanState.RETIRED.value)
    found = session.exec(
        select(BatchPlan, Tenant.sandbox)
        .join(Tenant, col(Tenant.code) == col(BatchPlan.tenant))
        .where(col(BatchPlan.state).in_(known))
    )
    return [(plan, sandbox) for plan, sandbox in found]


def unsent_backfills(session: Session) -> list[BatchBackfill]:
    """What Temporal has not been told of, in the order in which it was asked for."""
    waiting = select(BatchBackfill).where(col(BatchBackfill.sent_at).is_(None))
    return list(session.exec(waiting.order_by(col(BatchBackfill.asked_at), col(BatchBackfill.id))))


def run_by_key(session: Session, tenant: str, key: str) -> BatchRun | None:
    """The run of a wish, if there is one."""
    said = select(BatchRun).where(col(BatchRun.tenant) == tenant, col(BatchRun.request_key) == key)
    return session.exec(said).one_or_none()
