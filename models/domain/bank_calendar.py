"""The bank days of one year (银行工作日历) as data: every day once, open or closed, with the reason where there is one.

The State Council announces a year's holidays and made-up working days (调休) in the autumn before it. Until then nobody
knows which days banks work, and nothing may be moved by guess; an upload by two persons ends that for a year.
"""

import calendar
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, Self

from models.errors import FieldFault, FormInvalid

_YEARS: Final = range(2000, 2200)
_MAX_REASON: Final = 60
_STATES: Final = {"open": True, "closed": False}
_MAX_FAULTS: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class CalendarDay:
    """One day. `reason` says why a weekday is closed or a weekend open; empty where nothing is to be said."""

    day: date
    is_open: bool
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class YearCalendar:
    """One year, whole.

    Attributes:
        open_days: one mark for each day in order, `1` open and `0` closed.
        provisional: an announcement is still to come; what is moved by it is told so.
    """

    year: int
    open_days: str
    reasons: Mapping[str, str] = field(default_factory=dict)
    provisional: bool = False

    def is_open(self, day: date) -> bool:
        """Whether banks work on a day of this year.

        Raises:
            LookupError: the day lies in another year.
        """
        if day.year != self.year:
            raise LookupError(day)
        return self.open_days[day.timetuple().tm_yday - 1] == "1"

    def days(self) -> tuple[CalendarDay, ...]:
        """Every day of the year in order."""
        first = date(self.year, 1, 1)
        every = ((first + timedelta(days=at), mark == "1") for at, mark in enumerate(self.open_days))
        return tuple(
            CalendarDay(day=day, is_open=is_open, reason=self.reasons.get(day.isoformat(), ""))
            for day, is_open in every
        )

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "year": self.year,
            "open_days": self.open_days,
            "reasons": dict(sorted(self.reasons.items())),
            "provisional": self.provisional,
        }

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> Self:
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        return cls(**kept)


def year_of_days(year: int, days: Iterable[CalendarDay], *, provisional: bool = False) -> YearCalendar:
    """A year from its days.

    Raises:
        FormInvalid: a day is missing, stands twice, or lies in another year; every fault names the day.
    """
    if year not in _YEARS:
        limits: dict[str, str | int] = {"min": _YEARS[0], "max": _YEARS[-1]}
        raise FormInvalid(faults=(FieldFault(pointer="/year", code="calendar-year", params=limits),))
    faults, seen = [], {}
    for at, each in enumerate(days):
        pointer = f"/days/{at}/date"
        if each.day.year != year:
            faults.append(_fault("calendar-other-year", pointer, each.day, year=year))
        elif each.day in seen:
            faults.append(_fault("calendar-day-twice", pointer, each.day))
        else:
            seen[each.day] = each
    every = days_of_year(year)
    faults += [_fault("calendar-day-missing", "/days", day) for day in every if day not in seen]
    if faults:
        raise FormInvalid(faults=tuple(faults[:_MAX_FAULTS]))
    return YearCalendar(
        year=year,
        open_days="".join("1" if seen[day].is_open else "0" for day in every),
        reasons={day.isoformat(): seen[day].reason for day in every if seen[day].reason},
        provisional=provisional,
    )


def days_of_year(year: int) -> tuple[date, ...]:
    """Every day of a year, in order."""
    return tuple(date(year, 1, 1) + timedelta(days=at) for at in range(365 + calendar.isleap(year)))


def days_of_rows(rows: Sequence[Mapping[str, Any]]) -> tuple[CalendarDay, ...]:
    """Days from rows of `date`, `state` (`open` or `closed`) and `reason`, which may be left out.

    Raises:
        FormInvalid: for each row that cannot be read: its place, the field and the fix.
    """
    faults: list[FieldFault] = []
    days = []
    for at, row in enumerate(rows):
        found = _faults_of_row(row, f"/days/{at}")
        faults += found
        if not found:
            day, reason = date.fromisoformat(row["date"]), (row.get("reason") or "").strip()
            days.append(CalendarDay(day=day, is_open=_STATES[row["state"]], reason=reason))
    if faults:
        raise FormInvalid(faults=tuple(faults[:_MAX_FAULTS]))
    return tuple(days)


def rows_of_csv(text: str) -> list[dict[str, str]]:
    """Rows of a CSV file whose first line names the columns: `date,state,reason`.

    Raises:
        FormInvalid: a column is missing.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = {name.strip() for name in reader.fieldnames or ()}
    lacking = [name for name in ("date", "state") if name not in columns]
    if lacking:
        params: dict[str, str | int] = {"column": lacking[0]}
        raise FormInvalid(faults=(FieldFault(pointer="/days", code="calendar-column", params=params),))
    return [{name.strip(): (value or "").strip() for name, value in row.items() if name} for row in reader]


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """A day that two calendars of a year tell differently; None where there was no calendar."""

    day: date
    before: bool | None
    after: bool
    reason: str


def differences(before: YearCalendar | None, after: YearCalendar) -> tuple[Difference, ...]:
    """The days that change if one calendar takes the place of another, in order."""
    old = {each.day: each.is_open for each in before.days()} if before is not None else {}
    return tuple(
        Difference(day=each.day, before=old.get(each.day), after=each.is_open, reason=each.reason)
        for each in after.days()
        if old.get(each.day) is not each.is_open
    )


def _faults_of_row(row: Mapping[str, Any], pointer: str) -> list[FieldFault]:
    faults = [
        FieldFault(pointer=pointer, code="unknown-field") for name in row if name not in {"date", "state", "reason"}
    ]
    if row.get("state") not in _STATES:
        faults.append(FieldFault(pointer=f"{pointer}/state", code="not-one-of", params={"allowed": ", ".join(_STATES)}))
    reason = row.get("reason") or ""
    if not isinstance(reason, str) or len(reason) > _MAX_REASON or not reason.isprintable():
        faults.append(FieldFault(pointer=f"{pointer}/reason", code="too-long", params={"limit": _MAX_REASON}))
    try:
        date.fromisoformat(row.get("date") or "")
    except (TypeError, ValueError):
        faults.append(FieldFault(pointer=f"{pointer}/date", code="wrong-type", params={"expected": "date"}))
    return faults


def _fault(code: str, pointer: str, day: date, **params: str | int) -> FieldFault:
    return FieldFault(pointer=pointer, code=code, params={"day": day.isoformat(), **params})
