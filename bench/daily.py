"""The daily run: agreements a second at day 1 and day 700, and cases told a second."""

import asyncio
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, select
from temporalio.worker import Worker

from activities.daily.arrears import run_arrears
from activities.daily.chunks import DayWork
from activities.daily.debit_orders import make_orders
from activities.daily.post_money import post_money
from activities.daily.reminders import remind
from activities.duties.relay import Relay
from bench.floor_workflows import Listener
from bench.measuring import NOW, Stores, empty_stores
from bench.registry import Figure, measures
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.payloads.dispatch import Dispatcher
from models.database.engine import Database
from models.domain.daily import REMIND_DAYS, DayStep, OrderState
from models.domain.ids import installment_workflow_id
from models.domain.schedules.rows import Row
from models.domain.servicing.events import Event, EventKind, PaymentChannel
from models.domain.servicing.terms import AgreementTerms
from models.domain.states import CaseStage, NewsKind, OutboxKind
from models.domain.tokens import new_case_token, new_token, uuid7
from models.operations.agreements import NewAgreement, activate
from models.operations.booking import NewEvent, book
from models.operations.business_dates import Day
from models.tables.agreements import Agreement, Mandate, PlanOffer
from models.tables.daily import BankFile, BankReply, DailyRun, DebitOrder
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.platform import OutboxEntry
from models.tables.tenants import Tenant
from tests.support.casework import _FACTS
from tests.support.temporal import running_server
from workflows.support.options import RPC_TIMEOUT, WORKFLOW_TASK_TIMEOUT

AGREEMENTS = 10_000
TOLD = 1_000
MONTHS = 24
START = date(2026, 1, 15)
TERMS = AgreementTerms(
    rows=tuple(
        Row(no=no, due=START + timedelta(days=30 * no), principal_minor=100_000, interest_minor=1_000, fee_minor=0)
        for no in range(1, MONTHS + 1)
    ),
    start=START,
    annual_rate=Decimal("0.12"),
    late_rate=Decimal("0.18"),
)
_AMOUNT = TERMS.rows[0].total_minor
_CHUNK = 200
_SINCE_PAID = 29  # days from the morning after a payment to the next due date
_AT_ONCE = 50


@measures("daily")
def daily(scale: float) -> Iterable[Figure]:
    """Every agreement has a row that fell due: ordered, its money posted, brought to the next date; and news told."""
    count = max(_CHUNK, int(AGREEMENTS * scale))
    for name, row in (("day 1", 1), ("day 700", MONTHS - 1)):
        with empty_stores() as stores:
            yield from _one_day(stores, name, count, TERMS.rows[row - 1])
    yield Figure(name="cases told", value=_told(max(100, int(TOLD * scale))), unit="cases/s", at_least=100)


def _one_day(stores: Stores, name: str, count: int, row: Row) -> Iterator[Figure]:
    """The steps of the business dates around one row, in their order."""
    database, vault = stores.data, stores.vault
    vault.ensure_tenant("main")
    _fill(database, count, row)
    reminding = _seconds(remind, database, row.due - timedelta(days=REMIND_DAYS), DayStep.REMINDERS)
    yield Figure(name=f"reminders, {name}", value=count / reminding, unit="agreements/s")
    due = _seconds(run_arrears, database, row.due, DayStep.ARREARS)
    yield Figure(name=f"rows falling due, {name}", value=count / due, unit="agreements/s")
    orders = _seconds(lambda work: make_orders(work, vault), database, row.due, DayStep.ORDERS)
    yield Figure(name=f"debit orders, {name}", value=count / orders, unit="agreements/s")
    _answer(database, row.due)
    after = row.due + timedelta(days=1)
    posting = _seconds(post_money, database, after, DayStep.POST)
    yield Figure(name=f"posting, {name}", value=count / posting, unit="agreements/s", at_least=1_000)
    arrears = _seconds(run_arrears, database, after, DayStep.ARREARS)
    yield Figure(name=f"arrears after posting, {name}", value=count / arrears, unit="agreements/s")


def _seconds(step: Callable[[DayWork], None], database: Database, on: date, name: DayStep) -> float:
    with unit_of_work(database, _deed()) as unit:
        if unit.session.get(DailyRun, ("main", on)) is None:
            unit.session.add(DailyRun(tenant="main", business_date=on, state="RUNNING", started_at=NOW))
    now = datetime.combine(on, NOW.timetz())
    work = DayWork(database, lambda: now, Day(tenant="main", on=on), name)
    began = perf_counter()
    step(work)
    return perf_counter() - began


def _fill(database: Database, count: int, row: Row) -> None:
    """Agreements in force whose earlier rows were paid, soon after the last of them."""
    with unit_of_work(database, _deed()) as unit:
        unit.session.add(Tenant(code="main", name="-", sandbox=True, created_at=NOW))
    for _ in range(0, count, _CHUNK):
        with unit_of_work(database, _deed()) as unit:
            agreements = [_agreement(unit.session) for _ in range(_CHUNK)]
            work = [(agreement, _paid(agreement.id, row)) for agreement in agreements]
            book(unit.session, work, as_of=max(START, row.due - timedelta(days=_SINCE_PAID)), now=NOW)


