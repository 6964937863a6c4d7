"""The rehearsal is the live run with effects off; what the live run did otherwise is said line by line, and why."""

from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session

from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartStep
from models.domain.batches.differences import CODES, Line, difference
from models.domain.batches.kinds import KindName
from models.domain.batches.states import RunStage
from models.tables.agreements import Mandate
from models.tables.batch_runs import BatchOrder
from models.texts.render import LOCALES, has_text
from tests.support.batch_executing import ExecuteOffice
from tests.support.kills import Killed, killing


@pytest.fixture
def office(database, vault, clock, tmp_path: Path) -> ExecuteOffice:
    return ExecuteOffice(database, vault, clock, tmp_path)


def revoke(office: ExecuteOffice, mandate_id: str | None) -> None:
    def act(session: Session) -> None:
        mandate = session.get_one(Mandate, mandate_id)
        mandate.revoked_at = office.clock()
        session.add(mandate)

    office.book.change(act)


def test_rehearsed_and_executed_a_row_comes_to_the_same(office: ExecuteOffice) -> None:
    good, gone = office.book.agree(), office.book.agree()
    revoke(office, gone.mandate_id)
    token = office.run(office.claims([good, gone], 13), excluded=2, stage=RunStage.REHEARSING)
    summed = office.rehearse(token)
    assert office.orders(token) == []
    assert summed.orders + summed.barred == 11
    assert office.rehearse(token) == summed, "asked again, it is the same"
    assert office.of_run(token).rehearsal_hash == summed.rehearsal_hash
    office.set_run(token, stage=RunStage.EXECUTING)
    done = office.execute(token)
    assert sum(each.orders for each in done) == summed.orders
    assert sum(each.barred for each in done) == summed.barred
    assert sum(each.amount_minor for each in done) == summed.amount_minor
    assert office.walk(office.rules().compare_live, token) == 11
    assert {each.difference for each in office.expected(token)} == {None}
    assert all(each.compared_at for each in office.expected(token))


def test_what_has_changed_since_is_told_line_by_line(office: ExecuteOffice) -> None:
    first, second, third = (office.book.agree() for _ in range(3))
    revoke(office, third.mandate_id)
    claims = office.claims([first, second, third], 6)
    token = office.run(claims, settings={"chunkRows": 6})
    office.rehearse(token)
    revoke(office, second.mandate_id)

    def restore(session: Session) -> None:
        mandate = session.get_one(Mandate, third.mandate_id)
        mandate.revoked_at = None
        session.add(mandate)

    office.book.change(restore)
    other = office.run([each for each in claims if each["mandate_id"] == first.mandate_id][:1])
    office.execute(other)
    office.execute(token)
    office.walk(office.rules().compare_live, token)
    by_mandate: dict[str, set[str | None]] = {}
    orders = {each.member: each for each in office.orders(token)}
    for line in office.expected(token):
        by_mandate.setdefault(str(orders[line.member].mandate_id), set()).add(line.difference)
    assert by_mandate == {
        str(first.mandate_id): {None, "since-order-open"},
        str(second.mandate_id): {"since-mandate-revoked"},
        str(third.mandate_id): {"no-longer-barred"},
    }


def test_a_later_answer_of_the_bank_is_no_difference_and_a_withdrawn_order_is(office: ExecuteOffice) -> None:
    good = office.book.agree()
    token = office.run(office.claims([good], 3))
    office.rehearse(token)
    office.execute(token)
    ids = [each.id for each in office.orders(token)]

    def act(session: Session) -> None:
        rejected, withdrawn = session.get_one(BatchOrder, ids[0]), session.get_one(BatchOrder, ids[1])
        rejected.state = rejected.final_state = "rejected"
        withdrawn.state = withdrawn.final_state = "withdrawn"
        session.add_all((rejected, withdrawn))

    office.book.change(act)
    office.walk(office.rules().compare_live, token)
    assert [each.difference for each in office.expected(token)] == [None, "withdrawn", None]


def test_it_dies_between_any_two_commits_and_goes_on(office: ExecuteOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    good = office.book.agree()
    token = office.run(office.claims([good], 23))
    steps = office.rules()
    with killing(monkeypatch, 2) as killer:
        for step in (steps.rehearse, steps.compare_live):
            while True:
                try:
                    office.walk(step, token)
                    break
                except Killed:
                    continue
    assert killer.kills
    assert [each.member for each in office.expected(token)] == list(range(1, 24))
    assert {each.difference for each in office.expected(token)} == {"not-reached"}


def test_a_paused_rehearsal_waits(office: ExecuteOffice) -> None:
    token = office.run(office.claims([office.book.agree()], 3), paused_at=office.clock())
    done = office.rules().rehearse(PartStep(run=token))
    assert (done.paused, done.after, done.rows) == (True, "", 0)
    assert office.expected(token) == []


def test_the_sum_of_a_payroll_reserves_its_funding_once(office: ExecuteOffice) -> None:
    held: list[int] = []

    def hold(_session: Session, _run: Any, *, amount_minor: int, now: Any) -> None:
        assert now
        held.append(amount_minor)

    token = office.run([], kind=KindName.PAYROLL, stage=RunStage.REHEARSING)
    rules = office.rules()
    rules.hold_funding = hold
    first = rules.sum_rehearsal(RunStep(run=token))
    assert rules.sum_rehearsal(RunStep(run=token)) == first
    assert held == [0]


@pytest.mark.parametrize(
    ("expected", "live", "code"),
    [
        (("queued", 5, None, None), ("queued", 4, None, None), "amount-lower"),
        (("queued", 5, None, None), ("settled", 6, None, None), "amount-higher"),
        (("barred", 5, "disputed", "BATCH-CUT"), ("barred", 5, "nothing-due", "BATCH-CUT"), "other-reason"),
        (("barred", 5, "disputed", "BATCH-CUT"), ("barred", 4, "disputed", "BATCH-CUT"), None),
        (("queued", 5, None, None), None, "not-reached"),
    ],
)
def test_differences(expected: tuple[Any, ...], live: tuple[Any, ...] | None, code: str | None) -> None:
    def line(values: tuple[Any, ...]) -> Line:
        return Line(state=values[0], amount_minor=values[1], reason_code=values[2], rule_id=values[3])

    assert difference(line(expected), line(live) if live is not None else None) == code


def test_every_difference_is_explained() -> None:
    missing = [
        (code, locale) for code in CODES for locale in LOCALES if not has_text(f"batch-difference.{code}", locale)
    ]
    assert missing == []
