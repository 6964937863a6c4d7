"""New versions of keys, and the end of old ones: how a tenant moves to another suite (docs/suites.md).

A branch key's new version is published first, so that every process can open under it, and seals only once it is
activated. A subject's new version seals at once, since a process that meets an unknown version reads it. An old version
goes only when nothing names it any more; the caller has looked, and waited as long as another process may still use it.
"""

import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.vault import cells, renewal_store, seal_keys
from compliance.vault.cells import SubjectKeyAddress
from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.suites import AES_256_GCM, SM4_GCM, SealingKey, Suite
from compliance.vault.tables import BranchKey, KeyState, SubjectKey
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.suite_changes import SuiteName

SUITES_BY_NAME: Final[Mapping[SuiteName, Suite]] = {SuiteName.AES_256_GCM: AES_256_GCM, SuiteName.SM4_GCM: SM4_GCM}
_SUBJECT_WRAP: Final = "subject-wrap"
_BLIND_INDEX: Final = "blind-index"
_SEAL_WRAP: Final = "seal-wrap"
_TEMPORAL: Final = "temporal"
# What moves with a tenant's suite. Keys of links, fingerprints, one-time codes and of the audit log stay: what they
# have signed or counted lives shortly, or must be provable later under the key of its day.
MOVING: Final = (_SUBJECT_WRAP, _BLIND_INDEX, _SEAL_WRAP, _TEMPORAL)
# Whose old versions can go at the end. Temporal's stay as long as its histories do.
RETIRING: Final = (_SUBJECT_WRAP, _BLIND_INDEX, _SEAL_WRAP)


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyCounts:
    """How many keys of a tenant lie under which suite: subjects' keys, and branch keys by purpose."""

    subjects: Mapping[int, int]
    branches: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class KeyRenewal:
    """The vault's door to versions of keys. `branch_key` gives a version, or the one that seals; `forget` drops caches.

    Every method raises `KeysUnavailable` when the key store does not answer.
    """

    database: Database
    kek: KekProvider
    clock: Clock
    branch_key: Callable[..., SealingKey]
    forget: Callable[[str, Iterable[str]], None]

    # Branch keys ------------------------------------------------------------------------------------------------------

    def publish(self, tenant: str, suite: Suite) -> list[str]:
        """Give a tenant a version of each moving branch key in this suite; it opens and does not seal yet. Repeatable.

        Returns:
            The purposes that got one.
        """
        published = []
        for purpose in MOVING:
            rows = renewal_store.branch_versions(self.database, tenant=tenant, purpose=purpose)
            if not rows or rows[0].suite == suite.id:
                continue
            version = rows[0].version + 1
            binding = branch_binding(tenant, purpose, version, suite.id)
            row = BranchKey(
                tenant=tenant,
                purpose=purpose,
                version=version,
                suite=suite.id,
                wrapped=self.kek.wrap(suite.new_key(), associated_data=binding),
                state=KeyState.DECRYPT_ONLY,
                created_at=self.clock(),
            )
            if renewal_store.add_branch_version(self.database, row):
                published.append(purpose)
        self.forget(tenant, ())
        return published

    def activate(self, tenant: str, suite: Suite) -> list[str]:
        """Have the newest versions seal where they are of this suite, the others only open. Repeatable.

        Returns:
            The purposes that changed.
        """
        changed = [
            purpose
            for purpose in MOVING
            if renewal_store.activate_newest(self.database, tenant=tenant, purpose=purpose, suite=suite.id)
        ]
        self.forget(tenant, ())
        return changed

    def retire_branches(self, tenant: str, suite: Suite) -> list[str]:
        """Wrap the seals' keys anew, then destroy branch keys of other suites that nothing lies under. Repeatable.

        Returns:
            The purposes of which a version was destroyed.
        """
        self.forget(tenant, ())  # another process may have activated it a moment ago
        branch = self.branch_key(tenant, _SEAL_WRAP)
        for row in renewal_store.seal_rows(self.database, tenant=tenant):
            if row.branch_version != branch.version:
                old = self.branch_key(tenant, _SEAL_WRAP, row.branch_version)
                renewal_store.exchange_seal(self.database, row, seal_keys.rewrapped(old, branch, row))
        destroyed = [
            purpose
            for purpose in RETIRING
            if renewal_store.destroy_unused_branches(self.database, tenant=tenant, purpose=purpose, suite=suite.id)
        ]
        self.forget(tenant, ())
        return destroyed

    # Subjects' keys ---------------------------------------------------------------------------------------------------

    def subjects_after(self, tenant: str, after: str, *, limit: int) -> list[str]:
        """The next subjects that have keys, by id."""
        return renewal_store.subjects_after(self.database, tenant=tenant, after=after, limit=limit)

    def renew_subjects(self, tenant: str, subject_ids: Collection[str], suite: Suite) -> int:
        """A new version in this suite for each subject whose newest key is of another one. Repeatable; in one commit.

        Returns:
            How many got one.
        """
        newest = self._newest(tenant, subject_ids)
        return self._renew(tenant, [row for row in newest if row.suite != suite.id or row.wrapped[1] != suite.id])

    def renew_subject(self, tenant: str, subject_id: str, *, beyond: int) -> int:
        """A new version for one subject unless there is one beyond this version already. Repeatable."""
        return self._renew(tenant, [row for row in self._newest(tenant, [subject_id]) if row.version <= beyond])

    def newest_version(self, tenant: str, subject_id: str) -> int | None:
        """The version that seals for a subject; None for one without keys."""
        return next((row.version for row in self._newest(tenant, [subject_id])), None)

    def with_old_versions(self, tenant: str, subject_ids: Collection[str]) -> dict[str, datetime]:
        """The subjects that have more than one version, and since when the newest one seals."""
        found = self.versions(tenant, subject_ids)
        return {subject: versions[0].created_at for subject, versions in found.items() if len(versions) > 1}

    def versions(self, tenant: str, subject_ids: Collection[str]) -> dict[str, list[SubjectKey]]:
        """Every version of these subjects' keys, the newest first; nobody who was shredded."""
        found: dict[str, list[SubjectKey]] = {}
        for row in renewal_store.subject_versions(self.database, tenant=tenant, subject_ids=subject_ids):
            found.setdefault(row.subject_id, []).append(row)
        return found

    def destroy_old_versions(self, tenant: str, subject_ids: Collection[str]) -> int:
        """Destroy every version but the newest of these subjects. Nothing may lie under them any more.

        Returns:
            How many keys were destroyed.
        """
        destroyed = renewal_store.destroy_old_versions(self.database, tenant=tenant, subject_ids=subject_ids)
        self.forget(tenant, subject_ids)
        return destroyed

    def shredded(self, tenant: str, subject_ids: Collection[str]) -> frozenset[str]:
        """Which of these subjects were shredded: what lies under their keys cannot be read, whatever its suite."""
        return renewal_store.shredded(self.database, tenant=tenant, subject_ids=subject_ids)

    def counts(self, tenant: str) -> KeyCounts:
        """How many keys lie under which suite."""
        return KeyCounts(
            subjects=renewal_store.subject_keys_by_suite(self.database, tenant=tenant),
            branches=renewal_store.branch_keys_by_suite(self.database, tenant=tenant),
        )

    def _newest(self, tenant: str, subject_ids: Collection[str]) -> list[SubjectKey]:
        return [versions[0] for versions in self.versions(tenant, subject_ids).values()]

    def _renew(self, tenant: str, rows: Sequence[SubjectKey]) -> int:
        if not rows:
            return 0
        self.forget(tenant, ())  # another process may have activated a version a moment ago
        branch, now = self.branch_key(tenant, _SUBJECT_WRAP), self.clock()
        new = [
            new_subject_key(branch, tenant=tenant, subject_id=row.subject_id, version=row.version + 1, at=now)[0]
            for row in rows
        ]
        made = renewal_store.add_subject_versions(self.database, new)
        self.forget(tenant, [row.subject_id for row in rows])
        return made


def new_subject_key(
    branch: SealingKey, *, tenant: str, subject_id: str, version: int, at: datetime
) -> tuple[SubjectKey, SealingKey]:
    """A version of a subject's key in the suite of the branch key that wraps it, not yet stored, and the key itself."""
    suite = branch.suite
    secret = os.urandom(suite.key_bytes)
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


def branch_binding(tenant: str, purpose: str, version: int, suite: int) -> bytes:
    """What a branch key is bound to where the KEK wraps it (docs/wire-format.md)."""
    return framed("casework.branch-key", tenant, purpose, version, suite)
