"""New versions of keys, and the end of old ones: how a tenant moves to another suite (docs/suites.md).

Branch keys go the way of every rotation (`compliance.vault.rotation`): published first, so that every process can open
under the new version, and active once all that live know it. A subject's new version seals at once, since a process
that meets an unknown version reads it. An old version goes only when nothing names it any more; the caller has looked,
and waited as long as another process may still use it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from compliance.vault import renewal_store, rotation
from compliance.vault.branches import BranchKeys
from compliance.vault.purposes import Purpose
from compliance.vault.rewrap import rewrap
from compliance.vault.states import KeyState
from compliance.vault.store import NotActive
from compliance.vault.subjects import new_subject_key
from compliance.vault.suites import AES_256_GCM, SM4_GCM, Suite
from compliance.vault.tables import BranchKey, SubjectKey
from models.database.engine import Database
from models.domain.suite_changes import SuiteName
from models.errors import KeysUnavailable

SUITES_BY_NAME: Final[Mapping[SuiteName, Suite]] = {SuiteName.AES_256_GCM: AES_256_GCM, SuiteName.SM4_GCM: SM4_GCM}
# What moves with a tenant's suite. Keys of links, fingerprints, one-time codes and of the audit log stay: what they
# have signed or counted lives shortly, or must be provable later under the key of its day.
MOVING: Final = (Purpose.SUBJECT_WRAP, Purpose.BLIND_INDEX, Purpose.SEAL_WRAP, Purpose.TEMPORAL)
# Whose old versions can go at the end. Temporal's stay as long as its histories do.
RETIRING: Final = (Purpose.SUBJECT_WRAP, Purpose.BLIND_INDEX, Purpose.SEAL_WRAP)
_ACTOR: Final = "workflow"
_TRIES: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class KeyCounts:
    """How many keys of a tenant lie under which suite: subjects' keys, and branch keys by purpose."""

    subjects: Mapping[int, int]
    branches: Mapping[str, Mapping[int, int]]


@dataclass(frozen=True, slots=True)
class KeyRenewal:
    """The vault's door to versions of keys; `forget` drops subjects' keys from memory.

    Every method raises `KeysUnavailable` when the key store does not answer.
    """

    branches: BranchKeys
    forget: Callable[[str, Iterable[str]], None]

    @property
    def database(self) -> Database:
        """The key store."""
        return self.branches.database

    # Branch keys ------------------------------------------------------------------------------------------------------

    def publish(self, tenant: str, suite: Suite) -> list[str]:
        """Give a tenant a version of each moving branch key in this suite; it opens and does not seal yet. Repeatable.

        Returns:
            The purposes that got one.

        Raises:
            WrongState: an operator's version of another suite is published: it is activated or withdrawn first.
            KeysUnavailable: the suite is not enabled.
        """
        published: list[str] = []
        for purpose in MOVING:
            rows = self._versions_of(tenant, purpose)
            if any(row.suite == suite.id and row.state in (KeyState.PUBLISHED, KeyState.ACTIVE) for row in rows):
                continue
            rotation.publish(self.branches, tenant=tenant, purpose=purpose, actor=_ACTOR, suite=suite, reindexing=True)
            published.append(purpose.value)
        return published

    def activate(self, tenant: str, suite: Suite) -> list[str]:
        """Have the published versions of this suite seal, the others only open. Repeatable.

        Returns:
            The purposes that changed.

        Raises:
            KeysUnavailable: a living process does not know a version yet; what was activated stays so.
        """
        changed: list[str] = []
        for purpose in MOVING:
            for row in self._versions_of(tenant, purpose):
                if row.suite != suite.id or row.state != KeyState.PUBLISHED:
                    continue
                waiting = rotation.activate(
                    self.branches, tenant=tenant, purpose=purpose, version=row.version, actor=_ACTOR
                )
                if waiting:
                    names = ", ".join(sorted(each.process for each in waiting))
                    raise KeysUnavailable(detail=f"{names}: not every process knows the new version of {purpose} yet")
                changed.append(purpose.value)
        return changed

    def retire_branches(self, tenant: str, suite: Suite) -> list[str]:
        """Wrap the seals' keys anew, then destroy branch keys of other suites that nothing lies under. Repeatable.

        Every index must have been worked out anew.

        Returns:
            The purposes of which a version was destroyed.
        """
        for _ in rewrap(self.branches, tenant=tenant, purpose=Purpose.SEAL_WRAP, actor=_ACTOR):
            pass
        return [purpose.value for purpose in RETIRING if self._end(tenant, purpose, suite)]

    def _end(self, tenant: str, purpose: Purpose, suite: Suite) -> int:
        """Destroy the versions of other suites under which nothing lies; returns how many went."""
        ended = 0
        for row in self._versions_of(tenant, purpose):
            if row.suite == suite.id or row.state not in (KeyState.DECRYPT_ONLY, KeyState.RETIRED):
                continue
            with self.database.read() as session:
                users = rotation.users_of(session, tenant=tenant, purpose=purpose, version=row.version)
            if users:  # the steps below ask again; here it is no fault
                continue
            for step in (rotation.retire, rotation.destroy):
                if row.state == KeyState.RETIRED and step is rotation.retire:
                    continue
                step(self.branches, tenant=tenant, purpose=purpose, version=row.version, actor=_ACTOR, made_anew=True)
            ended += 1
        return ended

    def _versions_of(self, tenant: str, purpose: Purpose) -> Sequence[BranchKey]:
        return renewal_store.branch_versions(self.database, tenant=tenant, purpose=purpose)

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
        subject_ids = [row.subject_id for row in rows]
        for _ in range(_TRIES):
            # Past the memory: another process may have activated a version a moment ago.
            branch, now = self.branches.read(tenant, Purpose.SUBJECT_WRAP).current, self.branches.clock()
            new = [
                new_subject_key(branch, tenant=tenant, subject_id=row.subject_id, version=row.version + 1, at=now)[0]
                for row in rows
            ]
            try:
                made = renewal_store.add_subject_versions(self.database, new)
            except NotActive:  # rotated since it was read
                continue
            self.forget(tenant, subject_ids)
            return made
        raise KeysUnavailable(detail=f"the key {Purpose.SUBJECT_WRAP} of tenant {tenant} changes all the time")
