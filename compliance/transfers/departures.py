"""What the giving company's audit log says of its records that moved out with a job, or came back."""

from datetime import datetime
from typing import Any

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit
from models.operations.transfers.wave_undo import Undone
from models.tables.transfers import TransferJob

MOVED_OUT = "customer.moved-out"
CAME_BACK = "customer.came-back"


def departure_deed(job: TransferJob, action: str, *, actor: str, now: datetime, **facts: Any) -> Deed:
    """An event of the company that gives; its target is the job."""
    return Deed(tenant=str(job.source_tenant), action=action, target=job.token, actor=actor, at=now, facts=facts)


def tell_source(unit: Unit, job: TransferJob, undone: Undone, **facts: Any) -> None:
    """Records came back with a rollback: the giving company has an event of it, in the transaction that did it."""
    if undone.returned and job.source_tenant is not None:
        deed = departure_deed(job, CAME_BACK, actor=unit.deed.actor, now=unit.deed.at, records=undone.returned, **facts)
        unit.also(deed)
