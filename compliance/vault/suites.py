"""Cipher suites as data: what is sealed names its suite by one byte, so another suite is a new entry and no rewriting.

An installation enables the suites that it uses. Where one of these fails its known-answer test nothing works at all:
some builds of the crypto library lack an algorithm. What lies under a suite that is not enabled is not opened.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Any, Final, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from compliance.vault import hmacs, sm4
from models.errors import CannotOpen, KeysUnavailable

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
# Random 96-bit nonces are safe for 2^32 values under one key (SP 800-38D); stop at half of it.
SEALS_PER_KEY: Final = 1 << 31
_NONCES: Final = Struct(f"{NONCE_BYTES}s").iter_unpack


class Aead(Protocol):
    """Authenticated encryption with a 12-byte nonce and a 16-byte tag behind the ciphertext."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None, /) -> bytes:
        """Plaintext; raises `InvalidTag`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AeadAnswer:
    """A published test vector of an AEAD; all values in hexadecimal."""

    key: str
    nonce: str
    plaintext: str
    associated_data: str
    ciphertext_and_tag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class MacAnswer:
    """A published test vector of a MAC; all values in hexadecimal."""

    key: str
    message: str
    tag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KdfAnswer:
    """A published test vector of HKDF; all values in hexadecimal."""

    secret: str
    salt: str
    info: str
    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """One set of algorithms.

    Attributes:
        id: the byte that stands in everything sealed under it; never used again for something else.
        key_bytes: length of the AEAD key.
        digest: name of the hash under HMAC and HKDF, as `hashlib` knows it.
        seal_each: seals many values under one key, as `SealingKey.seal_each` has it, given its nonces.
    """

    id: int
    name: str
    key_bytes: int
    aead: Callable[[bytes], Aead]
    seal_each: Callable[[Any, bytes, Sequence[bytes], Iterable[bytes], Iterable[bytes]], list[bytes]]
    digest: str
    hash: Callable[[], hashes.HashAlgorithm]
    aead_answer: AeadAnswer
    mac_answer: MacAnswer
    kdf_answer: KdfAnswer

    @property
    def code(self) -> str:
        """The name in settings and reports: `aes-256-gcm`, `sm4-gcm`."""
        return self.name.partition("/")[0].lower()

    def new_key(self) -> bytes:
        """A random key of the AEAD."""
        return os.urandom(self.key_bytes)

    def mac(self, key: bytes, message: bytes) -> bytes:
        """HMAC of the message, 32 bytes."""
        return hmacs.mac(self.digest, key, message)

    def macs(self, key: bytes, messages: Iterable[bytes]) -> list[bytes]:
        """HMAC of each message under one key."""
        return hmacs.macs(self.digest, key, messages)

    def derive(self, secret: bytes, *, info: bytes, length: int, salt: bytes | None = None) -> bytes:
        """HKDF (RFC 5869): `length` bytes that only `secret` and `info` together give."""
        return HKDF(self.hash(), length, salt, info).derive(secret)


def _seal_each(
    aead: Aead, header: bytes, nonces: Sequence[bytes], plaintexts: Iterable[bytes], bindings: Iterable[bytes]
) -> list[bytes]:
    sealed = map(aead.encrypt, nonces, plaintexts, bindings)
    return [header + nonce + each for nonce, each in zip(nonces, sealed, strict=True)]


AES_256_GCM: Final = Suite(
    id=1,
    name="AES-256-GCM/HMAC-SHA256",
    key_bytes=32,
    aead=AESGCM,
    seal_each=_seal_each,
    digest="sha256",
    hash=hashes.SHA256,
    # McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16.
    aead_answer=AeadAnswer(
        key="feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
        nonce="cafebabefacedbaddecaf888",
        plaintext=(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
        ),
        associated_data="feedfacedeadbeeffeedfacedeadbeefabaddad2",
        ciphertext_and_tag=(
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ),
    # RFC 4231, test case 2.
    mac_answer=MacAnswer(
        key="4a656665",
        message="7768617420646f2079612077616e7420666f72206e6f7468696e673f",
        tag="5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    # RFC 5869, test case 1.
    kdf_answer=KdfAnswer(
        secret="0b" * 22,
        salt="000102030405060708090a0b0c",
        info="f0f1f2f3f4f5f6f7f8f9",
        key="3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
)

SM4_GCM: Final = Suite(
    id=2,
    name="SM4-GCM/HMAC-SM3",
    key_bytes=sm4.KEY_BYTES,
    aead=sm4.Sm4Gcm,
    seal_each=sm4.Sm4Gcm.seal_each,
    digest="sm3",
    hash=hashes.SM3,
    # RFC 8998, A.1.
    aead_answer=AeadAnswer(
        key="0123456789abcdeffedcba9876543210",
        nonce="00001234567800000000abcd",
        plaintext=(
            "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccdddddddddddddddd"
            "eeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa"
        ),
        associated_data="feedfacedeadbeeffeedfacedeadbeefabaddad2",
        ciphertext_and_tag=(
            "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
            "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
            "83de3541e4c2b58177e065a9bf7b62ec"
        ),
    ),
    # GM/T 0042-2015, appendix D.3, first vector.
    mac_answer=MacAnswer(
        key="0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20",
        message=(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2).hex(),
        tag="ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a",
    ),
    # The inputs of RFC 5869, test case 1, as GmSSL publishes them for SM3.
    kdf_answer=KdfAnswer(
        secret="0b" * 22,
        salt="000102030405060708090a0b0c",
        info="f0f1f2f3f4f5f6f7f8f9",
        key="c69fe91b7aaee2dd5718d72dcaee0cce93f1b8e41f792da51261b6a517e68b36ed2c595572b01dfa359b",
    ),
)

SUITES: Final[dict[int, Suite]] = {suite.id: suite for suite in (AES_256_GCM, SM4_GCM)}
DEFAULT_SUITE: Final = AES_256_GCM


def suite_of(suite_id: int) -> Suite:
    """The suite behind a suite byte.

    Raises:
        CannotOpen: no suite of this program has that byte.
    """
    suite = SUITES.get(suite_id)
    if suite is None:
        raise CannotOpen(detail=f"unknown suite {suite_id}")
    return suite


@dataclass(frozen=True, slots=True)
class EnabledSuites:
    """The suites that an installation uses; the first one is that of a new tenant's keys.

    Raises:
        ValueError: there is none, or one stands there twice.
    """

    suites: tuple[Suite, ...]

    def __post_init__(self) -> None:
        """Refuse what says nothing."""
        if not self.suites or len({suite.id for suite in self.suites}) != len(self.suites):
            raise ValueError("name at least one suite, and each one once")

    @classmethod
    def named(cls, codes: Iterable[str]) -> Self:
        """The suites with these codes, in this order.

        Raises:
            ValueError: none of that code, none at all, or one twice.
        """
        known = {suite.code: suite for suite in SUITES.values()}
        wanted = tuple(codes)
        unknown = [code for code in wanted if code not in known]
        if unknown:
            raise ValueError(f"unknown suite {unknown[0]}: there are {', '.join(known)}")
        return cls(tuple(known[code] for code in wanted))

    @classmethod
    def every(cls) -> Self:
        """All that this program has."""
        return cls(tuple(SUITES.values()))

    @property
    def of_new_tenants(self) -> Suite:
        """Under which a new tenant's keys are made."""
        return self.suites[0]

    def of(self, suite_id: int) -> Suite:
        """The suite behind a suite byte.

        Raises:
            CannotOpen: no suite of this program has that byte.
            KeysUnavailable: it is not enabled, so nobody has tested it in this build.
        """
        suite = suite_of(suite_id)
        if suite not in self.suites:
            raise KeysUnavailable(
                detail=f"suite {suite.code} is not enabled, but keys lie under it: add it to CASEWORK_SUITES"
            )
        return suite

    def check(self) -> None:
        """Run the known-answer tests of these suites, and of the one under which the local KEK wraps.

        Raises:
            KeysUnavailable: as `check_suites`.
        """
        check_suites(dict.fromkeys((suite_of(DEFAULT_SUITE.id), *self.suites)))


