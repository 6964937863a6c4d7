"""What the steps of waves share: the stores, the job as it stands, their rests and beats."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from temporalio import activity
from temporalio.exceptions import CancelledError

from compliance.audit.deeds import Deed
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.record import KEY_FIELDS
from models.domain.shanghai import SHANGHAI
from models.domain.transfers.survivorship import KeyDifference
from models.errors import NotFound
from models.operations.transfers.wave_moves import WaveAt
from models.tables.transfers import TransferJob

# A unit of work holds the one writer's lock of SQLite: short enough for people who wait beside it.
CHUNK: Final = 250
DEFAULT_WAVE_ROWS: Final = 500
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


@dataclass(frozen=True, slots=True)
class WaveWork:
    """One job, with what is needed to read and to write."""

    database: Database
    vault: Vault
    clock: Clock
    job: TransferJob

    @property
    def tenant(self) -> str:
        """Who receives."""
        return self.job.tenant

    def at(self, wave: int, attempt: int) -> WaveAt:
        """An attempt of a wave."""
        return WaveAt(self.job.tenant, self.job.token, wave, attempt)

    def deed(self, action: str, now: datetime, **facts: Any) -> Deed:
        """An event of this job."""
        return Deed(
            tenant=self.job.tenant, action=action, target=self.job.token, actor="workflow", at=now, facts=dict(facts)
        )

    def rest(self) -> None:
        """Let others write, and tell Temporal that we live.

        Raises:
            CancelledError: the worker stops; what is left is for the next try.
        """
        beat()
        if self.database.is_sqlite:
            time.sleep(_REST_S)


def beat() -> None:
    """Tell Temporal that we live.

    Raises:
        CancelledError: the worker stops.
    """
    if activity.in_activity():
        activity.heartbeat()
        if activity.is_cancelled():
            raise CancelledError


def load_work(database: Database, vault: Vault, clock: Clock, token: str) -> WaveWork:
    """The job as it stands now.

    Raises:
        NotFound: there is none.
    """
    with database.read() as session:
        job = session.get(TransferJob, token)
    if job is None:
        raise NotFound(detail=token)
    return WaveWork(database, vault, clock, job)


def wave_rows(plan: Mapping[str, Any]) -> int:
    """How many rows a wave of this plan has."""
    size = plan.get("waveRows", DEFAULT_WAVE_ROWS)
    return size if isinstance(size, int) and size > 0 else DEFAULT_WAVE_ROWS


def as_of(plan: Mapping[str, Any]) -> datetime | None:
    """When the sources were drawn, as the plan says: a record changed later is newer than they are."""
    told = plan.get("asOf")
    if not isinstance(told, str):
        return None
    drawn = datetime.fromisoformat(told)
    return drawn if drawn.tzinfo is not None else drawn.replace(tzinfo=SHANGHAI)


def key_differences(plan: Mapping[str, Any]) -> dict[str, KeyDifference]:
    """What the plan says about key fields that differ; both companies have approved it."""
    told = plan.get("keyDifferences")
    if not isinstance(told, Mapping):
        return {}
    return {name: KeyDifference(rule) for name, rule in told.items() if name in KEY_FIELDS}
