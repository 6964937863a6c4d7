"""A customer's record (客户信息): its fields, and the one spelling by which two of them are compared.

The nine elements of identity that anti-money-laundering law asks for (name, sex, nationality, occupation, address,
contact, kind, number and validity of the document) are among them.
"""

from collections.abc import Mapping
from typing import Final

# Opened or searched one by one: cells of their own. Their order is the one in which files and screens show them.
CELL_FIELDS: Final = ("customer_no", "name", "id_number", "mobile", "email", "account")
# Opened together: one packed cell.
PACKED_FIELDS: Final = (
    "id_valid_until",  # ISO date, or `long-term` (长期)
    "sex",  # F | M
    "birth_date",  # ISO date
    "nationality",  # ISO 3166 alpha-3
    "occupation",
    "employer",
    "employer_uscc",  # 统一社会信用代码
    "address",
    "postcode",
)
# In the clear beside the record: neither tells who somebody is.
CLEAR_FIELDS: Final = ("id_type", "language")
FIELDS: Final = (*CELL_FIELDS, *PACKED_FIELDS, *CLEAR_FIELDS)
# Who somebody is and how money and messages reach them: changed by one person, confirmed by another (四眼).
KEY_FIELDS: Final = frozenset({"name", "id_type", "id_number", "mobile", "account"})
# Without these a record cannot be taken over.
REQUIRED_FIELDS: Final = frozenset({"customer_no", "name", "id_type", "id_number"})

LONG_TERM: Final = "long-term"
_KNOWN: Final = frozenset(FIELDS)
_HEADS: Final = tuple((name, number.to_bytes(2)) for number, name in enumerate(FIELDS))
_FORM: Final = b"casework.customer-record\x00\x01"


def canonical_record(values: Mapping[str, str | None]) -> bytes:
    """The one spelling of a record: fields in their fixed order, each behind its length; an absent one has none.

    What roots, checksums and comparisons are computed over. `values` are canonical already (`models.domain.customers`
    spells, this only joins); fields that are not in `FIELDS` are refused.

    Raises:
        ValueError: an unknown field; its name is said, its value is not.
    """
    if not values.keys() <= _KNOWN:
        raise ValueError(f"a customer's record has no field {min(values.keys() - _KNOWN)}")
    pieces = [_FORM]
    for name, head in _HEADS:
        value = values.get(name)
        if value is not None:
            plain = value.encode()
            pieces += (head, len(plain).to_bytes(4), plain)
    return b"".join(pieces)
