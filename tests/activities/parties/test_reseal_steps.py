"""A tenant's data move from one suite to another and back, step by step, on both databases."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from compliance.vault import cells, files
from compliance.vault.renewal import SUITES_BY_NAME
from compliance.vault.states import KeyState
from models.contracts.parties import ResealStep, SubjectsStep
from models.domain.suite_changes import ChangeState, SuiteName
from models.tables.audit import AuditEvent
from models.tables.daily import BankReply, DebitOrder
from models.tables.parties import ContactPoint, Subject
from tests.support.people import people
from tests.support.sealed_book import SEALED, TENANT, SealedBook
from tests.support.sealed_shelf import CONTENT, DIGEST, add_shelf
from tests.support.sealed_transfers import add_transfer

AES, SM4 = SuiteName.AES_256_GCM, SuiteName.SM4_GCM


@pytest.fixture
def book(database, vault, clock, tmp_path: Path) -> SealedBook:
    book = SealedBook(database, vault, clock, tmp_path / "files")
    book.open()
    return book


def run(book: SealedBook, change: str, **keywords) -> bool:
    """All steps in the workflow's order; the clock passes the rest. Answers whether the scan was clean."""
    steps, step = book.steps(**keywords), ResealStep(tenant=TENANT, change=change)
    begun = steps.begin(step)
    if begun.whole_tenant:
        steps.publish(step)
        book.clock.advance(seconds=begun.rest_s)
        steps.activate(step)
    for number in range(1, 10):
        if not one_pass(book, change, number, **keywords) and number > 1:
            break
        book.clock.advance(seconds=begun.rest_s)
    if begun.whole_tenant:
        steps.branches(step)
    clean = steps.scan(step).is_clean
    if clean:
        steps.close(step)
    return clean


def one_pass(book: SealedBook, change: str, number: int = 1, **keywords) -> int:
    steps, after, left = book.steps(**keywords), "", 0
    while True:
        done = steps.subjects(SubjectsStep(tenant=TENANT, change=change, number=number, after=after))
        assert not done.wait
        left += done.left
        if done.after is None:
            return left
        after = done.after


def suites_of(book: SealedBook) -> dict[str, set[int]]:
    """The suite bytes of everything that is sealed, read without any of the product's lists."""
    found: dict[str, set[int]] = {}
    with book.database.read() as session:
        for model, columns in SEALED.items():
            for row in session.exec(select(model)).all():
                for column in columns:
                    if (cell := getattr(row, column)) is not None:
                        found.setdefault(f"{model.__tablename__}.{column}", set()).add(cell[1])
    found["files"] = {files.header_of(path)[0] for path in (book.root / TENANT).iterdir()}
    return found


def test_there_and_back_nothing_is_lost_and_nothing_of_the_old_suite_stays(book: SealedBook) -> None:
    rows = people(30)
    ids = book.add(rows)
    before, indexes = book.digest(), _indexes(book)
    assert {suite for suites in suites_of(book).values() for suite in suites} == {1}

    for suite, number in ((SM4, 2), (AES, 1)):
        change = book.change(suite)
        assert run(book, change, subjects_a_step=7)
        assert book.record_of(change).state == ChangeState.DONE
        assert book.digest() == before
        assert suites_of(book) == {place: {number} for place in suites_of(book)}
        assert len(suites_of(book)) == sum(map(len, SEALED.values())) + 1, "the book has something everywhere"
        assert _indexes(book).isdisjoint(indexes)
        assert [book.by_id_number(row.id_number) for row in rows] == [[subject] for subject in ids]
        assert all(ids[place] in book.by_mobile(row.mobile) for place, row in enumerate(rows))
        counts = book.vault.renewal.counts(TENANT)
        assert counts.subjects == {number: 30}
        assert all(
            set(counts.branches[purpose]) == {number} for purpose in ("subject-wrap", "blind-index", "seal-wrap")
        )
        assert number in counts.branches["temporal"], "histories are opened under the old one as long as they are kept"
        scan = book.record_of(change).scan
        assert (scan["old"], scan["keysLeft"], set(scan["bySuite"])) == (0, 0, {str(number)})
        assert scan["bySuite"][str(number)] == len(book.contents())
        indexes = _indexes(book)
    book.vault.document_seal(TENANT)  # the seal's key came along
    fresh = book.add(people(31)[30:])
    assert book.vault.header_of(tenant=TENANT, subject_id=fresh[0])[0] == 1


