"""A change of suite and an open transfer keep out of each other's way (密码算法切换与迁移互斥).

An undo puts stored cells back bit by bit, so it needs them as the wave left them. Sealed anew, each record of the job
would be another one, and its undo a conflict for a person. An exact undo under the new suite is no alternative: it
would have to open what an undo never opens, and bring back cells under keys that the change has destroyed. So neither
begins beside the other; both look at the other under the lock of the tenant's row.
"""

from typing import Final

from sqlmodel import Session, col, select

from models.domain.suite_changes import OPEN_CHANGES, ChangeKind
from models.domain.transfers.states import WaveState
from models.errors import SuiteChangeUnderWay, SuiteHeldByTransfer
from models.tables.suite_changes import SuiteChange
from models.tables.tenants import Tenant
from models.tables.transfers import TransferJob, TransferWave

# From these a wave is rolled back.
_CAN_BE_UNDONE: Final = (
    WaveState.MOVING.value,
    WaveState.MOVED.value,
    WaveState.STOPPED.value,
    WaveState.UNDOING.value,
)


def refuse_beside_transfer(session: Session, tenant: str) -> None:
    """Let a change of suite begin only while no job of the tenant has a wave that can be put back.

    Raises:
        SuiteHeldByTransfer: with the job, and how many waves of it.
    """
    _hold(session, tenant)
    waves = session.exec(
        select(TransferJob.token, TransferWave.number)
        .join(TransferWave, col(TransferWave.job) == col(TransferJob.token))
        .where(
            col(TransferJob.tenant) == tenant,
            col(TransferJob.ended_at).is_(None),
            col(TransferWave.state).in_(_CAN_BE_UNDONE),
        )
        .order_by(col(TransferJob.token))
    ).all()
    if waves:
        job = waves[0][0]
        raise SuiteHeldByTransfer(params={"job": job, "waves": sum(token == job for token, _ in waves)})


def refuse_beside_suite_change(session: Session, tenant: str) -> None:
    """Let a wave begin only while no change of suite of the whole tenant is under way.

    Raises:
        SuiteChangeUnderWay: with the change.
    """
    _hold(session, tenant)
    change = session.exec(
        select(SuiteChange.id)
        .where(
            col(SuiteChange.tenant) == tenant,
            col(SuiteChange.kind) == ChangeKind.SUITE.value,
            col(SuiteChange.state).in_([each.value for each in OPEN_CHANGES]),
        )
        .limit(1)
    ).first()
    if change is not None:
        raise SuiteChangeUnderWay(params={"change": change})


def _hold(session: Session, tenant: str) -> None:
    session.exec(select(Tenant).where(col(Tenant.code) == tenant).with_for_update()).one_or_none()
