"""Duplicate detection over the stores: the verdicts of the engine, repeatable, with nothing in clear beside them."""

import json

import pytest
from sqlmodel import col, func, select

from compliance.vault.keyring import Vault
from compliance.vault.linkage import linkage_state
from compliance.vault.states import KeyState
from models.contracts.transfers import ChunkStep, JobStep
from models.database.engine import Database
from models.domain.matching.pairing import MOST_IN_BLOCK
from models.domain.matching.policy import Veto
from models.domain.matching.settling import MATCH_REVIEW
from models.domain.resident_id import check_character
from models.domain.states import TaskState, TaskType
from models.domain.transfers.states import MatchVerdict, MoveState, RowOutcome, Side
from models.errors import WrongState
from models.tables.audit import AuditEvent
from models.tables.tasks import Task
from models.tables.transfers import TransferJob, TransferRow, TransferToken
from tests.support.clock import FakeClock
from tests.support.linkage_sets import Books, Maker, Values, noisy_books, twin_books
from tests.support.transfer_matching import TENANT, Matching

AUTO, REVIEW, DIFFERENT = MatchVerdict.AUTO.value, MatchVerdict.REVIEW.value, MatchVerdict.DIFFERENT.value


@pytest.fixture
def bench(database: Database, vault: Vault, clock: FakeClock) -> Matching:
    return Matching(database, vault, clock)


def _tokens(bench: Matching) -> int:
    with bench.database.read() as session:
        return session.exec(select(func.count()).select_from(TransferToken)).one()


def test_people_in_both_books_are_merged_and_every_row_ends_in_one_place(bench: Matching) -> None:
    books = noisy_books(150, 90, seed=41)
    bench.open(books).run()
    merged = {
        (row.number - 1, bench.customers.index(row.target_record or ""))
        for row in bench.rows()
        if row.outcome == RowOutcome.MERGED
    }
    assert merged <= books.same
    assert len(merged) >= 0.9 * len(books.same)
    for row in bench.rows():
        kinds = {pair.verdict for pair in bench.pairs() if pair.row_number == row.number}
        expected = RowOutcome.MERGED if AUTO in kinds else RowOutcome.HELD if REVIEW in kinds else RowOutcome.ACCEPTED
        assert row.outcome == expected
    figures = bench.present().counts["matching"]
    assert figures["records"] == 300
    assert figures["weights"]["table"]["identity"]["equal"] > 10_000


def test_a_step_that_is_killed_and_repeated_makes_nothing_twice(bench: Matching) -> None:
    bench.open(noisy_books(120, 80, seed=42)).run()
    pairs, rows, tokens = bench.pairs(), bench.rows(), _tokens(bench)
    figures = bench.present().counts["matching"]
    bench.steps.match(ChunkStep(job=bench.job, after="0"))  # the part before was committed, its answer lost
    assert bench.present().counts["matching"] == figures
    bench.run()
    assert [pair.model_dump() for pair in bench.pairs()] == [pair.model_dump() for pair in pairs]
    assert [row.model_dump() for row in bench.rows()] == [row.model_dump() for row in rows]
    assert _tokens(bench) == tokens
    with bench.database.read() as session:
        assert session.exec(select(func.count()).select_from(Task)).one() == sum(
            pair.verdict == REVIEW for pair in pairs
        )


def test_twins_stay_apart_or_come_to_a_person(bench: Matching) -> None:
    books = twin_books(120, seed=43)
    bench.open(books).run()
    # The target's records must have a number: a twin without one got one of another kind, which proves nothing.
    wrong = {
        (pair.row_number - 1, bench.customers.index(pair.other))
        for pair in bench.pairs()
        if pair.verdict == AUTO and pair.other in bench.customers
    } - books.same
    assert wrong <= books.indistinguishable
    assert bench.steps.unreviewed(JobStep(job=bench.job)).count == sum(pair.verdict == REVIEW for pair in bench.pairs())


def test_a_row_that_comes_twice_is_one_person(bench: Matching) -> None:
    maker = Maker(44)
    person, other = maker.person(), maker.person()
    bench.open(Books(source=[person, other, dict(person)])).run()
    assert bench.pair(3).other == "row:1"
    assert (bench.row(3).outcome, bench.row(3).same_row, bench.row(3).target_record) == (RowOutcome.MERGED, 1, None)
    assert bench.row(1).outcome == RowOutcome.ACCEPTED


def test_a_pair_that_is_not_clear_holds_its_row_and_asks_a_person(bench: Matching) -> None:
    person = Maker(45).person()
    alone: Values = {**person, "id_number": None, "mobile": None, "email": None, "account": None, "address": None}
    bench.open(Books(source=[alone], target=[person])).run()
    assert (bench.row(1).outcome, bench.row(1).reason_code) == (RowOutcome.HELD, MATCH_REVIEW)
    with bench.database.read() as session:
        [task] = session.exec(select(Task)).all()
    assert (task.type, task.state, task.branch) == (TaskType.MATCH_REVIEW, TaskState.READY, "0001")
    assert task.id == bench.pair(1).task_id
    told = json.dumps([task.shown, task.title_params])
    assert not any(str(value) in told for name, value in person.items() if value and name not in {"sex", "id_type"})


