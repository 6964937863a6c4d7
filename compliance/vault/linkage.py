"""Linkage keys: under one of them two books are searched for the same people, and it lives no longer than its job.

Each transfer job has a key of its own in the receiving tenant's part of the key store. Blocking tokens
(`models.domain.matching.blocking`) are made under it, so tokens of two jobs cannot be joined, and who holds the table
without the key cannot try out numbers. When the job closes the key is destroyed: a branch key's row stays as evidence
and a destroyed version is never made again, so tokens cannot be made anew, by nobody.
"""

import hmac
from dataclasses import dataclass
from typing import Final

from compliance.vault import rotation
from compliance.vault.branches import BranchKeys
from compliance.vault.framing import framed, utf8
from compliance.vault.purposes import LINKAGE_PREFIX, Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import branch_keys, name_of
from models.errors import KeysUnavailable, WrongState

TOKEN_BYTES: Final = 16
_FORM: Final = 1  # of the canonical values; another form gives other tokens
_VERSION: Final = 1  # there never is a second one


def linkage_purpose(job: str) -> str:
    """What a job's key is called among the branch keys."""
    return f"{LINKAGE_PREFIX}{job}"


@dataclass(slots=True, repr=False)
class Linker:
    """Makes a job's tokens. Keep it for one chunk of work, not longer."""

    _digest: str
    _secrets: dict[int, bytes]
    _root: bytes

    def token(self, kind: int, value: str) -> bytes:
        """128 bits that stand for one canonical value of one kind.

        Raises:
            ValueError: the value is empty or no Unicode; it is not said.
        """
        if not value:
            raise ValueError("an empty value has no token")
        secret = self._secrets.get(kind)
        if secret is None:
            secret = hmac.digest(self._root, framed("casework.linkage.kind", _FORM, kind), self._digest)
            self._secrets[kind] = secret
        return hmac.digest(secret, utf8(value), self._digest)[:TOKEN_BYTES]


def open_linker(branches: BranchKeys, *, tenant: str, job: str) -> Linker:
    """The job's linker; its key is made at the first call. Two processes that make it at once get the same one.

    Raises:
        WrongState: the key was destroyed; `params.state` says so. It is never made again.
        KeysUnavailable: the key store does not answer.
    """
    purpose = linkage_purpose(job)
    if not branch_keys(branches.database, tenant=tenant, purpose=purpose).rows:
        _make(branches, tenant, purpose, actor="transfers")
    if linkage_state(branches, tenant=tenant, job=job) is KeyState.DESTROYED:
        raise WrongState(
            detail=f"{name_of(tenant, purpose, _VERSION)} was destroyed: the two books cannot be joined again",
            params={"state": KeyState.DESTROYED.value},
        )
    key = branches.get(tenant, purpose).current
    root = key.derive(info=framed("casework.linkage", tenant, job), length=32)
    return Linker(key.suite.digest, {}, root)


def linkage_state(branches: BranchKeys, *, tenant: str, job: str) -> KeyState | None:
    """Where the job's key stands, past every cache; None: there never was one."""
    rows = branch_keys(branches.database, tenant=tenant, purpose=linkage_purpose(job)).rows
    return KeyState(rows[0].state) if rows else None


def destroy_linkage_key(branches: BranchKeys, *, tenant: str, job: str, actor: str) -> str:
    """Destroy the job's key for good; repeatable. Returns what the audit log calls it.

    A job that never made one gets a destroyed one, so that none can be made later either. Backups of the key store
    that were taken before hold the key until their own keys are destroyed (docs/keys.md).

    Raises:
        KeysUnavailable: the key store does not answer; nothing was changed.
    """
    purpose = linkage_purpose(job)
    if linkage_state(branches, tenant=tenant, job=job) is None:
        _make(branches, tenant, purpose, actor=actor)
    rotation.end(branches, tenant=tenant, purpose=purpose, version=_VERSION, actor=actor)
    if linkage_state(branches, tenant=tenant, job=job) is not KeyState.DESTROYED:
        raise KeysUnavailable(detail=f"{name_of(tenant, purpose, _VERSION)} is still there")
    return name_of(tenant, purpose, _VERSION)


def _make(branches: BranchKeys, tenant: str, purpose: str, *, actor: str) -> None:
    suite = branches.get(tenant, Purpose.SUBJECT_WRAP).current.suite  # the tenant's own
    branches.add(tenant, purpose, suite.new_key(), suite=suite, version=_VERSION, actor=actor)
