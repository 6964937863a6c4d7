"""Passwords of the local issuer: argon2id, a length that matters, and a list of what everybody tries first.

The list (`common-passwords.txt`) is made by rule: keyboard walks, common words repeated or filled up with digits,
dates, runs of one character; all of at least 15 characters, since shorter ones are refused anyway.
"""

import os
import re
import threading
import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from models.errors import FieldFault, FormInvalid

MIN_CHARACTERS: Final = 15
MAX_CHARACTERS: Final = 128  # longer ones make no one safer and cost time
MIN_DISTINCT: Final = 6
MEMORY_KIB: Final = 46 * 1024  # OWASP ASVS 5.0, appendix C: 46 MiB with one pass and one lane
_AT_ONCE: Final = 4  # hashes under way in one process, so that log-ins cannot eat all the memory
_TAIL: Final = re.compile(r"[\W\d_]+\Z")

_HASHER: Final = PasswordHasher(time_cost=1, memory_cost=MEMORY_KIB, parallelism=1)
_SLOTS: Final = threading.BoundedSemaphore(_AT_ONCE)


def hash_password(password: str) -> str:
    """The argon2id hash to keep. Takes some 30 ms and 46 MiB."""
    with _SLOTS:
        return _HASHER.hash(_normal(password))


def password_matches(password: str, password_hash: str | None) -> bool:
    """Whether a password is right. For an account that has none, or does not exist, it takes as long to say no."""
    with _SLOTS:
        try:
            _HASHER.verify(password_hash or _dummy_hash(), _normal(password))
        except (Argon2Error, InvalidHashError):
            return False
    return bool(password_hash)


def check_policy(password: str, *, login: str, pointer: str) -> None:
    """Refuse a password that can be guessed.

    Args:
        password: the new one.
        login: the account's name, which must not stand in it.
        pointer: where it stands in the request's body.

    Raises:
        FormInvalid: `too-short`, `too-long` or `password-common`; the password itself is not repeated.
    """
    text = _normal(password)
    if len(text) < MIN_CHARACTERS:
        raise FormInvalid(faults=(FieldFault(pointer=pointer, code="too-short", params={"limit": MIN_CHARACTERS}),))
    if len(text) > MAX_CHARACTERS:
        raise FormInvalid(faults=(FieldFault(pointer=pointer, code="too-long", params={"limit": MAX_CHARACTERS}),))
    folded = text.casefold()
    core = _TAIL.sub("", folded)
    common = common_passwords()
    guessable = (
        folded in common
        or core in common
        or len(set(folded)) < MIN_DISTINCT
        or (login.casefold() in folded and len(folded) - len(login) < MIN_CHARACTERS)
    )
    if guessable:
        raise FormInvalid(faults=(FieldFault(pointer=pointer, code="password-common"),))


@cache
def common_passwords() -> frozenset[str]:
    """The list, folded. Read once."""
    text = files("api.identity").joinpath("common-passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if line and not line.startswith("# "))


@cache
def _dummy_hash() -> str:
    return _HASHER.hash(os.urandom(32))


def _normal(password: str) -> str:
    # The same password typed on two keyboards is the same password.
    return unicodedata.normalize("NFKC", password)
