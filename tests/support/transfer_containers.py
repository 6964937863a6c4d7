"""A container with its manifest, without any database or vault."""

import dataclasses
import functools
import shutil
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from compliance.transfers.backup_container import write_container
from compliance.transfers.backup_envelopes import BackupName, Secrets, escrow_key_id, seal_to_escrow
from compliance.transfers.backup_manifest import schema_hash, signed
from compliance.transfers.backup_stream import BackedUp
from compliance.transfers.record_proofs import Named, Proof, ProofKey
from compliance.vault.customer_layout import Customer
from compliance.vault.suites import Suite
from tests.support.people import people

SIGNING: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ESCROW: Final = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
NAME: Final = BackupName(id="tbk_example", tenant="acme", job="bank.example", side="source", number=1)
RECORDS: Final = 1_500  # six chunks


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backup:
    """A backup on disk, with what opens it."""

    container: Path
    document: dict[str, Any]
    secrets: Secrets

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest, signature apart."""
        manifest: dict[str, Any] = self.document["manifest"]
        return manifest

    def copied(self, folder: Path) -> "Backup":
        """The same in another folder, to be damaged there."""
        return dataclasses.replace(self, container=Path(shutil.copy(self.container, folder)))


def records(count: int = RECORDS) -> list[BackedUp]:
    """Generated customers, in order."""
    return [
        BackedUp(
            Customer(
                f"cus_{number:026d}",
                f"sub_{number:026d}",
                {
                    "customer_no": f"C{number:08d}",
                    "name": person.name,
                    "id_type": "resident-id",
                    "id_number": person.id_number,
                    "mobile": person.mobile if number % 3 else None,
                    "address": f"某某路{number}号" * 3,
                    "language": "zh-CN",
                },
            )
        )
        for number, person in enumerate(_people(count), start=1)
    ]


@functools.cache
def _people(count: int) -> list[Any]:
    return people(count)


def backup(
    folder: Path,
    *,
    suite: Suite,
    content: list[BackedUp] | None = None,
    name: BackupName = NAME,
    measured: list[BackedUp] | None = None,
) -> Backup:
    """Write a backup of these records.

    Args:
        folder: where.
        suite: of container and figures.
        content: the records; a generated book, if not given.
        name: of the backup.
        measured: whose figures the manifest has; those of the content, if not given.
    """
    kept = records() if content is None else content
    key = ProofKey(suite, bytes(range(64, 96)))
    secrets = Secrets.new(suite, key)
    proof = Proof()
    proof.extend(key, [Named(each.customer.id, each.customer.values) for each in (measured or kept)])
    container = folder / f"{name.id}.cwtb"
    manifest = {
        **dataclasses.asdict(name),
        "schema": schema_hash(),
        "snapshotAt": "2026-11-23T01:00:00+00:00",
        "escrow": escrow_key_id(ESCROW.public_key()),
        "suite": suite.code,
        "figures": {**proof.figures(), "suite": suite.code},
        "container": write_container(container, name, secrets, kept),
        "recipients": [seal_to_escrow(ESCROW.public_key(), name, secrets)],
    }
    return Backup(container=container, document=signed(manifest, key=SIGNING), secrets=secrets)
