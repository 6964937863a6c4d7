"""Checking a backup offline, by either company: with two files and the public key of whoever made it, no database.

Without a private key the signature, every digest and so the completeness of the container are checked. With the private
key of the escrow it is opened too, restored into scratch, and every figure is computed again.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from compliance.transfers.backup_container import check_container
from compliance.transfers.backup_envelopes import open_as_escrow
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_manifest import name_in, read_document, verified
from compliance.transfers.backup_proof import prove

_ED25519 = b"\x01"  # the signature type of `signed-note`


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedBackup:
    """What a check found.

    Attributes:
        fault: the first thing that is wrong; None where everything holds.
        key_known: the key was given by the verifier, not only by the manifest itself.
        opened: the content was opened and its figures computed again.
        manifest: what was signed; empty where the signature does not hold.
    """

    fault: BackupFault | None
    key_known: bool
    opened: bool = False
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything that was checked holds."""
        return self.fault is None


def check_backup(
    container: Path,
    manifest: Path,
    *,
    trusted_key: str | None = None,
    escrow: X25519PrivateKey | None = None,
    scratch: Path | None = None,
) -> CheckedBackup:
    """Check a container against its manifest.

    Args:
        container: the sealed file.
        manifest: the signed manifest.
        trusted_key: the installation's verifier key (`casework privacy verifier-key`) as it was handed out beforehand;
            without it the two files prove only to be of one piece.
        escrow: opens the content.
        scratch: a folder for the scratch book; None computes the figures from the content itself.
    """
    said: dict[str, Any] = {}
    try:
        document = read_document(manifest.read_bytes())
        said = verified(document, public_key=verifier(trusted_key or str(document.get("verifierKey"))))
        if escrow is None:
            name_in(said)
            check_container(container, said.get("container", {}))
        else:
            recipients = said.get("recipients")
            if not isinstance(recipients, list):
                raise BackupFault(FaultCode.MANIFEST_UNREADABLE)  # noqa: TRY301
            prove(container, said, open_as_escrow(escrow, name_in(said), recipients), scratch=scratch)
    except BackupFault as fault:
        return CheckedBackup(fault=fault, key_known=trusted_key is not None, manifest=said)
    return CheckedBackup(fault=None, key_known=trusted_key is not None, opened=escrow is not None, manifest=said)


def verifier(text: str) -> Ed25519PublicKey:
    """The key in the spelling of `signed-note`: `<name>+<key id>+<type and key>`; its base64 may hold a plus too.

    Raises:
        BackupFault: it is none.
    """
    try:
        raw = base64.b64decode(text.strip().split("+", 2)[2], validate=True)
        if raw[:1] == _ED25519:
            return Ed25519PublicKey.from_public_bytes(raw[1:])
    except (ValueError, IndexError, binascii.Error):
        pass
    raise BackupFault(FaultCode.MANIFEST_UNREADABLE, names=("verifierKey",))
