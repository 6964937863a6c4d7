"""Every provider of a key-encryption key keeps one contract; what is a provider's own is said below it."""

import base64
import os
from pathlib import Path

import pytest

from compliance.vault import kek_pkcs11
from compliance.vault.kek import EnvKek, FileKek, KekProvider, create_kek_file
from compliance.vault.kek_pkcs11 import Pkcs11Kek, TokenKey
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from models.database.engine import Database
from models.errors import KeysUnavailable, UnsafeSetting
from tests.compliance.vault.kek_contract import KekContract
from tests.support import softhsm
from tests.support.clock import FakeClock
from tests.support.softhsm import SoftTokens

NO_TOKENS = softhsm.missing()
needs_tokens = pytest.mark.skipif(NO_TOKENS is not None, reason=NO_TOKENS or "")
_names = iter(range(10_000))


@pytest.fixture(scope="session")
def tokens() -> SoftTokens:
    return softhsm.tokens()


class TestEnvKek(KekContract):
    @pytest.fixture
    def kek(self) -> KekProvider:
        return EnvKek(base64.b64encode(os.urandom(32)).decode())

    @pytest.fixture
    def other_kek(self) -> KekProvider:
        return EnvKek(base64.b64encode(os.urandom(32)).decode())


class TestFileKek(KekContract):
    @pytest.fixture
    def kek(self, tmp_path: Path) -> KekProvider:
        create_kek_file(tmp_path / "casework.kek")
        return FileKek(tmp_path / "casework.kek")

    @pytest.fixture
    def other_kek(self, tmp_path: Path) -> KekProvider:
        create_kek_file(tmp_path / "other.kek")
        return FileKek(tmp_path / "other.kek")


@needs_tokens
class TestPkcs11Kek(KekContract):
    @pytest.fixture
    def kek(self, tokens: SoftTokens) -> KekProvider:
        return Pkcs11Kek(tokens.make(f"kek-{next(_names)}"))

    @pytest.fixture
    def other_kek(self, tokens: SoftTokens) -> KekProvider:
        return Pkcs11Kek(tokens.make(f"kek-{next(_names)}", token="second"))


@needs_tokens
class TestFromFileToToken(KekContract):
    @pytest.fixture
    def kek(self, tmp_path: Path) -> KekProvider:
        create_kek_file(tmp_path / "casework.kek")
        return FileKek(tmp_path / "casework.kek")

    @pytest.fixture
    def other_kek(self, tokens: SoftTokens) -> KekProvider:
        return Pkcs11Kek(tokens.make(f"kek-{next(_names)}"))


# Tokens ---------------------------------------------------------------------------------------------------------------


@needs_tokens
def test_a_key_that_could_leave_the_token_is_refused(tokens: SoftTokens) -> None:
    for place in (tokens.make("loose", extractable=True), tokens.make("short", bits=128)):
        with pytest.raises(UnsafeSetting, match="stays in the token"):
            Pkcs11Kek(place).wrap(os.urandom(32), associated_data=b"")


@needs_tokens
def test_a_key_or_a_token_that_is_not_there_is_named(tokens: SoftTokens) -> None:
    with pytest.raises(KeysUnavailable, match="no AES key labelled nowhere"):
        Pkcs11Kek(tokens.key("nowhere")).wrap(os.urandom(32), associated_data=b"")
    with pytest.raises(KeysUnavailable, match="no token labelled elsewhere"):
        Pkcs11Kek(tokens.key("kek", token="elsewhere")).unwrap(b"\2\1" + bytes(60), associated_data=b"")
    with pytest.raises(KeysUnavailable, match="cannot be used"):
        nowhere = TokenKey(module=Path("/nowhere/token.so"), token="bank", key="kek", pin=softhsm.PIN)
        Pkcs11Kek(nowhere).wrap(os.urandom(32), associated_data=b"")


@needs_tokens
def test_a_wrong_pin_is_tried_once_so_that_the_token_does_not_lock(
    tokens: SoftTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    kek = Pkcs11Kek(tokens.key("kek", token="strict", pin="0000-wrong"))
    with pytest.raises(KeysUnavailable, match="refuses the PIN") as refused:
        kek.wrap(os.urandom(32), associated_data=b"")
    assert "0000-wrong" not in str(refused.value)

    def never(*_: object) -> object:
        raise AssertionError("the token was asked again")

    monkeypatch.setattr(kek_pkcs11._library(), "lib", never)
    for again in (kek, Pkcs11Kek(tokens.key("kek", token="strict", pin="0000-wrong"))):
        with pytest.raises(KeysUnavailable, match="not tried again"):
            again.wrap(os.urandom(32), associated_data=b"")


@needs_tokens
def test_a_token_that_was_away_is_asked_again(tokens: SoftTokens) -> None:
    kek = Pkcs11Kek(tokens.make("away"))
    wrapped = kek.wrap(b"k" * 32, associated_data=b"")
    kek._token._session.close()  # as when it was pulled out and put back
    assert kek.unwrap(wrapped, associated_data=b"") == b"k" * 32


@needs_tokens
def test_a_store_whose_token_is_gone_opens_nothing_and_loses_nothing(
    tokens: SoftTokens, keys_database: Database, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tokens.make("gone")
    initialise_key_store(keys_database, kek=Pkcs11Kek(place), clock=clock)
    vault = open_vault(keys_database, Pkcs11Kek(place), clock)
    vault.ensure_tenant("acme")
    with monkeypatch.context() as patched:
        patched.setattr(kek_pkcs11._Token, "session", _no_token)
        absent = Pkcs11Kek(place)
        with pytest.raises(KeysUnavailable, match="plugged in"):
            open_vault(keys_database, absent, clock)
        with pytest.raises(KeysUnavailable, match="plugged in"):
            rotate_kek(keys_database, old=absent, new=Pkcs11Kek(place), actor="operator", at=clock())
    open_vault(keys_database, Pkcs11Kek(place), clock).purpose_key("acme", "links")


def _no_token(self: object) -> object:
    raise KeysUnavailable(detail="no token labelled bank: is it plugged in?")


def test_without_the_extra_the_refusal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pkcs11", None)
    kek = Pkcs11Kek(TokenKey(module=Path("/nowhere.so"), token="t", key="k", pin="p"))
    with pytest.raises(UnsafeSetting, match=r"casework\[pkcs11\]"):
        kek.wrap(os.urandom(32), associated_data=b"")


def test_a_pin_is_not_printed() -> None:
    assert "4711" not in repr(TokenKey(module=Path("/x.so"), token="t", key="k", pin="4711"))
