"""Whole records in bulk: as they went in, the same cells as one by one, and no key without its commit."""

import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import select

from compliance.vault import suites as suites_module
from compliance.vault.blind import BlindField
from compliance.vault.branches import KEY_TTL
from compliance.vault.bulk_keys import CHUNK
from compliance.vault.cells import PACKED_FORMAT, CellAddress, RowAddress, open_cell, open_packed
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.records import Indexed, Record, RecordLayout, RecordVault, SealedRecord
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, SM4_GCM, EnabledSuites
from compliance.vault.tables import SubjectKey
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable, SubjectShredded
from tests.support.clock import FakeClock
from tests.support.people import people

LAYOUT = RecordLayout(
    table="subjects",
    cells=("name_cell", "id_cell", "mobile_cell"),
    packed=("address", "employer", "note", "photo"),
    indexes={
        "id_index": Indexed("id_cell", BlindField.ID_NUMBER),
        "mobile_index": Indexed("mobile_cell", BlindField.MOBILE),
        "short_index": Indexed("mobile_cell", BlindField.MOBILE, bits=18),
    },
    binary=frozenset({"photo"}),
)


@pytest.fixture(params=[AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
def vault(request: pytest.FixtureRequest, keys_database: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    """With the tenant `acme`, once under each suite."""
    initialise_key_store(keys_database, kek=kek, clock=clock)
    [other] = {AES_256_GCM, SM4_GCM} - {request.param}
    opened = open_vault(keys_database, kek, clock, suites=EnabledSuites((request.param, other)))
    opened.ensure_tenant("acme")
    return opened


def _records(count: int) -> list[Record]:
    return [
        Record(
            f"sub_{number:06d}",
            f"sub_{number:06d}",
            {
                "name_cell": row.name,
                "id_cell": row.id_number,
                "mobile_cell": row.mobile,
                "address": f"某某路 {number} 号",
                "employer": None if number % 3 else "某某公司",
                "note": "",
                "photo": bytes([number % 256, 0xFF]),
            },
        )
        for number, row in enumerate(people(count))
    ]


def _clear(record: Record) -> Record:
    return record._replace(values={name: value for name, value in record.values.items() if value is not None})


def test_records_come_back_as_they_went_in(vault: Vault) -> None:
    book = RecordVault(vault, tenant="acme", layout=LAYOUT)
    records = _records(2 * CHUNK + 1)
    sealed = list(book.seal(records, create=True))
    assert list(book.open(sealed)) == [_clear(record) for record in records]
    assert set(sealed[0].cells) == {"name_cell", "id_cell", "mobile_cell", "packed_cell"}
    everything = b"".join(cell for record in sealed for cell in record.cells.values())
    for record in records:
        for value in record.values.values():
            if isinstance(value, str) and len(value) > 1:
                assert value.encode() not in everything


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={name: st.none() | st.text(max_size=20) for name in ("name_cell", "address", "employer", "note")}
            | {"photo": st.none() | st.binary(max_size=20)},
        ),
        max_size=5,
    )
)
def test_any_values_come_back(vault: Vault, rows: list[dict[str, str | bytes | None]]) -> None:
    book = RecordVault(vault, tenant="acme", layout=LAYOUT)
    records = [Record(f"row_{number}", f"sub_{number}", values) for number, values in enumerate(rows)]
    clean = [r._replace(values={k: _unicode(v) for k, v in r.values.items()}) for r in records]
    assert list(book.open(book.seal(clean, create=True))) == [_clear(record) for record in clean]


def _unicode(value: str | bytes | None) -> str | bytes | None:
    return value.encode(errors="replace").decode() if isinstance(value, str) else value


def test_cells_are_the_same_as_those_sealed_one_by_one(vault: Vault) -> None:
    book = RecordVault(vault, tenant="acme", layout=LAYOUT)
    [record] = _records(1)
    [sealed] = book.seal([record], create=True)
    row = RowAddress("acme", "subjects", record.row, record.subject)
    assert vault.open_text(row.cell("name_cell"), sealed.cells["name_cell"]) == record.values["name_cell"]
    alone = vault.seal(row.cell("id_cell"), str(record.values["id_cell"]))
    [opened] = book.open([SealedRecord(record.row, record.subject, {"id_cell": alone})])
    assert opened.values == {"id_cell": record.values["id_cell"]}


