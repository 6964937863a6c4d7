"""Customers of an institution's book (客户信息): page by page or by an exact number, masked; revealed for a reason."""

from typing import Final

from litestar import Controller, get, post
from litestar.params import FromPath, JSONBody

from api.bodies import known_token
from api.customers.bodies import (
    CustomerAnswer,
    CustomerRevealAnswer,
    CustomerRevealBody,
    CustomerSearchBody,
    CustomersPage,
)
from api.customers.readings import note_customers_shown
from api.customers.reveal import customer_for, reveal
from api.customers.views import masked_customers
from api.deps import ApiDeps, Deps, Locale
from api.identity.authenticate import requires
from api.identity.principal import Caller, Principal
from api.paging import decode_cursor, encode_cursor
from models.domain.customers.showing import SEARCHED, CustomerField
from models.domain.roles import Permission
from models.errors import FieldFault, FormInvalid
from models.queries.customers import customers_page
from models.tables.customers import CustomerRecord

_KIND: Final = "customers"


class CustomerController(Controller):
    """Every record of the caller's institution; a record belongs to no branch."""

    path = "/v1/customers"
    tags = ("Customers",)

    @get(
        "/{customer_id:str}",
        guards=[requires(Permission.SUBJECTS_READ)],
        sync_to_thread=True,
        operation_id="GetCustomer",
    )
    def get_customer(self, customer_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> CustomerAnswer:
        """One record, masked."""
        record = customer_for(deps, principal, known_token(customer_id))
        [answer] = masked_customers(deps, [record], locale=locale)
        note_customers_shown(deps, [answer], principal)
        return answer

    @post(
        "/search",
        guards=[requires(Permission.SUBJECTS_READ)],
        sync_to_thread=True,
        status_code=200,
        operation_id="SearchCustomers",
    )
    def search(
        self, data: JSONBody[CustomerSearchBody], deps: Deps, principal: Caller, locale: Locale
    ) -> CustomersPage:
        """Who has exactly this number, however it is spaced or hyphenated; without one, the book page by page."""
        field, records = find_customers(deps, principal, data)
        items = masked_customers(deps, records[: data.limit], locale=locale)
        note_customers_shown(deps, items, principal, searched=(field, len(items)))
        cursor = encode_cursor(_KIND, items[-1].id) if len(records) > data.limit else None
        return CustomersPage(items=items, end_cursor=cursor)

    @post(
        "/{customer_id:str}/reveals",
        guards=[requires(Permission.SUBJECTS_REVEAL)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RevealCustomerField",
    )
    def reveal_field(
        self, customer_id: FromPath[str], data: JSONBody[CustomerRevealBody], deps: Deps, principal: Caller
    ) -> CustomerRevealAnswer:
        """Show one field in clear, once. Who looked, at what and why is recorded before it is shown."""
        value, event_id = reveal(deps, principal, known_token(customer_id), data)
        return CustomerRevealAnswer(field=data.field, value=value, event_id=event_id)


def find_customers(
    deps: ApiDeps, principal: Principal, body: CustomerSearchBody
) -> tuple[CustomerField | None, list[CustomerRecord]]:
    """By which number was searched, and one record more than the page holds, if there is one; blocking.

    Raises:
        BadRequest: a cursor of another list.
        FormInvalid: two numbers, or an empty one.
    """
    given = [(field, value) for field in SEARCHED if (value := getattr(body, field.value)) is not None]
    if len(given) > 1:
        allowed = "customerNo, idNumber, mobile, account"
        raise FormInvalid(faults=(FieldFault(pointer="", code="exactly-one", params={"allowed": allowed}),))
    place = decode_cursor(body.after, kind=_KIND, types=(str,))
    by = None
    if given:
        field, value = given[0]
        try:
            by = (field, deps.vault.blind_indexes(tenant=principal.tenant, field=field.value, value=value))
        except ValueError:  # nothing but blanks and hyphens
            raise FormInvalid(faults=(FieldFault(pointer=f"/{_wire(field)}", code="pattern"),)) from None
    with deps.database.read() as session:
        found = customers_page(
            session,
            tenant=principal.tenant,
            by=by,
            origin=body.origin,
            after=str(place[0]) if place is not None else None,
            limit=body.limit + 1,
        )
    return (given[0][0] if given else None), list(found)


def _wire(field: CustomerField) -> str:
    first, *rest = field.value.split("_")
    return first + "".join(word.capitalize() for word in rest)
