"""The gate in front of python-jose: the only module that touches it.

python-jose 3.5 takes keys of the wrong kind, ignores `kid`, `typ` and `crit`, lets claims be missing or of any type,
and dies of deeply nested headers. So a token is checked byte by byte before it gets there, verified with one key and
the one algorithm that its `kid` stands for, and its claims are checked again afterwards. Whatever goes wrong on the way
is the same `NotAuthenticated`. To replace the library, rewrite `_signed_claims` and `sign_token`.
"""

import base64
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NoReturn

import structlog
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jose import jwk, jwt

from models.errors import NotAuthenticated, UnsafeSetting

TYPE: Final = "at+jwt"  # RFC 9068
ACCESS_TOKEN_LIFETIME: Final = timedelta(minutes=10)
MAX_LIFETIME_S: Final = 900
LEEWAY_S: Final = 5
MIN_RSA_BITS: Final = 3072
_MAX_TOKEN: Final = 4096  # characters
_PART: Final = re.compile(r"\A[A-Za-z0-9_-]+\Z")
_KID: Final = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
_SUBJECT: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._:@|-]{0,119}\Z")
_LOCAL_SUBJECT: Final = re.compile(r"\Astf_[0-9a-hjkmnp-tv-z]{26}\Z")
_JTI: Final = re.compile(r"\A[A-Za-z0-9._-]{16,64}\Z")
_HEADER_MEMBERS: Final = frozenset({"alg", "typ", "kid"})
_REQUIRED: Final = ("aud", "iat", "exp", "nbf", "iss", "sub", "jti")
# The library compares times with the machine's clock. Ours is handed in, and `_times_hold` is stricter (5 s of leeway);
# so the library is told to be patient, and only asked whether the claims are there.
_LIBRARY_LEEWAY_S: Final = 10**12
log = structlog.get_logger(__name__)

PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifyKey:
    """A public key that is used with one algorithm only."""

    algorithm: str
    prepared: Any  # a key object of the library, never bytes: it guesses what bytes mean


KeySource = Callable[[], Mapping[str, VerifyKey]]
"""The present keys by `kid`; called at each verification, so it must be cheap."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningKey:
    """The key new tokens are signed with."""

    kid: str
    private: PrivateKey


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedToken:
    """What a token says once everything about it has been checked.

    Attributes:
        session_id: the log-in it belongs to (the part of `jti` before the dot); the `jti` itself for outside tokens.
        auth_time: when the person gave a password; None if the issuer does not say.
        from_outside: an outside issuer signed it: `subject` is its name for the person.
    """

    subject: str
    jti: str
    session_id: str
    issued_at: datetime
    expires_at: datetime
    auth_time: datetime | None
    from_outside: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenVerifier:
    """Checks access tokens of one issuer for one audience."""

    keys: KeySource
    issuer: str
    audience: str
    from_outside: bool = False

    def verify(self, token: object, *, now: datetime) -> VerifiedToken:
        """Check a token.

        Raises:
            NotAuthenticated: always the same, whatever is wrong with the token.
        """
        try:
            return self._verified(token, now=now)
        except Exception as error:  # noqa: BLE001 - the library raises what it likes, also RecursionError; all of it means no
            # The kind of the refusal, never the token: it may be valid elsewhere.
            log.warning("token.refused", reason=str(error) if isinstance(error, _Refused) else type(error).__name__)
        raise NotAuthenticated

    def _verified(self, token: object, *, now: datetime) -> VerifiedToken:
        text, kid, algorithm = _gate(token)
        key = self.keys().get(kid)
        if key is None:
            _refuse("unknown-kid")
        if key.algorithm != algorithm:
            _refuse("algorithm-of-another-key")
        claims = self._signed_claims(text, key)
        issued_at, expires_at = _times_hold(claims, now=now)
        subject, jti = claims["sub"], claims["jti"]
        if claims["aud"] != self.audience or claims["iss"] != self.issuer:
            _refuse("audience-or-issuer")
        pattern = _SUBJECT if self.from_outside else _LOCAL_SUBJECT
        if (
            type(subject) is not str
            or pattern.match(subject) is None
            or type(jti) is not str
            or _JTI.match(jti) is None
        ):
            _refuse("subject-or-jti")
        return VerifiedToken(
            subject=subject,
            jti=jti,
            session_id=jti if self.from_outside else jti.partition(".")[0],
            issued_at=_instant(issued_at),
            expires_at=_instant(expires_at),
            auth_time=_auth_time(claims, now=now),
            from_outside=self.from_outside,
        )

    def _signed_claims(self, text: str, key: VerifyKey) -> dict[str, Any]:
        options: dict[str, Any] = {f"require_{name}": True for name in _REQUIRED}
        options["leeway"] = _LIBRARY_LEEWAY_S
        from_library = jwt.decode(
            text, key.prepared, algorithms=[key.algorithm], audience=self.audience, issuer=self.issuer, options=options
        )
        claims = _strict_object(_decoded(text.split(".")[1]))
        if claims != from_library:
            _refuse("claims-read-differently")
        return claims


def _gate(token: object) -> tuple[str, str, str]:
    """What can be known before any cryptography: shape, alphabet, header. Returns token, `kid` and `alg`."""
    if type(token) is not str or len(token) > _MAX_TOKEN:
        _refuse("shape")
    parts = token.split(".")
    if len(parts) != 3 or not all(_PART.match(part) for part in parts):  # noqa: PLR2004 - header, claims, signature
        _refuse("shape")
    raw_header, _, _ = (_decoded(part) for part in parts)
    header = _strict_object(raw_header)
    if header.keys() != _HEADER_MEMBERS or not all(type(value) is str for value in header.values()):
        _refuse("header-members")
    if header["typ"] != TYPE:
        _refuse("typ")
    if _KID.match(header["kid"]) is None:
        _refuse("unknown-kid")
    return token, header["kid"], header["alg"]


def _decoded(part: str) -> bytes:
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii") != part:
        _refuse("base64-not-canonical")
    return raw


def _strict_object(raw: bytes) -> dict[str, Any]:
    value = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_refuse)
    if type(value) is not dict:
        _refuse("not-an-object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        _refuse("duplicate-member")
    return result


def _times_hold(claims: Mapping[str, Any], *, now: datetime) -> tuple[int, int]:
    issued, not_before, expires = claims["iat"], claims["nbf"], claims["exp"]
    if not all(type(value) is int for value in (issued, not_before, expires)):
        _refuse("time-not-an-integer")
    at = now.timestamp()
    if issued <= 0 or not_before <= 0:
        _refuse("time-before-time")
    if not 0 < expires - issued <= MAX_LIFETIME_S:
        _refuse("lifetime")
    if issued > at + LEEWAY_S or not_before > at + LEEWAY_S:
        _refuse("not-yet-valid")
    if expires <= at - LEEWAY_S:
        _refuse("expired")
    return issued, expires


def _auth_time(claims: Mapping[str, Any], *, now: datetime) -> datetime | None:
    value = claims.get("auth_time")
    if value is None:
        return None
    if type(value) is not int or not 0 < value <= now.timestamp() + LEEWAY_S:
        _refuse("auth-time")
    return _instant(value)


def _instant(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


class _Refused(Exception):
    """The gate's own word, for the log; a code, never a part of the token."""


