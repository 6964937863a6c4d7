"""Showing one field of a customer's record in clear: recorded first, shown after, not shown if not recorded."""

from typing import Final

from api.customers.bodies import CustomerRevealBody
from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.customer_layout import open_customers, stored_of
from models.domain.application import RevealReason
from models.domain.customers.showing import CustomerState
from models.errors import NotFound, WrongState
from models.queries.customers import customer_by_id
from models.queries.transfers.departures import refuse_moved_out
from models.tables.customers import CustomerRecord

# What data that may only be stored are still opened for: the person's own request, and proof.
_ALSO_LOCKED: Final = frozenset({RevealReason.DATA_SUBJECT_REQUEST, RevealReason.AUDIT})


def customer_for(deps: ApiDeps, principal: Principal, customer_id: str) -> CustomerRecord:
    """A record of the caller's institution; blocking.

    Raises:
        NotFound: there is none, or it is another institution's.
    """
    with deps.database.read() as session:
        record = customer_by_id(session, customer_id, tenant=principal.tenant)
    if record is None:
        raise NotFound
    return record


def reveal(deps: ApiDeps, principal: Principal, customer_id: str, body: CustomerRevealBody) -> tuple[str | None, str]:
    """The clear value, or None if there is none, and the id of the event that tells of it; blocking.

    Raises:
        NotFound: no such record.
        WrongState: the record may only be stored (只存储), and the reason is no exception.
        CustomerMovedOut: the relation went to another company, which is no exception either.
        SubjectShredded, CannotOpen: nothing can be shown; nothing is recorded either.
    """
    record = customer_for(deps, principal, customer_id)
    if record.state == CustomerState.MOVED_OUT and body.reason not in _ALSO_LOCKED:
        with deps.database.read() as session:
            refuse_moved_out(session, record)
    if record.state == CustomerState.LOCKED and body.reason not in _ALSO_LOCKED:
        raise WrongState(params={"state": record.state})
    [customer] = open_customers(
        deps.vault, tenant=record.tenant, stored=[stored_of(record)], fields=(body.field.value,)
    )
    value = customer.values.get(body.field.value)
    deed = Deed(
        tenant=principal.tenant,
        action="customer.revealed",
        target=customer_id,
        actor=principal.staff_id,
        at=deps.clock(),
        facts={
            "field": body.field.value,
            "reason": body.reason.value,
            "ticket": body.ticket,
            "found": value is not None,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        pass  # the event is all there is to write
    return value, unit.event_ids[0]
