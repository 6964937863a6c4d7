"""Many lines of the bank's at once come to what they come to one after the other, whatever the bank says how often."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from sqlmodel import Session, col

from activities.batches.answering import LinePoster
from activities.gateways.bank.replies import ReplyStatus
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.batches.kinds import KindName
from models.domain.batches.retrying.policy import ReasonRule, RetryPolicy
from models.domain.batches.retrying.reasons import Reason
from models.domain.batches.states import OrderState
from models.domain.servicing.retry_policy import RetryAction
from models.operations.batches.funding import hold_funding, pay_in
from models.operations.batches.moving import book_settled
from models.tables.agreements import Agreement, Mandate
from models.tables.audit import AuditEvent
from models.tables.batch_books import BatchEntry, BatchSuspense
from models.tables.batch_clients import BatchClient, FundingAccount, FundingHold
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import BankFile, BankReply
from models.tables.notices import Notice
from models.tables.tasks import Task
from tests.support.clock import FakeClock
from tests.support.daybook import ONE_DAY, START, TENANT, Daybook, daybook

ORDERS = 5
MANDATES = 3  # fewer than orders: a reason that ends a mandate ends the tries of another order too
AMOUNT = 100_00
POLICY = RetryPolicy(
    version="retry/house",
    source="a test",
    reasons={
        Reason.INSUFFICIENT_FUNDS: ReasonRule(action=RetryAction.RETRY, after_days=(1, 3)),
        Reason.MANDATE_GONE: ReasonRule(action=RetryAction.STOP),
    },
    otherwise=ReasonRule(action=RetryAction.ASK_CUSTOMER),
    attempts=3,
    window_days=20,
)


@dataclass(frozen=True)
class Line:
    """What the bank says of an order, or of none that we find."""

    member: int | None
    status: ReplyStatus
    has_amount: bool
    credit: bool | None
    reason: str | None
    value_date: date | None


@dataclass(frozen=True)
class Start:
    """How an order stands when the bank answers."""

    state: OrderState
    has_end: bool = False


def refused(member: int, reason: str) -> Line:
    return Line(member, ReplyStatus.REJECTED, has_amount=False, credit=None, reason=reason, value_date=None)


def paid(member: int, status: ReplyStatus = ReplyStatus.SETTLED) -> Line:
    return Line(member, status, has_amount=True, credit=None, reason=None, value_date=START)


STARTS = st.sampled_from(
    [
        *[Start(OrderState.SENT)] * 3,
        Start(OrderState.IN_FILE),
        Start(OrderState.ACCEPTED),
        Start(OrderState.SETTLED),
        Start(OrderState.SETTLED, has_end=True),
        Start(OrderState.REJECTED),
    ]
)
LINES = st.lists(
    st.builds(
        Line,
        member=st.sampled_from([*range(1, ORDERS + 1), *range(1, ORDERS + 1), None]),
        status=st.sampled_from([*ReplyStatus, ReplyStatus.SETTLED, ReplyStatus.RETURNED, ReplyStatus.REJECTED]),
        has_amount=st.sampled_from([True, True, False]),
        credit=st.sampled_from([None, None, True, False]),
        reason=st.sampled_from(["AM04", "MD01", "AC04", "ZZ99", None]),
        value_date=st.sampled_from([None, START, START + ONE_DAY]),
    ),
    min_size=1,
    max_size=16,
)
NUMBERS = count(1)


@pytest.fixture
def bank(
    database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> Iterator[tuple[Daybook, list[Agreement], list[Agreement]]]:
    """Open books, and two customers' mandates of the same kind."""
    with daybook(database, vault, clock, tmp_path, with_bank=False) as book:
        ones, others = ([book.agree() for _ in range(MANDATES)] for _ in range(2))
        yield book, ones, others