def check_suites(suites: Iterable[Suite]) -> None:
    """Run the known-answer tests of these suites.

    Raises:
        KeysUnavailable: a suite gives a wrong answer or is missing; nothing may be sealed or opened.
    """
    for suite in suites:
        try:
            good = _answers_right(suite)
        except Exception as error:  # noqa: BLE001 - whatever a broken build raises, the vault stays shut
            raise KeysUnavailable(
                detail=f"suite {suite.name}: {type(error).__name__} in its known-answer test"
            ) from None
        if not good:
            raise KeysUnavailable(detail=f"suite {suite.name} fails its known-answer test; nothing is sealed or opened")


def _answers_right(suite: Suite) -> bool:
    aead, mac, kdf = suite.aead_answer, suite.mac_answer, suite.kdf_answer
    cipher = suite.aead(bytes.fromhex(aead.key))
    nonce, plaintext, bound, sealed = (
        bytes.fromhex(value) for value in (aead.nonce, aead.plaintext, aead.associated_data, aead.ciphertext_and_tag)
    )
    derived = suite.derive(
        bytes.fromhex(kdf.secret), salt=bytes.fromhex(kdf.salt), info=bytes.fromhex(kdf.info), length=len(kdf.key) // 2
    )
    return (
        cipher.encrypt(nonce, plaintext, bound) == sealed
        and cipher.decrypt(nonce, sealed, bound) == plaintext
        and _refuses(cipher, nonce, sealed[:-1] + bytes([sealed[-1] ^ 1]), bound)
        and suite.mac(bytes.fromhex(mac.key), bytes.fromhex(mac.message)).hex() == mac.tag
        and derived.hex() == kdf.key
    )


