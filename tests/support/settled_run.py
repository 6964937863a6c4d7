"""A run of a batch as it stands when its books are made, with every record that a sound one has."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlmodel import Session

from activities.batches.settle_steps import SqlSettle
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import PartStep
from models.database.engine import Database
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import OrderState
from models.domain.tokens import named_token
from models.operations.batches import funding
from models.operations.batches.moving import book_returned, book_settled
from models.tables.batch_books import BatchEntry
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_cohorts import BatchCohort, BatchMember
from models.tables.batch_runs import BatchOrder, BatchOutcome, BatchRun
from models.tables.daily import BankFile, BankReply, BusinessDate
from models.tables.notices import Notice
from models.tables.parties import Subject
from models.tables.tenants import Tenant
from tests.support.clock import MONDAY_MORNING, FakeClock

TENANT: Final = "main"
RUN: Final = "main.0123456789abcdefghjkmnpqrs"
TODAY: Final = date(2026, 11, 23)
SETTLED_ON: Final = date(2026, 11, 17)  # a Tuesday; two bank days later is Thursday, which has passed
STEP: Final = RunStep(run=RUN)
AMOUNT: Final = 12_345


def workday(day: date) -> bool:
    """A calendar of weekends alone."""
    return day.weekday() < 5


@dataclass(slots=True)
class BatchBooks:
    """Writes a run. `build` leaves out nothing; a test then breaks one thing.

    Attributes:
        ends: how many orders ended in each state.
        spoilt: legs that stand in place of a right booking, by member and posting: the books are append-only.
    """

    database: Database
    vault: Vault
    clock: FakeClock
    kind: KindName = KindName.AUTO_DEBIT
    ends: dict[OrderState, int] = field(
        default_factory=lambda: {OrderState.SETTLED: 6, OrderState.REJECTED: 3, OrderState.RETURNED: 2,
                                 OrderState.BARRED: 1, OrderState.WITHDRAWN: 1}
    )  # fmt: skip
    settled_on: date = SETTLED_ON
    spoilt: dict[tuple[int, str], tuple[int, ...]] = field(default_factory=dict)

    @property
    def steps(self) -> SqlSettle:
        """The adapter under test."""
        return SqlSettle(self.database, self.vault, self.clock, workday)

    def build(self) -> "BatchBooks":
        """The whole run, in its stage of reconciliation."""
        self.vault.ensure_tenant(TENANT)
        with self.unit() as unit:
            session, now = unit.session, self.clock()
            tenant = session.get(Tenant, TENANT) or Tenant(code=TENANT, name="", created_at=now)
            tenant.name, tenant.hotline, tenant.sandbox = "示例商业银行股份有限公司", "400-000-0000", True
            session.add(tenant)
            session.flush()
            session.add(BusinessDate(tenant=TENANT, today=TODAY, updated_at=now))
            run = self._run(session)
            self._orders(session, run)
        return self

    def unit(self) -> Any:
        """A unit of work of the test's own."""
        return unit_of_work(
            self.database, Deed(tenant=TENANT, action="test", target=RUN, actor="test", at=self.clock())
        )

    def to_the_end(self) -> None:
        """Settle and reconcile, as the workflow does."""
        after: str | None = ""
        while after is not None:
            after = self.steps.settle_orders(PartStep(run=RUN, after=after)).after
        self.steps.reconcile(STEP)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _run(self, session: Session) -> BatchRun:
        now, kind = self.clock(), KINDS[self.kind]
        client = account = None
        if kind.needs_funding:
            client, account = self._client(session, now)
        run = BatchRun(
            token=RUN, tenant=TENANT, branch="hq", kind=self.kind, origin="staff", source=kind.sources[0],
            request_key="test", business_date=self.settled_on, client=client, funding_account=account,
            settings={"failureBps": 2000, "returnDays": 2}, rule_set="debits", rule_version="debits/3",
            stage="reconciling", created_by="stf_maker", created_by_person="prs_maker", created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(run)
        session.flush()
        if account is not None:
            found = session.get_one(FundingAccount, account)
            total = sum(self.ends.values()) * AMOUNT
            funding.pay_in(session, found, amount_minor=total + 500, key="first", value_date=self.settled_on, now=now)
            funding.hold_funding(session, run, amount_minor=total, now=now)
        return run

    def _client(self, session: Session, now: datetime) -> tuple[str, str]:
        client = BatchClient(
            id="bcl_test", tenant=TENANT, code="acme", name_cell=b"-", agreement_from=TODAY - timedelta(days=365),
            state="active", created_at=now,
        )  # fmt: skip
        session.add(client)
        session.flush()
        session.add(
            FundingAccount(
                id="fac_test", tenant=TENANT, client=client.id, account_cell=b"-", account_kind="settlement",
                updated_at=now,
            )
        )  # fmt: skip
        session.flush()
        return client.id, "fac_test"

    def _orders(self, session: Session, run: BatchRun) -> None:
        now, total = self.clock(), sum(self.ends.values())
        cohort = BatchCohort(
            id="bco_test", tenant=TENANT, run=RUN, kind=run.kind, members=total, excluded=0,
            amount_minor=total * AMOUNT, cohort_hash="ab" * 32, created_at=now,
        )  # fmt: skip
        left = total - self.ends.get(OrderState.BARRED, 0) - self.ends.get(OrderState.WITHDRAWN, 0)
        out = BankFile(
            id="bkf_out", tenant=TENANT, direction="out", kind=KINDS[self.kind].message, name="out.xml",
            message_id="m1", business_date=self.settled_on, state="SENT", digest="cd" * 32, items=left,
            total_minor=left * AMOUNT, created_at=now,
        )  # fmt: skip
        back = BankFile(
            id="bkf_in", tenant=TENANT, direction="in", kind="camt.054", name="in.xml",
            business_date=self.settled_on, state="TAKEN", created_at=now,
        )  # fmt: skip
        payer = Subject(
            id="sub_test", tenant=TENANT, name_cell=b"-", id_type="resident-id", id_cell=b"-", id_index=b"-" * 32,
            created_at=now,
        )  # fmt: skip
        session.add_all([cohort, out, back, payer])
        session.flush()
        states = [state for state, count in self.ends.items() for _ in range(count)]
        for number, state in enumerate(states, start=1):
            self._order(session, run, number, state)

    def _order(self, session: Session, run: BatchRun, number: int, state: OrderState) -> None:
        now, moved = self.clock(), state in (OrderState.SETTLED, OrderState.RETURNED)
        reasons = {OrderState.REJECTED: "AM04", OrderState.RETURNED: "MD06", OrderState.BARRED: "blocked-by-rule"}
        order = BatchOrder(
            id=order_id(number), tenant=TENANT, run=RUN, member=number, claim_key=f"row/{number}",
            subject_id="sub_test", end_to_end_id=f"e2e-{number}", amount_minor=AMOUNT,
            file_id=None if state in (OrderState.BARRED, OrderState.WITHDRAWN) else "bkf_out", state=state,
            reason_code=reasons.get(state), policy_version="retry/1", requested_on=self.settled_on,
            settled_on=self.settled_on if moved else None, created_at=now, updated_at=now,
        )  # fmt: skip
        member = BatchMember(
            cohort="bco_test", number=number, tenant=TENANT, claim_key=order.claim_key, subject_id="sub_test",
            amount_minor=AMOUNT, type_class="debit", amount_class="small", cycle_class="monthly", state="included",
        )  # fmt: skip
        session.add_all([order, member])
        session.flush()
        session.add(
            BatchOutcome(
                id=named_token("bou", order.id), tenant=TENANT, run=RUN, order_id=order.id, cause=f"order/{order.id}",
                state=state, at=now,
            )
        )  # fmt: skip
        if moved:
            if not self._spoil(session, number, "settled"):
                book_settled(session, run, order, value_date=self.settled_on, now=now)
            session.add(self.line(number, "SETTLED"))
        if state is OrderState.RETURNED:
            if not self._spoil(session, number, "returned"):
                book_returned(session, run, order, value_date=self.settled_on, now=now)
            session.add(self.line(number, "RETURNED"))
        if state is OrderState.SETTLED and self.kind is not KindName.PAYROLL:
            session.add(paid_notice(order.id, now))
        session.flush()

    def _spoil(self, session: Session, number: int, posting: str) -> bool:
        legs = self.spoilt.get((number, posting))
        for leg, amount in enumerate(legs or (), start=1):
            session.add(self.leg(number, posting, leg, amount))
        return legs is not None

    def leg(self, number: int, posting: str, leg: int, amount: int) -> BatchEntry:
        """One leg of a booking as it should not be; the first lies on the clearing account."""
        return BatchEntry(
            id=f"ben_{number}_{posting}_{leg}", tenant=TENANT, run=RUN, order_id=order_id(number),
            posting=f"{posting}/{order_id(number)}", leg=leg, account="clearing" if leg == 1 else "receivable",
            amount_minor=amount, value_date=self.settled_on, at=self.clock(),
        )  # fmt: skip

    def line(self, number: int, status: str, *, key: str = "", amount: int = AMOUNT) -> BankReply:
        """A booked line of the bank's about an order."""
        return BankReply(
            id=named_token("bkr", f"{number}/{status}/{key}"), tenant=TENANT, file_id="bkf_in",
            business_key=f"{TENANT}/{number}/{status}{key}", end_to_end_id=f"e2e-{number}", status=status,
            amount_minor=amount, value_date=self.settled_on, credit=True, order_id=order_id(number), state="BOOKED",
            created_at=self.clock(),
        )  # fmt: skip


def order_id(number: int) -> str:
    """The id of the order of a member."""
    return named_token("bor", f"{RUN}/{number}/1")


def paid_notice(order: str, now: datetime) -> Notice:
    """What a customer is told of one debit."""
    return Notice(
        id=named_token("ntc", order), tenant=TENANT, subject_id="sub_test", business_key=f"paid/{order}",
        kind="payment-received", channel="sms", locale="zh-CN", template_version="1", params={}, state="SENT",
        send_after=now, expires_at=now + timedelta(days=1), created_at=now,
    )  # fmt: skip


assert MONDAY_MORNING.date() == TODAY
