"""Withdrawing the rest of a run that is stopped (终止批次): orders that have not left, and rows that nobody reached."""

from datetime import datetime
from typing import Final

from activities.batches.policies import PolicyOf
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, Unit, unit_of_work
from models.database.engine import Database
from models.domain.batches.states import FinalState, OrderReason, OrderState, RunStage
from models.domain.ids import tenant_of_case
from models.errors import WrongState
from models.operations.batches import chunks
from models.operations.batches.orders import NewOrder, make_orders, withdraw_waiting
from models.tables.batch_runs import BatchRun

_AT_ONCE: Final = 500


def withdraw(database: Database, token: str, *, holder: str, policy_of: PolicyOf, now: datetime) -> int:
    """The next part: a chunk that is not done, and after the last of them orders that wait; 0: nothing is left.

    A chunk is taken over whoever holds it: an executor that still lives finds its fence grown and can write nothing.

    Raises:
        WrongState: nobody has asked for the run's end.
    """
    done = 0
    deed = Deed(
        tenant=tenant_of_case(token), action="batch.orders-withdrawn", target=token, actor="workflow", at=now, facts={}
    )
    with unit_of_work(database, deed) as unit:
        run = unit.session.get_one(BatchRun, token, with_for_update=True, populate_existing=True)
        if run.stage != RunStage.STOPPING:
            raise WrongState(detail=token, params={"state": run.stage})
        number = chunks.unfinished(unit.session, token)
        if number is not None:
            skipped = _skip(unit, run, number, holder=holder, policy_of=policy_of, now=now)
            unit.deed.facts |= {"chunk": number, "orders": skipped}
            done = max(1, skipped)  # a chunk of excluded rows alone is a part too
        else:
            done = withdraw_waiting(unit.session, run, limit=_AT_ONCE, now=now)
            if not done:
                raise Unchanged
            unit.deed.facts["orders"] = done
    return done


def _skip(unit: Unit, run: BatchRun, number: int, *, holder: str, policy_of: PolicyOf, now: datetime) -> int:
    """Rows of a chunk that was never executed end as withdrawn, so that every row of the run has its outcome."""
    session = unit.session
    lease = chunks.take_over(session, run.token, number, holder=holder, now=now)
    cohort = chunks.cohort_of(session, run)
    members = (
        chunks.members_between(session, cohort.id, first=lease.first_member, last=lease.last_member)
        if cohort is not None
        else []
    )
    new = [
        NewOrder(
            member=member,
            state=OrderState.WITHDRAWN,
            amount_minor=member.amount_minor,
            requested_on=run.business_date,
            reason_code=OrderReason.RUN_CANCELLED.value,
            final_state=FinalState.WITHDRAWN,
        )
        for member in members
    ]
    make_orders(session, run, new, policy=policy_of(session, run), now=now)
    chunks.finish(session, run.token, number, lease, orders=0, barred=0, amount_minor=0, now=now)
    return len(members)
