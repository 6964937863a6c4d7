"""Sources of transfer jobs for a process: files in the exchange directory, databases that the operator has named."""

import tomllib
from pathlib import Path

from activities.transfers.sources.books import BookSource
from activities.transfers.sources.desk import Sources
from compliance.vault.keyring import Vault
from deploy.safety import unsafe
from deploy.values import Settings
from models.database.engine import Database

SETTING = "CASEWORK_TRANSFER_CONNECTIONS_FILE"


def transfer_sources(settings: Settings, database: Database, vault: Vault) -> Sources:
    """The sources.

    Raises:
        UnsafeSetting: the file of connections cannot be read, or others may read it.
    """
    return Sources(
        folder=settings.exchange / "transfers",
        connections=_connections(settings.transfer_connections),
        vault=vault,
        open_book=lambda tenant: BookSource(database, vault, tenant),
    )


def _connections(path: Path | None) -> dict[str, str]:
    """Names and URLs: `name = "postgresql+psycopg://…"`, one a line."""
    if path is None:
        return {}
    try:
        if path.stat().st_mode & 0o077:
            raise unsafe(SETTING, problem="others may read it, and it holds passwords", fix="chmod 600")
        read = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # unreadable, no UTF-8, or no TOML
        raise unsafe(SETTING, problem="cannot be read", fix='write name = "URL" lines, mode 0600') from None
    if not all(isinstance(url, str) for url in read.values()):
        raise unsafe(SETTING, problem="holds something else than names and URLs", fix='write name = "URL" lines')
    return read
