"""The key-encryption key: refused when others can read it, never replaced, never in an error's text."""

import base64
import os
from pathlib import Path

import pytest

from compliance.vault.kek import EnvKek, FileKek, KekProvider, create_kek_file
from models.errors import CannotOpen, KeysUnavailable, UnsafeSetting


def _value(secret: bytes) -> str:
    return base64.b64encode(secret).decode()


def test_a_new_key_file_is_ours_alone_and_works(tmp_path: Path) -> None:
    path = tmp_path / "casework.kek"
    create_kek_file(path)
    assert path.stat().st_mode & 0o777 == 0o600
    wrapped = FileKek(path).wrap(b"branch key", associated_data=b"acme")
    assert FileKek(path).unwrap(wrapped, associated_data=b"acme") == b"branch key"
    assert b"branch key" not in wrapped


def test_a_new_key_file_is_private_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        create_kek_file(tmp_path / "casework.kek")
    finally:
        os.umask(before)
    assert (tmp_path / "casework.kek").stat().st_mode & 0o777 == 0o600


def test_an_existing_key_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "casework.kek"
    create_kek_file(path)
    before = path.read_bytes()
    with pytest.raises(UnsafeSetting, match="never replaced"):
        create_kek_file(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o700, 0o777])
def test_a_key_file_that_others_can_reach_is_refused_with_the_fix(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "casework.kek"
    create_kek_file(path)
    path.chmod(mode)
    with pytest.raises(UnsafeSetting, match=f"chmod 0600 {path}"):
        FileKek(path)


def test_a_key_file_of_somebody_else_is_refused_with_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "casework.kek"
    create_kek_file(path)
    stranger = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: stranger)
    with pytest.raises(UnsafeSetting, match=f"chown {stranger} {path}"):
        FileKek(path)


def test_a_missing_key_file_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(KeysUnavailable, match="casework keys init"):
        FileKek(tmp_path / "casework.kek")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_no_key_file(tmp_path: Path) -> None:
    with pytest.raises(UnsafeSetting, match="regular file"):
        FileKek(tmp_path)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("", "has 0 bytes"),
        ("not base64!", "not base64"),
        (_value(os.urandom(31)), "has 31 bytes"),
        (_value(bytes(32)), "no random key"),
        (_value(b"0123456789abcdef0123456789abcdef"), "no random key"),
        (_value(b"changemechangemechangemechangeme"), "no random key"),
        (_value(os.urandom(32)) + "é", "not base64"),
    ],
    ids=["empty", "text", "a byte short", "zeros", "digits", "a sample", "an accent"],  # the same in every process
)
def test_a_weak_key_is_refused_and_not_repeated(value: str, says: str) -> None:
    with pytest.raises(UnsafeSetting, match=says) as refused:
        EnvKek(value)
    assert not value or value not in str(refused.value)


def test_the_same_secret_is_the_same_key_wherever_it_lies(tmp_path: Path) -> None:
    path = tmp_path / "casework.kek"
    create_kek_file(path)
    in_file, in_environment = FileKek(path), EnvKek(path.read_text())
    assert in_file.id == in_environment.id
    assert in_environment.unwrap(in_file.wrap(b"x", associated_data=b""), associated_data=b"") == b"x"


def test_two_secrets_are_two_keys() -> None:
    one, other = EnvKek(_value(os.urandom(32))), EnvKek(_value(os.urandom(32)))
    assert one.id != other.id
    with pytest.raises(CannotOpen):
        other.unwrap(one.wrap(b"x", associated_data=b""), associated_data=b"")


def test_the_id_does_not_tell_the_secret() -> None:
    secret = os.urandom(32)
    kek = EnvKek(_value(secret))
    assert secret.hex()[:16] not in kek.id
    assert _value(secret)[:12] not in kek.id


def test_a_wrapped_key_is_bound_to_what_it_is_for_and_to_every_bit(kek: KekProvider) -> None:
    wrapped = kek.wrap(b"branch key", associated_data=b"acme")
    with pytest.raises(CannotOpen):
        kek.unwrap(wrapped, associated_data=b"other")
    for bit in range(len(wrapped) * 8):
        flipped = bytearray(wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            kek.unwrap(bytes(flipped), associated_data=b"acme")
    for length in range(len(wrapped)):
        with pytest.raises(CannotOpen):
            kek.unwrap(wrapped[:length], associated_data=b"acme")
