"""Loading a book of customers: every line counted, nothing twice, nothing in clear."""

import csv
import json
from pathlib import Path

import pytest
from sqlmodel import select

from compliance.vault.customer_layout import open_customers, stored_of
from compliance.vault.keyring import Vault
from compliance.vault.suites import SM4_GCM
from deploy.customers import BookInvalid, load_customers
from deploy.demo.transfer_book import TARGET, TransferBook, write_transfer_book
from deploy.demo.transfers.recipe import RECIPES
from models.database.engine import Database
from models.domain.customers.record import FIELDS
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from tests.support.clock import FakeClock
from tests.support.customers import TENANT, Counter

SIZE = 620  # more than one chunk


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    made = TransferBook(source=50, target=SIZE, overlap=100, seed=5, recipe=RECIPES["standard"])
    write_transfer_book(folder, made)
    return folder / TARGET


@pytest.fixture
def counter(database: Database, vault: Vault, clock: FakeClock) -> Counter:
    opened = Counter(database, vault, clock)
    opened.open()
    return opened


def _load(counter: Counter, path: Path, **options: str):
    return load_customers(counter.database, counter.vault, path, tenant=TENANT, clock=counter.clock, **options)


def _rows(counter: Counter) -> list[CustomerRecord]:
    with counter.database.read() as session:
        return list(session.exec(select(CustomerRecord)).all())


def test_a_book_is_loaded_whole_and_a_second_time_adds_nothing(counter: Counter, book: Path) -> None:
    first, second = _load(counter, book), _load(counter, book)
    assert (first.read, first.added, first.known, first.refused) == (SIZE, SIZE, 0, 0), first.faults
    assert (second.read, second.added, second.known) == (SIZE, 0, SIZE)
    rows = _rows(counter)
    assert len({row.subject_id for row in rows}) == SIZE  # each its own key
    opened = open_customers(counter.vault, tenant=TENANT, stored=(stored_of(row) for row in rows))
    by_number = {str(customer.values["customer_no"]): customer.values for customer in opened}
    with book.open(encoding="utf-8", newline="") as file:
        for line in csv.DictReader(file):
            kept = by_number[line["customer_no"]]
            for name in ("name", "id_number", "address", "sex", "birth_date", "employer_uscc", "id_valid_until"):
                assert kept.get(name) == (line[name] or None), name


@pytest.mark.parametrize("active", [False, True], ids=["published", "activated"])
def test_a_book_loaded_again_while_index_keys_change_adds_nothing(
    counter: Counter, book: Path, *, active: bool
) -> None:
    _load(counter, book)
    counter.vault.renewal.publish(TENANT, SM4_GCM)
    if active:
        counter.vault.renewal.activate(TENANT, SM4_GCM)
    again = _load(counter, book)
    assert (again.added, again.known) == (0, SIZE)
    assert len(_rows(counter)) == SIZE


def test_a_load_that_was_cut_off_is_started_again(counter: Counter, book: Path) -> None:
    def cut(read: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_customers(counter.database, counter.vault, book, tenant=TENANT, clock=counter.clock, progress=cut)
    assert 0 < len(_rows(counter)) < SIZE
    again = _load(counter, book)
    assert again.added + again.known == SIZE
    assert len(_rows(counter)) == SIZE


def test_lines_that_break_a_rule_are_left_out_and_told_without_their_values(counter: Counter, tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    lines = [
        "customer_no,name,id_type,id_number,mobile",
        "A1,张三,resident-id,11010119900307723X,13812345678",
        "A2,李四,resident-id,110101199003077230,13812345679",
        "A3,,resident-id,11010119900307723X,",
        "A1,张三,resident-id,11010119900307723X,13812345678",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    loaded = _load(counter, path)
    assert (loaded.read, loaded.added, loaded.known, loaded.refused) == (4, 1, 1, 2), loaded
    told = json.dumps(loaded.as_json(), ensure_ascii=False)
    assert (3, "id_number", "id-checksum") in loaded.faults
    assert (4, "name", "missing") in loaded.faults
    assert "110101199003077230" not in told
    assert "李四" not in told


def test_a_header_that_names_no_book_is_refused_before_anything_is_loaded(counter: Counter, tmp_path: Path) -> None:
    path = tmp_path / "b.csv"
    for header, says in ((",".join([*FIELDS, "shoe_size"]), "no field"), ("customer_no,name", "missing columns")):
        path.write_text(header + "\n", encoding="utf-8")
        with pytest.raises(BookInvalid, match=says):
            _load(counter, path)
    assert _rows(counter) == []


def test_nothing_of_the_book_stands_in_the_rows_or_in_the_log(counter: Counter, book: Path) -> None:
    _load(counter, book)
    with book.open(encoding="utf-8", newline="") as file:
        clear = {value for line in csv.DictReader(file) for value in (line["name"], line["id_number"], line["mobile"])}
    with counter.database.read() as session:
        bodies = "".join(event.body for event in session.exec(select(AuditEvent)).all())
    stored = "".join(repr(row.model_dump()) for row in _rows(counter))
    assert "customers.loaded" in bodies
    assert [value for value in clear if value in bodies or value in stored] == []
