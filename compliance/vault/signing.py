"""The installation's own keys that sign: Ed25519 by name, ES256 of the local issuer. Made at the first call."""

import base64
import hashlib
import re
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.vault.branches import BranchKeys
from compliance.vault.purposes import INSTALLATION, ISSUER_PURPOSE
from compliance.vault.suites import DEFAULT_SUITE

_SIGNING_NAME: Final = re.compile(r"\A[a-z][a-z0-9-]{0,39}\Z")
_CURVE: Final = ec.SECP256R1()


def signing_key(branches: BranchKeys, name: str) -> Ed25519PrivateKey:
    """As `Vault.signing_key`.

    Raises:
        ValueError: the name is not lower-case letters, digits and hyphens.
    """
    if not _SIGNING_NAME.match(name):
        raise ValueError("a signing key's name is lower-case letters, digits and hyphens")
    purpose = f"sign-{name}"
    secrets = branches.secrets(INSTALLATION, purpose)
    if not secrets:
        made = Ed25519PrivateKey.generate().private_bytes_raw()
        branches.add(INSTALLATION, purpose, made, suite=DEFAULT_SUITE)
        secrets = branches.secrets(INSTALLATION, purpose)
    return Ed25519PrivateKey.from_private_bytes(secrets[0])


def token_keys(branches: BranchKeys) -> list[tuple[str, ec.EllipticCurvePrivateKey]]:
    """As `Vault.token_keys`."""
    secrets = branches.secrets(INSTALLATION, ISSUER_PURPOSE)
    if not secrets:
        branches.add(INSTALLATION, ISSUER_PURPOSE, new_token_key(), suite=DEFAULT_SUITE)
        secrets = branches.secrets(INSTALLATION, ISSUER_PURPOSE)
    keys = [ec.derive_private_key(int.from_bytes(secret), _CURVE) for secret in secrets]
    return [(_thumbprint(key), key) for key in keys]


def new_token_key() -> bytes:
    """A new P-256 scalar for the local issuer."""
    return ec.generate_private_key(_CURVE).private_numbers().private_value.to_bytes(32)


def _thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    x, y = (_base64url(value.to_bytes(32)) for value in (numbers.x, numbers.y))
    return _base64url(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
