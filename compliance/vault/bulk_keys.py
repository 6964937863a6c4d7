"""Keys of many subjects at once: read and opened, or made and wrapped, a chunk at a time.

A chunk is read in one transaction and written in another. What was made is used only if it is what was committed.
"""

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from compliance.vault import bulk_store
from compliance.vault.cells import ManySubjectKeys
from compliance.vault.states import KeyState
from compliance.vault.suites import EnabledSuites, SealingKey
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable, SubjectShredded

CHUNK: Final = 500


class SubjectKeys(NamedTuple):
    """The keys of one subject: the one that seals, and every version that opens."""

    current: SealingKey
    versions: dict[int, SealingKey]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Wrapping:
    """What the subject keys of one tenant lie under.

    Attributes:
        version_of: gives a version of the tenant's `subject-wrap` key that opens, or None.
        current: the one that wraps now; new subject keys are of its suite.
    """

    tenant: str
    version_of: Callable[[int], SealingKey | None]
    current: SealingKey
    suites: EnabledSuites


def subject_keys(
    database: Database, wrapping: Wrapping, subject_ids: Collection[str], *, made_at: datetime | None
) -> dict[str, SubjectKeys]:
    """The keys of these subjects (at most `CHUNK`); those without one get theirs now, if `made_at` says when that is.

    Raises:
        SubjectShredded: one of them was shredded.
        KeysUnavailable: one of them has no key, or the store does not answer.
        CannotOpen: a key was altered, is another person's, or does not fit its commitment.
        NotActive: a first key was to be made, and the wrapping key seals no more.
    """
    known = _read(database, wrapping, subject_ids)
    missing = [subject for subject in subject_ids if subject not in known]
    if missing and made_at is not None:
        made = _make(database, wrapping, missing, at=made_at)
        known |= made
        missing = [subject for subject in missing if subject not in made]
        if missing:  # another process was first: only what is committed may seal
            known |= _read(database, wrapping, missing)
            missing = [subject for subject in missing if subject not in known]
    if missing:
        raise KeysUnavailable(
            detail=f"subject {missing[0]} has no key: Vault.create_subject comes before its first row"
        )
    return known


def _read(database: Database, wrapping: Wrapping, subject_ids: Collection[str]) -> dict[str, SubjectKeys]:
    stored = bulk_store.many_subject_keys(database, tenant=wrapping.tenant, subject_ids=subject_ids)
    if stored.shredded:
        raise SubjectShredded(detail=f"subject {min(stored.shredded)}")
    try:
        return _opened(wrapping, stored)
    except CannotOpen:  # rewrapped since it was read, and the old version retired?
        again = bulk_store.many_subject_keys(database, tenant=wrapping.tenant, subject_ids=subject_ids)
        if again.shredded:
            raise SubjectShredded(detail=f"subject {min(again.shredded)}") from None
        if _places(again) == _places(stored):
            raise
        return _opened(wrapping, again)


def _places(stored: bulk_store.ManySubjectKeys) -> set[tuple[str, int, int]]:
    """Which key lies under which version of the branch key."""
    return {(subject, version, branch_version) for subject, version, _, branch_version, *_ in stored.keys}


def _opened(wrapping: Wrapping, stored: bulk_store.ManySubjectKeys) -> dict[str, SubjectKeys]:
    alike: dict[tuple[int, int, int], list[tuple[str, bytes, bytes]]] = {}
    newest: dict[str, int] = {}
    for subject, version, suite_id, branch_version, wrapped, commitment, state in stored.keys:
        alike.setdefault((version, suite_id, branch_version), []).append((subject, wrapped, commitment))
        if state == KeyState.ACTIVE:
            newest[subject] = max(version, newest.get(subject, version))
    versions: dict[str, dict[int, SealingKey]] = {}
    for (version, suite_id, branch_version), wrapped_keys in alike.items():
        form = _form(wrapping, version=version, suite_id=suite_id, branch_version=branch_version)
        for (subject, _, _), key in zip(wrapped_keys, form.unwrap(wrapped_keys), strict=True):
            versions.setdefault(subject, {})[version] = key
    for subject in versions.keys() - newest.keys():
        raise KeysUnavailable(detail=f"every key of subject {subject} is decrypt-only: one must be active")
    return {subject: SubjectKeys(keys[newest[subject]], keys) for subject, keys in versions.items()}


def _form(wrapping: Wrapping, *, version: int, suite_id: int, branch_version: int) -> ManySubjectKeys:
    branch = wrapping.version_of(branch_version)
    if branch is None:
        raise CannotOpen(detail=f"tenant {wrapping.tenant} has no subject-wrap key of version {branch_version}")
    return ManySubjectKeys(branch, tenant=wrapping.tenant, version=version, suite=wrapping.suites.of(suite_id))


def _make(
    database: Database, wrapping: Wrapping, subject_ids: Sequence[str], *, at: datetime
) -> dict[str, SubjectKeys]:
    branch, suite = wrapping.current, wrapping.current.suite
    size = suite.key_bytes
    drawn = os.urandom(size * len(subject_ids))
    secrets = {subject: drawn[number * size : (number + 1) * size] for number, subject in enumerate(subject_ids)}
    made = ManySubjectKeys(branch, tenant=wrapping.tenant, version=1, suite=suite).wrap(secrets)
    rows = [
        {
            "tenant": wrapping.tenant,
            "subject_id": subject,
            "version": 1,
            "suite": suite.id,
            "branch_version": branch.version,
            "wrapped": wrapped,
            "commitment": commitment,
            "state": KeyState.ACTIVE.value,
            "created_at": at,
        }
        for subject, (_, wrapped, commitment) in zip(subject_ids, made, strict=True)
    ]
    written = bulk_store.add_subject_keys(database, rows, tenant=wrapping.tenant, branch_version=branch.version)
    keys = zip(subject_ids, (key for key, _, _ in made), strict=True)
    return {subject: SubjectKeys(key, {1: key}) for subject, key in keys if subject in written}