def test_one_person_without_a_number_who_fits_two_is_merged_with_neither(bench: Matching) -> None:
    maker = Maker(46)
    one = {**maker.person(), "account": None}
    two = {**one, "id_number": maker.id_number(str(one["id_number"])[:6], _born(one), str(one["sex"]))}
    nobody = {**one, "id_number": None}
    bench.open(Books(source=[nobody], target=[one, two])).run()
    assert {pair.verdict for pair in bench.pairs()} == {REVIEW}
    assert all(Veto.AMBIGUOUS in pair.vetoes for pair in bench.pairs())
    assert bench.row(1).outcome == RowOutcome.HELD


def test_two_different_persons_are_not_merged_into_one_record_that_fits_both(bench: Matching) -> None:
    maker = Maker(47)
    one = {**maker.person(), "account": None}
    two = {**one, "id_number": maker.id_number(str(one["id_number"])[:6], _born(one), str(one["sex"]))}
    old = {**one, "id_number": None}
    bench.open(Books(source=[one, two], target=[old])).run()
    target = bench.customers[0]
    assert {bench.pair(number, target).verdict for number in (1, 2)} == {REVIEW}
    assert {bench.row(number).outcome for number in (1, 2)} == {RowOutcome.HELD}


def _born(person: Values):  # type: ignore[no-untyped-def]
    from datetime import date

    return date.fromisoformat(str(person["birth_date"]))


def test_a_mobile_that_hundreds_have_is_no_reason_to_compare_them_all(bench: Matching) -> None:
    maker = Maker(48)
    crowd = [{**maker.person(), "mobile": "+8613700137001"} for _ in range(MOST_IN_BLOCK + 10)]
    bench.open(Books(source=crowd)).run()
    figures = bench.present().counts["matching"]
    assert figures["crowdedBlocks"] == {"mobile": 1}
    assert figures["compared"] < len(crowd)


def test_only_candidates_are_opened(bench: Matching) -> None:
    bench.open(noisy_books(200, 20, seed=49)).run()
    figures = bench.present().counts["matching"]
    assert figures["opened"] <= 0.25 * figures["records"]


def test_rows_that_were_turned_away_or_have_moved_are_left_alone(bench: Matching) -> None:
    person = Maker(50).person()
    bench.open(Books(source=[person, person, person], target=[person]))
    with bench.database.engine.begin() as connection:
        table = TransferRow.__table__  # type: ignore[attr-defined]
        connection.execute(table.update().where(table.c.number == 1).values(outcome=RowOutcome.REJECTED.value))
        connection.execute(table.update().where(table.c.number == 2).values(move=MoveState.MOVED.value))
    bench.run()
    assert bench.row(1).outcome == RowOutcome.REJECTED
    assert bench.row(2).target_record is None
    assert bench.row(3).target_record == bench.customers[0]
    assert {pair.row_number for pair in bench.pairs()} == {3}


def test_a_paused_job_does_nothing(bench: Matching, clock: FakeClock) -> None:
    bench.open(noisy_books(5, 5, seed=51))
    with bench.database.engine.begin() as connection:
        connection.execute(TransferJob.__table__.update().values(paused_at=clock()))  # type: ignore[attr-defined]
    done = bench.steps.make_tokens(ChunkStep(job=bench.job, side=Side.SOURCE.value))
    assert (done.paused, done.after) == (True, "")
    assert _tokens(bench) == 0


def test_after_the_linkage_is_destroyed_nothing_can_be_joined_again(bench: Matching) -> None:
    bench.open(noisy_books(40, 20, seed=52)).run()
    assert _tokens(bench) > 0
    for _ in range(2):
        bench.steps.destroy_linkage(JobStep(job=bench.job))
    assert _tokens(bench) == 0
    assert linkage_state(bench.vault.branches, tenant=TENANT, job=bench.job) is KeyState.DESTROYED
    assert bench.present().counts["matching"]["tokensDropped"] > 0
    with pytest.raises(WrongState):
        bench.steps.make_tokens(ChunkStep(job=bench.job, side=Side.TARGET.value))
    assert _tokens(bench) == 0


def test_nothing_identifying_stands_in_pairs_tokens_counts_or_events(bench: Matching) -> None:
    books = noisy_books(60, 40, seed=53)
    bench.open(books).run()
    with bench.database.read() as session:
        events = session.exec(select(AuditEvent.body).where(col(AuditEvent.action).like("transfer.%"))).all()
    told = json.dumps([pair.model_dump(mode="json") for pair in bench.pairs()], ensure_ascii=False)
    told += "".join(events) + json.dumps(bench.present().counts, ensure_ascii=False)
    for record in (*books.source, *books.target):
        for name in ("name", "id_number", "mobile", "email", "address", "account"):
            assert not record[name] or str(record[name]) not in told


def test_the_legacy_number_of_a_row_finds_the_record(bench: Matching) -> None:
    body = "11010519500506123"
    number = body + check_character(body)
    person = {**Maker(54).person(), "id_number": number, "birth_date": "1950-05-06", "sex": "M", "account": None}
    legacy = {**person, "id_number": number[:6] + number[8:17], "mobile": None, "email": None, "address": None}
    bench.open(Books(source=[legacy], target=[person])).run()
    assert bench.pair(1).verdict == AUTO
