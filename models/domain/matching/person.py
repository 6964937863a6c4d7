"""A record as it is compared: every value in its one spelling, and what follows from them."""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from models.domain.matching.addresses import address_core, canonical_address
from models.domain.matching.names import Name, name_of
from models.domain.matching.values import Identity, account_of, day_of, email_of, identity_of, mobile_of, sex_of


class Person(NamedTuple):
    """One record. It shows itself nowhere.

    Attributes:
        births: days on which they may be born: by a checked document, then as written, if that is another.
        sexes: in the same order.
        born, sex: as written, whatever a document says; empty where nothing is.
        address_core: what is left of the address whoever writes it; empty where that would be too little.
    """

    name: Name
    identity: Identity | None
    births: tuple[str, ...]
    sexes: tuple[str, ...]
    mobile: str
    email: str
    account: str
    address: str
    address_core: str
    born: str
    sex: str

    def __repr__(self) -> str:
        return "Person()"


def person_of(values: Mapping[str, str | None], *, today: date) -> Person:
    """A record of `models.domain.customers.record` as it is compared; whatever is missing or odd is taken as it is.

    Args:
        values: the record's fields, canonical or as read.
        today: of the tenant; a document's birth date may not lie behind it.
    """
    identity = identity_of(values.get("id_type"), values.get("id_number"), today=today)
    address = canonical_address(values.get("address") or "")
    proven = identity if identity is not None and identity.checked else None
    legacy = identity.born if identity is not None else None
    born, sex = day_of(values.get("birth_date") or ""), sex_of(values.get("sex") or "")
    return Person(
        name=name_of(values.get("name") or ""),
        identity=identity,
        births=_distinct(proven and proven.born, born, legacy),
        sexes=_distinct(proven and proven.sex, sex),
        mobile=mobile_of(values.get("mobile") or ""),
        email=email_of(values.get("email") or ""),
        account=account_of(values.get("account") or ""),
        address=address,
        address_core=address_core(address),
        born=born,
        sex=sex,
    )


def _distinct(*found: str | None) -> tuple[str, ...]:
    values = [value for value in found if value]
    return tuple(values) if len(set(values)) == len(values) else tuple(dict.fromkeys(values))
