"""Passwords: long, not on the list, hashed with argon2id, and no quicker to refuse for nobody than for somebody."""

import time
from importlib.resources import files

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from api.identity import passwords
from api.identity.passwords import check_policy, common_passwords, hash_password, password_matches
from models.errors import FormInvalid
from tests.support import blocklist

GOOD = "seven gardens under quiet rain"


def test_hashes_are_argon2id_of_46_mib_and_salted() -> None:
    first, second = hash_password(GOOD), hash_password(GOOD)
    parameters = extract_parameters(first)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (
        Type.ID,
        47_104,
        1,
        1,
    )
    assert first != second
    assert password_matches(GOOD, first)
    assert not password_matches(GOOD + " ", first)


@pytest.mark.parametrize("stored", [None, "", "not a hash", "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$AAAA"])
def test_what_is_no_hash_matches_nothing(stored: str | None) -> None:
    assert not password_matches("nobody has this password", stored)


def test_the_same_password_in_two_unicode_spellings_is_the_same() -> None:
    assert password_matches("ｓｅｖｅｎ café gardens".replace("é", "é"), hash_password("seven café gardens"))


def test_an_unknown_account_takes_as_long_as_a_wrong_password() -> None:
    stored = hash_password(GOOD)
    password_matches("warm up", None)

    def seconds(hashed: str | None) -> float:
        started = time.perf_counter()
        password_matches("wrong", hashed)
        return time.perf_counter() - started

    # In turn: what else the machine does for a while slows both alike.
    turns = [(seconds(stored), seconds(None)) for _ in range(8)]
    known, unknown = (min(times) for times in zip(*turns, strict=True))
    assert 0.4 < known / unknown < 2.5


def test_the_list_is_what_its_rule_makes_and_long_enough() -> None:
    assert (files("api.identity") / "common-passwords.txt").read_text(encoding="utf-8") == blocklist.text()
    assert len(common_passwords()) >= 3_000
    assert all(len(entry) >= passwords.MIN_CHARACTERS for entry in common_passwords())


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("", "too-short"),
        ("fourteen chars", "too-short"),
        ("x" * 129, "too-long"),
        ("passwordpassword", "password-common"),
        ("PasswordPassword", "password-common"),
        ("passwordpassword!", "password-common"),
        ("passwordpassword2026", "password-common"),
        ("qwertyuiopqwert", "password-common"),
        ("1qaz2wsx3edc4rfv", "password-common"),
        ("123456789012345", "password-common"),
        ("aaaaaaaaaaaaaaaa", "password-common"),
        ("abababababababababab", "password-common"),
        ("1990010119900101", "password-common"),
        ("woainiwoainiwoaini", "password-common"),
        ("zhang.san-zhang", "password-common"),
    ],
)
def test_what_can_be_guessed_is_refused_without_being_repeated(password: str, code: str) -> None:
    with pytest.raises(FormInvalid) as caught:
        check_policy(password, login="zhang.san", pointer="/newPassword")
    fault = caught.value.faults[0]
    assert (fault.pointer, fault.code) == ("/newPassword", code)
    assert not password or password not in repr(caught.value)


@pytest.mark.parametrize(
    "password", [GOOD, "昨夜西风凋碧树独上高楼望尽天涯路", "x" * 3 + "Kd93-fjq!lw0", "zhang.san walks home by night"]
)
def test_what_cannot_is_taken(password: str) -> None:
    check_policy(password, login="zhang.san", pointer="/newPassword")
