"""Cash flows from the borrower's side, in minor units: what is received is positive, what is paid is negative."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from models.domain.schedules.rows import Row


@dataclass(frozen=True, kw_only=True, slots=True)
class DatedFlow:
    """Money that moves on a day. Several flows of one day count as their sum."""

    on: date
    amount_minor: int


def flows_of_rows(rows: Iterable[Row], *, start: date, received_minor: int) -> tuple[DatedFlow, ...]:
    """The flows of a plan: the debt that is carried on `start`, then each row with its interest and fees.

    `received_minor` is what the borrower really had (民法典 Art. 670), so a fee kept back at the start counts as cost.
    """
    return (
        DatedFlow(on=start, amount_minor=received_minor),
        *(DatedFlow(on=row.due, amount_minor=-row.total_minor) for row in rows),
    )


def in_order(flows: Iterable[DatedFlow]) -> tuple[DatedFlow, ...]:
    """One flow for each day, by date; days on which nothing remains are left out."""
    days: dict[date, int] = {}
    for flow in flows:
        days[flow.on] = days.get(flow.on, 0) + flow.amount_minor
    return tuple(DatedFlow(on=day, amount_minor=days[day]) for day in sorted(days) if days[day])
