"""Steps of a branch key's life (`compliance.vault.states`), each one transaction of the key store.

A rotation is three of them: `publish` the next version, wait until every living process has acknowledged it
(`compliance.vault.holders`), `activate` it; the one before is decrypt-only from then on. Later `retire` and `destroy`,
once a count in the same transaction shows that nothing lies under the version. A step that was done already does
nothing, so a command that was killed is repeated. Each step stands in the journal of the key store when it commits, and
comes from there into the audit log.
"""

from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import func, update
from sqlmodel import Session, col, select

from compliance.vault import holders
from compliance.vault.branches import BranchKeys
from compliance.vault.purposes import ISSUER_PURPOSE, Purpose
from compliance.vault.rotation_rules import RotationRule, rule_of
from compliance.vault.signing import new_token_key
from compliance.vault.states import KeyState
from compliance.vault.store import answering, empty_log, locked_head, name_of, note_step, overwrite_freed
from compliance.vault.suites import Suite
from compliance.vault.tables import BranchKey, SealKey, SubjectKey
from models.database.engine import Database
from models.errors import KeysUnavailable, WrongState

_USERS: Final[dict[str, type[SubjectKey] | type[SealKey]]] = {
    Purpose.SUBJECT_WRAP: SubjectKey,
    Purpose.SEAL_WRAP: SealKey,
}

_TO_THE_END: Final = (KeyState.ACTIVE, KeyState.DECRYPT_ONLY, KeyState.RETIRED, KeyState.DESTROYED)


def publish(
    branches: BranchKeys,
    *,
    tenant: str,
    purpose: str,
    actor: str,
    suite: Suite | None = None,
    stopped: bool = False,
    reindexing: bool = False,
) -> int:
    """Write the next version of a branch key; it opens everywhere and seals nowhere. Returns its number.

    Where one is published already, that one is meant.

    Args:
        branches: of this process.
        tenant: whose key.
        purpose: for what.
        actor: who does it, for the audit log.
        suite: of the new version; the present one's if not given.
        stopped: nothing else runs.
        reindexing: the caller makes everything anew that came from the old version.

    Raises:
        WrongState: keys of this purpose do not rotate so; or one of another suite is published.
        KeysUnavailable: the tenant has no such key, or its new suite is not enabled.
    """
    _refuse(purpose, rule_of(purpose), stopped=stopped, reindexing=reindexing)
    while True:
        rows = _rows(branches.database, tenant, purpose)
        if not rows:
            raise KeysUnavailable(detail=f"tenant {tenant} has no key for {purpose}: Vault.ensure_tenant makes it")
        waiting = next((row for row in rows if row.state == KeyState.PUBLISHED), None)
        if waiting is not None:
            if suite is not None and waiting.suite != suite.id:
                name = name_of(tenant, purpose, waiting.version)
                raise WrongState(
                    detail=f"{name} is published under another suite: activate or withdraw it first",
                    params={"state": waiting.state},
                )
            return waiting.version
        chosen = branches.suites.of(rows[0].suite if suite is None else suite.id)
        secret = new_token_key() if purpose == ISSUER_PURPOSE else chosen.new_key()
        version = rows[0].version + 1
        branches.add(
            tenant, purpose, secret, suite=chosen, version=version, state=KeyState.PUBLISHED, actor=actor
        )  # whether it is ours or another process's, the next turn finds it


def activate(branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str) -> list[holders.Waiting]:
    """From now on this version seals, and the one before only opens.

    Returns:
        The living processes that do not know the version yet; while there are any, nothing is changed.

    Raises:
        WrongState: it is not published.
    """
    now = branches.clock()
    with answering(), branches.database.write() as session:
        head = locked_head(session, to_change=True)  # one change at a time
        row = _row(session, tenant, purpose, version)
        if row.state == KeyState.ACTIVE:
            return []
        if row.state != KeyState.PUBLISHED:
            name = name_of(tenant, purpose, version)
            raise WrongState(detail=f"{name} is {row.state}, not published", params={"state": row.state})
        waiting = holders.outstanding(session, tenant=tenant, purpose=purpose, version=version, now=now)
        if waiting:
            return waiting
        before = session.exec(
            select(BranchKey).where(
                BranchKey.tenant == tenant, BranchKey.purpose == purpose, BranchKey.state == KeyState.ACTIVE
            )
        ).first()
        if before is not None:
            _step(session, before, KeyState.DECRYPT_ONLY, actor=actor, at=now, facts={"successor": version})
        _step(session, row, KeyState.ACTIVE, actor=actor, at=now)
        head.generation += 1
        holders.sweep(session, now=now)
    branches.forget()
    return []


def withdraw(branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str) -> None:
    """Give a published version up; it never sealed anything.

    Raises:
        WrongState: it is not published.
    """
    _move(branches, tenant, purpose, version, KeyState.DESTROYED, before=KeyState.PUBLISHED, actor=actor)


def retire(
    branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str, made_anew: bool = False
) -> None:
    """Take a decrypt-only version out of use: it opens nothing any more, and can be reinstated.

    Args:
        branches: of this process.
        tenant: whose key.
        purpose: for what.
        version: which.
        actor: who does it, for the audit log.
        made_anew: the caller has made everything anew that came from the version, where that cannot be counted.

    Raises:
        WrongState: something still lies under it, or that cannot be counted; or it is not decrypt-only.
    """
    _move(
        branches, tenant, purpose, version, KeyState.RETIRED,
        before=KeyState.DECRYPT_ONLY, actor=actor, unused=True, made_anew=made_anew,
    )  # fmt: skip


