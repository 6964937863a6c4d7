"""The stores as a whole: opening, migrating, keys, and what must hold before anything is served."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from types import TracebackType
from typing import Self

from sqlmodel import col, func, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.kek import KekProvider, create_kek_file
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import INSTALLATION
from compliance.vault.store import check_key_store, initialise_key_store
from compliance.vault.suites import EnabledSuites
from compliance.vault.tables import BranchKey, SubjectKey, Tombstone
from deploy import datadir
from deploy.exits import CommandFailed, ExitCode
from deploy.keks import is_made_here, kek_for, kek_named
from deploy.migrate import Migrated, Store, migrate, refuse_other_schema
from deploy.safety import unsafe
from deploy.values import Settings
from models.database.engine import Database, open_database
from models.domain.clock import Clock
from models.operations import outbox
from models.tables.tenants import Tenant


@dataclass(slots=True)
class Stores:
    """The two databases, open. Nothing spans them."""

    data: Database
    keys: Database

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.data.dispose()
        self.keys.dispose()


def open_stores(settings: Settings) -> Stores:
    """Open both databases; connections are made on first use."""
    return Stores(open_database(settings.database_url), open_database(settings.keys_database_url))


def build_vault(settings: Settings, stores: Stores, clock: Clock) -> Vault:
    """The vault over an initialised key store.

    Raises:
        KeysUnavailable: the store was never initialised, the KEK is missing, or an enabled suite fails its test.
        UnsafeSetting: the KEK is not the one this store was made with.
    """
    return open_vault(
        stores.keys,
        kek_for(settings, stores.keys),
        clock,
        suites=EnabledSuites.named(settings.suites),
        reopen=partial(kek_named, settings),
    )


# Stores ---------------------------------------------------------------------------------------------------------------


def migrate_stores(settings: Settings, stores: Stores, *, now: datetime) -> tuple[Migrated, Migrated]:
    """Both stores to this version's schema, the keys first: a row's key is always there before the row.

    Raises:
        SchemaNewer: a newer version wrote one of them.
    """
    copies = settings.data.before_migrations
    return (
        migrate(stores.keys, store=Store.KEYS, copies=copies, now=now),
        migrate(stores.data, store=Store.DATA, copies=copies, now=now),
    )


def initialise_keys(settings: Settings, stores: Stores, *, now: datetime) -> None:
    """Schema and check value of the key store. Repeatable; refuses another KEK than the one that made it."""
    migrate(stores.keys, store=Store.KEYS, copies=settings.data.before_migrations, now=now)
    initialise_key_store(
        stores.keys,
        kek=kek_for(settings, stores.keys),
        clock=lambda: now,
        suites=EnabledSuites.named(settings.suites),
    )


def prepare_embedded(settings: Settings, stores: Stores, *, now: datetime) -> None:
    """What `casework up` does at every start, before anything is served.

    Raises:
        CommandFailed: 78, the data has lost its key-encryption key; 65, it has lost its key store.
        SchemaNewer: a newer version wrote a store.
        UnsafeSetting: the key does not open the key store.
    """
    data = settings.data
    if data.database.exists() and not data.keys.exists():
        raise CommandFailed(ExitCode.DATA, f"{data.keys} is missing beside {data.database}: restore it from its backup")
    kek = settings.kek
    if is_made_here(kek) and not kek.file.exists() and not kek.next_file.exists():
        if data.keys.exists():
            raise CommandFailed(
                ExitCode.CONFIG,
                f"CASEWORK_KEK_FILE: {settings.kek.file} is missing; put it back, a new one opens nothing",
            )
        create_kek_file(settings.kek.file)
    initialise_keys(settings, stores, now=now)
    migrate_stores(settings, stores, now=now)
    datadir.prepare(data)


def check_keys_schema(stores: Stores) -> None:
    """For commands that look at the key store and neither migrate nor serve.

    Raises:
        SchemaNewer: a newer version wrote it.
        UnsafeSetting: it is older.
    """
    refuse_other_schema(stores.keys, store=Store.KEYS)


def check_schemas(stores: Stores) -> None:
    """For commands that change keys, which comes into the audit log too, and for processes that serve.

    Raises:
        SchemaNewer: a newer version wrote a store.
        UnsafeSetting: a store is older.
    """
    check_keys_schema(stores)
    refuse_other_schema(stores.data, store=Store.DATA)


def check_production(stores: Stores, settings: Settings) -> None:
    """What `api` and `worker` need before they serve.

    Raises:
        SchemaNewer: a newer version wrote a store.
        UnsafeSetting: a store is older, or a sandbox tenant is in a production database.
    """
    check_schemas(stores)
    if not settings.is_production:
        return
    with stores.data.read() as session:
        sandboxes = session.exec(select(Tenant.code).where(col(Tenant.sandbox).is_(True)).order_by(Tenant.code)).all()
    if sandboxes:
        raise unsafe(
            "CASEWORK_DATABASE_URL",
            problem=f"holds sandbox tenants ({', '.join(sandboxes)}), which may date business ahead of the clock",
            fix="use a database without them",
        )


def after_restore(settings: Settings, stores: Stores, *, now: datetime, backup_id: str) -> int:
    """Queue again what was under way when the backup was made; returns how many rows.

    The anchor of the audit log is laid aside: it runs ahead of the restored log, and says so for ever.
    """
    migrate_stores(settings, stores, now=now)
    anchor = settings.anchor
    if anchor.exists():
        anchor.rename(anchor.with_name(f"{anchor.name}.before-{now:%Y%m%dT%H%M%SZ}"))
    deed = Deed(
        tenant=INSTALLATION, action="installation.restored", target=INSTALLATION, actor="operator", at=now,
        facts={"backup": backup_id},
    )  # fmt: skip
    with unit_of_work(stores.data, deed) as unit:
        requeued = outbox.requeue_open(unit.session, now=now)
        deed.facts["requeued"] = requeued
    return requeued


def key_counts(stores: Stores, kek: KekProvider) -> dict[str, int]:
    """How many keys the store holds, once the KEK has proved to open it.

    Raises:
        KeysUnavailable: the store was never initialised.
        UnsafeSetting: the KEK does not open it.
    """
    check_key_store(stores.keys, kek=kek)
    with stores.keys.read() as session:
        return {
            "tenants": session.exec(select(func.count(func.distinct(BranchKey.tenant)))).one(),
            "branch_keys": session.exec(select(func.count()).select_from(BranchKey)).one(),
            "subject_keys": session.exec(select(func.count()).select_from(SubjectKey)).one(),
            "shredded": session.exec(select(func.count()).select_from(Tombstone)).one(),
        }
