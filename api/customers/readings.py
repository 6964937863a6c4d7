"""What people read of customers' records is a deed, recorded before the answer leaves; the values are never in it."""

from collections.abc import Sequence
from typing import Any

from api.customers.bodies import CustomerAnswer
from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.customers.showing import SHOWN, CustomerField


def note_customers_shown(
    deps: ApiDeps,
    people: Sequence[CustomerAnswer],
    principal: Principal,
    *,
    searched: tuple[CustomerField | None, int] | None = None,
) -> None:
    """Record a search, if it was one, and every record that is shown; in one transaction; blocking.

    Args:
        deps: the API's parts.
        people: who is shown.
        principal: to whom.
        searched: by which number (None: the book page by page) and how many were found. To learn that a number is
            unknown is to learn something.

    Raises:
        DatabaseBusy: it cannot be recorded; nothing may be shown.
    """
    deeds = []
    if searched is not None:
        field, found = searched
        told: dict[str, Any] = {"field": field.value if field is not None else None, "found": found}
        deeds.append(_deed(deps, principal, "customer.searched", "customers", told))
    for person in people:
        fields = [name.value for name in SHOWN if getattr(person, name.value) is not None]
        if fields:
            shown: dict[str, Any] = {"form": "masked", "fields": fields, "count": len(fields)}
            deeds.append(_deed(deps, principal, "customer.shown", person.id, shown))
    if not deeds:
        return
    with unit_of_work(deps.database, deeds[0]) as unit:  # the events are all there is to write
        for deed in deeds[1:]:
            unit.also(deed)


def _deed(deps: ApiDeps, principal: Principal, action: str, target: str, facts: dict[str, Any]) -> Deed:
    return Deed(
        tenant=principal.tenant, action=action, target=target, actor=principal.staff_id, at=deps.clock(), facts=facts
    )
