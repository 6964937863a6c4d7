"""The inventory of cryptography (CBOM; 密评, GB/T 39786-2021): which keys there are, where, and what for.

Made by machine from the key store and from the tables in code, so that a column that is added tomorrow is in it. What a
purpose guards outside the tables stands in `_PLACES`; what is encrypted by others (TLS) is named as theirs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy
from sqlalchemy import LargeBinary, MetaData, func
from sqlmodel import Session, col, select

from compliance.vault.purposes import INSTALLATION, ISSUER_PURPOSE, LINKAGE_PREFIX, Purpose
from compliance.vault.rotation import users_of
from compliance.vault.sealed_places import FILES
from compliance.vault.store import answering
from compliance.vault.suites import suite_of
from compliance.vault.tables import BranchKey, KeyStoreHead, SealKey, SubjectKey
from models.database.engine import Database

_ED25519: Final = "Ed25519 (RFC 8032)"
_ES256: Final = "ECDSA P-256 with SHA-256 (ES256)"
_KEK_ALGORITHM: Final = "AES-256-GCM"
_IN_STORE: Final = "key store, wrapped"
_PLACES: Final[dict[str, tuple[str, ...]]] = {
    Purpose.SUBJECT_WRAP: ("persons' keys in the key store (subject_keys)",),
    Purpose.SEAL_WRAP: ("private keys of the document seal in the key store (seal_keys)",),
    Purpose.TEMPORAL: ("payloads and failures in Temporal's histories",),
    Purpose.AUDIT_MAC: ("leaves of the audit log (audit_leaves.mac)",),
    Purpose.LINKS: ("links for customers",),
    Purpose.FINGERPRINT: ("fingerprints of requests (idempotency_keys)", "throttle of log-ins (login_throttles)"),
    Purpose.ONE_TIME_CODE: ("one-time codes (code_mac)",),
    Purpose.TRANSFER_PROOF: ("roots and checksums of transfer jobs (transfer_backups, transfer_waves)",),
    Purpose.TRANSFER_BACKUP: ("keys of the containers of transfer jobs (transfer_backups.manifest)",),
    ISSUER_PURPOSE: ("access tokens of the local issuer",),
}
_OUTSIDE: Final = (
    ("TLS of the API", "CASEWORK_TLS_CERT_FILE, or the proxy in front of it"),
    ("TLS to PostgreSQL", "the database's own certificate"),
    ("TLS and mTLS to Temporal", "CASEWORK_TEMPORAL_TLS_CERT_FILE"),
    ("TLS to mail server and SMS provider", "the operating system's authorities"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One kind of key of one tenant, in one version and state.

    Attributes:
        tenant: `_` is the installation.
        kind: `kek`, `branch`, `person`, `seal`, `signature`, `token` or `outside`.
        keys: how many there are.
        age_days: of the newest, whole days.
        wrapped_by: what opens it.
        used_in: what it guards; tables as `table.column`.
        users: how many keys lie under it; None where that cannot be counted.
    """

    tenant: str
    kind: str
    purpose: str
    algorithm: str
    key_bits: int
    version: int
    state: str
    created_at: datetime | None
    age_days: int | None
    keys: int
    held_in: str
    wrapped_by: str
    used_in: tuple[str, ...]
    users: int | None = None


def inventory(keys: Database, *, provider: str, data: MetaData, now: datetime) -> list[Item]:
    """Everything, the installation first; `provider` says what holds the KEK, `data` are the tables of the data store.

    Raises:
        KeysUnavailable: the key store does not answer.
    """
    with answering(), keys.read() as session:
        kek_id = session.exec(select(KeyStoreHead.kek_id)).one()
        items = [
            Item(
                tenant=INSTALLATION,
                kind="kek",
                purpose="kek",
                algorithm=_KEK_ALGORITHM,
                key_bits=256,
                version=1,
                state="active",
                created_at=None,  # its age is known to whoever keeps it
                age_days=None,
                keys=1,
                held_in=provider,
                wrapped_by="nothing",
                used_in=("every branch key in the key store", f"id {kek_id}"),
            )
        ]
        items += _branches(session, kek_id, data, now)
        items += _persons(session, data, now)
        items += _seals(session, now)
    items += [
        Item(
            tenant=INSTALLATION, kind="outside", purpose=what, algorithm="as configured", key_bits=0, version=0,
            state="outside", created_at=None, age_days=None, keys=0, held_in=where, wrapped_by="-", used_in=(what,),
        )
        for what, where in _OUTSIDE
    ]  # fmt: skip
    return sorted(items, key=lambda item: (item.tenant != INSTALLATION, item.tenant, item.kind != "kek", item.purpose))


