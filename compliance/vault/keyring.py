"""The vault: every key of the product, in one hierarchy, and what is done with them.

KEK (never in a database) -> branch keys per tenant, purpose and version -> one key per subject -> cells and files. Keys
are cached for `KEY_TTL`, so a rotation by another process is noticed within that time; an erasure by another within
`SHREDS_HEARD_EVERY`, one by this process at once. Reading creates nothing: a tenant's keys come by `ensure_tenant`, a
person's by `create_subject`. How branch keys change is `compliance.vault.rotation`, over `Vault.branches`.
"""

import contextlib
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.vault import blind, cells, files, seal_keys, signing, store
from compliance.vault.blind import BlindField
from compliance.vault.branches import Branch, BranchKeys, ReopenKek, newest_active
from compliance.vault.bulk_keys import SubjectKeys
from compliance.vault.cache import Lru
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.files import FileAddress, SealedFile
from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.purposes import HANDED_OUT, INSTALLATION, Purpose
from compliance.vault.renewal import KeyRenewal
from compliance.vault.seal_keys import DocumentSeal
from compliance.vault.store import NotActive
from compliance.vault.subjects import Subjects
from compliance.vault.suites import EnabledSuites, SealingKey, Suite
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import CannotOpen, KeysUnavailable

SUBJECTS_CACHED: Final = 10_000
WORKFLOWS_CACHED: Final = 4_096
_TRIES: Final = 3  # a branch key is rotated now and then; twice during one call is a fault


def open_vault(
    keys_database: Database,
    kek: KekProvider,
    clock: Clock,
    *,
    suites: EnabledSuites | None = None,
    subjects_cached: int = SUBJECTS_CACHED,
    reopen: ReopenKek | None = None,
) -> "Vault":
    """Open an initialised key store; the installation's own keys are made if they are missing.

    Without `suites` every suite of this program is enabled. `reopen` opens the KEK of a given id when another one comes
    into force while the process lives.

    Raises:
        KeysUnavailable: the store was never initialised or does not answer, or a suite fails its known-answer test.
        UnsafeSetting: the KEK is not the one that this store was made with.
        SchemaNewer: a newer version of the product wrote the store.
    """
    enabled = EnabledSuites.every() if suites is None else suites
    enabled.check()
    store.check_key_store(keys_database, kek=kek)
    branches = BranchKeys(keys_database, kek, clock, suites=enabled, reopen=reopen)
    vault = Vault(branches, subjects_cached=subjects_cached)
    vault.ensure_tenant(INSTALLATION)
    return vault


