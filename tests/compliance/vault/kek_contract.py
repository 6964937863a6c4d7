"""What every provider of a key-encryption key promises. A provider's tests inherit `KekContract`."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.cells import CellAddress
from compliance.vault.kek import KekProvider
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database
from models.errors import CannotOpen, UnsafeSetting
from tests.support.clock import FakeClock

NAME = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")


class KekContract:
    """Subclasses give two keys of one kind, as the fixtures `kek` and `other_kek`."""

    def test_what_it_wrapped_it_opens(self, kek: KekProvider) -> None:
        for length in (1, 16, 32, 64):
            key = os.urandom(length)
            wrapped = kek.wrap(key, associated_data=b"acme")
            assert kek.unwrap(wrapped, associated_data=b"acme") == key
            assert key not in wrapped or length == 1

    def test_the_same_key_is_never_wrapped_to_the_same_bytes(self, kek: KekProvider) -> None:
        key = os.urandom(32)
        assert len({kek.wrap(key, associated_data=b"acme") for _ in range(20)}) == 20

    def test_a_wrapped_key_is_bound_to_what_it_is_for(self, kek: KekProvider) -> None:
        wrapped = kek.wrap(os.urandom(32), associated_data=b"acme")
        for bound in (b"", b"acm", b"acme ", b"other"):
            with pytest.raises(CannotOpen):
                kek.unwrap(wrapped, associated_data=bound)

    def test_every_bit_of_it_counts(self, kek: KekProvider) -> None:
        wrapped = kek.wrap(os.urandom(16), associated_data=b"acme")
        for bit in range(len(wrapped) * 8):
            flipped = bytearray(wrapped)
            flipped[bit // 8] ^= 1 << bit % 8
            with pytest.raises(CannotOpen):
                kek.unwrap(bytes(flipped), associated_data=b"acme")
        for length in range(len(wrapped)):
            with pytest.raises(CannotOpen):
                kek.unwrap(wrapped[:length], associated_data=b"acme")
        assert kek.unwrap(wrapped, associated_data=b"acme")  # and it still works after so many that were wrong

    def test_rubbish_is_no_wrapped_key(self, kek: KekProvider) -> None:
        @settings(max_examples=50, deadline=None)
        @given(st.binary(max_size=120))
        def refused(rubbish: bytes) -> None:
            with pytest.raises(CannotOpen):
                kek.unwrap(rubbish, associated_data=b"acme")

        refused()

    def test_two_keys_have_two_names_and_do_not_open_each_other(self, kek: KekProvider, other_kek: KekProvider) -> None:
        assert kek.id != other_kek.id
        with pytest.raises(CannotOpen):
            other_kek.unwrap(kek.wrap(os.urandom(32), associated_data=b""), associated_data=b"")

    def test_its_name_fits_the_key_store_and_stays(self, kek: KekProvider) -> None:
        assert 0 < len(kek.id) <= 80
        assert kek.id.isascii()
        assert "\n" not in kek.id
        assert kek.id == kek.id

    def test_a_key_store_lives_under_it(
        self, kek: KekProvider, other_kek: KekProvider, keys_database: Database, clock: FakeClock
    ) -> None:
        vault = _bank(keys_database, kek, clock)
        sealed = vault.seal(NAME, "王小明")
        assert open_vault(keys_database, kek, clock).open_text(NAME, sealed) == "王小明"
        with pytest.raises(UnsafeSetting, match="put the right key back"):
            open_vault(keys_database, other_kek, clock)

    def test_a_key_store_moves_from_it_to_another_one_and_back(
        self, kek: KekProvider, other_kek: KekProvider, keys_database: Database, clock: FakeClock
    ) -> None:
        sealed = _bank(keys_database, kek, clock).seal(NAME, "王小明")
        assert rotate_kek(keys_database, old=kek, new=other_kek, actor="operator", at=clock()) > 8
        assert open_vault(keys_database, other_kek, clock).open_text(NAME, sealed) == "王小明"
        with pytest.raises(UnsafeSetting):
            open_vault(keys_database, kek, clock)
        rotate_kek(keys_database, old=other_kek, new=kek, actor="operator", at=clock())
        assert open_vault(keys_database, kek, clock).open_text(NAME, sealed) == "王小明"


def _bank(database: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(database, kek=kek, clock=clock)
    vault = open_vault(database, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_a")
    return vault
