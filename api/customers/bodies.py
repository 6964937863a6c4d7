"""What routes of customers take. Numbers stand in bodies, never in an address."""

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from api.bodies import Answer, Body
from api.paging import DEFAULT_LIMIT, MAX_LIMIT
from models.domain.application import RevealReason
from models.domain.customers.showing import CustomerField

_TICKET: Final = r"\A[A-Z]{1,10}-[0-9]{1,8}\Z"  # too short for a number of a person, since it stands in the log
_NUMBER: Final = Field(min_length=1, max_length=64)


class CustomerSearchBody(Body):
    """At most one number, as typed; without one, the whole book.

    `origin`: only what this transfer job has brought. `after`: `endCursor` of the page before.
    """

    customer_no: Annotated[str, _NUMBER] | None = None
    id_number: Annotated[str, _NUMBER] | None = None
    mobile: Annotated[str, _NUMBER] | None = None
    account: Annotated[str, _NUMBER] | None = None
    origin: Annotated[str, Field(max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT
    after: Annotated[str, Field(max_length=600)] | None = None


class CustomerRevealBody(Body):
    """Which field is to be shown, why, and for which ticket (`ABC-123`)."""

    field: CustomerField
    reason: RevealReason
    ticket: Annotated[str, Field(pattern=_TICKET)] | None = None


class CustomerAnswer(Answer):
    """A customer's record, masked.

    `origin`: the transfer job that brought it. `personLink`: records of one person share it. `erased`: the keys were
    destroyed, and nothing identifying can be shown again.
    """

    id: str
    customer_no: str | None
    name: str | None
    id_type: str
    id_type_text: str
    id_number: str | None
    mobile: str | None
    email: str | None
    account: str | None
    address: str | None
    language: str
    state: str
    origin: str | None
    person_link: str | None
    version: int
    updated_at: datetime
    erased: bool = False


class CustomersPage(Answer):
    """Records in the order of their ids; `endCursor` is null where there is nothing behind them."""

    items: list[CustomerAnswer]
    end_cursor: str | None


class CustomerRevealAnswer(Answer):
    """One clear value, shown once; null if there is none on record. `eventId` is the record of this."""

    field: str
    value: str | None
    event_id: str
