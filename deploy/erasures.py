"""Erasure in an installation: what the duties need, and what a restored backup must not bring back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select

from activities.duties.epochs import EpochKeeper
from activities.duties.eraser import Eraser
from activities.duties.retention import RetentionSweep
from activities.duties.runner import Duty
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.epochs import EpochKeys, wipe
from compliance.vault.erasure import Erasing
from compliance.vault.keyring import Vault
from compliance.vault.purposes import INSTALLATION
from compliance.vault.store import shred_subject_keys, tombstones
from deploy.migrate import Store
from deploy.stores import Stores
from deploy.values import DataDir, Settings
from models.database.engine import Database
from models.operations.erasure import erase_tokens
from models.tables.customers import CustomerRecord
from models.tables.parties import Subject


def erasing_of(settings: Settings, database: Database, vault: Vault) -> Erasing:
    """What carries out erasures in this installation."""
    return Erasing(
        database=database,
        vault=vault,
        horizon_days=settings.epoch_days,
        note_tombstone=EpochKeys(settings.epochs).note_erased,
    )


def erasure_duties(settings: Settings, database: Database, vault: Vault) -> tuple[Duty, ...]:
    """Eraser, retention sweep and keeper of epochs."""
    return (
        Eraser(erasing_of(settings, database, vault)),
        RetentionSweep(database),
        epoch_keeper(settings, database),
    )


def epoch_keeper(settings: Settings, database: Database) -> EpochKeeper:
    """The keeper of backup epochs of this installation."""
    return EpochKeeper(
        database,
        EpochKeys(settings.epochs),
        settings.epoch_days,
        lambda now: drop_key_copies(settings.data, now - timedelta(days=settings.epoch_days)),
    )


def key_copies(data: DataDir) -> list[str]:
    """Copies of the key store that migrations have left, by name."""
    folder = data.before_migrations
    return sorted(path.name for path in folder.glob(f"{Store.KEYS.value}-*.db")) if folder.is_dir() else []


def drop_key_copies(data: DataDir, before: datetime) -> Sequence[str]:
    """Wipe copies of the key store that were made before an instant: they hold keys that were destroyed since."""
    gone = []
    for name in key_copies(data):
        path = data.before_migrations / name
        if path.stat().st_mtime < before.timestamp():
            wipe(path)
            gone.append(name)
    return gone


def reapply_erasures(settings: Settings, stores: Stores, *, now: datetime) -> int:
    """Erase again, in a restored installation, whoever was erased after the backup; returns how many. Needs no KEK.

    Keys of persons on the list beside the epoch keys are destroyed; tokens of everybody who has no key any more are
    removed.
    """
    for note in EpochKeys(settings.epochs).erased():
        shred_subject_keys(stores.keys, tenant=note.tenant, subject_id=note.subject_id, clock=lambda: now)
    gone = [(each.tenant, each.subject_id) for each in tombstones(stores.keys)]
    count = 0
    for tenant, subject_id in gone:
        with stores.data.read() as session:
            back = session.exec(
                select(Subject.id).where(
                    col(Subject.id) == subject_id, col(Subject.tenant) == tenant, col(Subject.erased_at).is_(None)
                )
            ).first()
            customer = session.exec(
                select(CustomerRecord.id).where(
                    col(CustomerRecord.subject_id) == subject_id,
                    col(CustomerRecord.tenant) == tenant,
                    col(CustomerRecord.erased_at).is_(None),
                )
            ).first()
        if back is None and customer is None:
            continue
        deed = Deed(tenant=INSTALLATION, action="erasure.reapplied", target=subject_id, actor="operator", at=now)
        with unit_of_work(stores.data, deed) as unit:
            deed.facts = {"tokens": erase_tokens(unit.session, subject_id, tenant=tenant, now=now)}
        count += 1
    return count
