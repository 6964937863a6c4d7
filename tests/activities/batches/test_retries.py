"""A refused debit is presented again as the policy frozen with it says, and only if its row may still be debited."""

from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col

from compliance.vault.keyring import Vault
from deploy.demo.mock_bank import rejected
from models.database.engine import Database
from models.domain.batches.retrying.policy import ReasonRule, RetryPolicy
from models.domain.batches.retrying.reasons import Reason
from models.domain.servicing.retry_policy import RetryAction
from models.domain.tokens import new_token
from models.tables.agreements import Agreement, Mandate
from models.tables.batch_runs import BatchOrder, BatchOutcome
from models.tables.daily import Ticket
from models.tables.installments import RuleVerdict
from tests.support.batch_bank import DEBIT, BatchBank, batch_bank
from tests.support.clock import FakeClock
from tests.support.daybook import ONE_DAY, START, TENANT, fate_of

POLICY = RetryPolicy(
    version="retry/house",
    source="a test",
    reasons={
        Reason.INSUFFICIENT_FUNDS: ReasonRule(action=RetryAction.RETRY, after_days=(1,), salary_aware=True),
        Reason.MANDATE_GONE: ReasonRule(action=RetryAction.STOP),
    },
    otherwise=ReasonRule(action=RetryAction.RETRY, after_days=(1,)),
    attempts=2,
    window_days=20,
)
Change = Callable[[Session, BatchBank], None]


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Iterator[BatchBank]:
    with batch_bank(database, vault, clock, tmp_path) as desk:
        yield desk


def _bound(desk: BatchBank, run: str, policy: RetryPolicy, **besides: Any) -> None:
    """Orders of the run are bound to another policy than the product's."""

    def bind(session: Session) -> None:
        for order in desk.orders(run):
            held = session.get_one(BatchOrder, order.id)
            held.policy_version = policy.version
            held.policy = {"record": policy.as_record(), "hash": policy.hash, **besides}

    desk.book.change(bind)


def _refused(desk: BatchBank, run: str, *codes: str) -> BatchOrder:
    """The one order of the run leaves, and the bank refuses it and those after it for these reasons."""
    fate_of(desk.book, desk.agreements[0], *(rejected(code) for code in codes))
    return _answered(desk, run)


def _answered(desk: BatchBank, run: str) -> BatchOrder:
    desk.send(run)
    desk.exchange(run)
    desk.exchange(run)
    return desk.orders(run)[-1]


def _again(desk: BatchBank, run: str, on: date) -> list[tuple[int, str]]:
    desk.to(on)
    desk.retry(run)
    return [(order.attempt, order.state) for order in desk.orders(run)]


def _mandate(**values: Any) -> Change:
    def change(session: Session, desk: BatchBank) -> None:
        mandate = session.get_one(Mandate, desk.agreements[0].mandate_id)
        for name, value in values.items():
            setattr(mandate, name, value)

    return change


def _dispute(session: Session, desk: BatchBank) -> None:
    now, case = desk.book.clock(), desk.agreements[0].case_token
    session.add(
        Ticket(
            id=new_token("tkt"), tenant=TENANT, case_token=case, kind="dispute", state="OPEN", due_at=now,
            opened_by="test", created_at=now,
        )
    )  # fmt: skip


def _closed(session: Session, desk: BatchBank) -> None:
    session.get_one(Agreement, desk.agreements[0].id).status = "settled"


