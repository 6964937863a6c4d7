"""Execution: every row has one end, whatever dies, whoever else works on it, and whenever people stop it."""

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlmodel import col
from temporalio.testing import ActivityEnvironment

from activities.batches.execute_steps import SqlExecute
from activities.batches.executing import ChunkWork, Refused
from activities.batches.timing import due_in_s
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import ChunkStep
from models.domain.batches.states import RunStage
from models.errors import CaseworkError, WrongState
from models.operations.batches import chunks
from models.operations.batches.runs import run_on
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.audit import AuditEvent
from models.tables.batch_runs import BatchOrder, BatchOutcome
from tests.support.batch_executing import ExecuteOffice
from tests.support.daybook import ONE_DAY, START, level_rows
from tests.support.kills import Killed, Moment, crashing, killing


@pytest.fixture
def office(database, vault, clock, tmp_path: Path) -> ExecuteOffice:
    return ExecuteOffice(database, vault, clock, tmp_path)


@pytest.fixture
def on_sqlite(sqlite_database, vault, clock, tmp_path: Path) -> ExecuteOffice:
    return ExecuteOffice(sqlite_database, vault, clock, tmp_path)


def revoke(office: ExecuteOffice, mandate_id: str) -> None:
    def act(session: Any) -> None:
        mandate = session.get_one(Mandate, mandate_id)
        mandate.revoked_at = office.clock()
        session.add(mandate)

    office.book.change(act)


def mixed_run(office: ExecuteOffice, *, rows: int = 23, excluded: int = 3, **more: Any) -> str:
    """Rows under two mandates, of which one is revoked."""
    good, gone = office.book.agree(), office.book.agree()
    revoke(office, str(gone.mandate_id))
    return office.run(office.claims([good, good, gone], rows), excluded=excluded, **more)


def test_every_row_has_its_order_or_its_reason_and_a_repeated_step_changes_nothing(office: ExecuteOffice) -> None:
    token = mixed_run(office)
    assert office.plan(token) == office.plan(token) == 5
    first = office.execute(token)
    ends = office.assert_conserved(token)
    before = [each.model_dump() for each in office.orders(token)]
    assert office.execute(token) == first
    assert [each.model_dump() for each in office.orders(token)] == before
    assert ends["order"] + ends["barred"] == 20
    assert ends["barred"]
    assert {(each.reason_code, each.rule_id) for each in office.orders(token) if each.final_state} == {
        ("mandate-revoked", "CBL-29")
    }
    assert sum(done.amount_minor for done in first) == sum(
        each.amount_minor for each in office.orders(token) if not each.final_state
    )
    executed = office.book.all(AuditEvent, col(AuditEvent.action) == "batch.chunk-executed")
    assert len(executed) == 5


