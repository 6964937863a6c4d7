"""A suite that answers wrongly is never used, and what it seals always opens only as it was sealed."""

import dataclasses

import pytest

from compliance.vault import suites
from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, SealingKey, Suite, check_suites, suite_of
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable
from tests.support.clock import FakeClock


class _Broken:
    """An AEAD that encrypts to nothing and believes everything."""

    def __init__(self, key: bytes) -> None: ...

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        return data + bytes(16)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        return data[:-16]


class _Credulous:
    """AES-GCM that does not look at the tag."""

    def __init__(self, key: bytes) -> None:
        self._aead = AES_256_GCM.aead(key)

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        return self._aead.encrypt(nonce, data, associated_data)

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        return bytes.fromhex(AES_256_GCM.aead_answer.plaintext)


def _absent(_key: bytes) -> suites.Aead:
    raise NotImplementedError("this build has no such algorithm")


def test_the_suites_of_this_build_give_the_published_answers() -> None:
    check_suites()


@pytest.mark.parametrize(
    "broken",
    [
        dataclasses.replace(AES_256_GCM, aead=_Broken),
        dataclasses.replace(AES_256_GCM, aead=_Credulous),
        dataclasses.replace(AES_256_GCM, aead=_absent),
        dataclasses.replace(AES_256_GCM, digest="sha512"),
        dataclasses.replace(AES_256_GCM, kdf_answer=dataclasses.replace(AES_256_GCM.kdf_answer, key="00" * 42)),
    ],
    ids=["wrong ciphertext", "tag not checked", "algorithm missing", "wrong MAC", "wrong KDF"],
)
def test_a_vault_with_a_broken_suite_stays_shut(
    broken: Suite, keys_database: Database, kek: KekProvider, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    monkeypatch.setitem(suites.SUITES, broken.id, broken)
    with pytest.raises(KeysUnavailable, match="AES-256-GCM"):
        open_vault(keys_database, kek, clock)
    with pytest.raises(KeysUnavailable):
        initialise_key_store(keys_database, kek=kek, clock=clock)


def test_an_unknown_suite_byte_opens_nothing() -> None:
    with pytest.raises(CannotOpen, match="unknown suite 77"):
        suite_of(77)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(CannotOpen):
        SealingKey(AES_256_GCM, bytes(16), version=1)


def test_nonces_do_not_repeat_over_many_seals() -> None:
    key = SealingKey(AES_256_GCM, AES_256_GCM.new_key(), version=1)
    nonces = {key.seal(b"", b"")[: suites.NONCE_BYTES] for _ in range(100_000)}
    assert len(nonces) == 100_000


def test_a_key_stops_sealing_before_random_nonces_become_unsafe(monkeypatch: pytest.MonkeyPatch) -> None:
    assert suites.SEALS_PER_KEY == 2**31
    monkeypatch.setattr(suites, "SEALS_PER_KEY", 3)
    key = SealingKey(AES_256_GCM, AES_256_GCM.new_key(), version=1)
    sealed = [key.seal(b"value", b"") for _ in range(3)]
    with pytest.raises(KeysUnavailable, match="rotate"):
        key.seal(b"value", b"")
    assert {key.open(one, b"") for one in sealed} == {b"value"}


def test_a_key_does_not_show_itself() -> None:
    secret = AES_256_GCM.new_key()
    shown = repr(SealingKey(AES_256_GCM, secret, version=4))
    assert secret.hex() not in shown
    assert repr(secret) not in shown
    assert shown == "SealingKey(suite=1, version=4)"


def test_a_second_suite_is_an_entry_and_nothing_else(
    keys_database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sealed under the first suite is read beside what is sealed under the second."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    from compliance.vault import keyring
    from compliance.vault.cells import CellAddress

    kek = EnvKek("q83vEjRWeJq83vEjRWeJqyEiMjNERVVmZ3eIiZmqAAE=")
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_old")
    old = CellAddress("acme", "subjects", "name_cell", "sub_old", "sub_old")
    sealed_old = vault.seal(old, "旧")

    # The second suite has another key length, as SM4 has.
    second = dataclasses.replace(
        AES_256_GCM,
        id=9,
        name="AES-128-GCM",
        key_bytes=16,
        aead=AESGCM,
        aead_answer=suites.AeadAnswer(
            key="feffe9928665731c6d6a8f9467308308",
            nonce="cafebabefacedbaddecaf888",
            plaintext=AES_256_GCM.aead_answer.plaintext,
            associated_data=AES_256_GCM.aead_answer.associated_data,
            ciphertext_and_tag=(
                "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
                "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
                "5bc94fbc3221a5db94fae95ae7121a47"
            ),
        ),
    )
    monkeypatch.setitem(suites.SUITES, second.id, second)
    monkeypatch.setattr(keyring, "DEFAULT_SUITE", second)
    vault = open_vault(keys_database, kek, clock)
    vault.ensure_tenant("bolt")  # a tenant's keys stay in its suite until it changes; a new one starts in the default
    vault.create_subject(tenant="bolt", subject_id="sub_new")
    new = CellAddress("bolt", "subjects", "name_cell", "sub_new", "sub_new")
    sealed_new = vault.seal(new, "新")

    assert (sealed_old[1], sealed_new[1]) == (1, 9)
    assert (vault.open_text(old, sealed_old), vault.open_text(new, sealed_new)) == ("旧", "新")
