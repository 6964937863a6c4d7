"""Tells the key store that this process is alive and which keys it knows (`compliance.vault.holders`)."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from typing import Final

import structlog

from compliance.vault import holders
from compliance.vault.holders import BEAT_EVERY, Process
from compliance.vault.keyring import Vault
from deploy.keks import usable_keks
from deploy.values import Settings

log = structlog.get_logger(__name__)
_NAME_BYTES: Final = 4


@contextlib.asynccontextmanager
async def beating(settings: Settings, vault: Vault, *, component: str, name: str) -> AsyncIterator[None]:
    """Beat at once and every `BEAT_EVERY` until the block ends; then say that nobody need wait for this process.

    A beat that fails is told in the log and tried again at its time: who rotates a key sees who is silent.
    """
    # A number that was used again must not inherit what its predecessor knew.
    unique, started = f"{name}:{os.urandom(_NAME_BYTES).hex()}", vault.branches.clock()
    proved: set[str] = set()

    def beat() -> None:
        process = Process(name=unique, component=component, keks=usable_keks(settings, proved), started_at=started)
        holders.beat(vault.branches, process)

    async def beat_safely() -> None:
        try:
            await asyncio.to_thread(beat)
        except Exception as error:  # noqa: BLE001 - a process that serves goes on serving; the log names the type only
            log.warning("keys.beat-failed", error_type=type(error).__name__)

    async def beat_on() -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY.total_seconds())
            await beat_safely()

    await beat_safely()
    beats = asyncio.create_task(beat_on())
    try:
        yield
    finally:
        beats.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beats
        try:
            await asyncio.to_thread(holders.leave, vault.branches.database, unique)
        except Exception as error:  # noqa: BLE001 - it counts as gone after `LIVES_FOR` anyway
            log.warning("keys.leave-failed", error_type=type(error).__name__)
