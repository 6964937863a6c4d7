"""The erasure drill (删除演练): restore every backup that is kept, and try to read whoever was erased.

It looks with the eyes of somebody who has every archive, the key-encryption key and what is left of the epoch keys. It
has teeth: people who live must read in the same restores, or the drill says that it proves nothing.
"""

import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlmodel import select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.epochs import EpochKeys, epoch_of, wipe
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import INSTALLATION
from compliance.vault.store import tombstones
from compliance.vault.suites import EnabledSuites
from compliance.vault.tables import SubjectKey
from deploy import datadir
from deploy.backup import DATA_SUFFIX, KEYS_SUFFIX, unpack
from deploy.erasures import key_copies
from deploy.exits import CommandFailed, ExitCode
from deploy.keks import kek_for
from deploy.migrate import Store, migrate
from deploy.stores import Stores
from deploy.values import Settings
from models.database.engine import Database, open_database
from models.domain.clock import Clock
from models.errors import CannotOpen, CaseworkError, KeysUnavailable, SubjectShredded

DEFAULT_SUBJECTS: Final = 20
_UNSEALED: Final = "-keys.tar.gz"  # of a version that did not seal them yet

Person = tuple[str, str]
"""Tenant and token of a person."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KeysTried:
    """One store of keys that a reader of the backups can get at.

    Attributes:
        name: of the archive, or of a copy that lies in the data directory.
        state: `opens`, `dark` (the key of its day is destroyed) or `damaged`.
        living: how many of the living read with it, out of how many of its time that were tried.
        erased: persons past the horizon who read with it: there must be none.
        pending: persons within the horizon who still read with it.
    """

    name: str
    state: str
    living: tuple[int, int] = (0, 0)
    erased: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class DrillReport:
    """What the drill found. `verdict`: `proven`, `readable`, or `no-teeth` where nothing living read either."""

    verdict: str
    horizon_days: int
    backups: tuple[KeysTried, ...]
    data_archives: int
    erased_tried: int
    pending_tried: int
    living_tried: int
    erased_readable: tuple[str, ...] = ()
    pending_readable: tuple[str, ...] = ()
    damaged: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nobody who was erased can be read, and the drill could have told."""
        return self.verdict == "proven"

    def facts(self) -> dict[str, Any]:
        """As the audit log keeps it: counts and tokens."""
        kept = asdict(self)
        kept["backups"] = [{"name": each.name, "state": each.state} for each in self.backups]
        return kept


@dataclass(slots=True)
class _Sample:
    erased: list[Person] = field(default_factory=list)
    pending: list[Person] = field(default_factory=list)
    living: list[Person] = field(default_factory=list)

    def all(self) -> list[Person]:
        return [*self.erased, *self.pending, *self.living]


def drill(
    settings: Settings, stores: Stores, *, backups: Path, subjects: int = DEFAULT_SUBJECTS, clock: Clock
) -> DrillReport:
    """Restore each backup in the folder into a scratch place, try `subjects` persons of each kind, record the result.

    Raises:
        CommandFailed: 65, the folder holds no backup.
    """
    now = clock()
    archives = sorted(path for path in backups.iterdir() if path.name.endswith((KEYS_SUFFIX, _UNSEALED)))
    data_archives = sorted(path for path in backups.iterdir() if path.name.endswith(DATA_SUFFIX))
    if not archives or not data_archives:
        raise CommandFailed(ExitCode.DATA, f"{backups} holds no backup of data and keys")
    sample = _sample(settings, stores, subjects=subjects, now=now)
    with _scratch(settings) as scratch:
        opened, tried = _open_all(settings, archives, scratch, clock)
        read = {name: set[Person]() for name in opened}
        for number, archive in enumerate(data_archives):
            place = scratch / f"data-{number}"
            try:
                unpack(archive, place, epochs=EpochKeys(settings.epochs))
            except CommandFailed:
                tried.append(KeysTried(name=archive.name, state="damaged"))
                continue
            with _opened(place / settings.data.database.name) as data:
                for name, vault in opened.items():
                    read[name] |= {
                        each for each in sample.all() if each not in read[name] and _reads(data, vault, each)
                    }
            _clear(place)
        tried += [_told(name, vault, read[name], sample) for name, vault in opened.items()]
    report = _report(settings, tried, sample, data_archives=len(data_archives))
    deed = Deed(
        tenant=INSTALLATION, action="privacy.drilled", target=INSTALLATION, actor="operator", at=now,
        facts=report.facts(),
    )  # fmt: skip
    with unit_of_work(stores.data, deed):
        pass  # the event is all there is to write
    return report