@pytest.mark.parametrize("every", [2, 3])
def test_whichever_commit_it_dies_behind_every_row_ends_once(
    office: ExecuteOffice, monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    token = mixed_run(office, rows=17, excluded=2)
    number = 1
    with killing(monkeypatch, every) as killer:
        chunks_planned = 0
        while not chunks_planned or number <= chunks_planned:
            try:
                chunks_planned = chunks_planned or office.plan(token)
                if office.chunk(token, number).done:
                    number += 1
            except Killed:
                office.assert_conserved(token, ended=False)
    assert killer.kills >= 2
    office.assert_conserved(token)


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("nth", [1, 2])
def test_a_chunk_dies_at_each_point_of_each_write(
    on_sqlite: ExecuteOffice, monkeypatch: pytest.MonkeyPatch, moment: Moment, nth: int
) -> None:
    office = on_sqlite
    token = mixed_run(office, rows=5, excluded=0)
    office.plan(token)
    with crashing(monkeypatch, moment, nth) as point, pytest.raises(Killed):
        office.chunk(token, 1)
    assert point.fired
    assert len(office.orders(token)) == (5 if (nth, moment) == (2, Moment.COMMITTED) else 0)
    assert office.chunk(token, 1).done  # the same activity, tried again, need not wait for its own lease
    office.assert_conserved(token)


def test_a_lease_keeps_others_out_until_it_lapses_and_the_older_fence_writes_nothing(office: ExecuteOffice) -> None:
    token = mixed_run(office, rows=5, excluded=0)
    office.plan(token)
    slow = office.executor("slow")
    taken = slow._take(ChunkStep(run=token, chunk=1), office.clock())
    assert taken is not None
    waiting = office.chunk(token, 1, "other")
    assert not waiting.done
    assert waiting.due_in_s is not None
    assert 1 <= waiting.due_in_s <= 31
    office.clock.advance(chunks.LEASE + timedelta(seconds=1))
    assert office.chunk(token, 1, "other").done
    before = [each.model_dump() for each in office.orders(token)]
    with office.database.read() as session:
        assert not chunks.holds(session, token, 1, taken)

    late = ChunkWork(office.database, office.clock, office.judge(), slow.cases, slow.policy_of, taken)
    with pytest.raises(Refused):
        late.execute(ChunkStep(run=token, chunk=1))
    assert [each.model_dump() for each in office.orders(token)] == before
    office.assert_conserved(token)


def test_taken_over_in_the_middle_of_its_judgement_it_writes_nothing(on_sqlite: ExecuteOffice) -> None:
    office = on_sqlite
    token = mixed_run(office, rows=5, excluded=0)
    office.plan(token)
    lease = office.executor("slow")._take(ChunkStep(run=token, chunk=1), office.clock())
    office.clock.advance(chunks.LEASE)
    assert office.executor("other")._take(ChunkStep(run=token, chunk=1), office.clock())
    slow = office.executor("slow")
    assert lease is not None
    with pytest.raises(Refused):
        ChunkWork(office.database, office.clock, office.judge(), slow.cases, slow.policy_of, lease).execute(
            ChunkStep(run=token, chunk=1)
        )
    assert office.orders(token) == []
    assert office.chunk(token, 1, "other").done
    office.assert_conserved(token)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Do these at the same time; their answers, or what they raised."""
    answers: list[Any] = [None] * len(acts)
    barrier = threading.Barrier(len(acts))

    def one(place: int) -> None:
        barrier.wait()
        try:
            answers[place] = acts[place]()
        except CaseworkError as error:
            answers[place] = error

    threads = [threading.Thread(target=one, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_executors_at_once_make_one_order_of_each_row(office: ExecuteOffice) -> None:
    token = mixed_run(office, rows=10, excluded=0)
    office.plan(token)
    for number in (1, 2):
        answers = at_once(*(lambda who=who, number=number: office.chunk(token, number, who) for who in ("a", "b", "c")))
        assert any(done.done for done in answers)
        assert all(done.done or done.due_in_s for done in answers)
    office.assert_conserved(token)


def test_two_runs_at_once_never_have_two_open_orders_of_one_claim(office: ExecuteOffice) -> None:
    good = office.book.agree()
    claims = office.claims([good], 10)
    tokens = [office.run(claims, settings={"chunkRows": 10}) for _ in range(2)]
    for token in tokens:
        office.plan(token)
    answers = at_once(*(lambda token=token: office.chunk(token, 1) for token in tokens))
    assert all(done.done for done in answers), answers
    both = [each for token in tokens for each in office.orders(token)]
    still_open = [each.claim_key for each in both if each.final_state is None]
    assert sorted(still_open) == sorted(each["claim_key"] for each in claims)
    barred = [each for each in both if each.final_state == "barred"]
    assert {(each.reason_code, each.rule_id) for each in barred} == {("order-open", "BATCH-ONCE")}
    for token in tokens:
        office.assert_conserved(token)


def test_a_paused_run_goes_on_where_it_stood(office: ExecuteOffice) -> None:
    token = mixed_run(office)
    office.plan(token)
    assert office.chunk(token, 1).done
    office.set_run(token, paused_at=office.clock())
    assert office.chunk(token, 2).paused
    assert office.chunk(token, 1).done, "what is done is done"
    assert len(office.orders(token)) == 5
    office.set_run(token, paused_at=None)
    assert all(done.done for done in office.execute(token))
    office.assert_conserved(token)


def test_paused_between_lease_and_write_nothing_stands_and_the_lease_is_given_back(office: ExecuteOffice) -> None:
    token = mixed_run(office, rows=5, excluded=0)
    office.plan(token)
    step = ChunkStep(run=token, chunk=1)
    one = office.executor()
    lease = one._take(step, office.clock())
    assert lease is not None
    office.set_run(token, paused_at=office.clock())
    done = ChunkWork(office.database, office.clock, office.judge(), one.cases, one.policy_of, lease).execute(step)
    assert (done.done, done.paused) == (False, True)
    assert office.orders(token) == []
    office.set_run(token, paused_at=None)
    assert office.chunk(token, 1, "somebody else").done
    office.assert_conserved(token)


def test_cancelled_in_the_middle_what_has_not_left_is_withdrawn_and_every_row_has_its_reason(
    office: ExecuteOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = mixed_run(office)
    office.plan(token)
    for number in (1, 2):
        assert office.chunk(token, number).done
    zombie = office.executor("zombie")
    lease = zombie._take(ChunkStep(run=token, chunk=3), office.clock())
    office.set_run(token, cancel_asked_at=office.clock())
    assert office.chunk(token, 3).paused
    with pytest.raises(WrongState):
        office.walk(office.executor().withdraw_orders, token)
    office.set_run(token, stage=RunStage.STOPPING)
    with killing(monkeypatch, 2) as killer:
        while True:
            try:
                office.walk(office.executor().withdraw_orders, token)
                break
            except Killed:
                office.assert_conserved(token, ended=False)
    assert killer.kills
    ends = office.assert_conserved(token)
    assert not ends["order"]
    assert ends["withdrawn"] >= 10
    assert {each.reason_code for each in office.orders(token) if each.final_state == "withdrawn"} == {"run-cancelled"}
    assert lease is not None
    with pytest.raises(Refused):  # it lives on, and can write nothing
        ChunkWork(office.database, office.clock, office.judge(), zombie.cases, zombie.policy_of, lease).execute(
            ChunkStep(run=token, chunk=3)
        )
    assert office.walk(office.executor().withdraw_orders, token) == 0
    queued = [each for each in office.book.all(BatchOutcome) if each.state == "queued"]
    withdrawn = {each.order_id for each in office.book.all(BatchOutcome) if each.state == "withdrawn"}
    assert {each.order_id for each in queued} <= withdrawn


def test_an_order_in_a_file_is_not_withdrawn(on_sqlite: ExecuteOffice) -> None:
    office = on_sqlite
    good = office.book.agree()
    token = office.run(office.claims([good], 3))
    office.execute(token)
    left = office.orders(token)[0].id

    def act(session: Any) -> None:
        order = session.get_one(BatchOrder, left)
        order.state = "sent"
        session.add(order)

    office.book.change(act)
    office.set_run(token, stage=RunStage.STOPPING)
    office.walk(office.executor().withdraw_orders, token)
    assert [each.state for each in office.orders(token)] == ["sent", "withdrawn", "withdrawn"]


def test_too_many_failures_stop_the_run_and_are_counted_anew_when_a_person_has_it_go_on(office: ExecuteOffice) -> None:
    gone = office.book.agree()
    revoke(office, str(gone.mandate_id))
    token = office.run(office.claims([gone], 15), settings={"failureBps": 5_000, "atLeast": 5})
    office.plan(token)
    done = office.chunk(token, 1)
    assert (done.done, done.stopped) == (True, "failure-rate")
    assert office.of_run(token).tripped == "failure-rate"
    again = office.chunk(token, 2)
    assert (again.done, again.stopped) == (False, "failure-rate")
    assert len(office.orders(token)) == 5
    office.book.change(lambda session: run_on(session, token, settings={"failureBps": 10_000}, now=office.clock()))
    assert [office.chunk(token, number).stopped for number in (2, 3)] == [None, None]
    office.assert_conserved(token)


def test_no_minor_unit_above_the_limit_stands_before_a_person_has_looked(office: ExecuteOffice) -> None:
    good = office.book.agree()
    token = office.run(
        [each | {"amount_minor": 1_000_00} for each in office.claims([good], 15)], settings={"amountMinor": 7_000_00}
    )
    office.plan(token)
    assert office.chunk(token, 1).done
    stopped = office.chunk(token, 2)
    assert (stopped.done, stopped.stopped) == (False, "amount-limit")
    assert sum(each.amount_minor for each in office.orders(token)) == 5_000_00
    office.book.change(lambda session: run_on(session, token, settings={}, now=office.clock()))
    assert office.chunk(token, 2).done
    assert office.chunk(token, 3).done, "5,000.00 more than what was looked at"
    office.assert_conserved(token)


def test_behind_the_cut_off_and_on_a_holiday_no_order_is_made(office: ExecuteOffice) -> None:
    good = office.book.agree()
    token = office.run(office.claims([good], 3), settings={"cutOff": "16:30"})
    office.plan(token)
    office.clock.set(datetime(2026, 11, 23, 8, 30, tzinfo=UTC))  # 16:30 in Shanghai
    late = office.chunk(token, 1)
    assert (late.done, late.due_in_s) == (False, int(7.5 * 3600))
    office.clock.set(datetime(2026, 11, 23, 8, 29, 59, tzinfo=UTC))
    office.holidays = {START}
    assert office.chunk(token, 1).due_in_s
    assert office.orders(token) == []
    office.holidays = set()
    assert office.chunk(token, 1).done


def test_where_nobody_knows_the_calendar_nothing_is_held_up_by_guess() -> None:
    def unknown(_day: Any) -> bool:
        raise LookupError

    now = datetime(2031, 1, 1, 2, tzinfo=UTC)
    assert due_in_s(now, on=now.date(), cut_off=time(17), is_bank_day=unknown) is None


def test_an_open_cohort_is_not_cut(on_sqlite: ExecuteOffice) -> None:
    good = on_sqlite.book.agree()
    token = on_sqlite.run(on_sqlite.claims([good], 1))
    on_sqlite.set_run(token, revision=2)
    with pytest.raises(WrongState):
        on_sqlite.executor().plan_chunks(RunStep(run=token))


def test_part_paid_since_the_cohort_only_what_is_left_is_taken(on_sqlite: ExecuteOffice) -> None:
    """BATCH-CUT: never more than is due when the run reaches the row."""
    office = on_sqlite
    agreement = office.book.agree(rows=level_rows(2))
    due = office.row_claim(agreement)
    token = office.run([due])

    def pay(session: Any) -> None:
        row = session.get_one(AgreementRow, (agreement.id, 1))
        row.due, row.paid_principal_minor = START, 40_000
        session.add(row)

    office.book.change(pay)
    office.book.change(lambda session: _folded(session, agreement.id))
    office.execute(token)
    (order,) = office.orders(token)
    assert (order.final_state, order.amount_minor) == (None, due["amount_minor"] - 40_000)


def _folded(session: Any, agreement_id: str) -> None:
    agreement = session.get_one(Agreement, agreement_id)
    agreement.folded_to = START - ONE_DAY
    session.add(agreement)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(0, 40),
    chunk_rows=st.integers(1, 13),
    out=st.integers(0, 6),
    seed=st.integers(0, 2**16),
)
def test_conservation_over_sizes(on_sqlite: ExecuteOffice, rows: int, chunk_rows: int, out: int, seed: int) -> None:
    """members = orders + barred + excluded, in whatever order the chunks are done, and however often."""
    office, chance = on_sqlite, random.Random(seed)
    good, gone = office.book.agree(), office.book.agree()
    revoke(office, str(gone.mandate_id))
    members = office.claims(chance.choices([good, gone], k=7), rows, amount=chance.randint(1, 99_99))
    token = office.run(members, excluded=min(out, rows), settings={"chunkRows": chunk_rows})
    planned = office.plan(token)
    assert planned == -(-rows // chunk_rows)
    order = [*range(1, planned + 1), *chance.choices(range(1, planned + 1), k=planned)] if planned else []
    chance.shuffle(order)
    for number in order:
        assert office.chunk(token, number).done
    ends = office.assert_conserved(token)
    assert set(ends) <= {"order", "barred"}


def test_tried_again_an_activity_takes_its_own_lease_and_another_activity_does_not(on_sqlite: ExecuteOffice) -> None:
    office = on_sqlite
    token = mixed_run(office, rows=5, excluded=0)
    office.plan(token)
    steps = SqlExecute(office.database, office.clock, office.judge())
    step = ChunkStep(run=token, chunk=1)
    first, other = ActivityEnvironment(), ActivityEnvironment()
    other.info = replace(other.info, activity_id="another")
    assert first.run(steps._take, step, office.clock()) is not None
    waiting = other.run(steps.execute_chunk, step)
    assert (waiting.done, waiting.due_in_s is not None) == (False, True)
    assert first.run(steps.execute_chunk, step).done
    assert other.run(steps.execute_chunk, step).done
    office.assert_conserved(token)
