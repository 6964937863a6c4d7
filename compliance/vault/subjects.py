"""Subjects' keys in memory: read when needed, made when asked for, kept for `KEY_TTL`, forgotten at an erasure.

An erasure by another process is heard within `SHREDS_HEARD_EVERY`, one by this process at once. A version that is not
in memory is read from the store, so what another process has just sealed opens here.
"""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from compliance.vault import bulk_keys, bulk_store, cells, renewal_store, store
from compliance.vault.branches import KEY_TTL, BranchKeys, newest_active
from compliance.vault.bulk_keys import SubjectKeys, Wrapping
from compliance.vault.cache import Lru
from compliance.vault.cells import SubjectKeyAddress
from compliance.vault.hearing import Hearing
from compliance.vault.purposes import Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import NotActive
from compliance.vault.suites import SealingKey
from compliance.vault.tables import SubjectKey
from models.errors import CannotOpen, KeysUnavailable, SubjectShredded

_TRIES: Final = 3  # a branch key is rotated now and then; twice during one call is a fault


@dataclass(slots=True, repr=False)
class Subject:
    """All versions of one subject's key."""

    keys: dict[int, SealingKey]
    current: SealingKey
    read_at: datetime


class Subjects:
    """The subjects' keys of one process. Safe to share between threads.

    Every method raises `SubjectShredded` for a subject whose keys were destroyed.
    """

    def __init__(self, branches: BranchKeys, *, cached: int) -> None:
        """Keep the doors; keys come on demand."""
        self._branches = branches
        self._database = branches.database
        self._clock = branches.clock
        self._cache: Lru[tuple[str, str], Subject] = Lru(cached)
        self._shreds = 0
        self._hearing = Hearing(branches.database, branches.clock, begin=branches.clock() - KEY_TTL)

    def __len__(self) -> int:
        """How many are in memory."""
        return len(self._cache)

    def get(self, tenant: str, subject_id: str) -> Subject:
        """All versions of a subject's key, from memory while they are fresh.

        Raises:
            KeysUnavailable: the subject has no key, or the store does not answer.
            CannotOpen: a row was altered.
        """
        self._hear()
        subject = self._cache.get((tenant, subject_id))
        if subject is not None and self._branches.fresh(subject.read_at):
            return subject
        return self._load(tenant, subject_id)

    def version(self, tenant: str, subject_id: str, version: int) -> SealingKey:
        """One version, also one that another process made a moment ago.

        Raises:
            CannotOpen: there is no such version.
        """
        key = self.get(tenant, subject_id).keys.get(version)
        if key is None:
            key = self._load(tenant, subject_id).keys.get(version)
        if key is None:
            raise CannotOpen(detail=f"subject {subject_id} has no key of version {version}")
        return key

    def create(self, tenant: str, subject_id: str) -> None:
        """Make a subject's first key unless there is one; committed before this returns."""
        if self._cache.get((tenant, subject_id)) is not None:
            return
        shreds = self._shreds
        for _ in range(_TRIES):
            branch = self._branches.get(tenant, Purpose.SUBJECT_WRAP).current
            row, key = new_subject_key(branch, tenant=tenant, subject_id=subject_id, version=1, at=self._clock())
            try:
                added = store.add_subject_key(self._database, row)
            except NotActive:  # rotated by another process a moment ago
                self._branches.read(tenant, Purpose.SUBJECT_WRAP)
                continue
            if added:
                self._remember((tenant, subject_id), Subject({1: key}, key, row.created_at), shreds)
            else:  # another process was first, or the subject was shredded: only what is committed may seal
                self._load(tenant, subject_id)
            return
        raise self._restless(tenant)

    def many(self, tenant: str, subject_ids: Collection[str], *, create: bool) -> dict[str, SubjectKeys]:
        """Keys of many subjects; what is read for it pushes nobody out of the memory.

        With `create`, those who have none are given one, committed before this returns.
        """
        self._hear()
        now, known = self._clock(), {}
        for subject_id in subject_ids:
            subject = self._cache.get((tenant, subject_id))
            if subject is not None and self._branches.fresh(subject.read_at, now=now):
                known[subject_id] = SubjectKeys(subject.current, subject.keys)
        missing = [subject_id for subject_id in subject_ids if subject_id not in known]
        if not missing:
            return known
        made_at = now if create else None
        for _ in range(_TRIES):
            wrapping = Wrapping(
                tenant=tenant,
                version_of=lambda version: self._branches.version(tenant, Purpose.SUBJECT_WRAP, version),
                current=self._branches.get(tenant, Purpose.SUBJECT_WRAP).current,
                suites=self._branches.suites,
            )
            try:
                return known | bulk_keys.subject_keys(self._database, wrapping, missing, made_at=made_at)
            except NotActive:  # rotated by another process a moment ago
                self._branches.read(tenant, Purpose.SUBJECT_WRAP)
        raise self._restless(tenant)

    def load_many(self, tenant: str, subject_ids: Collection[str]) -> None:
        """Read these subjects' keys into memory.

        Who was shredded is left out, and so is a key that does not open: whoever opens with it hears of it.
        """
        read_at, shreds = self._clock(), self._shreds
        rows = renewal_store.subject_versions(self._database, tenant=tenant, subject_ids=subject_ids)
        for subject_id, versions in groupby(rows, key=lambda row: row.subject_id):
            with suppress(CannotOpen, KeysUnavailable):
                self._remember((tenant, subject_id), self._of_rows(list(versions), read_at), shreds)

    def shred(self, tenant: str, subject_id: str) -> None:
        """Destroy a subject's keys in the store and here."""
        store.shred_subject_keys(self._database, tenant=tenant, subject_id=subject_id, clock=self._clock)
        self._shreds += 1
        self._cache.forget((tenant, subject_id))

    def shred_many(self, tenant: str, subject_ids: Sequence[str]) -> int:
        """As `shred`, a chunk at a time, of those who have keys; returns how many had."""
        buried = 0
        for first in range(0, len(subject_ids), bulk_keys.CHUNK):
            some = subject_ids[first : first + bulk_keys.CHUNK]
            gone = bulk_store.shred_many_subject_keys(self._database, tenant=tenant, subject_ids=some, at=self._clock())
            self._shreds += 1
            self.forget(tenant, some)
            buried += len(gone)
        return buried

    def forget(self, tenant: str, subject_ids: Iterable[str]) -> None:
        """Drop these subjects' keys from memory."""
        for subject_id in subject_ids:
            self._cache.forget((tenant, subject_id))

    def clear(self) -> None:
        """Drop everybody's."""
        self._cache.clear()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _hear(self) -> None:
        for name in self._hearing.shredded():
            self._shreds += 1
            self._cache.forget(name)

    def _load(self, tenant: str, subject_id: str) -> Subject:
        read_at, shreds = self._clock(), self._shreds
        self._cache.forget((tenant, subject_id))
        rows = store.subject_rows(self._database, tenant=tenant, subject_id=subject_id)
        if rows.shredded:
            raise SubjectShredded(detail=f"subject {subject_id}")
        if not rows.keys:
            raise KeysUnavailable(
                detail=f"subject {subject_id} has no key: Vault.create_subject comes before its first row"
            )
        try:
            subject = self._of_rows(rows.keys, read_at)
        except CannotOpen:  # rewrapped since it was read, and the old version retired?
            before, rows = rows, store.subject_rows(self._database, tenant=tenant, subject_id=subject_id)
            if [row.branch_version for row in rows.keys] == [row.branch_version for row in before.keys]:
                raise
            subject = self._of_rows(rows.keys, read_at)
        self._remember((tenant, subject_id), subject, shreds)
        return subject

    def _of_rows(self, rows: Sequence[SubjectKey], read_at: datetime) -> Subject:
        keys = {row.version: self._opened(row) for row in rows}
        return Subject(keys=keys, current=keys[newest_active(rows).version], read_at=read_at)

    def _remember(self, name: tuple[str, str], subject: Subject, shreds: int) -> None:
        self._cache.put(name, subject)
        if self._shreds != shreds:  # somebody was shredded meanwhile: it may have been this one
            self._cache.forget(name)

    def _opened(self, row: SubjectKey) -> SealingKey:
        branch = self._branches.version(row.tenant, Purpose.SUBJECT_WRAP, row.branch_version)
        if branch is None:
            raise CannotOpen(detail=f"tenant {row.tenant} has no subject-wrap key of version {row.branch_version}")
        address = SubjectKeyAddress(
            tenant=row.tenant,
            subject=row.subject_id,
            version=row.version,
            suite=row.suite,
            branch_version=row.branch_version,
        )
        secret = cells.unwrap_subject_key(branch, address, row.wrapped)
        key = SealingKey(self._branches.suites.of(row.suite), secret, version=row.version)
        if cells.commitment(key, tenant=row.tenant, subject=row.subject_id) != row.commitment:
            raise CannotOpen(detail=f"the key of subject {row.subject_id} does not fit its commitment")
        return key

    @staticmethod
    def _restless(tenant: str) -> KeysUnavailable:
        return KeysUnavailable(detail=f"the key {Purpose.SUBJECT_WRAP} of tenant {tenant} changes all the time")


def new_subject_key(
    branch: SealingKey, *, tenant: str, subject_id: str, version: int, at: datetime
) -> tuple[SubjectKey, SealingKey]:
    """A version of a subject's key in the suite of the branch key that wraps it, not yet stored, and the key itself."""
    suite = branch.suite
    secret = suite.new_key()
    key = SealingKey(suite, secret, version=version)
    address = SubjectKeyAddress(
        tenant=tenant, subject=subject_id, version=version, suite=suite.id, branch_version=branch.version
    )
    row = SubjectKey(
        tenant=tenant,
        subject_id=subject_id,
        version=version,
        suite=suite.id,
        branch_version=branch.version,
        wrapped=cells.wrap_subject_key(branch, address, secret),
        commitment=cells.commitment(key, tenant=tenant, subject=subject_id),
        state=KeyState.ACTIVE,
        created_at=at,
    )
    return row, key