@dataclass
class Answered:
    """A run whose orders the bank has answered. All that is named after it carries its `mark`."""

    book: Daybook
    kind: KindName
    mark: str
    agreements: list[Agreement]

    @property
    def run(self) -> str:
        return f"{TENANT}.{self.mark:0<26}"

    def name(self, prefix: str, number: int) -> str:
        return f"{prefix}_{self.mark}{number:018d}"

    def write(self, starts: list[Start], lines: list[Line]) -> None:
        """The run, its orders, and the lines that wait, in the order in which they came."""

        def write(session: Session) -> None:
            now = self.book.clock()
            session.add(
                BatchRun(
                    token=self.run, tenant=TENANT, branch="hq", kind=self.kind.value, origin="staff", source="book",
                    request_key=self.run, business_date=START, stage="awaiting", created_by="-",
                    created_by_person="-", created_at=now, updated_at=now, settings={"failureBps": 10_000},
                )
            )  # fmt: skip
            for number, way in ((1, "out"), (2, "in")):
                session.add(
                    BankFile(
                        id=self.name("bkf", number), tenant=TENANT, direction=way, kind="-",
                        name=self.name("x", number), business_date=START, state="SENT", created_at=now,
                    )
                )  # fmt: skip
            session.flush()
            if self.kind is KindName.PAYROLL:
                self._fund(session)
            for member, start in enumerate(starts, start=1):
                self._order(session, member, start)
            session.add_all([self._line(number, line) for number, line in enumerate(lines, start=1)])

        self.book.change(write)

    def post(self, chunk: int) -> None:
        book = self.book
        LinePoster(book.database, book.clock, TENANT, START, book.is_bank_day, lambda: None, chunk).run()

    def _fund(self, session: Session) -> None:
        now, client, account = self.book.clock(), self.name("bcl", 1), self.name("fac", 1)
        session.add(
            BatchClient(
                id=client, tenant=TENANT, code=self.mark, agreement_from=START, state="active", created_at=now,
                name_cell=b"-",
            )
        )  # fmt: skip
        session.flush()
        funding = FundingAccount(
            id=account, tenant=TENANT, client=client, account_kind="settlement", updated_at=now, account_cell=b"-"
        )
        session.add(funding)
        session.flush()
        total = sum(AMOUNT + member for member in range(1, ORDERS + 1))
        pay_in(session, funding, amount_minor=total, key=self.mark, value_date=START, now=now)
        run = session.get_one(BatchRun, self.run)
        run.client, run.funding_account = client, account
        session.flush()
        hold_funding(session, run, amount_minor=total, now=now)

    def _order(self, session: Session, member: int, start: Start) -> None:
        now, settled = self.book.clock(), start.state is OrderState.SETTLED
        is_debit = self.kind is not KindName.PAYROLL
        order = BatchOrder(
            id=self.name("bor", member), tenant=TENANT, run=self.run, member=member, claim_key=self.name("c", member),
            subject_id="-", end_to_end_id=self.name("e", member), amount_minor=AMOUNT + member,
            mandate_id=self.agreements[member % MANDATES].mandate_id if is_debit else None,
            file_id=self.name("bkf", 1), state=start.state.value, policy_version=POLICY.version,
            policy={"record": POLICY.as_record()}, requested_on=START, settled_on=START if settled else None,
            final_state=start.state.value if start.has_end else None, final_at=now if start.has_end else None,
            created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(order)
        session.flush()
        if settled:
            book_settled(session, session.get_one(BatchRun, self.run), order, value_date=START, now=now)

    def _line(self, number: int, line: Line) -> BankReply:
        known = line.member is not None
        amount = (AMOUNT + line.member if line.member is not None else 77) if line.has_amount else 0
        return BankReply(
            id=self.name("bkr", number), tenant=TENANT, file_id=self.name("bkf", 2),
            business_key=self.name("k", number), end_to_end_id=self.name("e", line.member or 1),
            order_id=self.name("bor", line.member) if line.member is not None else None, status=line.status.value,
            reason_code=line.reason if known else None, amount_minor=amount, value_date=line.value_date,
            credit=line.credit, state="NEW", created_at=self.book.clock(),
        )  # fmt: skip

    # -- what the records say, without the names of this run

    def told(self) -> dict[str, Any]:
        """Everything that has followed."""
        all_of, run = self.book.all, self.run
        orders = sorted(all_of(BatchOrder, col(BatchOrder.run) == run), key=lambda each: each.member)
        replies = sorted(all_of(BankReply, col(BankReply.file_id) == self.name("bkf", 2)), key=lambda each: each.id)
        suspense = all_of(BatchSuspense, col(BatchSuspense.run) == run)
        found = {
            "orders": [
                [each.member, each.state, each.reason_code, each.settled_on, each.next_try_on, each.final_state,
                 each.policy, each.updated_at] for each in orders
            ],
            "outcomes": sorted(
                [each.order_id, each.cause, each.state, each.reason_code or ""]
                for each in all_of(BatchOutcome, col(BatchOutcome.run) == run)
            ),
            "entries": sorted(
                [each.posting, each.leg, each.account, each.amount_minor, each.value_date, each.order_id or ""]
                for each in all_of(BatchEntry, col(BatchEntry.run) == run)
            ),
            "suspense": sorted(
                [each.reply_id, each.amount_minor, each.code, each.state, each.order_id or ""] for each in suspense
            ),
            "tasks": sorted(
                [each.state, each.amount_minor, each.shown["reply"], each.shown["code"]]
                for each in all_of(Task, col(Task.id).in_([each.task_id for each in suspense]))
            ),
            "replies": [each.state for each in replies],
            "funding": [
                *[[each.used_minor, each.state] for each in all_of(FundingHold, col(FundingHold.run) == run)],
                *[
                    [each.balance_minor, each.held_minor]
                    for each in all_of(FundingAccount, col(FundingAccount.id) == self.name("fac", 1))
                ],
            ],
            "mandates": [
                [each.revoked_at for each in all_of(Mandate, col(Mandate.id) == agreement.mandate_id)]
                for agreement in self.agreements
            ],
            "notices": sorted(
                [each.business_key, each.kind, {name: value for name, value in each.params.items() if name != "case"}]
                for each in all_of(Notice, col(Notice.business_key).contains(self.mark))
            ),
            "figures": self._figures(),
        }  # fmt: skip
        return json.loads(json.dumps(found, default=str).replace(self.mark, "*"))

    def _figures(self) -> dict[str, int]:
        figures: Counter[str] = Counter()
        for each in self.book.all(AuditEvent, col(AuditEvent.target) == self.run):
            figures.update({f"{each.action}/{name}": by for name, by in json.loads(each.body)["facts"].items()})
        del figures["batch.replies-booked/orders"]  # counted in each unit that speaks of it
        return dict(figures)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from([KindName.FEE_COLLECTION, KindName.PAYROLL]),
    starts=st.lists(STARTS, min_size=ORDERS, max_size=ORDERS),
    lines=LINES,
)
@example(  # the first ends the mandate that the second rests on; a third tells the first again
    kind=KindName.FEE_COLLECTION,
    starts=[Start(OrderState.SENT)] * ORDERS,
    lines=[refused(1, "MD01"), refused(1 + MANDATES, "AM04"), refused(1, "AM04")],
)
@example(  # paid, under another reference paid again, and gone back twice
    kind=KindName.PAYROLL,
    starts=[Start(OrderState.SENT)] * ORDERS,
    lines=[paid(1), paid(2), paid(1), paid(1, ReplyStatus.RETURNED), paid(1, ReplyStatus.RETURNED)],
)
def test_many_lines_at_once_come_to_what_each_comes_to_alone(
    bank: tuple[Daybook, list[Agreement], list[Agreement]], kind: KindName, starts: list[Start], lines: list[Line]
) -> None:
    book, *mandates = bank
    number = next(NUMBERS)
    found = []
    for letter, agreements, chunk in zip("ab", mandates, (1, 100), strict=True):
        book.change(lambda session, own=agreements: _allow_again(session, own))
        answered = Answered(book, kind, f"{letter}{number:05d}q", agreements)
        answered.write(starts, lines)
        answered.post(chunk)
        answered.post(chunk)  # repeated, nothing is left to follow
        found.append(answered.told())
    alone, together = found
    assert together == alone


def test_a_unit_asks_the_database_as_often_for_many_lines_as_for_one(
    bank: tuple[Daybook, list[Agreement], list[Agreement]],
) -> None:
    book, agreements, _ = bank
    asked: list[list[str]] = [[], []]
    for statements, lines in zip(asked, (1, ORDERS), strict=True):
        answered = Answered(book, KindName.FEE_COLLECTION, f"s{lines:05d}q", agreements)
        answered.write([Start(OrderState.SENT)] * ORDERS, [refused(each, "AM04") for each in range(1, lines + 1)])

        def note(_connection: Any, _cursor: Any, statement: str, *_: Any, into: list[str] = statements) -> None:
            into.append(statement)

        event.listen(book.database.engine, "before_cursor_execute", note)
        answered.post(100)
        event.remove(book.database.engine, "before_cursor_execute", note)
    assert len(asked[1]) == len(asked[0]) > 0


def _allow_again(session: Session, agreements: list[Agreement]) -> None:
    for agreement in agreements:
        session.get_one(Mandate, agreement.mandate_id).revoked_at = None
