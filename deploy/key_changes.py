"""Changes of keys as an operator makes them: rotate, wait for every process, rewrap, record.

On PostgreSQL they run beside the processes that serve. The embedded stack is stopped first; the commands hold its
directory, so nothing else lives and nobody is waited for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from compliance.audit.key_deeds import record_key_deeds
from compliance.vault import holders, rotation
from compliance.vault.holders import Waiting
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.keyring import Vault
from compliance.vault.store import answering, kek_in_force
from deploy import datadir, keks
from deploy.clock import wall_clock
from deploy.exits import CommandFailed, ExitCode
from deploy.stores import Stores, build_vault, check_schemas, open_stores
from deploy.values import Settings, Where

OPERATOR: Final = "operator"
_LOOK_EVERY_S: Final = 1.0
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Change:
    """The stores, open for a change of keys."""

    settings: Settings
    stores: Stores
    vault: Vault
    stopped: bool


@contextmanager
def changing(settings: Settings, *, purpose: str) -> Iterator[Change]:
    """Open the stores for a change; what it did is in the audit log when the block ends, also when it failed.

    Raises:
        CommandFailed: 75, an embedded stack runs; the message names it.
        KeysUnavailable: the key store was never initialised, or does not answer.
        UnsafeSetting: the KEK does not open it, or a store has an older schema.
    """
    with datadir.exclusive(settings, purpose=purpose), open_stores(settings) as stores:
        check_schemas(stores)
        stopped = settings.database_url.startswith("sqlite")
        if stopped:
            holders.nobody_lives(stores.keys)
        kek_id = kek_in_force(stores.keys)
        if kek_id is not None:
            keks.settle_files(settings, kek_id)  # of a change that was killed at its end
        vault = build_vault(settings, stores, wall_clock)
        try:
            yield Change(settings, stores, vault, stopped)
        finally:
            while record_key_deeds(stores.data, stores.keys, now=wall_clock()):
                pass


def rotate_branch(change: Change, *, tenant: str, purpose: str, wait_seconds: float, told: Told) -> int:
    """Publish, wait, activate. Returns the version that seals from now on.

    Raises:
        WrongState: keys of this purpose do not rotate so.
        CommandFailed: 75, a process has not acknowledged in time; the version stays published, run it again.
    """
    branches = change.vault.branches
    version = rotation.publish(branches, tenant=tenant, purpose=purpose, actor=OPERATOR, stopped=change.stopped)
    told(f"{tenant}/{purpose}/{version} is published")

    def activate() -> Sequence[Waiting]:
        return rotation.activate(branches, tenant=tenant, purpose=purpose, version=version, actor=OPERATOR)

    _until_nobody(
        activate, wait_seconds, told, what=f"{tenant}/{purpose}/{version} stays published; nothing else changed"
    )
    return version


def change_kek(change: Change, *, to: Where | None, wait_seconds: float, told: Told) -> tuple[str, int, str | None]:
    """Put the key store under another KEK.

    Returns:
        The new KEK's id, how many branch keys were wrapped anew, and where the old file lies now, if it was one.

    Raises:
        UnsafeSetting: the settings name no next key; the detail says what is missing.
        CommandFailed: 75, a process does not have the next key.
    """
    settings, stores = change.settings, change.stores
    old = change.vault.branches.kek
    new = keks.successor(settings, stores.keys, to=to)
    if new.id == old.id:
        raise CommandFailed(ExitCode.CONFIG, f"the next key-encryption key is the present one, {old.id}")

    def without() -> Sequence[Waiting]:
        with answering(), stores.keys.read() as session:
            return holders.without_kek(session, new.id, now=wall_clock())

    _until_nobody(without, wait_seconds, told, what=f"give each of them the key {new.id}; nothing was changed")
    rows = rotate_kek(stores.keys, old=old, new=new, actor=OPERATOR, at=wall_clock())
    return new.id, rows, keks.settle_files(settings, new.id)


def _until_nobody(ask: Callable[[], Sequence[Waiting]], seconds: float, told: Told, *, what: str) -> None:
    until = time.monotonic() + seconds
    said: set[str] = set()
    while waiting := ask():
        names = {f"{one.process} ({one.component})" for one in waiting}
        if time.monotonic() >= until:
            raise CommandFailed(
                ExitCode.TEMPORARY, f"waited {seconds:g} s in vain for {', '.join(sorted(names))}: {what}"
            )
        for name in sorted(names - said):
            told(f"waiting for {name}")
        said |= names
        time.sleep(_LOOK_EVERY_S)
