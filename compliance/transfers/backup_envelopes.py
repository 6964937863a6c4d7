"""The keys of one container, sealed to whoever may open it: the tenant's own vault, and an escrow that is offline.

A container has a key of its own. Beside it in the envelope goes the job's proof key, so that whoever may read the
content can also compute its figures again; nobody else can. The escrow's envelope is HPKE (RFC 9180) to an X25519 key
whose private half no machine of this installation holds.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM
from cryptography.hazmat.primitives.hpke import Suite as Hpke

from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.record_proofs import KEY_BYTES, ProofKey
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from compliance.vault.suites import SealingKey, Suite, suite_of
from models.errors import CannotOpen

ENVELOPE_FORM: Final = 1
TENANT: Final = "tenant"
ESCROW: Final = "escrow"
HPKE_NAME: Final = "HPKE X25519, HKDF-SHA256, AES-256-GCM (RFC 9180, base mode)"
_HPKE: Final = Hpke(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_HEAD_BYTES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class BackupName:
    """Which backup: bound into its envelopes, its container and its manifest."""

    id: str
    tenant: str
    job: str
    side: str
    number: int

    def binding(self) -> bytes:
        """What an envelope is bound to."""
        return framed("casework.backup-envelope", ENVELOPE_FORM, self.id, self.tenant, self.job, self.side, self.number)


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """What opens a container and computes its figures again."""

    content: SealingKey
    proof: ProofKey
    _secret: bytes

    @classmethod
    def new(cls, suite: Suite, proof: ProofKey) -> "Secrets":
        """For a new container of that suite."""
        return cls._of(suite, proof, suite.new_key())

    @classmethod
    def _of(cls, suite: Suite, proof: ProofKey, secret: bytes) -> "Secrets":
        return cls(SealingKey(suite, secret, version=1), proof, secret)

    def packed(self) -> bytes:
        """`form suite proof-suite`, then the container's key and the job's proof key."""
        head = bytes((ENVELOPE_FORM, self.content.suite.id, self.proof.suite.id))
        return head + self._secret + self.proof.secret

    @classmethod
    def unpacked(cls, packed: bytes) -> "Secrets":
        """What `packed` gave.

        Raises:
            CannotOpen: it is of another form.
        """
        if len(packed) < _HEAD_BYTES or packed[0] != ENVELOPE_FORM:
            raise CannotOpen(detail="an envelope of an unknown form")
        suite, proof = suite_of(packed[1]), suite_of(packed[2])
        if len(packed) != _HEAD_BYTES + suite.key_bytes + KEY_BYTES:
            raise CannotOpen(detail="an envelope of an unknown form")
        return cls._of(suite, ProofKey(proof, packed[-KEY_BYTES:]), packed[_HEAD_BYTES:-KEY_BYTES])


def seal_to_tenant(vault: Vault, name: BackupName, secrets: Secrets) -> dict[str, Any]:
    """The envelope that the tenant's own vault opens: under its branch key `transfer-backup`.

    Raises:
        KeysUnavailable: the key store does not answer.
    """
    vault.ensure_tenant(name.tenant)  # a tenant from before there were transfers has no branch key for them
    branch = vault.branches.get(name.tenant, Purpose.TRANSFER_BACKUP).current
    return {
        "kind": TENANT,
        "key": f"{name.tenant}/{Purpose.TRANSFER_BACKUP.value}/{branch.version}",
        "suite": branch.suite.code,
        "version": branch.version,
        "sealed": base64.b64encode(branch.seal(secrets.packed(), name.binding())).decode(),
    }


def open_as_tenant(vault: Vault, name: BackupName, recipients: Sequence[Mapping[str, Any]]) -> Secrets:
    """The keys of a container, by the tenant's own vault.

    Raises:
        BackupFault: it was not sealed to this tenant, or does not open.
        KeysUnavailable: the key store does not answer.
    """
    envelope = _envelope(recipients, TENANT)
    branch = vault.branches.version(name.tenant, Purpose.TRANSFER_BACKUP, int(envelope["version"]))
    if branch is None:
        raise BackupFault(FaultCode.NO_RECIPIENT, names=(str(envelope["key"]),))
    try:
        return Secrets.unpacked(branch.open(_bytes(envelope["sealed"]), name.binding()))
    except CannotOpen:
        raise BackupFault(FaultCode.WRONG_KEY, names=(str(envelope["key"]),)) from None


def seal_to_escrow(public_key: X25519PublicKey, name: BackupName, secrets: Secrets) -> dict[str, Any]:
    """The envelope that only the escrow's private key opens; none of this installation does."""
    sealed = _HPKE.encrypt(secrets.packed(), public_key, info=name.binding())
    return {
        "kind": ESCROW,
        "key": escrow_key_id(public_key),
        "suite": HPKE_NAME,
        "sealed": base64.b64encode(sealed).decode(),
    }


def open_as_escrow(private_key: X25519PrivateKey, name: BackupName, recipients: Sequence[Mapping[str, Any]]) -> Secrets:
    """The keys of a container, by the escrow's private key.

    Raises:
        BackupFault: it was not sealed to this key, or does not open.
    """
    envelope, key_id = _envelope(recipients, ESCROW), escrow_key_id(private_key.public_key())
    if envelope["key"] != key_id:
        raise BackupFault(FaultCode.NO_RECIPIENT, names=(str(envelope["key"]), key_id))
    try:
        return Secrets.unpacked(_HPKE.decrypt(_bytes(envelope["sealed"]), private_key, info=name.binding()))
    except (InvalidTag, ValueError, CannotOpen):
        raise BackupFault(FaultCode.WRONG_KEY, names=(key_id,)) from None


def escrow_key_id(public_key: X25519PublicKey) -> str:
    """Names an escrow's public key: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]


def escrow_public_key(text: bytes) -> X25519PublicKey:
    """Read a public key in PEM, as `openssl pkey -pubout` writes it, or as 32 bytes in base64.

    Raises:
        ValueError: it is neither.
    """
    if b"-----BEGIN" in text:
        key = serialization.load_pem_public_key(text)
        if isinstance(key, X25519PublicKey):
            return key
        raise ValueError("the escrow key is no X25519 key")
    try:
        return X25519PublicKey.from_public_bytes(base64.b64decode(text.strip(), validate=True))
    except (binascii.Error, ValueError):
        raise ValueError("the escrow key is neither PEM nor 32 bytes in base64") from None


def escrow_private_key(pem: bytes, password: bytes | None = None) -> X25519PrivateKey:
    """Read a private key in PEM (PKCS #8).

    Raises:
        ValueError: it is no X25519 key, or the password does not fit.
    """
    try:
        key = serialization.load_pem_private_key(pem, password)
    except TypeError:
        raise ValueError("the escrow key needs a password, or has none") from None
    if not isinstance(key, X25519PrivateKey):
        raise ValueError("the escrow key is no X25519 key")  # noqa: TRY004 - of the file
    return key


def _envelope(recipients: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    for envelope in recipients:
        if envelope.get("kind") == kind:
            return envelope
    raise BackupFault(FaultCode.NO_RECIPIENT, names=(kind,))


def _bytes(text: Any) -> bytes:
    try:
        return base64.b64decode(str(text), validate=True)
    except binascii.Error:
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE) from None