def _indexes(book: SealedBook) -> set[bytes]:
    with book.database.read() as session:
        found = [
            *session.exec(select(Subject.id_index)).all(),
            *session.exec(select(ContactPoint.value_index)).all(),
            *session.exec(select(DebitOrder.account_index)).all(),
            *session.exec(select(BankReply.account_index)).all(),
        ]
    return {index for index in found if index is not None}


def test_a_customers_record_a_row_and_what_is_said_on_a_job_come_along(book: SealedBook) -> None:
    transfer = add_transfer(book, people(1)[0])
    before = transfer.contents()
    assert transfer.suites() == {1}
    for suite, number in ((SM4, 2), (AES, 1)):
        change = book.change(suite)
        assert run(book, change)
        assert book.record_of(change).state == ChangeState.DONE
        assert transfer.contents() == before
        assert transfer.suites() == {number}
        assert all(transfer.found(index) for index in ("customer_no_index", "id_index", "mobile_index"))
        assert book.record_of(change).scan["keysLeft"] == 0


def test_what_is_new_lies_under_the_new_suite_once_the_keys_are_active(book: SealedBook) -> None:
    change, step = book.change(SM4), None
    steps, step = book.steps(), ResealStep(tenant=TENANT, change=change)
    steps.publish(step)
    book.vault.create_subject(tenant=TENANT, subject_id="sub_early")
    assert book.vault.header_of(tenant=TENANT, subject_id="sub_early") == (1, 1)
    steps.activate(step)
    book.vault.create_subject(tenant=TENANT, subject_id="sub_late")
    assert book.vault.header_of(tenant=TENANT, subject_id="sub_late") == (2, 1)


def test_old_keys_live_as_long_as_another_process_may_hold_them(book: SealedBook) -> None:
    ids = book.add(people(3))
    change, rest = book.change(SM4), timedelta(minutes=10)
    steps, step = book.steps(), ResealStep(tenant=TENANT, change=change)
    steps.publish(step)
    steps.activate(step)
    assert one_pass(book, change) == 3
    assert one_pass(book, change, 2) == 3, "sealed again, but too early"
    book.clock.advance(rest - timedelta(seconds=1))
    assert one_pass(book, change, 3) == 3
    book.clock.advance(seconds=1)
    assert one_pass(book, change, 4) == 0
    assert book.vault.renewal.with_old_versions(TENANT, ids) == {}


def test_a_cell_written_meanwhile_under_the_old_key_is_found_before_that_key_goes(book: SealedBook) -> None:
    ids = book.add(people(2))
    change = book.change(SM4)
    steps, step = book.steps(), ResealStep(tenant=TENANT, change=change)
    old = book.seal("subjects", "employer_cell", ids[0], ids[0], "新单位")
    steps.publish(step)
    steps.activate(step)
    one_pass(book, change)
    with book.database.write() as session:  # sealed by a process that had the old key in memory, committed just now
        session.get_one(Subject, ids[0]).employer_cell = old
    book.clock.advance(minutes=10)
    assert one_pass(book, change, 2) == 1, "the other one's key went"
    assert one_pass(book, change, 3) == 0
    assert book.contents()[f"subjects.employer_cell/{ids[0]}"] == "新单位"


def test_a_concurrent_write_is_not_undone(book: SealedBook, monkeypatch: pytest.MonkeyPatch) -> None:
    [subject] = book.add(people(1))
    change = book.change(SM4)
    steps, step = book.steps(), ResealStep(tenant=TENANT, change=change)
    steps.publish(step)
    steps.activate(step)
    theirs = book.seal("subjects", "address_cell", subject, subject, "新地址")
    resealed = book.vault.reseal

    def and_meanwhile(address, sealed):
        if address.column == "address_cell":  # between our reading and our writing
            with book.database.write() as session:
                session.get_one(Subject, subject).address_cell = theirs
        return resealed(address, sealed)

    monkeypatch.setattr(type(book.vault), "reseal", lambda _self, address, sealed: and_meanwhile(address, sealed))
    one_pass(book, change)
    monkeypatch.undo()
    assert book.contents()[f"subjects.address_cell/{subject}"] == "新地址"


