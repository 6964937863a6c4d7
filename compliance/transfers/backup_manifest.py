"""The manifest of a backup: what was backed up, its figures, how it is sealed; signed by the installation's own key.

It says nothing of a customer: counts, keyed figures and identifiers. Whoever has the public key of the installation
checks it offline. The same key signs the checkpoints of the audit log and the certificates of erasures; each in a
context of its own, so that no signature of one is a signature of the other.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.deeds import canonical_json
from compliance.transfers.backup_envelopes import BackupName
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.vault.customer_layout import CUSTOMER_LAYOUT
from models.domain.customers.record import FIELDS, canonical_record

FORMAT: Final = "casework-transfer-backup/1"
_CONTEXT: Final = f"{FORMAT}\n".encode()
NO_ESCROW: Final = (
    "none: no escrow key was configured (CASEWORK_TRANSFER_ESCROW_KEY_FILE). "
    "Without this installation's key store and its key-encryption key nobody can open this container."
)


def schema_hash() -> str:
    """SHA-256 over what a record consists of: its fields in their order, the form of its spelling, how it is stored."""
    described = {
        "fields": list(FIELDS),
        "form": canonical_record({}).hex(),
        "table": CUSTOMER_LAYOUT.table,
        "schemaVersion": CUSTOMER_LAYOUT.schema_version,
    }
    return hashlib.sha256(canonical_json(described).encode()).hexdigest()


def manifest_hash(manifest: Mapping[str, Any]) -> str:
    """SHA-256 over the manifest's one spelling, signature apart: what the audit log and the record of it name."""
    return hashlib.sha256(canonical_json(manifest).encode()).hexdigest()


def signed(manifest: Mapping[str, Any], *, key: Ed25519PrivateKey) -> dict[str, Any]:
    """The manifest with its signature, as it is stored and handed out."""
    public = key.public_key()
    return {
        "format": FORMAT,
        "manifest": dict(manifest),
        "verifierKey": verifier_key(origin_of(public), public),
        "signature": base64.b64encode(key.sign(_CONTEXT + canonical_json(manifest).encode())).decode(),
    }


def verified(document: Mapping[str, Any], *, public_key: Ed25519PublicKey) -> dict[str, Any]:
    """The manifest of a signed document.

    Args:
        document: as `signed` gives it.
        public_key: of the installation that made it, from where the reader trusts it; never from the document.

    Raises:
        BackupFault: it is no manifest, or this key did not sign it as it is.
    """
    manifest = document.get("manifest")
    if document.get("format") != FORMAT or not isinstance(manifest, dict):
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE)
    try:
        signature = base64.b64decode(str(document.get("signature")), validate=True)
        public_key.verify(signature, _CONTEXT + canonical_json(manifest).encode())
    except (binascii.Error, InvalidSignature, ValueError, TypeError):
        raise BackupFault(FaultCode.MANIFEST_FORGED) from None
    return manifest


def read_document(text: str | bytes) -> dict[str, Any]:
    """A signed document from its file.

    Raises:
        BackupFault: it is not JSON, or no object.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE) from None
    if not isinstance(document, dict):
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE)
    return document


def name_in(manifest: Mapping[str, Any]) -> BackupName:
    """Which backup a manifest is of.

    Raises:
        BackupFault: it does not say so.
    """
    try:
        return BackupName(
            id=str(manifest["id"]),
            tenant=str(manifest["tenant"]),
            job=str(manifest["job"]),
            side=str(manifest["side"]),
            number=int(manifest["number"]),
        )
    except (KeyError, TypeError, ValueError):
        raise BackupFault(FaultCode.MANIFEST_UNREADABLE) from None