def _refuses(cipher: Aead, nonce: bytes, sealed: bytes, bound: bytes) -> bool:
    try:
        cipher.decrypt(nonce, sealed, bound)
    except InvalidTag:
        return True
    return False


class SealingKey:
    """A key ready for use: seals, opens and derives. It never shows itself."""

    __slots__ = ("_aead", "_sealed", "_secret", "suite", "version")

    def __init__(self, suite: Suite, secret: bytes, *, version: int) -> None:
        """Prepare `secret` for the algorithms of `suite`; `version` is what the header of a sealed value says."""
        if len(secret) != suite.key_bytes:
            raise CannotOpen(detail=f"a key of {len(secret)} bytes does not fit suite {suite.name}")
        self.suite = suite
        self.version = version
        self._secret = secret
        self._aead = suite.aead(secret)
        self._sealed = 0

    def __repr__(self) -> str:
        return f"SealingKey(suite={self.suite.id}, version={self.version})"

    @property
    def seals_left(self) -> int:
        """How many values this key may still seal; an inventory warns long before it is none."""
        return max(SEALS_PER_KEY - self._sealed, 0)

    def counting_on(self, before: "SealingKey | None") -> "SealingKey":
        """This key, which counts on from where the same key stood before it was read again."""
        if before is not None and before._secret == self._secret:  # noqa: SLF001 - of this class
            self._sealed = before._sealed  # noqa: SLF001
        return self

    def seal(self, plaintext: bytes, associated_data: bytes) -> bytes:
        """`nonce(12) ciphertext tag(16)` under a random nonce.

        Raises:
            KeysUnavailable: the key has sealed as much as is safe; it must be rotated.
        """
        return self.seal_under(os.urandom(NONCE_BYTES), plaintext, associated_data)

    def seal_under(self, nonce: bytes, plaintext: bytes, associated_data: bytes) -> bytes:
        """As `seal`, under a nonce that the caller knows to be unique for this key."""
        self._spend(1)
        return nonce + self._aead.encrypt(nonce, plaintext, associated_data)

    def seal_all(self, header: bytes, values: Sequence[tuple[bytes, bytes]]) -> list[bytes]:
        """`header nonce(12) ciphertext tag(16)` for each plaintext with its associated data; raises as `seal_each`."""
        return self.seal_each(header, [value for value, _ in values], [bound for _, bound in values])

    def seal_each(self, header: bytes, plaintexts: Sequence[bytes], bindings: Sequence[bytes]) -> list[bytes]:
        """As `seal_all`, of plaintexts and the associated data of each.

        One look at the budget and one draw from the system's generator serve all of them.

        Raises:
            KeysUnavailable: as `seal`; none is sealed.
            ValueError: not as many of the one as of the other.
        """
        if len(plaintexts) != len(bindings):
            raise ValueError("each plaintext needs its associated data")
        self._spend(len(plaintexts))
        nonces = [nonce for (nonce,) in _NONCES(os.urandom(NONCE_BYTES * len(plaintexts)))]
        return self.suite.seal_each(self._aead, header, nonces, plaintexts, bindings)

    def _spend(self, seals: int) -> None:
        # Two threads may lose a count between them; the budget is half of what is safe.
        if self._sealed + seals > SEALS_PER_KEY:
            raise KeysUnavailable(
                detail=f"a key of version {self.version} has sealed {SEALS_PER_KEY} values: rotate it"
            )
        self._sealed += seals

    def open(self, sealed: bytes, associated_data: bytes, *, begin: int = 0) -> bytes:
        """The plaintext behind `nonce ciphertext tag`, which begin at that byte.

        Raises:
            CannotOpen: altered, moved or sealed under another key; the error says nothing of the value.
        """
        try:
            body = begin + NONCE_BYTES
            return self._aead.decrypt(sealed[begin:body], sealed[body:], associated_data)
        except (InvalidTag, ValueError):
            raise CannotOpen(detail="the authentication tag does not fit") from None

    def open_all(self, values: Iterable[tuple[bytes, bytes]], *, begin: int) -> list[bytes]:
        """The plaintext of each sealed value with its associated data; raises as `open`, at the first that fails."""
        body, decrypt = begin + NONCE_BYTES, self._aead.decrypt
        try:
            return [decrypt(sealed[begin:body], sealed[body:], associated) for sealed, associated in values]
        except (InvalidTag, ValueError):
            raise CannotOpen(detail="the authentication tag does not fit") from None

    def derive(self, *, info: bytes, length: int, salt: bytes | None = None) -> bytes:
        """HKDF from this key."""
        return self.suite.derive(self._secret, info=info, length=length, salt=salt)

    def mac(self, message: bytes) -> bytes:
        """HMAC under this key."""
        return self.suite.mac(self._secret, message)

    def macs(self, messages: Iterable[bytes]) -> list[bytes]:
        """HMAC of each message under this key."""
        return self.suite.macs(self._secret, messages)
