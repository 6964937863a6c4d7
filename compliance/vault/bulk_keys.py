"""Keys of many subjects at once: read and opened, or made and wrapped, a chunk at a time.

A chunk is read in one transaction and written in another. What was made is used only if it is what was committed.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row

from compliance.vault import cells, store
from compliance.vault.cells import SubjectKeyAddress
from compliance.vault.suites import EnabledSuites, SealingKey
from compliance.vault.tables import KeyState
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
        branches: every version of the tenant's `subject-wrap` key.
        current: the one that wraps now; new subject keys are of its suite.
    """

    tenant: str
    branches: Mapping[int, SealingKey]
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
    rows = store.many_subject_rows(database, tenant=wrapping.tenant, subject_ids=subject_ids)
    if rows.shredded:
        raise SubjectShredded(detail=f"subject {min(rows.shredded)}")
    versions: dict[str, dict[int, SealingKey]] = {}
    current: dict[str, SealingKey] = {}
    for row in rows.keys:
        key = _opened(wrapping, row)
        versions.setdefault(row.subject_id, {})[key.version] = key
        if row.state == KeyState.ACTIVE:
            current.setdefault(row.subject_id, key)  # the newest comes first
    for subject in versions.keys() - current.keys():
        raise KeysUnavailable(detail=f"every key of subject {subject} is decrypt-only: one must be active")
    return {subject: SubjectKeys(current[subject], keys) for subject, keys in versions.items()}


def _opened(wrapping: Wrapping, row: Row[Any]) -> SealingKey:
    tenant, subject, version, suite_id, branch_version, wrapped, commitment, *_ = row
    branch = wrapping.branches.get(branch_version)
    if branch is None:
        raise CannotOpen(detail=f"tenant {tenant} has no subject-wrap key of version {branch_version}")
    address = SubjectKeyAddress(
        tenant=tenant, subject=subject, version=version, suite=suite_id, branch_version=branch_version
    )
    secret = cells.unwrap_subject_key(branch, address, wrapped)
    key = SealingKey(wrapping.suites.of(suite_id), secret, version=version)
    if cells.commitment(key, tenant=tenant, subject=subject) != commitment:
        raise CannotOpen(detail=f"the key of subject {subject} does not fit its commitment")
    return key


def _make(
    database: Database, wrapping: Wrapping, subject_ids: Collection[str], *, at: datetime
) -> dict[str, SubjectKeys]:
    tenant, branch = wrapping.tenant, wrapping.current
    suite = branch.suite
    drawn, size = os.urandom(suite.key_bytes * len(subject_ids)), suite.key_bytes
    secrets = [
        (subject, drawn[begin : begin + size])
        for subject, begin in zip(subject_ids, range(0, len(drawn), size), strict=True)
    ]
    keys = {subject: SealingKey(suite, secret, version=1) for subject, secret in secrets}
    wrapped = cells.wrap_first_keys(branch, tenant=tenant, secrets=secrets)
    rows = [
        {
            "tenant": tenant,
            "subject_id": subject,
            "version": 1,
            "suite": suite.id,
            "branch_version": branch.version,
            "wrapped": sealed,
            "commitment": cells.commitment(key, tenant=tenant, subject=subject),
            "state": KeyState.ACTIVE.value,
            "created_at": at,
        }
        for (subject, key), sealed in zip(keys.items(), wrapped, strict=True)
    ]
    written = store.add_subject_keys(database, rows, tenant=tenant)
    return {subject: SubjectKeys(key, {1: key}) for subject, key in keys.items() if subject in written}
