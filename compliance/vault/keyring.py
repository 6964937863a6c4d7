"""The vault: every key of the product, in one hierarchy, and what is done with them.

KEK (never in a database) -> branch keys per tenant, purpose and version -> one key per subject -> cells and files. Keys
are cached for `KEY_TTL`, so a rotation or an erasure by another process is noticed within that time, one by this
process at once. Reading creates nothing: a tenant's keys come by `ensure_tenant`, a person's by `create_subject`.
"""

import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.vault import blind, cells, files, seal_keys, store
from compliance.vault.blind import BlindField
from compliance.vault.cache import Lru
from compliance.vault.cells import CellAddress, RowAddress, SubjectKeyAddress
from compliance.vault.files import FileAddress, SealedFile
from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.renewal import KeyRenewal, branch_binding, new_subject_key
from compliance.vault.seal_keys import DocumentSeal
from compliance.vault.suites import DEFAULT_SUITE, SealingKey, Suite, check_suites, suite_of
from compliance.vault.tables import BranchKey, KeyState, SealKey, SubjectKey
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import CannotOpen, KeysUnavailable, SubjectShredded

INSTALLATION: Final = "_"  # the tenant that is the installation itself
KEY_TTL: Final = timedelta(minutes=5)
SUBJECTS_CACHED: Final = 10_000
WORKFLOWS_CACHED: Final = 4_096
_ISSUER_PURPOSE: Final = "token-es256"
_SIGNING_NAME: Final = re.compile(r"\A[a-z][a-z0-9-]{0,39}\Z")
_CURVE: Final = ec.SECP256R1()
R = TypeVar("R", BranchKey, SealKey, SubjectKey)


class Purpose(StrEnum):
    """What a branch key is for; no key serves two purposes."""

    SUBJECT_WRAP = "subject-wrap"
    BLIND_INDEX = "blind-index"
    TEMPORAL = "temporal"
    AUDIT_MAC = "audit-mac"
    LINKS = "links"
    FINGERPRINT = "fingerprint"
    ONE_TIME_CODE = "one-time-code"
    SEAL_WRAP = "seal-wrap"


# What `purpose_key` hands out; the others never leave the vault.
_HANDED_OUT: Final = frozenset({Purpose.AUDIT_MAC, Purpose.LINKS, Purpose.FINGERPRINT, Purpose.ONE_TIME_CODE})


@dataclass(slots=True, repr=False)
class _Branch:
    """All versions of one branch key. Derived keys are remembered beside it and leave the memory with it."""

    keys: dict[int, SealingKey]
    current: SealingKey
    read_at: datetime
    derived: dict[tuple[str | int, ...], SealingKey] = field(default_factory=dict)


@dataclass(slots=True, repr=False)
class _Subject:
    """All versions of one subject's key."""

    keys: dict[int, SealingKey]
    current: SealingKey
    read_at: datetime


def open_vault(
    keys_database: Database, kek: KekProvider, clock: Clock, *, subjects_cached: int = SUBJECTS_CACHED
) -> "Vault":
    """Open an initialised key store; the installation's own keys are made if they are missing.

    Raises:
        KeysUnavailable: the store was never initialised or does not answer, or a suite fails its known-answer test.
        UnsafeSetting: the KEK is not the one that this store was made with.
        SchemaNewer: a newer version of the product wrote the store.
    """
    check_suites()
    store.check_key_store(keys_database, kek=kek)
    vault = Vault(keys_database, kek, clock, subjects_cached=subjects_cached)
    vault.ensure_tenant(INSTALLATION)
    return vault


