"""A live book moves AES, SM4, AES while others read, search and write through a vault of their own, as another process.

No read fails, nothing is lost, and what was there before is there after, in clear and byte by byte.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select, update

from compliance.vault import branches
from compliance.vault.cells import CellAddress
from compliance.vault.files import FileAddress
from compliance.vault.keyring import open_vault
from compliance.vault.store import initialise_key_store
from deploy.demo.book import BookRow
from models.database.engine import Database
from models.domain.suite_changes import ChangeState, SuiteName
from models.tables.installments import CaseDocument
from models.tables.parties import Subject
from tests.support.people import people
from tests.support.reseal_office import reseal_office
from tests.support.sealed_book import TENANT, SealedBook
from tests.support.vaults import throw_away_kek

# A process forgets keys after a second here, and not after five minutes; the rest is longer in proportion.
_TTL, _REST = timedelta(seconds=1), timedelta(seconds=3)
_NEWCOMERS = 20


@dataclass
class Life:
    """People at work on a book, each thread in a loop until it is told to stop."""

    book: SealedBook
    rows: list[BookRow]
    ids: list[str]
    newcomers: list[BookRow]
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)
    added: dict[str, str] = field(default_factory=dict)  # ID number -> subject
    stop: threading.Event = field(default_factory=threading.Event)

    def read(self, draw: random.Random) -> None:
        subject = draw.choice(self.ids)
        with self.book.database.read() as session:
            row = session.get_one(Subject, subject)
        for column in ("name_cell", "id_cell", "address_cell", "card_cell"):
            self.book.vault.open_text(CellAddress(TENANT, "subjects", column, subject, subject), getattr(row, column))

    def read_file(self, draw: random.Random) -> None:
        with self.book.database.read() as session:
            some = session.exec(
                select(CaseDocument).where(col(CaseDocument.id) > f"doc_{draw.choice('0123456789abcdefg')}").limit(1)
            ).first()
        if some is not None:
            assert self.book.shelf.read(FileAddress(TENANT, some.subject_id, some.id))

    def search(self, draw: random.Random) -> None:
        place = draw.randrange(len(self.rows))
        assert self.book.by_id_number(self.rows[place].id_number) == [self.ids[place]]
        assert self.ids[place] in self.book.by_mobile(self.rows[place].mobile)

    def write(self, draw: random.Random) -> None:
        """A new address; this thread alone writes addresses, so it knows what must stand in the end."""
        subject = draw.choice(self.ids)
        value = f"新地址 {draw.random()}"
        cell = self.book.seal("subjects", "address_cell", subject, subject, value)
        time.sleep(draw.random() / 50)  # between sealing and committing, as in a slow request
        with self.book.database.write() as session:
            session.execute(update(Subject).where(col(Subject.id) == subject).values(address_cell=cell))
        self.written[subject] = value

    def add(self, _draw: random.Random) -> None:
        """A new customer, who is found at once."""
        if not self.newcomers:
            self.stop.wait(0.05)
            return
        row = self.newcomers.pop()
        self.book.vault.create_subject(tenant=TENANT, subject_id=(subject := f"sub_new_{row.row:08d}"))
        with self.book.database.write() as session:
            session.add_all(next(self.book._records(subject, row, 1, 1, 1)))
        self.added[row.id_number] = subject
        assert self.book.by_id_number(row.id_number) == [subject]
        self.stop.wait(0.1)

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """While this lasts, people work."""
        acts = (self.read, self.read, self.read_file, self.search, self.write, self.add)
        threads = [threading.Thread(target=self._loop, args=(act, number)) for number, act in enumerate(acts)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.stop.set()
            for thread in threads:
                thread.join()

    def _loop(self, act: Callable[[random.Random], None], number: int) -> None:
        draw = random.Random(number)
        while not self.stop.is_set():
            try:
                act(draw)
                self.done[act.__name__] += 1
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not happen
                self.failed.append(f"{act.__name__}: {type(error).__name__} {error}")
            self.stop.wait(0.03)


async def _there_and_back(
    database: Database, keys: Database, folder: Path, server, queue: str, *, size: int, within: int
) -> None:
    def clock() -> datetime:
        return datetime.now(UTC)

    kek = throw_away_kek()
    initialise_key_store(keys, kek=kek, clock=clock)
    book = SealedBook(database, open_vault(keys, kek, clock), clock, folder / "files")
    book.open()
    rows = people(size + _NEWCOMERS)
    ids = book.add(rows[:size], files_every=max(1, size // 200), cases_every=max(5, size // 500))
    before = book.contents()
    others = replace(book, vault=open_vault(keys, kek, clock))
    life = Life(others, rows[:size], ids, rows[size:])
    with life.going_on():
        async with reseal_office(book, server, queue, rest=_REST) as office:
            for suite in (SuiteName.SM4_GCM, SuiteName.AES_256_GCM):
                change = await office.start(suite)
                record = await office.end(change, within=within)
                assert (record.state, record.scan["old"], record.unopened) == (ChangeState.DONE, 0, [])
    assert life.failed == []
    assert set(life.done) == {"read", "read_file", "search", "write", "add"}
    after = book.contents()
    expected = before | {f"subjects.address_cell/{subject}": value for subject, value in life.written.items()}
    different = [place for place, value in expected.items() if after.get(place) != value]
    assert different == [], "named, not shown: a comparison of two whole books takes minutes"
    assert len(life.added) == _NEWCOMERS
    assert [book.by_id_number(number) for number in life.added] == [[subject] for subject in life.added.values()]
    assert book.record_of(change).scan["bySuite"].keys() == {"1"}
    assert book.vault.renewal.counts(TENANT).subjects == {1: size + len(life.added)}


@pytest.fixture(autouse=True)
def _short_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(branches, "KEY_TTL", _TTL)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_a_few_hundred_people(database, keys_database, tmp_path: Path, temporal_server, task_queue: str) -> None:
    await _there_and_back(database, keys_database, tmp_path, temporal_server, task_queue, size=200, within=400)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_ten_thousand_people(request, kind: str, tmp_path: Path, temporal_server, task_queue: str) -> None:
    database = request.getfixturevalue(f"{kind}_database")
    keys = request.getfixturevalue("keys_database" if kind == "sqlite" else "postgres_keys_database")
    await _there_and_back(database, keys, tmp_path, temporal_server, task_queue, size=10_000, within=1_800)