@pytest.mark.parametrize("column", ["name_cell", "card_cell"])
def test_a_cell_that_does_not_open_is_named_and_stops_the_end(book: SealedBook, column: str) -> None:
    ids = book.add(people(4))
    with book.database.write() as session:
        row = session.get_one(Subject, ids[2])
        setattr(row, column, getattr(row, column)[:-1] + bytes([getattr(row, column)[-1] ^ 1]))
    change = book.change(SM4)
    assert not run(book, change)
    record = book.record_of(change)
    place = {"table": "subjects", "column": column, "row": ids[2]}
    assert (record.state, record.unopened, record.scan["named"]) == (ChangeState.STOPPED, [place], [place])
    assert set(book.vault.renewal.with_old_versions(TENANT, ids)) == {ids[2]}, "their old key stays, and theirs alone"


def test_the_scan_finds_one_planted_cell(book: SealedBook) -> None:
    ids = book.add(people(5))
    planted = book.seal("subjects", "address_cell", ids[3], ids[3], "旧")
    change = book.change(SM4)
    assert run(book, change)
    with book.database.write() as session:
        session.get_one(Subject, ids[3]).address_cell = planted
    again = book.change(SM4)
    assert not book.steps().scan(ResealStep(tenant=TENANT, change=again)).is_clean
    scan = book.record_of(again).scan
    assert scan["named"] == [{"table": "subjects", "column": "address_cell", "row": ids[3]}]
    assert scan["bySuite"]["1"] == 1
    assert scan["root"] != book.record_of(change).scan["root"]


def test_the_scan_finds_one_old_file_and_one_that_is_gone(book: SealedBook) -> None:
    book.add(people(4))
    kept = sorted((book.root / TENANT).iterdir())
    old = kept[1].read_bytes()
    assert run(book, book.change(SM4))
    kept[1].write_bytes(old)
    kept[2].unlink()
    again = book.change(SM4)
    assert not book.steps().scan(ResealStep(tenant=TENANT, change=again)).is_clean
    assert [place["row"] for place in book.record_of(again).scan["named"]] == [kept[1].name, kept[2].name]


def test_a_runs_file_and_evidence_of_a_job_come_along_and_open_once_the_old_keys_are_gone(book: SealedBook) -> None:
    shelf = add_shelf(book)
    for suite, number in ((SM4, 2), (AES, 1)):
        change = book.change(suite)
        assert run(book, change)
        assert set(shelf.contents().values()) == {CONTENT}
        assert (shelf.suites(), shelf.digests()) == ({number}, {DIGEST})
        counted = book.record_of(change).scan["byTable"]
        assert counted["batch_imports.file"] == counted["transfer_evidence.file"] == {str(number): 1}
        assert book.record_of(change).figures["files"] == 2
        assert book.vault.renewal.with_old_versions(TENANT, list(shelf.owners.values())) == {}


def test_a_killed_exchange_of_a_runs_file_is_done_again_by_the_next_try(book: SealedBook, monkeypatch) -> None:
    shelf = add_shelf(book)
    change, rest = book.change(SM4), timedelta()
    steps, step = book.steps(rest=rest), ResealStep(tenant=TENANT, change=change)
    steps.publish(step)
    steps.activate(step)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", _third(Path.replace, killed))
    with pytest.raises(KeyboardInterrupt):
        one_pass(book, change)
    monkeypatch.undo()
    assert set(shelf.contents().values()) == {CONTENT}
    assert run(book, change, rest=rest)
    assert (set(shelf.contents().values()), shelf.suites()) == ({CONTENT}, {2})
    assert {path.name for path in (book.root / TENANT).iterdir()} == set(shelf.owners)


