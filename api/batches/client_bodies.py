"""Shapes of corporate clients of payroll (代发委托单位), their accounts and users."""

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from api.bodies import Answer, Body, ShortCode

Number = Annotated[str, Field(pattern=r"\A[0-9A-Z]{8,34}\Z")]


class NewClientBody(Body):
    """A company that has its wages paid by us."""

    code: ShortCode
    name: Annotated[str, Field(min_length=2, max_length=100)]
    agreement_from: date
    agreement_to: date | None = None
    agreed_day: int | None = None
    migrant_workers: bool = False
    wage_project: bool = False


class NewAccountBody(Body):
    """The account out of which its wages are paid."""

    number: Number
    account_kind: Literal["settlement", "wage-special"] = "settlement"


class PaymentBody(Body):
    """Money that the client has paid in, under the bank's reference of it."""

    amount_minor: Annotated[int, Field(ge=1, le=10**15)]
    reference: Annotated[str, Field(pattern=r"\A[A-Za-z0-9._/-]{1,60}\Z")]
    value_date: date


class UserBody(Body):
    """Who orders (maker) or confirms (checker) for the client; never one person both."""

    staff_id: Annotated[str, Field(pattern=r"\Astf_[0-9a-hjkmnp-tv-z]{26}\Z")]
    part: Literal["maker", "checker"]


class AccountAnswer(Answer):
    """An account, masked. `heldMinor` is what runs hold of the balance."""

    id: str
    number_masked: str | None
    account_kind: str
    currency: str
    balance_minor: int
    held_minor: int
    version: int


class UserAnswer(Answer):
    """Somebody who acts for a client."""

    staff_id: str
    part: str
    added_at: datetime


class ClientAnswer(Answer):
    """A client with its accounts and users."""

    id: str
    code: str
    name_masked: str | None
    migrant_workers: bool
    wage_project: bool
    agreed_day: int | None
    agreement_from: date
    agreement_to: date | None
    state: str
    accounts: list[AccountAnswer]
    users: list[UserAnswer]
    version: int


class ClientList(Answer):
    """Clients by code."""

    items: list[ClientAnswer]
