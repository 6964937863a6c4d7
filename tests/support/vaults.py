"""A vault whose key-encryption key dies with the test."""

import base64
import os

from compliance.vault.kek import EnvKek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database
from models.domain.clock import Clock


def throw_away_kek() -> EnvKek:
    """A new key from the operating system."""
    return EnvKek(base64.b64encode(os.urandom(32)).decode())


def throw_away_vault(keys_database: Database, clock: Clock) -> Vault:
    """Initialise an empty key store under a new key and open the vault over it."""
    kek = throw_away_kek()
    initialise_key_store(keys_database, kek=kek, clock=clock)
    return open_vault(keys_database, kek, clock)
