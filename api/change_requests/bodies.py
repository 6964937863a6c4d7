"""Shapes of change requests (客户信息变更申请). No answer holds a value: what changes is named, not shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from api.bodies import Answer, Body, Sha256Hex, Token
from models.domain.customers.change_request import RequestChannel

_Value = Annotated[str, StringConstraints(min_length=1, max_length=400)]


class ChangeRequestBody(Body):
    """What is to change, by field of the record (`mobile`, `address`, …); null takes a value away."""

    customer_id: Token
    channel: Literal[RequestChannel.PHONE, RequestChannel.MAIL, RequestChannel.COUNTER]
    values: Annotated[dict[str, _Value | None], Field(min_length=1, max_length=20)]


class ChangeDecisionBody(Body):
    """What the reviewer, or the second person, says; bound to what they were shown."""

    approve: bool
    shown_hash: Sha256Hex
    reason_code: Literal["identity-not-proven", "evidence-missing", "data-right", "customer-withdrew"] | None = None


class ChangeRequestAnswer(Answer):
    """A request. `fields` are names; the values are sealed until they are in the record."""

    id: str
    customer_id: str
    channel: str
    fields: list[str]
    fields_text: str
    needs_second: bool
    state: str
    state_text: str
    reason_code: str | None
    shown_hash: str
    created_by: str
    reviewed_by: str | None
    confirmed_by: str | None
    created_at: datetime
    applied_at: datetime | None
    ended_at: datetime | None


class ChangeValueAnswer(Answer):
    """One field as it stands and as it is to be, masked."""

    field: str
    field_text: str
    before: str | None
    after: str | None


class ChangeRequestDetail(ChangeRequestAnswer):
    """A request with what changes, masked."""

    values: list[ChangeValueAnswer]


class ChangeRequestPage(Answer):
    """Requests, the newest first."""

    items: list[ChangeRequestAnswer]
    end_cursor: str | None
