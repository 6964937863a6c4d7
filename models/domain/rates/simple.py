"""Yearly rate without compounding (单利): all cost over the principal that was really occupied, a year of it.

PBoC Announcement 2021 No. 3 allows this figure if it is called simple. With installments the principal counts that is
left after each payment.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Context, Decimal, localcontext

from models.domain.rates.europe import Span, interval
from models.domain.rates.solving import WORKING_DIGITS, NoRate, NoRateReason
from models.domain.schedules.rows import Row


def simple_rate(rows: Sequence[Row], *, start: date, received_minor: int) -> Decimal:
    """Total cost ÷ Σ(principal left × years it was left), as a fraction a year.

    Time runs in equal months of a twelfth of a year, and in days of a 365th or 366th between them.

    Args:
        rows: the plan, in order.
        start: the day from which the principal is occupied.
        received_minor: what the borrower really had; principal kept back at the start is cost.

    Raises:
        NoRate: nothing is occupied, or not for any time.
    """
    with localcontext(Context(prec=WORKING_DIGITS)):
        left = received_minor
        before = occupied = Decimal(0)
        for row in rows:
            now = interval(start, row.due, span=Span.MONTH).years
            occupied += left * (now - before)
            left = max(0, left - row.principal_minor)
            before = now
        if occupied <= 0:
            raise NoRate(NoRateReason.ONE_SIDED)
        return (sum(row.total_minor for row in rows) - received_minor) / occupied