def test_indexes_are_those_by_which_a_value_is_looked_up(vault: Vault) -> None:
    book = RecordVault(vault, tenant="acme", layout=LAYOUT)
    [record] = _records(1)
    [sealed] = book.seal([record], create=True)
    mobile = str(record.values["mobile_cell"])
    assert sealed.indexes == {
        "id_index": vault.blind_index(tenant="acme", field="id_number", value=str(record.values["id_cell"])),
        "mobile_index": vault.blind_index(tenant="acme", field="mobile", value=mobile),
        "short_index": sealed.indexes["short_index"],
    }
    assert len(sealed.indexes["short_index"]) == 3
    spellings = [f"+86 {mobile.removeprefix('+86')}", mobile]
    assert book.tokens("mobile_index", spellings) == [(sealed.indexes["mobile_index"],)] * 2
    assert book.tokens("short_index", spellings[:1]) == [(sealed.indexes["short_index"],)]
    with pytest.raises(ValueError, match="no index name_index"):
        book.tokens("name_index", [])
    [again] = book.seal([record._replace(values={"mobile_cell": f"+86 {mobile.removeprefix('+86')}"})])
    assert again.indexes == {name: sealed.indexes[name] for name in ("mobile_index", "short_index")}


def test_a_packed_cell_is_bound_and_shaped_as_documented(vault: Vault) -> None:
    book = RecordVault(vault, tenant="acme", layout=LAYOUT)
    [record] = _records(1)
    [sealed] = book.seal([record], create=True)
    key = vault.subject_keys(tenant="acme", subject_ids=[record.subject])[record.subject].current
    address = CellAddress("acme", "subjects", "packed_cell", record.row, record.subject)
    packed = sealed.cells["packed_cell"]
    assert packed[0] == PACKED_FORMAT
    assert open_packed(key, address, packed)["address"].decode() == record.values["address"]
    with pytest.raises(CannotOpen):
        open_cell(key, address, packed)
    with pytest.raises(CannotOpen):  # not by another format byte either
        open_cell(key, address, b"\x01" + packed[1:])
    with pytest.raises(CannotOpen):
        open_packed(key, address, b"\x02" + vault.seal(address, "x")[1:])


# Keys -----------------------------------------------------------------------------------------------------------------


def _bulk(vault: Vault) -> RecordVault:
    return RecordVault(vault, tenant="acme", layout=LAYOUT)


def test_nobody_gets_a_key_by_the_way(bank: Vault) -> None:
    with pytest.raises(KeysUnavailable, match="sub_nobody has no key"):
        list(_bulk(bank).seal([Record("r", "sub_a", {}), Record("r", "sub_nobody", {})]))
    with pytest.raises(KeysUnavailable, match="sub_nobody has no key"):
        list(_bulk(bank).open([SealedRecord("r", "sub_nobody", {})]))


def test_who_has_a_key_keeps_it(bank: Vault, keys_database: Database) -> None:
    address = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")
    before = bank.seal(address, "before")
    records = [Record(name, name, {"name_cell": "x"}) for name in ("sub_a", "sub_new", "sub_a")]
    first = list(_bulk(bank).seal(records, create=True))
    second = list(_bulk(bank).seal(records, create=True))
    assert bank.open_text(address, before) == "before"
    assert [opened.values["name_cell"] for opened in _bulk(bank).open([*first, *second])] == ["x"] * 6
    with keys_database.read() as session:
        assert len(session.exec(select(SubjectKey)).all()) == 3


