"""A suite that answers wrongly is never used, and what it seals always opens only as it was sealed."""

import dataclasses

import pytest

from compliance.vault import suites
from compliance.vault.cells import CellAddress
from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, SM4_GCM, EnabledSuites, SealingKey, Suite, check_suites, suite_of
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable
from tests.support.clock import FakeClock

BOTH = [AES_256_GCM, SM4_GCM]


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
    check_suites(BOTH)
    EnabledSuites.every().check()


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


@pytest.mark.parametrize(
    "broken",
    [
        dataclasses.replace(SM4_GCM, aead=_Broken),
        dataclasses.replace(SM4_GCM, aead=_absent),
        dataclasses.replace(SM4_GCM, digest="sha256"),
        dataclasses.replace(SM4_GCM, hash=AES_256_GCM.hash),
        dataclasses.replace(SM4_GCM, aead=lambda key: AES_256_GCM.aead(key + key)),
    ],
    ids=["wrong ciphertext", "algorithm missing", "wrong MAC", "wrong KDF", "another cipher"],
)
def test_a_suite_that_is_not_enabled_may_be_broken_and_one_that_is_may_not(
    broken: Suite, keys_database: Database, kek: KekProvider, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(suites.SUITES, broken.id, broken)
    only_aes, both = EnabledSuites((AES_256_GCM,)), EnabledSuites((AES_256_GCM, broken))
    initialise_key_store(keys_database, kek=kek, clock=clock, suites=only_aes)
    open_vault(keys_database, kek, clock, suites=only_aes)
    for attempt in (
        lambda: open_vault(keys_database, kek, clock, suites=both),
        lambda: initialise_key_store(keys_database, kek=kek, clock=clock, suites=both),
    ):
        with pytest.raises(KeysUnavailable, match="SM4-GCM"):
            attempt()


def test_the_library_itself_failing_shuts_the_vault(
    keys_database: Database, kek: KekProvider, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a build of the crypto library without SM4 behaves: it raises when a cipher is made."""
    from cryptography.exceptions import UnsupportedAlgorithm

    from compliance.vault import sm4

    def unsupported(*_: object) -> None:
        raise UnsupportedAlgorithm("cipher SM4 in GCM mode is not supported by this backend")

    initialise_key_store(keys_database, kek=kek, clock=clock)
    monkeypatch.setattr(sm4, "Cipher", unsupported)
    with pytest.raises(KeysUnavailable, match=r"SM4-GCM.*UnsupportedAlgorithm"):
        open_vault(keys_database, kek, clock)
    open_vault(keys_database, kek, clock, suites=EnabledSuites.named(["aes-256-gcm"]))


def test_the_suite_of_the_kek_is_tested_even_where_data_lie_under_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(suites.SUITES, 1, dataclasses.replace(AES_256_GCM, aead=_Broken))
    with pytest.raises(KeysUnavailable, match="AES-256-GCM"):
        EnabledSuites((SM4_GCM,)).check()


def test_suites_are_named_as_in_the_settings() -> None:
    assert [suite.code for suite in EnabledSuites.every().suites] == ["aes-256-gcm", "sm4-gcm"]
    assert EnabledSuites.named(["sm4-gcm", "aes-256-gcm"]).of_new_tenants is SM4_GCM
    for codes in (["rot13"], [], ["sm4-gcm", "sm4-gcm"]):
        with pytest.raises(ValueError, match="suite"):
            EnabledSuites.named(codes)


@pytest.mark.parametrize("suite", BOTH, ids=lambda suite: suite.code)
def test_a_new_tenant_gets_the_first_suite_and_keeps_it(
    suite: Suite, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    [other] = [one for one in BOTH if one is not suite]
    vault = open_vault(keys_database, kek, clock, suites=EnabledSuites((suite, other)))
    vault.ensure_tenant("acme")
    later = open_vault(keys_database, kek, clock, suites=EnabledSuites((other, suite)))
    later.ensure_tenant("acme")
    address = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")
    later.create_subject(tenant="acme", subject_id="sub_a")
    sealed = later.seal(address, "王小明")
    assert sealed[1] == suite.id
    assert vault.open_text(address, sealed) == "王小明"
    # Where that suite is left out its keys are not used, and the refusal says what to do.
    if suite is SM4_GCM:
        without = open_vault(keys_database, kek, clock, suites=EnabledSuites((other,)))
        with pytest.raises(KeysUnavailable, match=r"sm4-gcm is not enabled.*CASEWORK_SUITES"):
            without.open(address, sealed)


def test_an_unknown_suite_byte_opens_nothing() -> None:
    with pytest.raises(CannotOpen, match="unknown suite 77"):
        suite_of(77)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    with pytest.raises(CannotOpen):
        SealingKey(AES_256_GCM, bytes(16), version=1)


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

    kek = EnvKek("q83vEjRWeJq83vEjRWeJqyEiMjNERVVmZ3eIiZmqAAE=")
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_old")
    old = CellAddress("acme", "subjects", "name_cell", "sub_old", "sub_old")
    sealed_old = vault.seal(old, "旧")

    # The other suite has another key length, as SM4 has.
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
    vault = open_vault(keys_database, kek, clock, suites=EnabledSuites((second, AES_256_GCM)))
    vault.ensure_tenant("other")
    vault.create_subject(tenant="other", subject_id="sub_new")
    new = CellAddress("other", "subjects", "name_cell", "sub_new", "sub_new")
    sealed_new = vault.seal(new, "新")

    assert (sealed_old[1], sealed_new[1]) == (1, 9)
    assert (vault.open_text(old, sealed_old), vault.open_text(new, sealed_new)) == ("旧", "新")
