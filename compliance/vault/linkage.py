"""Linkage keys: under one of them two books are searched for the same people, and it lives no longer than its job.

Each transfer job has a key of its own in the receiving tenant's part of the key store. Blocking tokens
(`models.domain.matching.blocking`) are made under it, so tokens of two jobs cannot be joined, and who holds the table
without the key cannot try out numbers. When the job closes the key is destroyed: a branch key's row stays as evidence
and a destroyed version is never made again, so tokens cannot be made anew, by nobody.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from compliance.vault import rotation
from compliance.vault.branches import BranchKeys
from compliance.vault.framing import framed, utf8
from compliance.vault.purposes import LINKAGE_PREFIX, Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import branch_keys, name_of
from models.errors import KeysUnavailable, WrongState

if TYPE_CHECKING:
    from hashlib import _Hash

TOKEN_BYTES: Final = 16
_NO_TOKEN: Final = bytes(TOKEN_BYTES)
_FORM: Final = 1  # of the canonical values; another form gives other tokens
_VERSION: Final = 1  # there never is a second one


def linkage_purpose(job: str) -> str:
    """What a job's key is called among the branch keys."""
    return f"{LINKAGE_PREFIX}{job}"


@dataclass(slots=True, repr=False)
class Linker:
    """Makes a job's tokens. Keep it for one chunk of work, not longer."""

    _digest: str
    _begun: "dict[int, tuple[_Hash, _Hash]]"
    _root: bytes

    def token(self, kind: int, value: str) -> bytes:
        """128 bits that stand for one canonical value of one kind: HMAC under a key of the kind's own.

        Raises:
            ValueError: the value is empty or no Unicode; it is not said.
        """
        if not value:
            raise ValueError("an empty value has no token")
        begun = self._begun.get(kind)
        if begun is None:
            begun = self._begun[kind] = self._begin(kind)
        inner, outer = begun[0].copy(), begun[1].copy()
        inner.update(utf8(value))
        outer.update(inner.digest())
        return outer.digest()[:TOKEN_BYTES]

    def row(self, values: Sequence[str]) -> bytes:
        """The tokens of one record behind each other: of kind 1, 2, …; zeros where a value is empty.

        Raises:
            ValueError: as `token`.
        """
        token = self.token
        return b"".join([token(kind, value) if value else _NO_TOKEN for kind, value in enumerate(values, start=1)])

    def _begin(self, kind: int) -> "tuple[_Hash, _Hash]":
        """Both hashes of HMAC (RFC 2104) behind their padded key, so that no value pays for setting up the key."""
        secret = hmac.digest(self._root, framed("casework.linkage.kind", _FORM, kind), self._digest)
        inner, outer = hashlib.new(self._digest), hashlib.new(self._digest)
        padded = secret.ljust(inner.block_size, b"\0")
        inner.update(bytes(byte ^ 0x36 for byte in padded))
        outer.update(bytes(byte ^ 0x5C for byte in padded))
        return inner, outer


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
