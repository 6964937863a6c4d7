"""No key seals twice under one nonce, and none seals more than random nonces bear."""

import math
from collections.abc import Callable
from datetime import timedelta

import pytest

from compliance.vault import suites
from compliance.vault.branches import KEY_TTL
from compliance.vault.cells import RowAddress, seal_cell
from compliance.vault.keyring import Vault
from compliance.vault.suites import AES_256_GCM, NONCE_BYTES, SEALS_PER_KEY, SM4_GCM, SealingKey, Suite
from models.errors import KeysUnavailable
from tests.support.clock import FakeClock

BOTH = pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
MILLION = 1_000_000


def _one_by_one(key: SealingKey, count: int) -> set[bytes]:
    return {key.seal(b"", b"")[:NONCE_BYTES] for _ in range(count)}


def _in_bulk(key: SealingKey, count: int) -> set[bytes]:
    batch = [(b"", b"")] * 1_000
    return {sealed[:NONCE_BYTES] for _ in range(count // 1_000) for sealed in key.seal_all(b"", batch)}


@pytest.mark.parametrize(("way", "count"), [(_in_bulk, MILLION), (_one_by_one, MILLION // 5)])
def test_a_million_values_under_one_key_have_a_million_nonces(
    way: Callable[[SealingKey, int], set[bytes]], count: int
) -> None:
    key = SealingKey(AES_256_GCM, AES_256_GCM.new_key(), version=1)
    assert len(way(key, count)) == count
    assert key.seals_left == SEALS_PER_KEY - count


def test_a_nonce_is_not_predictable_from_those_before_it() -> None:
    """Not a counter: over ten thousand of them each of the 96 bits is set about half of the time."""
    key = SealingKey(AES_256_GCM, AES_256_GCM.new_key(), version=1)
    nonces = [int.from_bytes(nonce) for nonce in _in_bulk(key, 10_000)]
    for bit in range(NONCE_BYTES * 8):
        assert 4_600 < sum(nonce >> bit & 1 for nonce in nonces) < 5_400  # 8 standard deviations


def test_the_budget_is_half_of_what_sp_800_38d_allows() -> None:
    """2^32 random nonces of 96 bits repeat with less than 2^-32; our half leaves room for counts that threads lose."""
    assert SEALS_PER_KEY == 2**31
    chance = SEALS_PER_KEY * (SEALS_PER_KEY - 1) / 2 / 2 ** (NONCE_BYTES * 8)
    assert math.log2(chance) < -34
    # Wrapping one key for each person of China would use up two thirds of one branch key.
    assert SEALS_PER_KEY > 1_410_000_000


@BOTH
def test_a_key_stops_before_random_nonces_become_unsafe(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "SEALS_PER_KEY", 3)
    key = SealingKey(suite, suite.new_key(), version=1)
    sealed = [key.seal(b"value", b"") for _ in range(3)]
    with pytest.raises(KeysUnavailable, match="rotate"):
        key.seal(b"value", b"")
    assert key.seals_left == 0
    assert {key.open(one, b"") for one in sealed} == {b"value"}


@BOTH
def test_a_batch_that_does_not_fit_is_not_sealed_at_all(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites, "SEALS_PER_KEY", 5)
    key = SealingKey(suite, suite.new_key(), version=1)
    key.seal_all(b"", [(b"value", b"")] * 3)
    with pytest.raises(KeysUnavailable, match="rotate"):
        key.seal_all(b"", [(b"value", b"")] * 3)
    assert key.seals_left == 2
    assert len(key.seal_all(b"", [(b"value", b"")] * 2)) == 2


def test_reading_a_branch_key_again_does_not_begin_its_count_anew(
    bank: Vault, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every subject key is one value under the branch key, which is read again every few minutes."""
    monkeypatch.setattr(suites, "SEALS_PER_KEY", 4)  # two subjects are there already
    bank.create_subject(tenant="acme", subject_id="sub_c")
    clock.advance(KEY_TTL + timedelta(seconds=1))
    bank.create_subject(tenant="acme", subject_id="sub_d")
    with pytest.raises(KeysUnavailable, match="rotate"):
        bank.create_subject(tenant="acme", subject_id="sub_e")


def test_another_key_under_the_same_version_has_a_budget_of_its_own() -> None:
    spent = SealingKey(AES_256_GCM, bytes(32), version=1)
    spent.seal(b"", b"")
    assert SealingKey(AES_256_GCM, bytes(32), version=1).counting_on(spent).seals_left == SEALS_PER_KEY - 1
    assert SealingKey(AES_256_GCM, bytes(31) + b"1", version=1).counting_on(spent).seals_left == SEALS_PER_KEY
    assert SealingKey(AES_256_GCM, bytes(32), version=1).counting_on(None).seals_left == SEALS_PER_KEY


def test_cells_of_one_subject_are_counted_together(bank: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    row = RowAddress("acme", "subjects", "sub_a", "sub_a")
    monkeypatch.setattr(suites, "SEALS_PER_KEY", 3)
    bank.seal_many(row, {"name_cell": "王小明", "id_cell": "1"})
    bank.seal(row.cell("address_cell"), "x")
    with pytest.raises(KeysUnavailable, match="rotate"):
        bank.seal(row.cell("card_cell"), "x")
    key = SealingKey(AES_256_GCM, bytes(32), version=1)
    seal_cell(key, row.cell("name_cell"), b"")
    assert key.seals_left == 2