class Vault:
    """Seals and opens, indexes and signs. Safe to share between threads; built by `open_vault`.

    Every method that takes a subject raises `SubjectShredded` when the subject's keys were destroyed, and every method
    raises `KeysUnavailable` when the key store does not answer or a key that must exist is missing.
    """

    def __init__(self, database: Database, kek: KekProvider, clock: Clock, *, subjects_cached: int) -> None:
        """Keep nothing but the doors; keys come on demand."""
        self._database = database
        self._kek = kek
        self._clock = clock
        self._branches: dict[tuple[str, str], _Branch] = {}
        self._subjects: Lru[tuple[str, str], _Subject] = Lru(subjects_cached)
        self._workflows: Lru[tuple[str, str, int], SealingKey] = Lru(WORKFLOWS_CACHED)
        self._shreds = 0
        self.renewal = KeyRenewal(database, kek, clock, branch_key=self._branch_key, forget=self.forget_subjects)

    # Tenants and subjects ---------------------------------------------------------------------------------------------

    def ensure_tenant(self, tenant: str) -> None:
        """Make the branch keys that a tenant lacks. Idempotent, also when two processes do it at once."""
        known = store.branch_purposes(self._database, tenant=tenant)
        suite = self.suite_of_tenant(tenant) if Purpose.SUBJECT_WRAP in known else DEFAULT_SUITE
        for purpose in sorted({purpose.value for purpose in Purpose} - known):
            self._add_branch(tenant, purpose, suite.new_key(), suite=suite)

    def suite_of_tenant(self, tenant: str) -> Suite:
        """The suite of a tenant's new keys: the one of the key that wraps them (docs/suites.md)."""
        return self._branch(tenant, Purpose.SUBJECT_WRAP).current.suite

    def create_subject(self, *, tenant: str, subject_id: str) -> None:
        """Give a subject a key, committed before this returns; call it before the row that needs the key. Idempotent.

        Raises:
            SubjectShredded: the subject was shredded; the id is never used again.
        """
        if self._subjects.get((tenant, subject_id)) is not None:
            return
        branch = self._branch(tenant, Purpose.SUBJECT_WRAP).current
        row, key = new_subject_key(branch, tenant=tenant, subject_id=subject_id, version=1, at=self._clock())
        shreds = self._shreds
        if store.add_subject_key(self._database, row):
            self._remember((tenant, subject_id), _Subject({1: key}, key, row.created_at), shreds)
        else:  # another process was first, or the subject was shredded: only what is committed may seal
            self._load_subject(tenant, subject_id)

    def shred_subject(self, *, tenant: str, subject_id: str) -> None:
        """Destroy a subject's keys for good; other processes forget them within `KEY_TTL`. Idempotent.

        The caller removes blind indexes, which are personal data too, and records the deed.
        """
        store.shred_subject_keys(self._database, tenant=tenant, subject_id=subject_id, clock=self._clock)
        self._shreds += 1
        self._subjects.forget((tenant, subject_id))

    # Cells ------------------------------------------------------------------------------------------------------------

    def seal(self, address: CellAddress, value: bytes | str) -> bytes:
        """Seal one value (32 bytes longer than it) under its subject's key."""
        return cells.seal_cell(self._subject(address.tenant, address.subject).current, address, value)

    def open(self, address: CellAddress, sealed: bytes) -> bytes:
        """Open one value.

        Raises:
            CannotOpen: altered, moved to another place, or sealed under a key that is not here.
        """
        return cells.open_cell(
            self._key_of(address.tenant, address.subject, cells.key_version_of(sealed)), address, sealed
        )

    def open_text(self, address: CellAddress, sealed: bytes) -> str:
        """Open one value that was sealed as text.

        Raises:
            CannotOpen: as `open`, or it was not sealed as text.
        """
        return _text(address, self.open(address, sealed))

    def seal_many(self, row: RowAddress, values: Mapping[str, bytes | str]) -> dict[str, bytes]:
        """Seal several columns of one row; the names are the columns'."""
        key = self._subject(row.tenant, row.subject).current
        return {column: cells.seal_cell(key, row.cell(column), value) for column, value in values.items()}

    def open_many(self, row: RowAddress, sealed: Mapping[str, bytes]) -> dict[str, bytes]:
        """Open several columns of one row.

        Raises:
            CannotOpen: as `open`, for the first one that does not.
        """
        return {column: self.open(row.cell(column), value) for column, value in sealed.items()}

    def open_many_text(self, row: RowAddress, sealed: Mapping[str, bytes]) -> dict[str, str]:
        """As `open_many`, for values that were sealed as text."""
        return {column: _text(row.cell(column), value) for column, value in self.open_many(row, sealed).items()}

    # Files ------------------------------------------------------------------------------------------------------------

    def seal_file(self, address: FileAddress, source: Iterator[bytes] | BinaryIO, target: Path) -> SealedFile:
        """Seal a stream into `target`, which appears whole or not at all (`compliance.vault.files`)."""
        return files.seal_file(self._subject(address.tenant, address.subject).current, address, source, target)

    def open_file(self, address: FileAddress, path: Path) -> Iterator[bytes]:
        """The content in authentic pieces; a wrong key or address shows before the first, a missing end at the last.

        Raises:
            CannotOpen: altered, cut short, exchanged, or not this document's; while iterating too.
        """
        return files.open_file_under(
            lambda version: self._key_of(address.tenant, address.subject, version), address, path
        )

    # Keys for one purpose ---------------------------------------------------------------------------------------------

    def blind_index(self, *, tenant: str, field: str, value: str) -> bytes:
        """32 bytes by which an exact value is found; brings the value into its canonical form itself.

        Raises:
            ValueError: no such field (`BlindField`), or an empty value.
        """
        return self._token(tenant, BlindField(field), value, self._branch(tenant, Purpose.BLIND_INDEX).current)

    def blind_indexes(self, *, tenant: str, field: str, value: str) -> tuple[bytes, ...]:
        """Every index under which a value may stand while index keys change: `blind_index`, then the other versions'.

        Raises:
            ValueError: as `blind_index`.
        """
        branch = self._branch(tenant, Purpose.BLIND_INDEX)
        others = (key for version, key in branch.keys.items() if version != branch.current.version)
        return tuple(self._token(tenant, BlindField(field), value, key) for key in (branch.current, *others))

    def _token(self, tenant: str, field: BlindField, value: str, key: SealingKey) -> bytes:
        branch = self._branch(tenant, Purpose.BLIND_INDEX)
        return blind.blind_index(
            self._derived(branch, key, "blind-index", tenant, field.value), field=field, value=value
        )

    def purpose_key(self, tenant: str, purpose: Purpose) -> bytes:
        """32 bytes for a MAC of the caller's: `AUDIT_MAC`, `LINKS`, `FINGERPRINT` or `ONE_TIME_CODE`.

        Raises:
            ValueError: a purpose whose key stays inside the vault.
        """
        if purpose not in _HANDED_OUT:
            raise ValueError(f"the key for {purpose} stays inside the vault")
        return self._branch(tenant, purpose).current.derive(info=framed("casework.purpose", tenant, purpose), length=32)

    def workflow_key(self, *, tenant: str, workflow_id: str, version: int | None = None) -> tuple[int, bytes]:
        """The key for one workflow's payloads, 32 bytes, and its version; the current one unless a version is named.

        Raises:
            CannotOpen: there is no such version.
        """
        branch = self._branch_key(tenant, Purpose.TEMPORAL, version)
        return branch.version, _workflow_secret(branch, tenant, workflow_id)

    def workflow_sealer(self, *, tenant: str, workflow_id: str, version: int | None = None) -> SealingKey:
        """As `workflow_key`, ready to seal and open; may read the key store.

        Raises:
            CannotOpen: there is no such version.
        """
        branch = self._branch_key(tenant, Purpose.TEMPORAL, version)
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
        branch = self._branches.get((tenant, Purpose.TEMPORAL))
        if branch is None or not self._fresh(branch.read_at) or (version is not None and version not in branch.keys):
            return None
        return self.workflow_sealer(tenant=tenant, workflow_id=workflow_id, version=version)

    def signing_key(self, name: str) -> Ed25519PrivateKey:
        """The installation's Ed25519 key of that name, made at the first call.

        Raises:
            ValueError: the name is not lower-case letters, digits and hyphens.
        """
        if not _SIGNING_NAME.match(name):
            raise ValueError("a signing key's name is lower-case letters, digits and hyphens")
        purpose = f"sign-{name}"
        rows = store.branch_keys(self._database, tenant=INSTALLATION, purpose=purpose)
        if not rows:
            self._add_branch(INSTALLATION, purpose, Ed25519PrivateKey.generate().private_bytes_raw())
            rows = store.branch_keys(self._database, tenant=INSTALLATION, purpose=purpose)
        return Ed25519PrivateKey.from_private_bytes(self._unwrapped(_current(rows)))

    def token_keys(self) -> list[tuple[str, ec.EllipticCurvePrivateKey]]:
        """The local issuer's ES256 keys with their ids (RFC 7638), the one that signs first; made at the first call.

        The others are there so that tokens that they signed can still be verified.
        """
        rows = store.branch_keys(self._database, tenant=INSTALLATION, purpose=_ISSUER_PURPOSE)
        if not rows:
            scalar = ec.generate_private_key(_CURVE).private_numbers().private_value
            self._add_branch(INSTALLATION, _ISSUER_PURPOSE, scalar.to_bytes(32))
            rows = store.branch_keys(self._database, tenant=INSTALLATION, purpose=_ISSUER_PURPOSE)
        signs = _current(rows)
        ordered = [signs, *(row for row in rows if row is not signs)]
        keys = [ec.derive_private_key(int.from_bytes(self._unwrapped(row)), _CURVE) for row in ordered]
        return [(_thumbprint(key), key) for key in keys]

    def ensure_seal(self, *, tenant: str, organisation: str) -> None:
        """Give a tenant the key and certificates with which its documents are sealed; what is there stays. Idempotent.

        `organisation` is the institution's legal name for the certificates; it is kept to the length that X.509 allows.
        """
        if store.seal_keys(self._database, tenant=tenant):
            return
        self.ensure_tenant(tenant)  # a tenant from before there were seals has no branch key for them
        branch = self._branch(tenant, Purpose.SEAL_WRAP).current
        row = seal_keys.new_seal(branch, tenant=tenant, organisation=organisation, at=self._clock())
        store.add_seal_key(self._database, row)

    def document_seal(self, tenant: str) -> DocumentSeal:
        """The tenant's present seal, ready to sign.

        Raises:
            KeysUnavailable: the tenant has none: `ensure_seal` makes it.
            CannotOpen: the stored key was altered or is another tenant's.
        """
        rows = store.seal_keys(self._database, tenant=tenant)
        if not rows:
            raise KeysUnavailable(detail=f"tenant {tenant} has no seal: Vault.ensure_seal makes it")
        row = _current(rows)
        return seal_keys.open_seal(self._branch_key(tenant, Purpose.SEAL_WRAP, row.branch_version), row)

    def forget(self) -> None:
        """Drop every cached key, as after a rotation that this process was told of."""
        self._branches.clear()
        self._subjects.clear()
        self._workflows.clear()

    def forget_subjects(self, tenant: str, subject_ids: Iterable[str]) -> None:
        """Drop these subjects' cached keys, and the tenant's branch keys."""
        for purpose in Purpose:
            self._branches.pop((tenant, purpose), None)
        for subject_id in subject_ids:
            self._subjects.forget((tenant, subject_id))

    def load_subjects(self, tenant: str, subject_ids: Collection[str]) -> None:
        """Read these subjects' keys at once; who was shredded is left out, and shows where a key is used."""
        read_at, shreds = self._clock(), self._shreds
        for subject_id, rows in self.renewal.versions(tenant, subject_ids).items():
            self._remember((tenant, subject_id), self._of_rows(rows, read_at), shreds)

    def header_of(self, *, tenant: str, subject_id: str) -> tuple[int, int]:
        """Suite and version of the key that seals for a subject at present."""
        key = self._subject(tenant, subject_id).current
        return key.suite.id, key.version

    # Inside -----------------------------------------------------------------------------------------------------------

    def _fresh(self, read_at: datetime) -> bool:
        # A clock that was set back must not keep a key alive.
        return timedelta() <= self._clock() - read_at < KEY_TTL

    def _branch(self, tenant: str, purpose: str) -> _Branch:
        branch = self._branches.get((tenant, purpose))
        if branch is not None and self._fresh(branch.read_at):
            return branch
        read_at = self._clock()
        rows = store.branch_keys(self._database, tenant=tenant, purpose=purpose)
        if not rows:
            raise KeysUnavailable(detail=f"tenant {tenant} has no key for {purpose}: Vault.ensure_tenant makes it")
        keys = {row.version: SealingKey(suite_of(row.suite), self._unwrapped(row), version=row.version) for row in rows}
        branch = _Branch(keys=keys, current=keys[_current(rows).version], read_at=read_at)
        self._branches[tenant, purpose] = branch
        return branch

    def _branch_key(self, tenant: str, purpose: str, version: int | None = None) -> SealingKey:
        branch = self._branch(tenant, purpose)
        if version is None:
            return branch.current
        if version not in branch.keys:  # rotated by another process a moment ago?
            self._branches.pop((tenant, purpose), None)
            branch = self._branch(tenant, purpose)
        if version not in branch.keys:
            raise CannotOpen(detail=f"tenant {tenant} has no {purpose} key of version {version}")
        return branch.keys[version]

    def _derived(self, branch: _Branch, key: SealingKey, *context: str) -> SealingKey:
        name: tuple[str | int, ...] = (key.version, *context)
        derived = branch.derived.get(name)
        if derived is None:
            info = framed("casework.derived", *context)
            derived = SealingKey(key.suite, key.derive(info=info, length=key.suite.key_bytes), version=key.version)
            branch.derived[name] = derived
        return derived

    def _add_branch(self, tenant: str, purpose: str, secret: bytes, *, suite: Suite = DEFAULT_SUITE) -> None:
        wrapped = self._kek.wrap(secret, associated_data=branch_binding(tenant, purpose, 1, suite.id))
        row = BranchKey(
            tenant=tenant,
            purpose=purpose,
            version=1,
            suite=suite.id,
            wrapped=wrapped,
            state=KeyState.ACTIVE,
            created_at=self._clock(),
        )
        store.add_branch_key(self._database, row)

    def _unwrapped(self, row: BranchKey) -> bytes:
        binding = branch_binding(row.tenant, row.purpose, row.version, row.suite)
        try:
            return self._kek.unwrap(row.wrapped, associated_data=binding)
        except CannotOpen:
            raise CannotOpen(detail=f"branch key {row.tenant}/{row.purpose}/{row.version}") from None

    def _subject(self, tenant: str, subject_id: str) -> _Subject:
        subject = self._subjects.get((tenant, subject_id))
        if subject is not None and self._fresh(subject.read_at):
            return subject
        return self._load_subject(tenant, subject_id)

    def _key_of(self, tenant: str, subject_id: str, version: int) -> SealingKey:
        key = self._subject(tenant, subject_id).keys.get(version)
        if key is None:  # rotated by another process a moment ago?
            key = self._load_subject(tenant, subject_id).keys.get(version)
        if key is None:
            raise CannotOpen(detail=f"subject {subject_id} has no key of version {version}")
        return key

    def _load_subject(self, tenant: str, subject_id: str) -> _Subject:
        read_at, shreds = self._clock(), self._shreds
        self._subjects.forget((tenant, subject_id))
        rows = store.subject_rows(self._database, tenant=tenant, subject_id=subject_id)
        if rows.shredded:
            raise SubjectShredded(detail=f"subject {subject_id}")
        if not rows.keys:
            raise KeysUnavailable(
                detail=f"subject {subject_id} has no key: Vault.create_subject comes before its first row"
            )
        subject = self._of_rows(rows.keys, read_at)
        self._remember((tenant, subject_id), subject, shreds)
        return subject

    def _of_rows(self, rows: Sequence[SubjectKey], read_at: datetime) -> _Subject:
        keys = {row.version: self._subject_key(row) for row in rows}
        return _Subject(keys=keys, current=keys[_current(rows).version], read_at=read_at)

    def _remember(self, name: tuple[str, str], subject: _Subject, shreds: int) -> None:
        self._subjects.put(name, subject)
        if self._shreds != shreds:  # somebody was shredded meanwhile: it may have been this one
            self._subjects.forget(name)

    def _subject_key(self, row: SubjectKey) -> SealingKey:
        branch = self._branch_key(row.tenant, Purpose.SUBJECT_WRAP, row.branch_version)
        address = SubjectKeyAddress(
            tenant=row.tenant,
            subject=row.subject_id,
            version=row.version,
            suite=row.suite,
            branch_version=row.branch_version,
        )
        key = SealingKey(
            suite_of(row.suite), cells.unwrap_subject_key(branch, address, row.wrapped), version=row.version
        )
        if cells.commitment(key, tenant=row.tenant, subject=row.subject_id) != row.commitment:
            raise CannotOpen(detail=f"the key of subject {row.subject_id} does not fit its commitment")
        return key


def _current(rows: Sequence[R]) -> R:
    """The newest active version; rows come the newest first."""
    for row in rows:
        if row.state == KeyState.ACTIVE:
            return row
    raise KeysUnavailable(detail="every version of a key is decrypt-only: one must be active")


def _workflow_secret(branch: SealingKey, tenant: str, workflow_id: str) -> bytes:
    return branch.derive(info=framed("casework.workflow", tenant, workflow_id), length=branch.suite.key_bytes)


def _text(address: CellAddress, value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:  # whose own text would show the value
        raise CannotOpen(detail=f"cell {address.table}.{address.column} of {address.row} holds no text") from None


def _thumbprint(key: ec.EllipticCurvePrivateKey) -> str:
    numbers = key.public_key().public_numbers()
    x, y = (_base64url(value.to_bytes(32)) for value in (numbers.x, numbers.y))
    return _base64url(hashlib.sha256(f'{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}'.encode()).digest())


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
