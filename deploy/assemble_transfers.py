"""The adapters of a transfer job's bulk steps (公司转让后的客户信息变更): the one place where they are constructed.

Each maker stands for one port of `workflows.ports.transfers`; the order is that of the work. The steps of the job's own
records (`SqlTransferJob`) run on the `cases` queue and are made with the other adapters of that queue.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from activities.transfers.collect_steps import SqlCollect
from activities.transfers.matching import SqlMatch
from activities.transfers.report_steps import SqlReport
from activities.transfers.waves import SqlWaves
from compliance.vault.keyring import Vault
from deploy.transfer_backups import backup_steps
from deploy.transfer_downstream import downstream_of
from deploy.transfer_notices import accuracy_check, transfer_notices
from deploy.transfer_sources import transfer_sources
from deploy.values import Settings
from models.database.engine import Database
from models.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class TransferParts:
    """What an adapter may be made of."""

    settings: Settings
    database: Database
    vault: Vault
    clock: Clock


_MAKERS: Final[tuple[Callable[[TransferParts], object], ...]] = (
    lambda parts: backup_steps(parts.settings, database=parts.database, vault=parts.vault, clock=parts.clock),
    lambda parts: SqlCollect(
        parts.database, parts.vault, transfer_sources(parts.settings, parts.database, parts.vault), parts.clock
    ),
    lambda parts: SqlMatch(parts.database, parts.vault, parts.clock),
    lambda parts: SqlWaves(
        parts.database,
        parts.vault,
        parts.clock,
        downstream=downstream_of(parts.settings),
    ),
    lambda parts: transfer_notices(parts.settings, parts.database, parts.vault, parts.clock),
    lambda parts: accuracy_check(parts.database, parts.vault, parts.clock),
    lambda parts: SqlReport(parts.database, parts.vault, parts.clock),
)


def transfer_adapters(parts: TransferParts) -> tuple[object, ...]:
    """Every adapter of the queue of bulk work."""
    return tuple(make(parts) for make in _MAKERS)
