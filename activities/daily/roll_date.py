"""Step 7: the books of the date are checked to balance, and the next date is opened (试算平衡、换日)."""

from collections.abc import Mapping
from datetime import datetime

from activities.daily.chunks import DayWork
from compliance.audit.unit import Unchanged, Unit
from models.operations.business_dates import note_exception, roll
from models.queries.ledger import day_totals


def roll_date(work: DayWork) -> None:
    """Close the date; repeated, nothing happens."""
    work.once(lambda unit, now: _roll(unit, work, now), finished=True)


def _roll(unit: Unit, work: DayWork, now: datetime) -> Mapping[str, int]:
    if not roll(unit.session, work.day, now=now):
        raise Unchanged
    totals = day_totals(unit.session, tenant=work.day.tenant, on=work.day.on)
    off = sum(totals.values())
    if off:
        note_exception(unit.session, work.day, step=work.step, target=work.day.tenant, code="out-of-balance", now=now)
    return {"outOfBalanceMinor": off} | {account.value: amount for account, amount in totals.items() if amount}
