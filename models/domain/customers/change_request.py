"""A single change of a customer's record (客户信息变更申请): its channels, its states, and what follows what."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from models.domain.customers.record import FIELDS, KEY_FIELDS


class RequestChannel(StrEnum):
    """How the customer asked."""

    PHONE = "phone"
    MAIL = "mail"
    COUNTER = "counter"
    LINK = "link"


class RequestState(StrEnum):
    """Where a request stands."""

    REVIEW = "review"  # 核对
    CONFIRM = "confirm"  # 复核: a key field changes, and a second person looks
    APPLIED = "applied"
    REFUSED = "refused"
    CONFLICT = "conflict"  # the record changed meanwhile: ask anew


# The customer number names the record in other systems; it is not the customer's to change.
CHANGEABLE: Final = frozenset(FIELDS) - {"customer_no"}
REFUSALS: Final = ("identity-not-proven", "evidence-missing", "data-right", "customer-withdrew")
_CONTACTS: Final = ("mobile", "email")


def needs_second(fields: Iterable[str]) -> bool:
    """Whether a second person must look before this changes (四眼)."""
    return bool(KEY_FIELDS.intersection(fields))


def contacts_changed(fields: Iterable[str]) -> tuple[str, ...]:
    """Contact points that change: the old and the new one are both told, so that no theft of a record goes unseen."""
    changed = set(fields)
    return tuple(name for name in _CONTACTS if name in changed)
