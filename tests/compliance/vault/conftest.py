"""A key store of one test, on both databases."""

import base64
import os

import pytest

from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database
from tests.support.clock import FakeClock


@pytest.fixture
def kek() -> KekProvider:
    return EnvKek(base64.b64encode(os.urandom(32)).decode())


@pytest.fixture(params=["sqlite", "postgres"])
def key_store(request: pytest.FixtureRequest) -> Database:
    """An empty key store: the test runs once on each of the two databases."""
    name = {"sqlite": "keys_database", "postgres": "postgres_keys_database"}[request.param]
    chosen: Database = request.getfixturevalue(name)
    return chosen


@pytest.fixture
def bank(keys_database: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    """A vault with the tenant `acme` and the subjects `sub_a` and `sub_b`."""
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_a")
    vault.create_subject(tenant="acme", subject_id="sub_b")
    return vault