class Vault:
    """Seals and opens, indexes and signs. Safe to share between threads; built by `open_vault`.

    Every method that takes a subject raises `SubjectShredded` when the subject's keys were destroyed, and every method
    raises `KeysUnavailable` when the key store does not answer or a key that must exist is missing.
    """

    def __init__(self, branches: BranchKeys, *, subjects_cached: int = SUBJECTS_CACHED) -> None:
        """Keep nothing but the doors; keys come on demand."""
        self.branches = branches
        self._database = branches.database
        self._clock = branches.clock
        self._subjects = Subjects(branches, cached=subjects_cached)
        self._workflows: Lru[tuple[str, str, int], SealingKey] = Lru(WORKFLOWS_CACHED)
        self.renewal = KeyRenewal(branches, forget=self._subjects.forget)

    # Tenants and subjects ---------------------------------------------------------------------------------------------

    def ensure_tenant(self, tenant: str) -> None:
        """Make the branch keys that a tenant lacks. Idempotent, also when two processes do it at once.

        A tenant stays with its suite: that of its wrapping key. A new one gets the first enabled suite.
        """
        while missing := {purpose.value for purpose in Purpose} - (there := self._purposes(tenant)):
            suite = (
                self.suite_of_tenant(tenant) if Purpose.SUBJECT_WRAP in there else self.branches.suites.of_new_tenants
            )
            if self.branches.add_first(tenant, {purpose: suite.new_key() for purpose in sorted(missing)}, suite=suite):
                return

    def _purposes(self, tenant: str) -> frozenset[str]:
        return store.branch_purposes(self._database, tenant=tenant)

    def suite_of_tenant(self, tenant: str) -> Suite:
        """The suite of a tenant's new keys: the one of the key that wraps them (docs/suites.md)."""
        return self._branch(tenant, Purpose.SUBJECT_WRAP).current.suite

    def create_subject(self, *, tenant: str, subject_id: str) -> None:
        """Give a subject a key, committed before this returns; call it before the row that needs the key. Idempotent.

        Raises:
            SubjectShredded: the subject was shredded; the id is never used again.
        """
        self._subjects.create(tenant, subject_id)

    def subject_keys(
        self, *, tenant: str, subject_ids: Collection[str], create: bool = False
    ) -> dict[str, SubjectKeys]:
        """Keys of many subjects for `compliance.vault.records`; what is read for it pushes nobody out of the cache.

        With `create`, those who have none are given one, committed before this returns.
        """
        return self._subjects.many(tenant, subject_ids, create=create)

    def shred_subject(self, *, tenant: str, subject_id: str) -> None:
        """Destroy a subject's keys for good; other processes forget them within `SHREDS_HEARD_EVERY`. Idempotent.

        The caller removes blind indexes, which are personal data too, and records the deed.
        """
        self._subjects.shred(tenant, subject_id)

    def shred_subjects(self, *, tenant: str, subject_ids: Sequence[str]) -> int:
        """As `shred_subject`, of many at once; returns how many of them had keys. Idempotent."""
        return self._subjects.shred_many(tenant, subject_ids)

    def subject_key_count(self, *, tenant: str, subject_id: str) -> int:
        """How many versions of a subject's key the store holds; 0 once they were destroyed. Past every cache."""
        return len(store.subject_rows(self._database, tenant=tenant, subject_id=subject_id).keys)

    def load_subjects(self, tenant: str, subject_ids: Collection[str]) -> None:
        """Read these subjects' keys at once; who was shredded is left out, and shows where a key is used."""
        self._subjects.load_many(tenant, subject_ids)

    def header_of(self, *, tenant: str, subject_id: str) -> tuple[int, int]:
        """Suite and version of the key that seals for a subject at present."""
        key = self._subjects.get(tenant, subject_id).current
        return key.suite.id, key.version

    # Cells ------------------------------------------------------------------------------------------------------------

    def seal(self, address: CellAddress, value: bytes | str) -> bytes:
        """Seal one value (32 bytes longer than it) under its subject's key."""
        return cells.seal_cell(self._subjects.get(address.tenant, address.subject).current, address, value)

    def open(self, address: CellAddress, sealed: bytes) -> bytes:
        """Open one value.

        Raises:
            CannotOpen: altered, moved to another place, or sealed under a key that is not here.
        """
        return cells.open_cell(
            self._subjects.version(address.tenant, address.subject, cells.key_version_of(sealed)), address, sealed
        )

    def open_text(self, address: CellAddress, sealed: bytes) -> str:
        """Open one value that was sealed as text.

        Raises:
            CannotOpen: as `open`, or it was not sealed as text.
        """
        return cells.text_of(address, self.open(address, sealed))

    def seal_many(self, row: RowAddress, values: Mapping[str, bytes | str]) -> dict[str, bytes]:
        """Seal several columns of one row; the names are the columns'."""
        key = self._subjects.get(row.tenant, row.subject).current
        return {column: cells.seal_cell(key, row.cell(column), value) for column, value in values.items()}

    def open_many(self, row: RowAddress, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Open several columns of one row.

        Raises:
            CannotOpen: as `open`, for the first one that does not.
        """
        return {column: self.open(row.cell(column), value) for column, value in sealed.items()}

    def open_many_text(self, row: RowAddress, sealed: Mapping[str, bytes]) -> dict[str, str]:
        """As `open_many`, for values that were sealed as text."""
        return {column: cells.text_of(row.cell(column), value) for column, value in self.open_many(row, sealed).items()}

    def reseal(self, address: CellAddress, sealed: bytes) -> bytes:
        """The same value, plain or packed as it was, under its subject's present key.

        Raises:
            CannotOpen: as `open`.
        """
        old = self._subjects.version(address.tenant, address.subject, cells.key_version_of(sealed))
        return cells.resealed(old, self._subjects.get(address.tenant, address.subject).current, address, sealed)

    # Files ------------------------------------------------------------------------------------------------------------

    def seal_file(self, address: FileAddress, source: Iterator[bytes] | BinaryIO, target: Path) -> SealedFile:
        """Seal a stream into `target`, which appears whole or not at all (`compliance.vault.files`)."""
        return files.seal_file(self._subjects.get(address.tenant, address.subject).current, address, source, target)

    def open_file(self, address: FileAddress, path: Path) -> Generator[bytes, None, None]:
        """The content in authentic pieces; a wrong key or address shows before the first, a missing end at the last.

        Raises:
            CannotOpen: altered, cut short, exchanged, or not this document's; while iterating too.
        """
        return files.open_file_under(
            lambda version: self._subjects.version(address.tenant, address.subject, version), address, path
        )

    # Keys for one purpose ---------------------------------------------------------------------------------------------

    def blind_index(self, *, tenant: str, field: str, value: str) -> bytes:
        """32 bytes by which an exact value is found; brings the value into its canonical form itself.

        Raises:
            ValueError: no such field (`BlindField`), or an empty value.
        """
        chosen = BlindField(field)
        return blind.blind_index(self.index_key(tenant=tenant, field=chosen), field=chosen, value=value)

    def index_key(self, *, tenant: str, field: BlindField) -> SealingKey:
        """The key of one field's blind index, under which is written."""
        return self.index_keys(tenant=tenant, field=field)[0]

    def index_keys(self, *, tenant: str, field: BlindField) -> tuple[SealingKey, ...]:
        """`index_key`, then those of the other versions, under which a value may stand while index keys change.

        For look-ups, and for records in bulk (`compliance.vault.records`).
        """
        branch = self._branch(tenant, Purpose.BLIND_INDEX)
        others = (key for version, key in branch.keys.items() if version != branch.current.version)
        return tuple(
            self.branches.derived(branch, key, "blind-index", tenant, field.value) for key in (branch.current, *others)
        )

    def blind_indexes(self, *, tenant: str, field: str, value: str) -> tuple[bytes, ...]:
        """Every index under which a value may stand while index keys change: `blind_index`, then the other versions'.

        Raises:
            ValueError: as `blind_index`.
        """
        chosen = BlindField(field)
        keys = self.index_keys(tenant=tenant, field=chosen)
        return tuple(blind.blind_index(key, field=chosen, value=value) for key in keys)

    def purpose_key(self, tenant: str, purpose: Purpose) -> bytes:
        """32 bytes for a MAC of the caller's: `AUDIT_MAC`, `LINKS`, `FINGERPRINT` or `ONE_TIME_CODE`.

        Raises:
            ValueError: a purpose whose key stays inside the vault.
        """
        if purpose not in HANDED_OUT:
            raise ValueError(f"the key for {purpose} stays inside the vault")
        return self._branch(tenant, purpose).current.derive(info=framed("casework.purpose", tenant, purpose), length=32)

    def workflow_key(self, *, tenant: str, workflow_id: str, version: int | None = None) -> tuple[int, bytes]:
        """The key for one workflow's payloads, 32 bytes, and its version; the current one unless a version is named.

        Raises:
            CannotOpen: there is no such version.
        """
        branch = self._temporal(tenant, version)
        return branch.version, _workflow_secret(branch, tenant, workflow_id)

    def workflow_sealer(self, *, tenant: str, workflow_id: str, version: int | None = None) -> SealingKey:
        """As `workflow_key`, ready to seal and open; may read the key store.

        Raises:
            CannotOpen: there is no such version.
        """
        branch = self._temporal(tenant, version)
        known = self._workflows.get((tenant, workflow_id, branch.version))
        if known is None:
            secret = _workflow_secret(branch, tenant, workflow_id)
            known = SealingKey(branch.suite, secret, version=branch.version)
            self._workflows.put((tenant, workflow_id, branch.version), known)
        return known

    def workflow_sealer_in_memory(
        self, *, tenant: str, workflow_id: str, version: int | None = None
    ) -> SealingKey | None:
        """As `workflow_sealer`, or None where that would have to read the key store; never blocks."""
        branch = self.branches.in_memory(tenant, Purpose.TEMPORAL)
        if branch is None or (version is not None and version not in branch.keys):
            return None
        return self.workflow_sealer(tenant=tenant, workflow_id=workflow_id, version=version)

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """The installation's Ed25519 key of that name, made at the first call.

        Raises:
            ValueError: the name is not lower-case letters, digits and hyphens.
        """
        return signing.signing_key(self.branches, name)

    def token_keys(self) -> list[tuple[str, ec.EllipticCurvePrivateKey]]:
        """The local issuer's ES256 keys with their ids (RFC 7638), the one that signs first; made at the first call.

        The others are there so that tokens that they signed can still be verified.
        """
        return signing.token_keys(self.branches)

    def ensure_seal(self, *, tenant: str, organisation: str) -> None:
        """Give a tenant the key and certificates with which its documents are sealed; what is there stays. Idempotent.

        `organisation` is the institution's legal name for the certificates; it is kept to the length that X.509 allows.
        """
        if store.seal_keys(self._database, tenant=tenant):
            return
        self.ensure_tenant(tenant)  # a tenant from before there were seals has no branch key for them
        for _ in range(_TRIES):
            branch = self.branches.read(tenant, Purpose.SEAL_WRAP).current
            row = seal_keys.new_seal(branch, tenant=tenant, organisation=organisation, at=self._clock())
            with contextlib.suppress(NotActive):  # rotated since it was read
                store.add_seal_key(self._database, row)
                return
        raise KeysUnavailable(detail=f"the key {Purpose.SEAL_WRAP} of tenant {tenant} changes all the time")

    def document_seal(self, tenant: str) -> DocumentSeal:
        """The tenant's present seal, ready to sign.

        Raises:
            KeysUnavailable: the tenant has none: `ensure_seal` makes it.
            CannotOpen: the stored key was altered or is another tenant's.
        """
        rows = store.seal_keys(self._database, tenant=tenant)
        if not rows:
            raise KeysUnavailable(detail=f"tenant {tenant} has no seal: Vault.ensure_seal makes it")
        row = newest_active(rows)
        branch = self.branches.version(tenant, Purpose.SEAL_WRAP, row.branch_version)
        if branch is None:
            raise CannotOpen(detail=f"tenant {tenant} has no seal-wrap key of version {row.branch_version}")
        return seal_keys.open_seal(branch, row)

    def forget(self) -> None:
        """Drop every cached key, as after a rotation that this process was told of."""
        self.branches.forget()
        self._subjects.clear()
        self._workflows.clear()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _branch(self, tenant: str, purpose: str) -> Branch:
        return self.branches.get(tenant, purpose)

    def _temporal(self, tenant: str, version: int | None) -> SealingKey:
        if version is None:
            return self._branch(tenant, Purpose.TEMPORAL).current
        key = self.branches.version(tenant, Purpose.TEMPORAL, version)
        if key is None:
            raise CannotOpen(detail=f"tenant {tenant} has no temporal key of version {version}")
        return key


def _workflow_secret(branch: SealingKey, tenant: str, workflow_id: str) -> bytes:
    return branch.derive(info=framed("casework.workflow", tenant, workflow_id), length=branch.suite.key_bytes)
