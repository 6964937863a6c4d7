"""One consistent snapshot of a book into a container, with its manifest: opened, measured and sealed in one pass.

The book is read in one transaction (repeatable read on PostgreSQL), so people may go on working in it. Somebody who was
erased between the snapshot and the reading of their key is left out, and counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from sqlalchemy import RowMapping

from compliance.audit.proofs import one_snapshot
from compliance.transfers.backup_container import Beat, write_container
from compliance.transfers.backup_envelopes import BackupName, Secrets, seal_to_escrow, seal_to_tenant
from compliance.transfers.backup_manifest import NO_ESCROW, schema_hash, signed
from compliance.transfers.backup_stream import BackedUp
from compliance.transfers.record_proofs import Named, Proof, ProofKey
from compliance.vault.customer_layout import Customer, open_customers, stored_of
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.customers.record import FIELDS
from models.domain.transfers.scope import ALL_FIELDS, KIND_OF, within
from models.errors import SubjectShredded
from models.queries.transfers.backups import walk_book

_BATCH: Final = 500


@dataclass(slots=True)
class Snapshot:
    """A walk over one book that counts while it hands out.

    Attributes:
        proof: what has been handed out so far.
        fields: what the plan lets move; nothing else is handed out.
        left_out: how many values of each other field stayed in the book.
        erased: how many were left out because their keys were destroyed meanwhile.
    """

    vault: Vault
    tenant: str
    key: ProofKey
    beat: Beat
    proof: Proof
    fields: frozenset[str] = ALL_FIELDS
    left_out: Counter[str] = field(default_factory=Counter)
    erased: int = 0

    def records(self, rows: Iterable[RowMapping]) -> Iterator[BackedUp]:
        """The records of these rows, opened, in their order."""
        rest = iter(rows)
        while chunk := list(islice(rest, _BATCH)):
            opened = self._open(chunk)
            self.proof.extend(self.key, [Named(customer.id, customer.values) for customer in opened.values()])
            for row in chunk:
                customer = opened.get(row["id"])
                if customer is not None:
                    yield BackedUp(customer, row["version"], row["state"], row["person_link"] or "")
            self.beat()

    def _open(self, rows: list[RowMapping]) -> dict[str, Customer]:
        try:
            found = open_customers(self.vault, tenant=self.tenant, stored=map(stored_of, rows))
            if self.fields == ALL_FIELDS:
                return {customer.id: customer for customer in found}
            return {customer.id: self._within(customer) for customer in found}
        except SubjectShredded:
            if len(rows) == 1:
                self.erased += 1
                return {}
        half = len(rows) // 2
        return self._open(rows[:half]) | self._open(rows[half:])

    def _within(self, customer: Customer) -> Customer:
        return customer._replace(values=within(customer.values, self.fields, self.left_out))

    def scope(self) -> dict[str, Any]:
        """What the plan let into the container, and what it kept out: values by field, as they were counted."""
        return {
            "fields": [name for name in FIELDS if name in self.fields],
            "classes": sorted({KIND_OF[name].value for name in self.fields}),
            "leftOut": {name: self.left_out[name] for name in FIELDS if name not in self.fields},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupMaker:
    """What a backup is made with.

    Attributes:
        escrow: the offline recipient; None where nobody configured one.
        fields: of a record, which the plan of the job lets into the container.
    """

    database: Database
    vault: Vault
    clock: Clock
    signing_key: Ed25519PrivateKey
    escrow: X25519PublicKey | None = None
    fields: frozenset[str] = ALL_FIELDS

    def make(self, name: BackupName, key: ProofKey, path: Path, *, beat: Beat) -> dict[str, Any]:
        """Write the container of a book as it is now.

        Args:
            name: of the backup; its tenant is whose book.
            key: of the job's comparisons.
            path: of the container.
            beat: called after every chunk; what it raises ends the work, and nothing is left.

        Returns:
            The signed manifest.
        """
        secrets = Secrets.new(self.vault.suite_of_tenant(name.tenant), key)
        snapshot = Snapshot(self.vault, name.tenant, key, beat, Proof(), self.fields)
        with self.database.read() as session:
            one_snapshot(session.connection())
            begun = self.clock()
            with closing(walk_book(session, tenant=name.tenant)) as rows:
                container = write_container(path, name, secrets, snapshot.records(rows))
        return signed(self._manifest(name, secrets, snapshot, container, begun=begun), key=self.signing_key)

    def _manifest(
        self, name: BackupName, secrets: Secrets, snapshot: Snapshot, container: Mapping[str, Any], *, begun: datetime
    ) -> dict[str, Any]:
        recipients = [seal_to_tenant(self.vault, name, secrets)]
        if self.escrow is not None:
            recipients.append(seal_to_escrow(self.escrow, name, secrets))
        return {
            "id": name.id,
            "tenant": name.tenant,
            "job": name.job,
            "side": name.side,
            "number": name.number,
            "snapshotAt": begun.isoformat(),
            "madeAt": self.clock().isoformat(),
            "suite": secrets.content.suite.code,
            "schema": schema_hash(),
            "figures": {**snapshot.proof.figures(), "suite": secrets.proof.suite.code},
            "scope": snapshot.scope(),
            "erasedMeanwhile": snapshot.erased,
            "container": dict(container),
            "recipients": recipients,
            "escrow": recipients[-1]["key"] if self.escrow is not None else NO_ESCROW,
        }