def _paid(agreement_id: str, until: Row) -> Sequence[NewEvent]:
    return [
        NewEvent(
            event=Event(
                id=uuid7(NOW),
                kind=EventKind.PAYMENT,
                value_date=row.due,
                amount_minor=row.total_minor,
                channel=PaymentChannel.DEBIT,
            ),
            business_key=f"{agreement_id}/{row.no}",
        )
        for row in TERMS.rows[: until.no - 1]
    ]


def _agreement(session: Session) -> Agreement:
    """What is not looked at is as small as the tables allow."""
    subject, token, offer, mandate = new_token("sub"), new_case_token("main"), new_token("plo"), new_token("mdt")
    common: dict[str, Any] = {"tenant": "main", "created_at": NOW}
    session.add(
        Subject(id=subject, name_cell=b"-", id_type="-", id_cell=b"-", id_index=subject.encode()[-32:], **common)
    )
    session.flush()
    case = InstallmentCase(
        token=token, subject_id=subject, branch="-", channel="staff", stage=CaseStage.SERVICING, created_by="bench",
        updated_at=NOW, **common, **_FACTS,
    )  # fmt: skip
    session.add(case)
    session.flush()
    session.add(
        PlanOffer(
            id=offer, case_token=token, version=1, family="fixed-term", kind="offer", terms={}, rows=[], figures={},
            **common,
        )
    )  # fmt: skip
    session.add(
        Mandate(
            id=mandate, subject_id=subject, case_token=token, account_cell=b"-", holder_cell=b"-", purpose="-",
            profile="generic-cny", limit_minor=10**9, signed_on=START, valid_to=START + timedelta(days=900), **common,
        )
    )  # fmt: skip
    session.flush()
    new = NewAgreement(
        tenant="main", case_token=token, subject_id=subject, offer_id=offer, mandate_id=mandate, plan_hash="0" * 64,
        currency="CNY", terms=TERMS, signed_at=NOW,
    )  # fmt: skip
    return activate(session, new, business_date=START, now=NOW).agreement


def _answer(database: Database, due: date) -> None:
    """The bank has settled every order."""
    with unit_of_work(database, _deed()) as unit:
        session = unit.session
        file = BankFile(
            id=new_token("bkf"), tenant="main", direction="in", kind="camt.054", name="bench", business_date=due,
            state="TAKEN", created_at=NOW,
        )  # fmt: skip
        session.add(file)
        session.flush()
        replies = []
        for order in session.exec(select(DebitOrder)).all():
            order.state = OrderState.SENT
            session.add(order)
            replies.append(
                {
                    "id": new_token("bkr"), "tenant": "main", "file_id": file.id, "business_key": f"entry/{order.id}",
                    "status": "SETTLED", "amount_minor": order.amount_minor, "value_date": due, "order_id": order.id,
                    "state": "NEW", "created_at": NOW,
                }
            )  # fmt: skip
        session.execute(insert(BankReply), replies)


def _told(count: int) -> float:
    with (
        empty_stores() as stores,
        tempfile.TemporaryDirectory(prefix="casework-bench-") as folder,
        running_server(Path(folder), namespace="bench") as server,
    ):
        return asyncio.run(_tell(stores, server, count))


async def _tell(stores: Stores, server: Any, count: int) -> float:
    client, queue = await server.connect(), f"bench-{uuid.uuid4().hex}"
    tokens = [new_case_token("main") for _ in range(count)]
    with unit_of_work(stores.data, _deed()) as unit:
        unit.session.add(Tenant(code="main", name="-", sandbox=True, created_at=NOW))
        unit.session.flush()
        unit.session.add_all([_news(token) for token in tokens])
    dispatcher = Dispatcher(
        client=client, cases_queue=queue, task_timeout=WORKFLOW_TASK_TIMEOUT, rpc_timeout=RPC_TIMEOUT
    )
    relay = Relay(stores.data, dispatcher, lambda: NOW)
    async with Worker(client, task_queue=queue, workflows=[Listener]):
        for first in range(0, count, _AT_ONCE):
            await asyncio.gather(
                *(
                    client.start_workflow(Listener.run, id=installment_workflow_id(token), task_queue=queue)
                    for token in tokens[first : first + _AT_ONCE]
                )
            )
        began = perf_counter()
        told = 0
        while told < count:
            told += await relay.run_once(NOW)
        return count / (perf_counter() - began)


def _news(token: str) -> OutboxEntry:
    return OutboxEntry(
        id=uuid7(NOW), tenant="main", kind=OutboxKind.NEWS, business_key=f"{token}/{NewsKind.MISSED}/2026-11-23",
        workflow_id=installment_workflow_id(token), next_try_at=NOW, created_at=NOW,
    )  # fmt: skip


def _deed() -> Deed:
    return Deed(tenant="main", action="bench.prepared", target="bench", actor="bench", at=NOW)