def _sample(settings: Settings, stores: Stores, *, subjects: int, now: datetime) -> _Sample:
    """The latest erased past the horizon, the latest within it, and living ones at random."""
    sample = _Sample()
    dark_before = epoch_of(now) - timedelta(days=settings.epoch_days)
    for tombstone in tombstones(stores.keys):
        chosen = sample.erased if epoch_of(tombstone.created_at) <= dark_before else sample.pending
        if len(chosen) < subjects:
            chosen.append((tombstone.tenant, tombstone.subject_id))
    with stores.keys.read() as session:
        living = sorted(
            {(tenant, subject) for tenant, subject in session.exec(select(SubjectKey.tenant, SubjectKey.subject_id))}
        )
    while living and len(sample.living) < subjects:
        sample.living.append(living.pop(secrets.randbelow(len(living))))
    return sample


def _open_all(
    settings: Settings, archives: Sequence[Path], scratch: Path, clock: Clock
) -> tuple[dict[str, Vault], list[KeysTried]]:
    """Every key store that opens, by name, and what was found of the others. The live one stands among them."""
    found: dict[str, Vault] = {}
    tried: list[KeysTried] = []
    for number, archive in enumerate(archives):
        place = scratch / f"keys-{number}"
        try:
            unpack(archive, place, epochs=EpochKeys(settings.epochs))
            found[archive.name] = _vault(settings, place / settings.data.keys.name, clock)
        except (CommandFailed, CaseworkError) as failed:
            dark = isinstance(failed, CommandFailed) and " is dark" in str(failed)
            tried.append(KeysTried(name=archive.name, state="dark" if dark else "damaged"))
    for name in key_copies(settings.data):
        copy = scratch / name
        copy.write_bytes((settings.data.before_migrations / name).read_bytes())
        try:
            found[name] = _vault(settings, copy, clock)
        except CaseworkError:
            tried.append(KeysTried(name=name, state="damaged"))
    return found, tried


def _vault(settings: Settings, keys: Path, clock: Clock) -> Vault:
    database = open_database(f"sqlite:///{keys}")
    migrate(database, store=Store.KEYS)
    return open_vault(database, kek_for(settings, database), clock, suites=EnabledSuites.named(settings.suites))


def _reads(data: Database, vault: Vault, person: Person) -> bool:
    """Whether the person's name opens out of a restored store with the keys of a restored backup."""
    tenant, subject_id = person
    with data.engine.connect() as connection:
        cell = connection.execute(
            text("SELECT name_cell FROM subjects WHERE id = :id AND tenant = :tenant"),
            {"id": subject_id, "tenant": tenant},
        ).scalar()
    if cell is None:
        return False
    try:
        vault.open(CellAddress(tenant, "subjects", "name_cell", subject_id, subject_id), bytes(cell))
    except (SubjectShredded, KeysUnavailable, CannotOpen):
        return False
    return True


def _told(name: str, vault: Vault, read: set[Person], sample: _Sample) -> KeysTried:
    had_key = [each for each in sample.living if _has_key(vault, each)]
    return KeysTried(
        name=name,
        state="opens",
        living=(sum(each in read for each in had_key), len(had_key)),
        # A key alone is enough: the cells lie in some copy of the data.
        erased=tuple(each[1] for each in sample.erased if each in read or _has_key(vault, each)),
        pending=tuple(each[1] for each in sample.pending if each in read or _has_key(vault, each)),
    )


def _has_key(vault: Vault, person: Person) -> bool:
    return vault.subject_key_count(tenant=person[0], subject_id=person[1]) > 0


def _report(settings: Settings, tried: list[KeysTried], sample: _Sample, *, data_archives: int) -> DrillReport:
    erased = sorted({each for one in tried for each in one.erased})
    pending = sorted({each for one in tried for each in one.pending})
    has_teeth = any(one.living[0] > 0 for one in tried)
    verdict = "readable" if erased else "proven" if has_teeth else "no-teeth"
    return DrillReport(
        verdict=verdict,
        horizon_days=settings.epoch_days,
        backups=tuple(sorted(tried, key=lambda one: one.name)),
        data_archives=data_archives,
        erased_tried=len(sample.erased),
        pending_tried=len(sample.pending),
        living_tried=len(sample.living),
        erased_readable=tuple(erased),
        pending_readable=tuple(pending),
        damaged=tuple(one.name for one in tried if one.state == "damaged"),
    )


@contextmanager
def _opened(path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.dispose()


@contextmanager
def _scratch(settings: Settings) -> Iterator[Path]:
    """A private place beside the stores themselves; key stores in it are wiped at the end."""
    settings.data.root.mkdir(mode=datadir.PRIVATE_DIRECTORY, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=settings.data.root, prefix=".drill-") as folder:
        scratch = Path(folder)
        try:
            yield scratch
        finally:
            _clear(scratch)


def _clear(folder: Path) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            wipe(path)