def test_keys_are_committed_before_a_record_is_handed_out(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    """A second process opens at once what the first one hands out; each chunk is one transaction."""
    initialise_key_store(key_store, kek=kek, clock=clock)
    vault = open_vault(key_store, kek, clock)
    vault.ensure_tenant("acme")
    elsewhere = open_vault(key_store, kek, clock)
    commits: list[int] = []
    event.listen(key_store.engine, "commit", lambda _connection: commits.append(1))
    records = [Record(f"r{number}", f"sub_{number}", {"name_cell": str(number)}) for number in range(CHUNK + 2)]
    sealed = _bulk(vault).seal(records, create=True)
    first = next(sealed)
    assert (
        elsewhere.open_text(CellAddress("acme", "subjects", "name_cell", "r0", "sub_0"), first.cells["name_cell"])
        == "0"
    )
    written = len(commits)
    rest = list(sealed)
    assert len(commits) - written <= 3  # one read more, one write, one read of tombstones
    opened = _bulk(elsewhere).open([first, *rest])
    assert [record.values["name_cell"] for record in opened] == [str(number) for number in range(CHUNK + 2)]


def test_two_that_make_the_same_keys_at_once_end_with_one_each(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    vaults = [open_vault(key_store, kek, clock) for _ in range(4)]
    vaults[0].ensure_tenant("acme")
    records = [Record(f"r{number}", f"sub_{number}", {"name_cell": str(number)}) for number in range(200)]
    together = threading.Barrier(len(vaults))

    def seal(vault: Vault) -> list[SealedRecord]:
        together.wait()
        return list(_bulk(vault).seal(records, create=True))

    with ThreadPoolExecutor(len(vaults)) as pool:
        sealed = list(pool.map(seal, vaults))
    reader = _bulk(open_vault(key_store, kek, clock))
    for batch in sealed:
        assert [record.values["name_cell"] for record in reader.open(batch)] == [str(number) for number in range(200)]


@pytest.fixture
def shredded(bank: Vault) -> Vault:
    bank.shred_subject(tenant="acme", subject_id="sub_b")
    return bank


@pytest.mark.parametrize("create", [False, True])
def test_who_was_shredded_is_neither_sealed_nor_opened_nor_made_again(shredded: Vault, create: bool) -> None:
    records = [Record("r", "sub_a", {"name_cell": "x"}), Record("r", "sub_b", {"name_cell": "x"})]
    with pytest.raises(SubjectShredded, match="sub_b"):
        list(_bulk(shredded).seal(records, create=create))
    with pytest.raises(SubjectShredded, match="sub_b"):
        list(_bulk(shredded).open([SealedRecord("r", "sub_b", {})]))


def test_an_erasure_by_another_process_is_noticed_once_the_cached_key_is_old(
    bank: Vault, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    [sealed] = _bulk(bank).seal([Record("r", "sub_b", {"name_cell": "x"})])
    open_vault(keys_database, kek, clock).shred_subject(tenant="acme", subject_id="sub_b")
    clock.advance(KEY_TTL)
    for attempt in (lambda: _bulk(bank).open([sealed]), lambda: _bulk(bank).seal([Record("r", "sub_b", {})])):
        with pytest.raises(SubjectShredded):
            list(attempt())


def test_who_is_not_in_memory_is_read_and_pushes_nobody_out(
    keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock, subjects_cached=2)
    vault.ensure_tenant("acme")
    for subject in ("sub_hot", "sub_warm"):
        vault.create_subject(tenant="acme", subject_id=subject)
    records = [Record(f"r{number}", f"sub_{number}", {"name_cell": str(number)}) for number in range(10)]
    sealed = list(_bulk(vault).seal([*records, Record("r", "sub_hot", {"name_cell": "hot"})], create=True))
    reads: list[str] = []
    event.listen(keys_database.engine, "before_cursor_execute", lambda *args: reads.append(args[2]))
    assert vault.open_text(CellAddress("acme", "subjects", "name_cell", "r", "sub_hot"), sealed[-1].cells["name_cell"])
    assert [record.values["name_cell"] for record in _bulk(vault).open(sealed[-1:])] == ["hot"]
    assert not any("subject_keys" in read or "branch_keys" in read for read in reads)
    assert len(list(_bulk(vault).open(sealed))) == 11
    assert len([read for read in reads if "FROM subject_keys" in read]) == 1


def test_a_key_that_was_exchanged_in_the_store_is_refused(bank: Vault, keys_database: Database) -> None:
    """Whoever writes the store cannot give one person the key of another, not even with its own commitment."""
    with keys_database.write() as session:
        one, other = (session.get(SubjectKey, ("acme", name, 1)) for name in ("sub_a", "sub_b"))
        assert one is not None
        assert other is not None
        other.wrapped, other.commitment = one.wrapped, one.commitment
        session.add(other)
    bank.forget()
    with pytest.raises(CannotOpen, match="sub_b"):
        list(_bulk(bank).seal([Record("r", "sub_b", {"name_cell": "x"})]))


def test_a_commitment_that_does_not_fit_is_refused(bank: Vault, keys_database: Database) -> None:
    with keys_database.write() as session:
        row = session.get(SubjectKey, ("acme", "sub_b", 1))
        assert row is not None
        row.commitment = bytes(16)
        session.add(row)
    bank.forget()
    with pytest.raises(CannotOpen, match="commitment"):
        list(_bulk(bank).open([SealedRecord("r", "sub_b", {})]))


def test_the_budget_of_the_wrapping_key_holds_in_bulk(bank: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suites_module, "SEALS_PER_KEY", 10)  # two are spent
    records = [Record("r", f"sub_{number}", {}) for number in range(9)]
    with pytest.raises(KeysUnavailable, match="rotate"):
        list(_bulk(bank).seal(records, create=True))
    with pytest.raises(KeysUnavailable, match="no key"):
        list(_bulk(bank).seal(records[:1]))


# Refusals -------------------------------------------------------------------------------------------------------------


def test_a_column_that_the_layout_does_not_have_is_refused(bank: Vault) -> None:
    with pytest.raises(ValueError, match="no column salary"):
        list(_bulk(bank).seal([Record("r", "sub_a", {"salary": "1"})]))
    with pytest.raises(ValueError, match="no column salary"):
        list(_bulk(bank).open([SealedRecord("r", "sub_a", {"salary": bytes(40)})]))


def test_bytes_are_not_indexed_and_no_unicode_is_not_repeated(bank: Vault) -> None:
    with pytest.raises(ValueError, match="text only"):
        list(_bulk(bank).seal([Record("r", "sub_a", {"id_cell": b"110101199003071233"})]))
    for column in ("name_cell", "address"):
        with pytest.raises(ValueError, match="not valid Unicode") as refused:
            list(_bulk(bank).seal([Record("r", "sub_a", {column: "王小明\ud800"})]))
        assert "王" not in repr(refused.value)


def test_a_record_read_under_another_layout_does_not_open(bank: Vault) -> None:
    values = {"name_cell": "王小明", "address": "某某路"}
    [sealed] = _bulk(bank).seal([Record("r", "sub_a", values)])
    newer = RecordVault(bank, tenant="acme", layout=dataclasses.replace(LAYOUT, schema_version=2))
    for column in sealed.cells:
        with pytest.raises(CannotOpen, match=f"cell subjects.{column} of r"):
            list(newer.open([sealed._replace(cells={column: sealed.cells[column]})]))
    fewer = RecordVault(bank, tenant="acme", layout=dataclasses.replace(LAYOUT, packed=("note",), binary=frozenset()))
    with pytest.raises(CannotOpen, match="columns of another layout"):
        list(fewer.open([sealed]))


def test_text_that_was_sealed_as_bytes_is_not_handed_out_as_text(bank: Vault) -> None:
    as_bytes = RecordVault(bank, tenant="acme", layout=dataclasses.replace(LAYOUT, binary=frozenset({"name_cell"})))
    [sealed] = as_bytes.seal([Record("r", "sub_a", {"name_cell": b"\xff\xfe"})])
    with pytest.raises(CannotOpen, match="holds no text"):
        list(_bulk(bank).open([sealed]))


def test_a_record_does_not_show_its_values() -> None:
    assert repr(Record("r", "sub_a", {"name_cell": "王小明"})) == "Record(row='r', subject='sub_a')"


@pytest.mark.parametrize(
    "changes",
    [
        {"packed": ("name_cell",)},
        {"packed_into": "id_cell"},
        {"cells": ("a", "a")},
        {"cells": ("",)},
        {"binary": frozenset({"nothing"})},
        {"indexes": {"id_cell": Indexed("name_cell", BlindField.ACCOUNT)}},
        {"indexes": {"i": Indexed("nothing", BlindField.ACCOUNT)}},
        {"indexes": {"i": Indexed("photo", BlindField.ACCOUNT)}},
    ],
    ids=[
        "twice",
        "packed into a cell",
        "cell twice",
        "no name",
        "binary",
        "index over a cell",
        "of nothing",
        "of bytes",
    ],
)
def test_a_layout_that_would_lose_a_column_is_refused(changes: dict[str, object]) -> None:
    fields = {
        "table": "subjects",
        "cells": ("name_cell", "id_cell"),
        "packed": ("photo",),
        "binary": frozenset({"photo"}),
    }
    RecordLayout(**fields)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="layout of subjects"):
        RecordLayout(**(fields | changes))  # type: ignore[arg-type]


def test_a_key_under_an_unknown_branch_version_is_refused(bank: Vault, keys_database: Database) -> None:
    with keys_database.write() as session:
        row = session.get(SubjectKey, ("acme", "sub_b", 1))
        assert row is not None
        row.branch_version = 9
        session.add(row)
    bank.forget()
    with pytest.raises(CannotOpen, match=f"no {Purpose.SUBJECT_WRAP} key of version 9"):
        list(_bulk(bank).open([SealedRecord("r", "sub_b", {})]))
