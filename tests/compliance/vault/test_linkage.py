"""A job's linkage key: equal values find each other within the job only, and after its end nowhere at all."""

import hashlib
import hmac

import pytest
from sqlmodel import select

from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.linkage import (
    TOKEN_BYTES,
    Linker,
    destroy_linkage_key,
    linkage_purpose,
    linkage_state,
    open_linker,
)
from compliance.vault.states import KeyState
from compliance.vault.tables import BranchKey, KeyJournal
from models.database.engine import Database
from models.domain.resident_id import check_character
from models.errors import WrongState

JOB = "acme.00000000000000000000000000"
OTHER = "acme.00000000000000000000000001"
NUMBER = "11010519800506123" + check_character("11010519800506123")


@pytest.fixture
def bank(vault: Vault) -> Vault:
    for tenant in ("acme", "beta"):
        vault.ensure_tenant(tenant)
    return vault


def test_one_value_has_one_token_in_a_job_and_another_in_every_other(bank: Vault) -> None:
    mine = open_linker(bank.branches, tenant="acme", job=JOB)
    token = mine.token(1, NUMBER)
    assert len(token) == TOKEN_BYTES
    bank.forget()
    assert open_linker(bank.branches, tenant="acme", job=JOB).token(1, NUMBER) == token
    assert mine.token(2, NUMBER) != token
    assert open_linker(bank.branches, tenant="acme", job=OTHER).token(1, NUMBER) != token
    assert open_linker(bank.branches, tenant="beta", job=JOB).token(1, NUMBER) != token


def test_an_empty_value_has_no_token(bank: Vault) -> None:
    with pytest.raises(ValueError, match="empty"):
        open_linker(bank.branches, tenant="acme", job=JOB).token(1, "")


@pytest.mark.parametrize("digest", ["sha256", "sm3"])
def test_a_token_is_the_hmac_of_the_value_under_a_key_of_its_kind(digest: str) -> None:
    if digest not in hashlib.algorithms_available:
        pytest.skip(f"this OpenSSL has no {digest}")
    root = bytes(range(32))
    for kind in (1, 8):
        secret = hmac.digest(root, framed("casework.linkage.kind", 1, kind), digest)
        for value in ("张三|1980-01-01", NUMBER, "x" * 1_000):
            expected = hmac.digest(secret, value.encode(), digest)[:TOKEN_BYTES]
            assert Linker(digest, {}, root).token(kind, value) == expected


def test_the_row_of_a_record_has_a_place_for_each_kind(bank: Vault) -> None:
    linker = open_linker(bank.branches, tenant="acme", job=JOB)
    row = linker.row((NUMBER, "", "b"))
    assert row == linker.token(1, NUMBER) + bytes(TOKEN_BYTES) + linker.token(3, "b")


def test_a_destroyed_key_is_gone_and_is_never_made_again(bank: Vault, keys_database: Database) -> None:
    linker = open_linker(bank.branches, tenant="acme", job=JOB)
    assert linkage_state(bank.branches, tenant="acme", job=JOB) is KeyState.ACTIVE
    for _ in range(2):
        assert (
            destroy_linkage_key(bank.branches, tenant="acme", job=JOB, actor="transfers") == f"key/acme/linkage/{JOB}/1"
        )
    assert linkage_state(bank.branches, tenant="acme", job=JOB) is KeyState.DESTROYED
    with pytest.raises(WrongState):
        open_linker(bank.branches, tenant="acme", job=JOB)
    with keys_database.read() as session:
        [row] = session.exec(select(BranchKey).where(BranchKey.purpose == linkage_purpose(JOB))).all()
        deeds = session.exec(select(KeyJournal.action).where(KeyJournal.target == f"key/acme/linkage/{JOB}/1")).all()
    assert row.wrapped == b""
    assert deeds[0] == "key.created"
    assert deeds[-1] == "key.destroyed"
    assert deeds.count("key.destroyed") == 1
    assert NUMBER not in repr(linker)
    # Another job's tokens are not touched.
    open_linker(bank.branches, tenant="acme", job=OTHER)


def test_a_job_that_never_searched_cannot_begin_after_its_end(bank: Vault) -> None:
    destroy_linkage_key(bank.branches, tenant="acme", job=JOB, actor="transfers")
    with pytest.raises(WrongState):
        open_linker(bank.branches, tenant="acme", job=JOB)


def test_the_other_keys_of_the_tenant_live_on(bank: Vault) -> None:
    before = bank.blind_index(tenant="acme", field="id_number", value=NUMBER)
    open_linker(bank.branches, tenant="acme", job=JOB)
    destroy_linkage_key(bank.branches, tenant="acme", job=JOB, actor="transfers")
    bank.forget()
    assert bank.blind_index(tenant="acme", field="id_number", value=NUMBER) == before
