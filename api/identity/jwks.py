"""Keys of an outside issuer, from a file that operations keeps up to date. Nothing is fetched that a token names.

The file is read again when it changes. One that does not parse, or holds a weak, private or symmetric key, is refused
as a whole: at start the process does not come up, later the last good keys stay.
"""

import base64
import json
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from api.identity.tokens import VerifyKey, verify_key
from compliance.telemetry.failures import error_fields
from models.errors import UnsafeSetting

_MAX_BYTES: Final = 256 * 1024
_KID: Final = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
_VALUE: Final = re.compile(r"\A[A-Za-z0-9_-]+\Z")
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_CURVES: Final[dict[str, ec.EllipticCurve]] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
_ALGORITHMS: Final = frozenset({"ES256", "ES384", "RS256"})
log = structlog.get_logger(__name__)


class JwksFile:
    """The present keys of a file; callable, as `TokenVerifier.keys` wants it."""

    def __init__(self, path: Path) -> None:
        """Read the file.

        Raises:
            UnsafeSetting: it cannot be used; `detail` says why.
        """
        self._path = path
        self._lock = threading.Lock()
        self._seen = self._stamp()
        self._keys: Mapping[str, VerifyKey] = self._read()

    def __call__(self) -> Mapping[str, VerifyKey]:
        """The keys, read again if the file has changed since."""
        stamp = self._stamp()
        if stamp != self._seen:
            with self._lock:
                if stamp != self._seen:
                    self._seen = stamp  # a bad file is complained of once, not at each request
                    self._reload()
        return self._keys

    def _reload(self) -> None:
        try:
            self._keys = self._read()
        except UnsafeSetting as error:
            log.error("jwks.refused", **error_fields(error))  # noqa: TRY400 - type and place, no trace

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            status = self._path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _read(self) -> Mapping[str, VerifyKey]:
        try:
            with self._path.open("rb") as file:
                raw = file.read(_MAX_BYTES + 1)
        except OSError:
            raise UnsafeSetting(detail="jwks: the file cannot be read") from None
        return parse_jwks(raw)


def parse_jwks(raw: bytes) -> dict[str, VerifyKey]:
    """The signing keys of a JWK set by `kid`. Keys marked for encryption are left out.

    Raises:
        UnsafeSetting: broken JSON, a member twice, no usable key, or a key that is private, symmetric, weak, without
            `kid` or without `alg`: one key has one algorithm, and the set must say which.
    """
    if len(raw) > _MAX_BYTES:
        raise UnsafeSetting(detail="jwks: the file is too large")
    try:
        document = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError):
        raise UnsafeSetting(detail="jwks: not JSON, or a member twice") from None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise UnsafeSetting(detail="jwks: `keys` must be a list of objects")
    keys: dict[str, VerifyKey] = {}
    for entry in entries:
        if entry.get("use") == "enc":
            continue
        kid = entry.get("kid")
        if not isinstance(kid, str) or _KID.match(kid) is None or kid in keys:
            raise UnsafeSetting(detail="jwks: each key needs a `kid` of its own")
        keys[kid] = _key(entry)
    if not keys:
        raise UnsafeSetting(detail="jwks: there is no key to verify with")
    return keys


def _key(entry: dict[str, Any]) -> VerifyKey:
    if _PRIVATE_MEMBERS & entry.keys() or entry.get("kty") == "oct":
        raise UnsafeSetting(detail="jwks: a private or symmetric key has no place in it")
    operations = entry.get("key_ops", ["verify"])
    if entry.get("use", "sig") != "sig" or operations != ["verify"]:
        raise UnsafeSetting(detail="jwks: `use` must be sig")
    algorithm = entry.get("alg")
    if algorithm not in _ALGORITHMS:
        raise UnsafeSetting(detail="jwks: `alg` must be ES256, ES384 or RS256")
    return verify_key(_public(entry), algorithm=algorithm)


def _public(entry: dict[str, Any]) -> ec.EllipticCurvePublicKey | rsa.RSAPublicKey:
    try:
        if entry.get("kty") == "EC" and entry.get("crv") in _CURVES:
            curve = _CURVES[entry["crv"]]
            return ec.EllipticCurvePublicNumbers(_number(entry["x"]), _number(entry["y"]), curve).public_key()
        if entry.get("kty") == "RSA":
            return rsa.RSAPublicNumbers(_number(entry["e"]), _number(entry["n"])).public_key()
    except (KeyError, ValueError):
        raise UnsafeSetting(detail="jwks: a key's numbers are missing or wrong") from None
    raise UnsafeSetting(detail="jwks: only EC keys on P-256 or P-384, and RSA keys")


def _number(value: object) -> int:
    if not isinstance(value, str) or _VALUE.match(value) is None:
        raise ValueError
    return int.from_bytes(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError
    return result