def test_the_scan_names_an_old_file_that_no_row_names(book: SealedBook) -> None:
    book.add(people(1))
    stray = book.root / TENANT / "doc_stray"
    stray.write_bytes(next((book.root / TENANT).iterdir()).read_bytes())
    change = book.change(SM4)
    assert not run(book, change)
    scan = book.record_of(change).scan
    assert (scan["named"], scan["byTable"]["shelf"]) == (
        [{"table": "shelf", "column": "file", "row": "doc_stray"}],
        {"1": 1},
    )


def test_what_a_shredded_person_left_is_counted_apart(book: SealedBook) -> None:
    ids = book.add(people(3))
    book.vault.shred_subject(tenant=TENANT, subject_id=ids[1])
    change = book.change(SM4)
    assert run(book, change)
    scan = book.record_of(change).scan
    assert (scan["old"], scan["bySuite"]["1"] > 0) == (0, True)
    assert scan["dead"] == scan["bySuite"]["1"]


def test_the_end_stands_in_the_log_with_counts_and_root(book: SealedBook) -> None:
    book.add(people(2))
    change = book.change(SM4)
    assert run(book, change)
    with book.database.read() as session:
        events = {row.action: row for row in session.exec(select(AuditEvent).where(AuditEvent.target == change)).all()}
    assert {"suite-change.published", "suite-change.activated", "suite-change.sealed", "suite-change.indexed",
            "suite-change.file-sealed", "suite-change.keys-destroyed", "suite-change.proven",
            "suite-change.done"} <= events.keys()  # fmt: skip
    assert book.record_of(change).scan["root"] in events["suite-change.proven"].body


def test_one_persons_key_is_renewed_and_nobody_elses(book: SealedBook) -> None:
    ids = book.add(people(3))
    before, stood = book.digest(), _headers(book)
    change = book.change(AES, subject=ids[1])
    assert run(book, change)
    assert book.digest() == before
    now = _headers(book)
    assert {subject for subject in ids if now[subject] != stood[subject]} == {ids[1]}
    assert {cells.key_named(start) for start in now[ids[1]]} == {(1, 2)}
    assert book.vault.renewal.with_old_versions(TENANT, ids) == {}
    assert book.vault.renewal.newest_version(TENANT, ids[1]) == 2


def _headers(book: SealedBook) -> dict[str, set[bytes]]:
    with book.database.read() as session:
        return {
            row.id: {row.name_cell[:4], row.id_cell[:4], row.address_cell[:4]}
            for row in session.exec(select(Subject)).all()
        }


def test_a_killed_exchange_of_a_file_is_finished_by_the_next_try(book: SealedBook, monkeypatch) -> None:
    book.add(people(1))
    before = book.digest()
    change = book.change(SM4)
    steps, step = book.steps(rest=timedelta()), ResealStep(tenant=TENANT, change=change)
    steps.publish(step)
    steps.activate(step)

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", _third(Path.replace, killed))
    with pytest.raises(KeyboardInterrupt):
        one_pass(book, change)
    monkeypatch.undo()
    assert book.digest() == before, "the old file is there and opens"
    assert run(book, change, rest=timedelta())
    assert book.digest() == before
    [left] = [path.name for path in (book.root / TENANT).iterdir()]
    assert not left.startswith(".")


def _third(real, instead):
    calls = []

    def chosen(self, target):
        calls.append(target)
        return instead() if len(calls) == 3 else real(self, target)

    return chosen


def test_versions_of_branch_keys_end_where_nothing_lies_under_them(book: SealedBook) -> None:
    book.add(people(2))
    steps, step = book.steps(), ResealStep(tenant=TENANT, change=book.change(SM4))
    steps.publish(step)
    steps.activate(step)
    destroyed = book.vault.renewal.retire_branches(TENANT, SUITES_BY_NAME[SM4])
    assert "subject-wrap" not in destroyed, "people's keys lie under it"
    assert book.digest()
    from compliance.vault import renewal_store

    rows = renewal_store.branch_versions(book.vault.branches.database, tenant=TENANT, purpose="subject-wrap")
    assert [(row.suite, row.state) for row in rows] == [(2, KeyState.ACTIVE), (1, KeyState.DECRYPT_ONLY)]