@pytest.mark.parametrize(
    ("change", "reason", "rule"),
    [
        pytest.param(_mandate(account_kind="wage-special"), "blocked-by-rule", "WAGE-33", id="wage-account"),
        pytest.param(_dispute, "disputed", "BATCH-CUT", id="dispute"),
        pytest.param(_closed, "blocked-by-rule", "BATCH-CUT", id="agreement-closed"),
    ],
)
def test_a_row_that_may_not_be_debited_by_now_is_not_presented_again(
    desk: BatchBank, change: Change, reason: str, rule: str
) -> None:
    run = desk.debits(1)
    failed = _refused(desk, run, "AM04")
    desk.book.change(lambda session: change(session, desk))
    assert _again(desk, run, START + timedelta(days=3)) == [(1, "rejected")]
    (order,) = desk.orders(run)
    assert (order.final_state, order.next_try_on) == ("rejected", None)
    (why,) = desk.book.all(BatchOutcome, col(BatchOutcome.cause) == "not-again/2")
    assert (why.order_id, why.reason_code) == (failed.id, reason)
    verdicts = [each.rule_id for each in desk.book.all(RuleVerdict) if each.gate_key.endswith("/1/2")]
    assert rule in verdicts
    assert desk.take(run).open_orders == 0


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        pytest.param(_mandate(revoked_at=None), None, id="as-it-was"),
        pytest.param(_mandate(limit_minor=DEBIT), "DDB-LIMIT", id="lower-limit"),
        pytest.param(_mandate(valid_to=START + ONE_DAY), "DDB-AUTH", id="run-out"),
    ],
)
def test_the_mandate_of_the_day_decides_about_the_next_try(desk: BatchBank, change: Change, rule: str | None) -> None:
    run = desk.debits(1)
    _refused(desk, run, "AM04")
    desk.book.change(lambda session: change(session, desk))
    made = _again(desk, run, START + timedelta(days=3))
    assert made == [(1, "rejected"), *([(2, "queued")] if rule is None else [])]
    assert desk.orders(run)[0].next_try_on is None


def test_the_cap_of_the_policy_that_an_order_keeps_is_the_end_and_says_so(desk: BatchBank) -> None:
    run = desk.debits(1)
    _bound(desk, run, POLICY)
    failed = _refused(desk, run, "AM04", "AM04")
    assert failed.next_try_on == START + ONE_DAY  # the product's policy would wait three days
    assert _again(desk, run, START + ONE_DAY) == [(1, "rejected"), (2, "queued")]
    last = _answered(desk, run)
    assert (last.state, last.next_try_on) == ("rejected", None)
    assert (last.policy["decided"]["cause"], last.policy["decided"]["rule"]) == ("attempts", "RETRY-CAP")
    assert (last.policy["record"], last.policy["hash"]) == (POLICY.as_record(), POLICY.hash)


def test_a_gap_and_a_salary_day_move_the_next_try_and_stand_among_its_steps(desk: BatchBank) -> None:
    run = desk.debits(1)
    gap = POLICY.model_copy(update={"minimum_gap_days": 3, "salary_wait_days": 7})
    _bound(desk, run, gap, salaryDay=27)
    failed = _refused(desk, run, "AM04")
    assert failed.next_try_on == date(2026, 11, 27)  # the day after, then the gap of three, then the wage
    steps = [(step["code"], step["rule"]) for step in failed.policy["decided"]["steps"]]
    assert steps == [("after-refusal", "RETRY-REASON"), ("gap", "RETRY-GAP"), ("salary-day", "RETRY-SALARY")]


def test_behind_the_policy_s_cut_off_the_next_try_waits_for_the_next_bank_day(desk: BatchBank) -> None:
    run = desk.debits(1)
    _bound(desk, run, POLICY.model_copy(update={"cut_off": time(9)}))  # the steps of this desk run at ten
    _refused(desk, run, "AM04")
    assert _again(desk, run, START + ONE_DAY) == [(1, "rejected")]
    assert desk.orders(run)[0].next_try_on == START + 2 * ONE_DAY


@pytest.mark.parametrize(("code", "ends"), [("MD01", True), ("RR04", False)], ids=["forbids", "nobody-has-placed"])
def test_a_reason_is_never_tried_again_by_guess_and_ends_the_mandate_only_where_it_forbids(
    desk: BatchBank, code: str, ends: bool
) -> None:
    run = desk.debits(1)
    _bound(desk, run, POLICY)
    failed = _refused(desk, run, code)
    assert (failed.next_try_on, failed.policy["decided"]["rule"]) == (None, "RETRY-REASON")
    (mandate,) = [each for each in desk.book.all(Mandate) if each.id == failed.mandate_id]
    assert (mandate.revoked_at is not None) is ends
