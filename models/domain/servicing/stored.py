"""Terms and events as they are stored: small JSON of amounts, dates, codes and decimal strings, and back."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from models.domain.schedules.day_count import DayCount
from models.domain.schedules.rows import Row
from models.domain.servicing.allocation import DEFAULT_ALLOCATION, IN_ADVANCE_ALLOCATION
from models.domain.servicing.components import Component
from models.domain.servicing.events import Event, EventKind, PaymentChannel, PrepaymentChoice
from models.domain.servicing.terms import Accrual, AgreementTerms

# A policy is never changed: agreements name the version they were signed with.
ALLOCATIONS: Final = {policy.version: policy for policy in (DEFAULT_ALLOCATION, IN_ADVANCE_ALLOCATION)}


def rows_to_json(rows: Sequence[Row]) -> list[list[Any]]:
    """`[no, due, principal, interest, fee]` of each row; amounts in minor units."""
    return [[row.no, row.due.isoformat(), row.principal_minor, row.interest_minor, row.fee_minor] for row in rows]


def rows_from_json(stored: Sequence[Sequence[Any]]) -> tuple[Row, ...]:
    """What `rows_to_json` wrote."""
    return tuple(
        Row(no=no, due=date.fromisoformat(due), principal_minor=principal, interest_minor=interest, fee_minor=fee)
        for no, due, principal, interest, fee in stored
    )


def terms_to_json(terms: AgreementTerms) -> dict[str, Any]:
    """All that servicing needs of what was signed."""
    return {
        "rows": rows_to_json(terms.rows),
        "start": terms.start.isoformat(),
        "annualRate": str(terms.annual_rate),
        "lateRate": str(terms.late_rate),
        "dayCount": terms.day_count.value,
        "lateDayCount": terms.late_day_count.value,
        "allocation": terms.allocation.version,
        "accrual": terms.accrual.value,
        "defersInterest": terms.defers_interest,
        "toleranceMinor": terms.tolerance_minor,
    }


def terms_from_json(stored: dict[str, Any]) -> AgreementTerms:
    """What `terms_to_json` wrote.

    Raises:
        KeyError: an allocation policy of a newer version.
    """
    return AgreementTerms(
        rows=rows_from_json(stored["rows"]),
        start=date.fromisoformat(stored["start"]),
        annual_rate=Decimal(stored["annualRate"]),
        late_rate=Decimal(stored["lateRate"]),
        day_count=DayCount(stored["dayCount"]),
        late_day_count=DayCount(stored["lateDayCount"]),
        allocation=ALLOCATIONS[stored["allocation"]],
        accrual=Accrual(stored["accrual"]),
        defers_interest=stored["defersInterest"],
        tolerance_minor=stored["toleranceMinor"],
    )


def event_params(event: Event) -> dict[str, Any]:
    """What of an event has no column of its own."""
    params: dict[str, Any] = {}
    if event.channel is not None:
        params["channel"] = event.channel.value
    if event.component is not None:
        params["component"] = event.component.value
    if event.choice is not None:
        params["choice"] = event.choice.value
    if event.rows:
        params["rows"] = rows_to_json(event.rows)
    if event.late_free_until is not None:
        params["lateFreeUntil"] = event.late_free_until.isoformat()
    if event.ref:
        params["ref"] = event.ref
    return params


def event_from_stored(
    *, event_id: str, kind: str, value_date: date, amount_minor: int, target: str | None, params: dict[str, Any]
) -> Event:
    """An event from its columns and what `event_params` wrote."""
    return Event(
        id=event_id,
        kind=EventKind(kind),
        value_date=value_date,
        amount_minor=amount_minor,
        ref=params.get("ref", ""),
        channel=PaymentChannel(params["channel"]) if "channel" in params else None,
        target=target,
        component=Component(params["component"]) if "component" in params else None,
        choice=PrepaymentChoice(params["choice"]) if "choice" in params else None,
        rows=rows_from_json(params.get("rows", ())),
        late_free_until=date.fromisoformat(params["lateFreeUntil"]) if "lateFreeUntil" in params else None,
    )