def cell_columns(data: MetaData) -> list[str]:
    """Every column that holds sealed values, as `table.column`."""
    return _columns(data, "_cell")


def sealed_files() -> list[str]:
    """Every kind of sealed file on the shelf, as `table.file`."""
    return [f"{place.name}.file" for place in FILES]


def index_columns(data: MetaData) -> list[str]:
    """Every column that holds blind indexes."""
    return _columns(data, "_index")


def _columns(data: MetaData, ending: str) -> list[str]:
    return [
        f"{table.name}.{column.name}"
        for table in data.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and column.name.endswith(ending)
    ]


def _branches(session: Session, kek_id: str, data: MetaData, now: datetime) -> Iterable[Item]:
    rows = session.exec(select(BranchKey).order_by(BranchKey.tenant, BranchKey.purpose, col(BranchKey.version))).all()
    for row in rows:
        algorithm, bits, kind = _algorithm(row)
        yield Item(
            tenant=row.tenant,
            kind=kind,
            purpose=row.purpose,
            algorithm=algorithm,
            key_bits=bits,
            version=row.version,
            state=row.state,
            created_at=row.created_at,
            age_days=(now - row.created_at).days,
            keys=1,
            held_in=_IN_STORE if row.wrapped else "nowhere: destroyed",
            wrapped_by=kek_id,
            used_in=_used_in(row.purpose, data),
            users=users_of(session, tenant=row.tenant, purpose=row.purpose, version=row.version),
        )


def _algorithm(row: BranchKey) -> tuple[str, int, str]:
    if row.purpose.startswith("sign-"):
        return _ED25519, 256, "signature"
    if row.purpose == ISSUER_PURPOSE:
        return _ES256, 256, "token"
    suite = suite_of(row.suite)
    aead, _, mac = suite.name.partition("/")
    if row.purpose in {Purpose.SUBJECT_WRAP, Purpose.SEAL_WRAP, Purpose.TEMPORAL}:
        return aead, suite.key_bytes * 8, "branch"
    return mac, suite.key_bytes * 8, "branch"


def _used_in(purpose: str, data: MetaData) -> tuple[str, ...]:
    if purpose == Purpose.BLIND_INDEX:
        return tuple(index_columns(data))
    if purpose.startswith("sign-"):
        return (f"signatures `{purpose.removeprefix('sign-')}` (of the audit log: audit_checkpoints.note)",)
    if purpose.startswith(LINKAGE_PREFIX):
        return ("blocking tokens of one transfer job (transfer_record_tokens.tokens)",)
    return _PLACES.get(purpose, ())


def _persons(session: Session, data: MetaData, now: datetime) -> Iterable[Item]:
    group = [col(getattr(SubjectKey, name)) for name in ("tenant", "suite", "branch_version", "state")]
    statement = sqlalchemy.select(*group, func.count(), func.max(col(SubjectKey.created_at))).group_by(*group)
    cells = (*cell_columns(data), *sealed_files())
    for tenant, suite_id, branch_version, state, count, newest in session.execute(statement).all():
        suite = suite_of(suite_id)
        yield Item(
            tenant=tenant,
            kind="person",
            purpose="person",
            algorithm=suite.name.partition("/")[0],
            key_bits=suite.key_bytes * 8,
            version=branch_version,
            state=state,
            created_at=newest,
            age_days=(now - newest).days,
            keys=count,
            held_in=_IN_STORE,
            wrapped_by=f"{Purpose.SUBJECT_WRAP.value}/{branch_version}",
            used_in=cells,
        )


def _seals(session: Session, now: datetime) -> Iterable[Item]:
    rows: Sequence[SealKey] = session.exec(select(SealKey).order_by(SealKey.tenant, col(SealKey.version))).all()
    for row in rows:
        yield Item(
            tenant=row.tenant,
            kind="seal",
            purpose="document seal",
            algorithm="ECDSA P-256 with SHA-256",
            key_bits=256,
            version=row.version,
            state=row.state,
            created_at=row.created_at,
            age_days=(now - row.created_at).days,
            keys=2,  # the seal's and its authority's
            held_in=_IN_STORE,
            wrapped_by=f"{Purpose.SEAL_WRAP.value}/{row.branch_version}",
            used_in=("PAdES seals in documents (电子签章)",),
        )
