"""What an attacker who can write the store may try, counted."""

import dataclasses
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

from compliance.vault.suites import SealingKey
from models.errors import CannotOpen
from tests.compliance.tamper.sealed_forms import SUITES, Form, key_of


class Tally:
    """How many attacks were tried, by kind, and those that went through."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()
        self.let_through: list[str] = []

    @property
    def total(self) -> int:
        return self.tried.total()

    def attempt(self, kind: str, form: Form, key: SealingKey, address: Any, sealed: bytes) -> None:
        """Anything but a refusal by `CannotOpen` is a hole, another exception too."""
        self.tried[kind] += 1
        try:
            form.open(key, address, sealed)
        except CannotOpen:
            return
        self.let_through.append(f"{form.name}: {kind}")


def every_bit(tally: Tally, form: Form, random: Random, key: SealingKey) -> None:
    """Each bit of one sealed value, then each length shorter than it, and some longer ones."""
    address, value = form.address(random), random.randbytes(random.randrange(12))
    sealed = form.seal(key, address, value)
    assert form.open(key, address, sealed) == value
    for bit in range(len(sealed) * 8):
        altered = bytearray(sealed)
        altered[bit // 8] ^= 1 << bit % 8
        tally.attempt("bit", form, key, address, bytes(altered))
    for length in range(len(sealed)):
        tally.attempt("truncation", form, key, address, sealed[:length])
    for more in (b"\x00", b"\xff", sealed[-16:], sealed):
        tally.attempt("extension", form, key, address, sealed + more)


def at_random(tally: Tally, form: Form, random: Random, key: SealingKey) -> None:
    """One sealed value, altered, moved and opened by other keys in each way that there is."""
    address, other = form.address(random), form.address(random)
    value = random.randbytes(random.randrange(40))
    sealed, elsewhere = form.seal(key, address, value), form.seal(key, other, value)
    assert form.open(key, address, sealed) == value
    tally.attempt("noise", form, key, address, _noise(random, sealed))
    tally.attempt("middle cut out", form, key, address, _cut(random, sealed))
    tally.attempt("header of another, body of this", form, key, address, _mixed(random, sealed, elsewhere))
    if address != other:
        tally.attempt("moved", form, key, address, elsewhere)
    for kind, changed in _changed_addresses(address, random):
        tally.attempt(f"other {kind}", form, key, changed, sealed)
    for kind, opener, altered in _other_keys(form, key, sealed, random):
        tally.attempt(kind, form, opener, address, altered)


def _changed_addresses(address: Any, random: Random) -> Iterator[tuple[str, Any]]:
    fields = dataclasses.fields(address)
    for part in fields:
        was = getattr(address, part.name)
        if isinstance(was, int):
            yield part.name, dataclasses.replace(address, **{part.name: was + random.choice((1, 256, 1 << 32))})
        else:
            changed = random.choice((was + "x", "x" + was, was.upper() + "\x00", was[:-1] or "y"))
            yield part.name, dataclasses.replace(address, **{part.name: changed})
    texts = [part.name for part in fields if isinstance(getattr(address, part.name), str)]
    for one, other in pairwise(texts):
        a, b = getattr(address, one), getattr(address, other)
        if a != b:
            yield f"{one} and {other} exchanged", dataclasses.replace(address, **{one: b, other: a})
        if a:
            moved = dataclasses.replace(address, **{one: a[:-1], other: a[-1] + b})
            yield f"letter from {one} to {other}", moved


def _other_keys(form: Form, key: SealingKey, sealed: bytes, random: Random) -> Iterator[tuple[str, SealingKey, bytes]]:
    secret, version = key._secret, key.version
    yield "another subject's key", key_of(key.suite, random, version=version), sealed
    for suite in SUITES:
        if suite is not key.suite:
            # As if both suites shared a secret: what is sealed under one must not open as the other.
            shared = SealingKey(suite, (secret * 2)[: suite.key_bytes], version=version)
            rewritten = bytearray(sealed)
            rewritten[form.suite_at] = suite.id
            yield "other suite", shared, sealed
            yield "suite rewritten", shared, bytes(rewritten)
            yield "suite rewritten, own key", key, bytes(rewritten)
    if form.version_at is not None:
        other = SealingKey(key.suite, secret, version=version ^ 1)
        rewritten = bytearray(sealed)
        rewritten[form.version_at : form.version_at + 2] = other.version.to_bytes(2)
        yield "other key version", other, sealed
        yield "key version rewritten", other, bytes(rewritten)
        yield "key version rewritten, own key", key, bytes(rewritten)
    for unknown in (0, 3, 255):
        yield "unknown suite", key, sealed[: form.suite_at] + bytes((unknown,)) + sealed[form.suite_at + 1 :]


def _noise(random: Random, sealed: bytes) -> bytes:
    altered = bytearray(sealed)
    for _ in range(random.randrange(1, 5)):
        altered[random.randrange(len(altered))] ^= random.randrange(1, 256)
    return bytes(altered) if altered != sealed else bytes(len(sealed))


def _cut(random: Random, sealed: bytes) -> bytes:
    begin = random.randrange(len(sealed))
    return sealed[:begin] + sealed[begin + random.randrange(1, 20) :]


def _mixed(random: Random, sealed: bytes, elsewhere: bytes) -> bytes:
    at = random.randrange(1, min(len(sealed), len(elsewhere)))
    mixed = elsewhere[:at] + sealed[at:]
    return mixed if mixed != sealed else elsewhere[:-1] + bytes((elsewhere[-1] ^ 1,))
