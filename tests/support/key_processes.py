"""Processes that hold keys, for tests of rotation: each with an engine and a vault of its own, as another host has."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from compliance.vault import holders
from compliance.vault.branches import ReopenKek
from compliance.vault.holders import Process
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from models.database.engine import Database, open_database
from models.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class KeyProcess:
    """A vault that says that it lives."""

    vault: Vault
    named: Process

    def beat(self) -> int:
        """Say so."""
        return holders.beat(self.vault.branches, self.named)

    def leave(self) -> None:
        """End in order."""
        holders.leave(self.vault.branches.database, self.named.name)


@contextmanager
def key_process(
    database: Database, kek: KekProvider, clock: Clock, *, name: str, reopen: ReopenKek | None = None,
    keks: frozenset[str] = frozenset(),
) -> Iterator[KeyProcess]:  # fmt: skip
    """A process of that name over the same key store."""
    own = open_database(database.engine.url.render_as_string(hide_password=False))
    try:
        vault = open_vault(own, kek, clock, reopen=reopen)
        yield KeyProcess(vault, Process(name=name, component="worker", keks=keks, started_at=clock()))
    finally:
        own.dispose()