def _refuse(reason: str) -> NoReturn:
    raise _Refused(reason)


# Keys -----------------------------------------------------------------------------------------------------------------


def verify_key(public: object, *, algorithm: str | None = None) -> VerifyKey:
    """Prepare a public key for its one algorithm: P-256: ES256, P-384: ES384, RSA of at least 3072 bits: RS256.

    Raises:
        UnsafeSetting: the key is weak, of another kind, or does not go with `algorithm`.
    """
    fitting = _algorithm_of(public)
    if algorithm is not None and algorithm != fitting:
        raise UnsafeSetting(detail=f"token key: algorithm does not go with the key, which is for {fitting}")
    return VerifyKey(algorithm=fitting, prepared=jwk.construct(public, fitting))


def _algorithm_of(public: object) -> str:
    if isinstance(public, ec.EllipticCurvePublicKey):
        if isinstance(public.curve, ec.SECP256R1):
            return "ES256"
        if isinstance(public.curve, ec.SECP384R1):
            return "ES384"
        raise UnsafeSetting(detail="token key: an EC key must be on P-256 or P-384")
    if isinstance(public, rsa.RSAPublicKey):
        if public.key_size < MIN_RSA_BITS:
            raise UnsafeSetting(detail=f"token key: an RSA key must have at least {MIN_RSA_BITS} bits")
        return "RS256"
    raise UnsafeSetting(detail="token key: only EC and RSA public keys; symmetric keys are refused")


def signing_key(kid: str, private: object) -> SigningKey:
    """A key to sign with: EC P-256 (ES256).

    Raises:
        UnsafeSetting: it is of another kind, or its name is not one a token may carry.
    """
    if _KID.match(kid) is None:
        raise UnsafeSetting(detail="token key: a kid is 1 to 64 letters, digits, dots, dashes or underscores")
    if not isinstance(private, ec.EllipticCurvePrivateKey) or not isinstance(private.curve, ec.SECP256R1):
        raise UnsafeSetting(detail="token key: the local issuer signs with EC P-256 only")
    return SigningKey(kid=kid, private=private)


def local_keys(pairs: list[tuple[str, PrivateKey]]) -> dict[str, VerifyKey]:
    """The verifying side of the vault's token keys.

    Raises:
        UnsafeSetting: there is none, one is weak, or two share a `kid`.
    """
    keys = {
        key.kid: verify_key(key.private.public_key()) for key in (signing_key(kid, private) for kid, private in pairs)
    }
    if not keys or len(keys) != len(pairs):
        raise UnsafeSetting(detail="token keys: at least one, each under a kid of its own")
    return keys


def sign_token(
    *,
    key: SigningKey,
    issuer: str,
    audience: str,
    subject: str,
    jti: str,
    issued_at: datetime,
    auth_time: datetime,
    lifetime: timedelta = ACCESS_TOKEN_LIFETIME,
) -> str:
    """An access token (RFC 9068). It names no role: those are looked up when it is used."""
    at = int(issued_at.timestamp())
    claims = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "jti": jti,
        "iat": at,
        "nbf": at,
        "exp": at + int(lifetime.total_seconds()),
        "auth_time": int(auth_time.timestamp()),
    }
    signer = jwk.construct(key.private, "ES256")
    return str(jwt.encode(claims, signer, algorithm="ES256", headers={"typ": TYPE, "kid": key.kid}))
