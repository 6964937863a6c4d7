"""A key-encryption key that does not answer, as a token that was pulled out: red, and over when it is back."""

import asyncio
from typing import Any

import pytest

from compliance.vault.branches import KEY_TTL
from compliance.vault.kek import KekProvider
from compliance.vault.purposes import Purpose
from models.errors import KeysUnavailable
from tests.support.api import Office


class Away(KekProvider):
    """A provider that is not there."""

    def __init__(self, kek_id: str) -> None:
        self._id = kek_id

    @property
    def id(self) -> str:
        return self._id

    def wrap(self, key: bytes, *, associated_data: bytes) -> bytes:
        raise KeysUnavailable(detail="no token labelled bank: is it plugged in?")

    def unwrap(self, wrapped: bytes, *, associated_data: bytes) -> bytes:
        raise KeysUnavailable(detail="no token labelled bank: is it plugged in?")


async def test_readiness_is_red_while_the_key_encryption_key_is_away(sqlite_office: Office) -> None:
    vault = sqlite_office.deps.vault
    held: dict[str, Any] = vault.branches._keks
    before = dict(held)
    opened = vault.purpose_key("_", Purpose.FINGERPRINT)
    held.update({kek_id: Away(kek_id) for kek_id in before})
    async with sqlite_office.client() as client:
        red = await client.get("/readyz")
        assert (red.status_code, red.json()["reasons"]["keys"]) == (503, "keys-unavailable")
        assert "token" not in red.text
        sqlite_office.clock.advance(KEY_TTL)
        with pytest.raises(KeysUnavailable):
            await asyncio.to_thread(vault.purpose_key, "_", Purpose.FINGERPRINT)
        held.update(before)
        assert "keys" not in (await client.get("/readyz")).json()["reasons"]
    assert vault.purpose_key("_", Purpose.FINGERPRINT) == opened
