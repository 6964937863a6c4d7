"""Where changed records of transfers are handed on to (下游同步), and what takes them back after a rollback."""

from activities.duties.runner import Duty
from activities.transfers.downstream import Downstream
from activities.transfers.downstream_reversals import ReversalKeeper
from compliance.vault.keyring import Vault
from deploy.values import Settings
from models.database.engine import Database
from models.domain.clock import Clock


def downstream_of(settings: Settings) -> Downstream:
    """The folder of files, outside the data directory, and the hooks."""
    return Downstream(settings.exchange / "transfers" / "downstream")


def downstream_duties(settings: Settings, database: Database, vault: Vault, clock: Clock) -> tuple[Duty, ...]:
    """What hands reversals where no workflow does."""
    return (ReversalKeeper(database, vault, clock, downstream_of(settings)),)
