"""Periods counted in years, as the law counts them."""

import calendar
from datetime import date


def years_after(day: date, years: int) -> date:
    """The corresponding day, or the last of its month where there is none: 29 February + 1 year is 28 February.

    Source: 民法典 Art. 202.
    """
    year = day.year + years
    return day.replace(year=year, day=min(day.day, calendar.monthrange(year, day.month)[1]))
