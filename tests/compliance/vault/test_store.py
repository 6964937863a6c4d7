"""The key store: made once, opened only by the KEK that made it, and one key wherever two processes try to make one."""

import base64
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import delete, text, update
from sqlmodel import col, select

from compliance.vault.cells import CellAddress
from compliance.vault.kek import EnvKek, KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.store import check_key_store, initialise_key_store
from compliance.vault.tables import BranchKey, KeyStoreHead, KeyTable, SubjectKey, Tombstone
from models.database.engine import Database, open_database
from models.errors import CannotOpen, KeysUnavailable, SchemaNewer, SubjectShredded, UnsafeSetting
from tests.support.clock import FakeClock


def _other_kek() -> KekProvider:
    return EnvKek(base64.b64encode(os.urandom(32)).decode())


@contextmanager
def _second_process(database: Database) -> Iterator[Database]:
    """The same store through an engine of its own, with no lock shared, as another process would have it."""
    second = open_database(database.engine.url.render_as_string(hide_password=False))
    try:
        yield second
    finally:
        second.dispose()


def _everything(database: Database) -> list[tuple[object, ...]]:
    with database.read() as session:
        return [
            tuple(row)
            for table in KeyTable.metadata.sorted_tables
            for row in session.execute(text(f"SELECT * FROM {table.name} ORDER BY 1, 2, 3"))
        ]


# The check value ------------------------------------------------------------------------------------------------------


