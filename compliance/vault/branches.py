"""Branch keys in memory: read when needed, opened with the KEK in force, kept for `KEY_TTL`.

Which KEK is in force stands in the key store. When it changed hands, the next read here notices, asks `reopen` for the
new one and goes on; so does a read of a version that another process made a moment ago.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

from compliance.vault import store
from compliance.vault.framing import framed
from compliance.vault.kek import KekProvider
from compliance.vault.states import OPENING, KeyState
from compliance.vault.store import KekChanged
from compliance.vault.suites import EnabledSuites, SealingKey, Suite
from compliance.vault.tables import BranchKey, SealKey, SubjectKey
from models.database.engine import Database
from models.domain.clock import Clock
from models.errors import CannotOpen, KeysUnavailable

KEY_TTL: Final = timedelta(minutes=5)
_TRIES: Final = 3  # a KEK changes hands once in months; twice during one call is a fault
ReopenKek = Callable[[str], KekProvider]
R = TypeVar("R", BranchKey, SealKey, SubjectKey)


@dataclass(slots=True, repr=False)
class Branch:
    """All versions of one branch key that open. Derived keys are remembered beside it and leave the memory with it."""

    keys: dict[int, SealingKey]
    current: SealingKey
    read_at: datetime
    derived: dict[tuple[str | int, ...], SealingKey] = field(default_factory=dict)


class BranchKeys:
    """The branch keys of one process. Safe to share between threads."""

    def __init__(
        self,
        database: Database,
        kek: KekProvider,
        clock: Clock,
        *,
        suites: EnabledSuites | None = None,
        reopen: ReopenKek | None = None,
    ) -> None:
        """Keep the doors; keys come on demand.

        Args:
            database: the key store.
            kek: the key-encryption key in force.
            clock: for the age of what is cached.
            suites: those in use; every one of this program, if not given.
            reopen: opens the KEK of that id when another one is in force.
        """
        self.database = database
        self.clock = clock
        self.suites = EnabledSuites.every() if suites is None else suites
        self._keks = {kek.id: kek}
        self._kek = kek
        self._reopen = reopen
        self._cache: dict[tuple[str, str], Branch] = {}

    @property
    def kek(self) -> KekProvider:
        """The key-encryption key that this process uses now."""
        return self._kek

    def get(self, tenant: str, purpose: str) -> Branch:
        """All versions of a branch key that open, from memory while they are fresh.

        Raises:
            KeysUnavailable: there is no such key, none is active, or store or KEK do not answer.
            CannotOpen: a row was altered.
        """
        return self.in_memory(tenant, purpose) or self.read(tenant, purpose)

    def in_memory(self, tenant: str, purpose: str) -> Branch | None:
        """As `get`, or None where that would have to read the store; never blocks."""
        branch = self._cache.get((tenant, purpose))
        return branch if branch is not None and self.fresh(branch.read_at) else None

    def read(self, tenant: str, purpose: str) -> Branch:
        """As `get`, past the memory."""
        read_at = self.clock()
        rows, kek = self._rows(tenant, purpose)
        if not rows:
            raise KeysUnavailable(detail=f"tenant {tenant} has no key for {purpose}: Vault.ensure_tenant makes it")
        before = self._cache.get((tenant, purpose))
        known = {} if before is None else before.keys
        keys = {
            row.version: SealingKey(self.suites.of(row.suite), opened(kek, row), version=row.version).counting_on(
                known.get(row.version)
            )
            for row in rows
            if row.state in OPENING
        }
        branch = Branch(keys=keys, current=keys[newest_active(rows).version], read_at=read_at)
        self._cache[tenant, purpose] = branch
        return branch

    def version(self, tenant: str, purpose: str, version: int) -> SealingKey | None:
        """One version, or None when there is none that opens; one made by another process a moment ago is found."""
        key = self.get(tenant, purpose).keys.get(version)
        return key if key is not None else self.read(tenant, purpose).keys.get(version)

    def secrets(self, tenant: str, purpose: str) -> list[bytes]:
        """The bare keys that open, the one that seals first: for keys that are no AEAD's. Empty when there is none."""
        rows, kek = self._rows(tenant, purpose)
        if not rows:
            return []
        first = newest_active(rows)
        ordered = [first, *(row for row in rows if row is not first and row.state in OPENING)]
        return [opened(kek, row) for row in ordered]

    def add(
        self,
        tenant: str,
        purpose: str,
        secret: bytes,
        *,
        suite: Suite,
        version: int = 1,
        state: KeyState = KeyState.ACTIVE,
        actor: str = "vault",
    ) -> bool:
        """Write a version that does not exist yet; of two processes that try, the first one's key stays.

        Returns:
            Whether it was this one that was written.
        """
        return self._add(tenant, {purpose: secret}, suite=suite, version=version, state=state, actor=actor)

    def add_first(self, tenant: str, secrets: Mapping[str, bytes], *, suite: Suite) -> bool:
        """Write first versions for several purposes, all or none.

        Returns:
            Whether these were written; not if another process has made one of them meanwhile.
        """
        return self._add(tenant, secrets, suite=suite, version=1, state=KeyState.ACTIVE, actor="vault")

    def derived(self, branch: Branch, key: SealingKey, *context: str) -> SealingKey:
        """A key of the suite's own length that only this version and this context give."""
        name: tuple[str | int, ...] = (key.version, *context)
        derived = branch.derived.get(name)
        if derived is None:
            info = framed("casework.derived", *context)
            derived = SealingKey(key.suite, key.derive(info=info, length=key.suite.key_bytes), version=key.version)
            branch.derived[name] = derived
        return derived

    def fresh(self, read_at: datetime, *, now: datetime | None = None) -> bool:
        """Whether what was read then may still be used, now or at the given present."""
        # A clock that was set back must not keep a key alive.
        return timedelta() <= (self.clock() if now is None else now) - read_at < KEY_TTL

    def forget(self) -> None:
        """Drop every cached key."""
        self._cache.clear()

    # Inside -----------------------------------------------------------------------------------------------------------

    def _add(
        self, tenant: str, secrets: Mapping[str, bytes], *, suite: Suite, version: int, state: KeyState, actor: str
    ) -> bool:
        for _ in range(_TRIES):
            kek, at = self._kek, self.clock()
            rows = [
                BranchKey(
                    tenant=tenant,
                    purpose=purpose,
                    version=version,
                    suite=suite.id,
                    wrapped=kek.wrap(secret, associated_data=branch_binding(tenant, purpose, version, suite.id)),
                    state=state,
                    created_at=at,
                )
                for purpose, secret in secrets.items()
            ]
            try:
                return store.add_branch_keys(self.database, rows, kek_id=kek.id, actor=actor)
            except KekChanged:
                self._rows(tenant, min(secrets))  # takes up the one in force
        raise KeysUnavailable(detail="the key-encryption key changes hands all the time")

    def _rows(self, tenant: str, purpose: str) -> tuple[Sequence[BranchKey], KekProvider]:
        """The rows and the KEK that wraps exactly these; of several KEKs none is ever tried."""
        for _ in range(_TRIES):
            found = store.branch_keys(self.database, tenant=tenant, purpose=purpose)
            kek = self._kek if found.kek_id is None else self._keks.get(found.kek_id)
            if kek is not None:
                return found.rows, kek
            self._take_up(str(found.kek_id))
        raise KeysUnavailable(detail="the key-encryption key changes hands all the time")

    def _take_up(self, kek_id: str) -> None:
        if self._reopen is None:
            raise KeysUnavailable(
                detail=f"the key store is under the key-encryption key {kek_id} now; this process has {self._kek.id}"
            )
        kek = self._reopen(kek_id)
        self._keks, self._kek = {kek.id: kek}, kek  # the old one leaves the memory


def opened(kek: KekProvider, row: BranchKey) -> bytes:
    """The bare key of a row.

    Raises:
        CannotOpen: it was altered, or another KEK wrapped it.
    """
    binding = branch_binding(row.tenant, row.purpose, row.version, row.suite)
    try:
        return kek.unwrap(row.wrapped, associated_data=binding)
    except CannotOpen:
        raise CannotOpen(detail=f"branch key {row.tenant}/{row.purpose}/{row.version}") from None


def newest_active(rows: Sequence[R]) -> R:
    """The newest active version; rows come the newest first."""
    for row in rows:
        if row.state == KeyState.ACTIVE:
            return row
    raise KeysUnavailable(detail="no version of a key seals: one must be active")


def branch_binding(tenant: str, purpose: str, version: int, suite: int) -> bytes:
    """What a wrapped branch key is bound to."""
    return framed("casework.branch-key", tenant, purpose, version, suite)
