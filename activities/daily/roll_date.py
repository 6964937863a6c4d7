"""Step 7: the books must balance, the debits be accounted for; then the next date is opened (试算平衡、换日)."""

from collections.abc import Mapping
from datetime import datetime

from activities.daily.chunks import DayWork
from compliance.audit.unit import Unchanged, Unit
from models.operations.batches.daily_mirror import daily_batch
from models.operations.business_dates import note_exception, roll
from models.queries.batches.daily_debits import unequal_debits
from models.queries.ledger import day_totals


def roll_date(work: DayWork) -> None:
    """Close the date; repeated, nothing happens."""
    work.once(lambda unit, now: _roll(unit, work, now), finished=True)


def _roll(unit: Unit, work: DayWork, now: datetime) -> Mapping[str, int]:
    session, day = unit.session, work.day
    if not roll(session, day, now=now):
        raise Unchanged
    run = daily_batch(session, day.tenant, day.on)
    if run is not None and unequal_debits(session, run):
        note_exception(session, day, step=work.step, target=run.token, code="batch-differs", now=now)
    totals = day_totals(session, tenant=day.tenant, on=day.on)
    off = sum(totals.values())
    if off:
        note_exception(session, day, step=work.step, target=day.tenant, code="out-of-balance", now=now)
    return {"outOfBalanceMinor": off} | {account.value: amount for account, amount in totals.items() if amount}
