"""What of a customer's record a plan lets move (范围): minimum necessary, by field and by class of data. Pure.

A plan names fields, and may name classes (信息种类) of which all its fields must be. What lies outside is neither
backed up nor read in: it is counted by field, never by value, so that nobody has to guess what stayed behind
(个人信息保护法 Art. 6: 最小必要).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from models.domain.customers.faults import ROW, Fault
from models.domain.customers.record import FIELDS

Value = TypeVar("Value", str, str | None)


class DataKind(StrEnum):
    """A class of data in a customer's record."""

    IDENTITY = "identity"  # 身份信息
    CONTACT = "contact"  # 联系方式
    OCCUPATION = "occupation"  # 职业信息
    ACCOUNT = "account"  # 账户信息


KIND_OF: Final[Mapping[str, DataKind]] = {
    "customer_no": DataKind.IDENTITY,
    "name": DataKind.IDENTITY,
    "id_type": DataKind.IDENTITY,
    "id_number": DataKind.IDENTITY,
    "id_valid_until": DataKind.IDENTITY,
    "sex": DataKind.IDENTITY,
    "birth_date": DataKind.IDENTITY,
    "nationality": DataKind.IDENTITY,
    "mobile": DataKind.CONTACT,
    "email": DataKind.CONTACT,
    "address": DataKind.CONTACT,
    "postcode": DataKind.CONTACT,
    "language": DataKind.CONTACT,
    "occupation": DataKind.OCCUPATION,
    "employer": DataKind.OCCUPATION,
    "employer_uscc": DataKind.OCCUPATION,
    "account": DataKind.ACCOUNT,
}
ALL_FIELDS: Final = frozenset(FIELDS)
assert KIND_OF.keys() == ALL_FIELDS, "each field of a record is of one class"


def fields_in(named: Iterable[str], kinds: Iterable[str]) -> frozenset[str]:
    """The fields that are named and of one of these classes."""
    allowed = set(kinds)
    return frozenset(name for name in named if KIND_OF[name].value in allowed)


def scope_of(plan: Mapping[str, Any]) -> frozenset[str]:
    """The fields that a job with this plan moves; every field while there is no plan.

    A plan from before classes were named lets every class move.
    """
    scope = plan.get("scope")
    if not isinstance(scope, Mapping) or "fields" not in scope:
        return ALL_FIELDS
    return fields_in(scope["fields"], scope.get("classes") or [kind.value for kind in DataKind])


def within(values: Mapping[str, Value], fields: frozenset[str], left_out: Counter[str]) -> Mapping[str, Value]:
    """The values of these fields; each other one that has a value is counted by its name."""
    if values.keys() <= fields:
        return values
    left_out.update(name for name, value in values.items() if name not in fields and value is not None)
    return {name: value for name, value in values.items() if name in fields}


def faults_within(faults: Iterable[Fault], fields: frozenset[str]) -> list[Fault]:
    """What is wrong with a whole row or with one of these fields: of a field that stays behind nothing is asked."""
    return [each for each in faults if each.field == ROW or each.field in fields or each.field not in ALL_FIELDS]