def test_an_empty_store_is_opened_only_after_it_was_initialised(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with pytest.raises(KeysUnavailable, match="casework keys init"):
        open_vault(key_store, kek, clock)
    assert _everything(key_store) == []
    initialise_key_store(key_store, kek=kek, clock=clock)
    open_vault(key_store, kek, clock)


def test_a_store_without_tables_is_initialised_too(tmp_path: Path, kek: KekProvider, clock: FakeClock) -> None:
    database = open_database(f"sqlite:///{tmp_path}/keys.db")
    with pytest.raises(KeysUnavailable, match="no check value"):
        check_key_store(database, kek=kek)
    initialise_key_store(database, kek=kek, clock=clock)
    check_key_store(database, kek=kek)
    database.dispose()


def test_another_kek_is_refused_and_changes_nothing(key_store: Database, kek: KekProvider, clock: FakeClock) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    open_vault(key_store, kek, clock).ensure_tenant("acme")
    before, stranger = _everything(key_store), _other_kek()
    for attempt in (
        lambda: open_vault(key_store, stranger, clock),
        lambda: initialise_key_store(key_store, kek=stranger, clock=clock),
    ):
        with pytest.raises(UnsafeSetting, match="put the right key back") as refused:
            attempt()
        assert kek.id in str(refused.value)
    assert _everything(key_store) == before


def test_initialising_again_keeps_every_key(key_store: Database, kek: KekProvider, clock: FakeClock) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    open_vault(key_store, kek, clock).ensure_tenant("acme")
    before = _everything(key_store)
    clock.advance(days=1)
    initialise_key_store(key_store, kek=kek, clock=clock)
    assert _everything(key_store) == before


def test_a_store_that_lost_its_check_value_is_not_given_a_new_one(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    open_vault(key_store, kek, clock)
    with key_store.write() as session:
        session.execute(delete(KeyStoreHead))
    with pytest.raises(UnsafeSetting, match="restore it"):
        initialise_key_store(key_store, kek=_other_kek(), clock=clock)
    with pytest.raises(KeysUnavailable):
        open_vault(key_store, kek, clock)


def test_a_store_of_a_newer_version_is_refused(keys_database: Database, kek: KekProvider, clock: FakeClock) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    with keys_database.write() as session:
        session.execute(update(KeyStoreHead).values(schema_version=99))
    with pytest.raises(SchemaNewer, match="99"):
        open_vault(keys_database, kek, clock)


def test_a_locked_store_is_keys_unavailable(keys_database: Database, kek: KekProvider, clock: FakeClock) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock)
    with _second_process(keys_database) as second, second.write() as session:
        session.execute(select(KeyStoreHead))  # from here on it holds the writer's lock
        connection = keys_database.engine.raw_connection()
        connection.cursor().execute("PRAGMA busy_timeout=1")
        connection.close()
        with pytest.raises(KeysUnavailable, match="does not answer"):
            vault.ensure_tenant("acme")


# Creation by two at once ----------------------------------------------------------------------------------------------


def _together(*jobs: Callable[[], object]) -> None:
    """Run jobs at the same moment, each in a thread; the first error is raised."""
    start = threading.Barrier(len(jobs))

    def run(job: Callable[[], object]) -> None:
        start.wait(timeout=30)
        job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        for future in [pool.submit(run, job) for job in jobs]:
            future.result(timeout=60)


def test_two_processes_that_make_a_tenants_keys_end_with_one_of_each(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    with _second_process(key_store) as second:
        vaults = [open_vault(store, kek, clock) for store in (key_store, second, key_store, second)]
        _together(*(lambda vault=vault: vault.ensure_tenant("acme") for vault in vaults))
        for purpose in (Purpose.AUDIT_MAC, Purpose.LINKS, Purpose.FINGERPRINT):
            assert len({vault.purpose_key("acme", purpose) for vault in vaults}) == 1
    with key_store.read() as session:
        rows = session.exec(select(BranchKey).where(BranchKey.tenant == "acme")).all()
    assert sorted(row.purpose for row in rows) == sorted(Purpose)


def test_two_processes_that_make_a_subjects_key_end_with_one(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    address = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")
    with _second_process(key_store) as second:
        vaults = [open_vault(store, kek, clock) for store in (key_store, second, key_store, second)]
        vaults[0].ensure_tenant("acme")
        _together(*(lambda vault=vault: vault.create_subject(tenant="acme", subject_id="sub_a") for vault in vaults))
        sealed = [vault.seal(address, f"by {number}") for number, vault in enumerate(vaults)]
        for vault in vaults:
            assert [vault.open_text(address, one) for one in sealed] == ["by 0", "by 1", "by 2", "by 3"]
    with key_store.read() as session:
        assert len(session.exec(select(SubjectKey)).all()) == 1


def test_two_processes_that_make_a_signing_key_end_with_one(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    initialise_key_store(key_store, kek=kek, clock=clock)
    with _second_process(key_store) as second:
        vaults = [open_vault(store, kek, clock) for store in (key_store, second)]
        _together(*(lambda vault=vault: (vault.signing_key("audit"), vault.token_keys()) for vault in vaults))
        assert len({vault.signing_key("audit").private_bytes_raw() for vault in vaults}) == 1
        assert len({vault.token_keys()[0][0] for vault in vaults}) == 1


# Erasure --------------------------------------------------------------------------------------------------------------

NAME = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")


def _acme(store: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(store, kek=kek, clock=clock)
    vault = open_vault(store, kek, clock)
    vault.ensure_tenant("acme")
    vault.create_subject(tenant="acme", subject_id="sub_a")
    return vault


def test_a_shredded_subject_is_gone_for_good(key_store: Database, kek: KekProvider, clock: FakeClock) -> None:
    vault = _acme(key_store, kek, clock)
    sealed = vault.seal(NAME, "王小明")
    vault.shred_subject(tenant="acme", subject_id="sub_a")
    vault.shred_subject(tenant="acme", subject_id="sub_a")  # repeating it is harmless
    for attempt in (
        lambda: vault.open(NAME, sealed),
        lambda: vault.seal(NAME, "王小明"),
        lambda: vault.create_subject(tenant="acme", subject_id="sub_a"),
        lambda: open_vault(key_store, kek, clock).open(NAME, sealed),
    ):
        with pytest.raises(SubjectShredded):
            attempt()
    with key_store.read() as session:
        assert session.exec(select(SubjectKey)).all() == []
        assert [row.subject_id for row in session.exec(select(Tombstone)).all()] == ["sub_a"]


def test_another_process_forgets_a_shredded_subject_within_the_time_to_live(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    vault = _acme(key_store, kek, clock)
    sealed = vault.seal(NAME, "王小明")
    with _second_process(key_store) as second:
        elsewhere = open_vault(second, kek, clock)
        assert elsewhere.open_text(NAME, sealed) == "王小明"
        vault.shred_subject(tenant="acme", subject_id="sub_a")
        clock.advance(minutes=5)
        with pytest.raises(SubjectShredded):
            elsewhere.open(NAME, sealed)


def test_a_clock_that_was_set_back_keeps_no_key_alive(key_store: Database, kek: KekProvider, clock: FakeClock) -> None:
    vault = _acme(key_store, kek, clock)
    sealed = vault.seal(NAME, "王小明")
    with _second_process(key_store) as second:
        elsewhere = open_vault(second, kek, clock)
        elsewhere.open(NAME, sealed)
        vault.shred_subject(tenant="acme", subject_id="sub_a")
        clock.advance(days=-1)
        with pytest.raises(SubjectShredded):
            elsewhere.open(NAME, sealed)


def test_a_key_that_was_written_beside_a_tombstone_is_never_used(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    vault = _acme(key_store, kek, clock)
    with key_store.read() as session:
        kept = session.exec(select(SubjectKey)).one().model_dump()
    vault.shred_subject(tenant="acme", subject_id="sub_a")
    with key_store.write() as session:
        session.add(SubjectKey(**kept))
    with pytest.raises(SubjectShredded):
        vault.seal(NAME, "王小明")


def test_the_wrapped_key_of_a_shredded_subject_is_not_in_the_files_any_more(
    tmp_path: Path, kek: KekProvider, clock: FakeClock
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/keys.db")
    vault = _acme(database, kek, clock)
    with database.read() as session:
        wrapped = session.exec(select(SubjectKey)).one().wrapped

    def found() -> bool:
        return any(wrapped in path.read_bytes() for path in tmp_path.iterdir())

    assert found()
    vault.shred_subject(tenant="acme", subject_id="sub_a")
    assert not found()
    database.dispose()


# An altered store -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["wrapped", "commitment"])
def test_an_altered_subject_key_is_refused(
    key_store: Database, kek: KekProvider, clock: FakeClock, column: str
) -> None:
    vault = _acme(key_store, kek, clock)
    with key_store.write() as session:
        row = session.exec(select(SubjectKey)).one()
        value = getattr(row, column)
        setattr(row, column, value[:-1] + bytes([value[-1] ^ 1]))
    vault.forget()
    with pytest.raises(CannotOpen):
        vault.seal(NAME, "王小明")


def test_the_key_of_one_subject_does_not_serve_as_anothers(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    vault = _acme(key_store, kek, clock)
    vault.create_subject(tenant="acme", subject_id="sub_b")
    with key_store.write() as session:
        mine = session.exec(select(SubjectKey).where(SubjectKey.subject_id == "sub_a")).one()
        session.execute(
            update(SubjectKey)
            .where(col(SubjectKey.subject_id) == "sub_b")
            .values(wrapped=mine.wrapped, commitment=mine.commitment)
        )
    vault.forget()
    with pytest.raises(CannotOpen, match="key of subject sub_b"):
        vault.seal(CellAddress("acme", "subjects", "name_cell", "sub_b", "sub_b"), "王小明")


def test_the_branch_key_of_one_tenant_does_not_serve_another(
    key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    vault = _acme(key_store, kek, clock)
    vault.ensure_tenant("other")
    with key_store.write() as session:
        mine = session.get(BranchKey, ("acme", "links", 1))
        assert mine is not None
        session.execute(
            update(BranchKey)
            .where(col(BranchKey.tenant) == "other", col(BranchKey.purpose) == "links")
            .values(wrapped=mine.wrapped)
        )
    vault.forget()
    with pytest.raises(CannotOpen, match="other/links/1"):
        vault.purpose_key("other", Purpose.LINKS)


def test_no_key_lies_in_the_store_in_clear(key_store: Database, kek: KekProvider, clock: FakeClock) -> None:
    vault = _acme(key_store, kek, clock)
    token = vault.token_keys()[0][1].private_numbers().private_value.to_bytes(32)
    secrets = [vault.signing_key("audit").private_bytes_raw(), token]
    blobs = [value for row in _everything(key_store) for value in row if isinstance(value, bytes)]
    assert len(blobs) >= len(Purpose) * 2 + 4
    assert not [blob for blob in blobs for secret in secrets if secret in blob]
