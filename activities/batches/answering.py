"""What follows from a line of the bank's for orders of batches (入账): state, booking, funding, next try, suspense.

Lines of all runs of a tenant are posted, whoever has read them: a run that has ended still gets its late returns.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy.orm import defer
from sqlmodel import Session, col, func, select, update

from activities.batches.debit_news import tell_debits
from activities.batches.following import Lines
from activities.batches.sending import mark_left
from activities.gateways.bank.replies import ReplyStatus
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from models.database.engine import Database
from models.domain.batches.states import OrderState
from models.domain.clock import Clock
from models.domain.daily import ReplyState
from models.operations.batches import breakers
from models.queries.batches.replies import waiting_lines
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BankReply

CHUNK: Final = 100
# In this order whatever the order of arrival: money must have come before it can go back.
_ORDER: Final = (
    ReplyStatus.PENDING,
    ReplyStatus.PARTIAL,
    ReplyStatus.ACCEPTED,
    ReplyStatus.REJECTED,
    ReplyStatus.SETTLED,
    ReplyStatus.RETURNED,
)
_ANSWERS: Final = "answers"  # the breakers' figures of what the bank has answered
# Of which the rate of failures is taken. Banks tell what they refuse first and the money a day later: of what has an
# outcome at that moment, all has failed.
_AWAY: Final = (
    OrderState.SENT,
    OrderState.ACCEPTED,
    OrderState.SETTLED,
    OrderState.REJECTED,
    OrderState.RETURNED,
)


@dataclass(frozen=True, slots=True)
class LinePoster:
    """Posts the lines of a tenant's batches.

    Attributes:
        chunk: how many lines are one unit of work; nothing but time depends on it.
    """

    database: Database
    clock: Clock
    tenant: str
    on: date
    is_bank_day: Callable[[date], bool]
    rest: Callable[[], None]
    chunk: int = CHUNK

    def run(self) -> None:
        """Let everything follow from the lines that are new; repeated, nothing is left to follow."""
        with self.database.read() as session:
            waiting = waiting_lines(session, tenant=self.tenant)
        for status in _ORDER:
            of_status = [each for each in waiting if each.status == status]
            for run in sorted({each.run for each in of_status}):
                ids = [each.reply_id for each in of_status if each.run == run]
                for first in range(0, len(ids), self.chunk):
                    self._post(run, ids[first : first + self.chunk])
                    self.rest()

    def _post(self, run: str, ids: Sequence[str]) -> None:
        now = self.clock()
        deed = Deed(
            tenant=self.tenant, action="batch.replies-booked", target=run, actor="workflow", at=now, facts={"orders": 0}
        )
        with unit_of_work(self.database, deed) as unit:
            self._follow_all(unit, run, ids, now)

    def _follow_all(self, unit: Unit, token: str, ids: Sequence[str], now: datetime) -> None:
        session = unit.session
        replies = session.exec(
            select(BankReply)
            .where(col(BankReply.id).in_(ids), col(BankReply.state) == ReplyState.NEW)
            .order_by(col(BankReply.id))
            .with_for_update()
        ).all()
        if not replies:
            raise Unchanged
        run = session.get_one(BatchRun, token)
        wanted = sorted({reply.order_id for reply in replies if reply.order_id is not None})
        orders = session.exec(
            select(BatchOrder)
            .where(col(BatchOrder.id).in_(wanted))
            .order_by(col(BatchOrder.id))
            .with_for_update()
            .options(defer(BatchOrder.policy))  # type: ignore[arg-type]  # long, and read of those that fail alone
        ).all()
        mark_left(session, orders, now=now)
        lines = Lines(session, run, self.on, now, self.is_bank_day, {order.id: order for order in orders})
        lines.follow(replies)
        _write_states(session, lines.states)
        tell_debits(session, orders, on=self.on, now=now)
        tripped = _trip(session, token, now=now) if lines.figures.get("failed") else None
        if tripped is not None:
            unit.also(
                Deed(
                    tenant=self.tenant, action="batch.breaker-tripped", target=token, actor="workflow", at=now,
                    facts={"code": tripped},
                )
            )  # fmt: skip
        late = lines.figures.get("late", 0)
        if late:
            unit.also(
                Deed(
                    tenant=self.tenant, action="batch.returned-late", target=token, actor="workflow", at=now,
                    facts={"lines": late},
                )
            )  # fmt: skip
        unit.deed.facts |= {"orders": len(orders), **lines.figures}


def _write_states(session: Session, states: Mapping[str, ReplyState]) -> None:
    """What has become of each line."""
    for state in sorted(set(states.values())):
        session.exec(
            update(BankReply)
            .where(col(BankReply.id).in_([name for name, each in states.items() if each is state]))
            .values(state=state.value)
            .execution_options(synchronize_session=False)
        )


def _trip(session: Session, token: str, *, now: datetime) -> str | None:
    """Whether the answers have shut the run (熔断); written with the answers that did it, so that nothing is missed."""
    run = session.get_one(BatchRun, token, with_for_update=True, populate_existing=True)
    counts = dict(
        session.exec(
            select(BatchOrder.state, func.count())
            .where(col(BatchOrder.run) == token, col(BatchOrder.state).in_(_AWAY))
            .group_by(BatchOrder.state)
        ).all()
    )
    failed = counts.get(OrderState.REJECTED, 0) + counts.get(OrderState.RETURNED, 0)
    away = sum(counts.values())
    if run.tripped is not None or run.cancel_asked_at is not None or run.ended_at is not None:
        return None
    code = breakers.trips(run, scope=_ANSWERS, answered=away, failed=failed, amount_minor=0)
    if code is not None:
        # What failed was looked at; what left stays the measure of what fails from now on.
        breakers.trip(session, run, code, scope=_ANSWERS, answered=0, failed=failed, amount_minor=0, now=now)
    return code
