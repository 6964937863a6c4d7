"""What the key store says of itself, for `casework keys status` and `casework keys inventory`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select

from compliance.vault import holders
from compliance.vault.inventory import inventory
from compliance.vault.kek import KekProvider
from compliance.vault.rotation import users_of
from compliance.vault.rotation_rules import rule_of
from compliance.vault.states import KeyState
from compliance.vault.store import answering
from compliance.vault.tables import BranchKey, KeyAcknowledgement, KeyJournal
from deploy.keks import candidates, where_now
from deploy.stores import Stores, key_counts
from deploy.values import Settings
from models.tables.all import METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """All of it, ready to print.

    Attributes:
        counts: keys of each kind.
        held_in: what holds the KEK in force.
        places: where the settings say that a KEK may lie.
        versions: every version of every branch key.
        processes: which live, and what they have acknowledged.
        unrecorded: changes that are not in the audit log yet.
    """

    counts: dict[str, int]
    held_in: str
    places: list[str]
    versions: list[dict[str, Any]]
    processes: list[dict[str, Any]]
    unrecorded: int


def key_status(settings: Settings, stores: Stores, kek: KekProvider, *, now: datetime) -> KeyStatus:
    """Read it all; changes nothing.

    Raises:
        KeysUnavailable: the store was never initialised, or does not answer.
        UnsafeSetting: the KEK does not open it.
    """
    counts = key_counts(stores, kek)
    with answering(), stores.keys.read() as session:
        acknowledged = session.exec(select(KeyAcknowledgement)).all()
        rows = session.exec(
            select(BranchKey).order_by(BranchKey.tenant, BranchKey.purpose, col(BranchKey.version))
        ).all()
        versions = [
            {
                "tenant": row.tenant,
                "purpose": row.purpose,
                "version": row.version,
                "suite": row.suite,
                "state": row.state,
                "created_at": row.created_at.isoformat(),
                "age_days": (now - row.created_at).days,
                "users": users_of(session, tenant=row.tenant, purpose=row.purpose, version=row.version),
                "rotates": _rotates(row.purpose),
                "waiting_for": [
                    one.process
                    for one in holders.outstanding(
                        session, tenant=row.tenant, purpose=row.purpose, version=row.version, now=now
                    )
                ]
                if row.state == KeyState.PUBLISHED
                else [],
            }
            for row in rows
        ]
        processes = [
            {
                "process": one.process,
                "component": one.component,
                "seen_seconds_ago": max(0, round((now - one.seen_at).total_seconds())),
                "keks": one.keks.splitlines(),
                "acknowledged": sorted(
                    f"{ack.tenant}/{ack.purpose}/{ack.version}" for ack in acknowledged if ack.process == one.process
                ),
            }
            for one in holders.living(session, now=now)
        ]
        unrecorded = session.exec(
            select(func.count()).select_from(KeyJournal).where(col(KeyJournal.recorded_at).is_(None))
        ).one()
    return KeyStatus(
        counts=counts,
        held_in=where_now(settings, stores.keys).value,
        places=[f"{one.where.value}: {one.place}{' (next)' if one.follows else ''}" for one in candidates(settings)],
        versions=versions,
        processes=processes,
        unrecorded=unrecorded,
    )


def key_inventory(settings: Settings, stores: Stores, *, now: datetime, tenant: str | None) -> list[dict[str, Any]]:
    """The inventory of cryptography, of one tenant or of all."""
    provider = where_now(settings, stores.keys).value
    items = inventory(stores.keys, provider=provider, data=METADATA, now=now)
    return [
        {
            "tenant": item.tenant,
            "kind": item.kind,
            "purpose": item.purpose,
            "algorithm": item.algorithm,
            "key_bits": item.key_bits,
            "version": item.version,
            "state": item.state,
            "created_at": None if item.created_at is None else item.created_at.isoformat(),
            "age_days": item.age_days,
            "keys": item.keys,
            "held_in": item.held_in,
            "wrapped_by": item.wrapped_by,
            "users": item.users,
            "used_in": list(item.used_in),
        }
        for item in items
        if tenant is None or item.tenant in {tenant, "_"}
    ]


def _rotates(purpose: str) -> str:
    rule = rule_of(purpose)
    if rule.online:
        return "online"
    if rule.stopped:
        return "stopped"
    return "by re-sealing" if rule.reindexing else "no"