def reinstate(branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str) -> None:
    """Bring a retired version back: it opens again.

    Raises:
        WrongState: it is not retired.
    """
    _move(branches, tenant, purpose, version, KeyState.DECRYPT_ONLY, before=KeyState.RETIRED, actor=actor)


def destroy(
    branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str, made_anew: bool = False
) -> None:
    """Erase a retired version for good. Backups of the key store made before still hold it, under the KEK.

    `made_anew` is as for `retire`.

    Raises:
        WrongState: it is not retired, or something lies under it.
    """
    _move(
        branches, tenant, purpose, version, KeyState.DESTROYED,
        before=KeyState.RETIRED, actor=actor, unused=True, made_anew=made_anew,
    )  # fmt: skip


def end(branches: BranchKeys, *, tenant: str, purpose: str, version: int, actor: str) -> None:
    """Destroy the only version of a key whose purpose has ended, in one transaction and past every step on the way.

    Whoever calls this knows that what was made under the key is to be useless. Repeatable.

    Raises:
        WrongState: there is no such version.
    """
    database, now = branches.database, branches.clock()
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        head = locked_head(session, to_change=True)
        for before, after in pairwise(_TO_THE_END):
            row = _row(session, tenant, purpose, version)
            if row.state == before:
                _step(session, row, after, actor=actor, at=now, facts={"purpose_ended": True})
        head.generation += 1
    empty_log(database)
    branches.forget()


def users_of(session: Session, *, tenant: str, purpose: str, version: int) -> int | None:
    """How many keys lie under a version; None where that cannot be counted."""
    table = _USERS.get(purpose)
    if table is None:
        return None
    statement = select(func.count()).select_from(table)
    return session.exec(statement.where(col(table.tenant) == tenant, col(table.branch_version) == version)).one()


# Inside ---------------------------------------------------------------------------------------------------------------


def _refuse(purpose: str, rule: RotationRule, *, stopped: bool, reindexing: bool) -> None:
    if rule.online or (stopped and rule.stopped) or (reindexing and rule.reindexing):
        return
    raise WrongState(
        detail=f"the key {purpose} does not rotate so: {rule.why}", params={"state": KeyState.ACTIVE.value}
    )


def _move(
    branches: BranchKeys,
    tenant: str,
    purpose: str,
    version: int,
    after: KeyState,
    *,
    before: KeyState,
    actor: str,
    unused: bool = False,
    made_anew: bool = False,
) -> None:
    database, now = branches.database, branches.clock()
    with answering(), database.write() as session:
        overwrite_freed(database, session)
        head = locked_head(session, to_change=True)
        row = _row(session, tenant, purpose, version)
        if row.state == after:
            return
        if row.state != before:
            name = name_of(tenant, purpose, version)
            raise WrongState(detail=f"{name} is {row.state}, not {before.value}", params={"state": row.state})
        facts: dict[str, Any] = {}
        if unused:
            facts = _unused(session, row, made_anew=made_anew)
        _step(session, row, after, actor=actor, at=now, facts=facts)
        head.generation += 1
    if after is KeyState.DESTROYED:
        empty_log(database)
    branches.forget()


def _unused(session: Session, row: BranchKey, *, made_anew: bool) -> dict[str, Any]:
    """What shows that nothing needs a version any more, for the journal."""
    name = name_of(row.tenant, row.purpose, row.version)
    users = users_of(session, tenant=row.tenant, purpose=row.purpose, version=row.version)
    if users is None and made_anew and rule_of(row.purpose).remade:
        return {"made_anew": True}
    if users is None:
        raise WrongState(
            detail=f"who uses {name} cannot be counted: {rule_of(row.purpose).why}", params={"state": row.state}
        )
    if users:
        raise WrongState(
            detail=f"{users} keys lie under {name}: `casework keys rewrap` moves them", params={"state": row.state}
        )
    return {"users": 0}


def _step(
    session: Session, row: BranchKey, after: KeyState, *, actor: str, at: datetime, facts: dict[str, Any] | None = None
) -> None:
    """Compare-and-set of a state, with its line in the journal."""
    before = KeyState(row.state)
    row.state = after
    note_step(session, row, before=before, actor=actor, at=at, facts=facts or {})  # refuses what is no step
    values: dict[str, Any] = {"state": after, "changed_at": at}
    if after is KeyState.DESTROYED:
        values["wrapped"] = b""
    session.expunge(row)
    moved = session.exec(
        update(BranchKey)
        .where(
            col(BranchKey.tenant) == row.tenant,
            col(BranchKey.purpose) == row.purpose,
            col(BranchKey.version) == row.version,
            col(BranchKey.state) == before,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if moved.rowcount != 1:
        name = name_of(row.tenant, row.purpose, row.version)
        raise WrongState(detail=f"{name} changed meanwhile", params={"state": before.value})


def _rows(database: Database, tenant: str, purpose: str) -> list[BranchKey]:
    statement = select(BranchKey).where(BranchKey.tenant == tenant, BranchKey.purpose == purpose)
    with answering(), database.read() as session:
        return list(session.exec(statement.order_by(col(BranchKey.version).desc())).all())


def _row(session: Session, tenant: str, purpose: str, version: int) -> BranchKey:
    row = session.get(BranchKey, (tenant, purpose, version), with_for_update=True)
    if row is None:
        raise WrongState(detail=f"there is no {name_of(tenant, purpose, version)}", params={"state": "missing"})
    return row
