"""A customer's fields as a person may see them without a reason: masked on the server, field by field."""

from collections.abc import Mapping
from typing import Final

from compliance.vault.masking import (
    HIDDEN,
    mask_address,
    mask_card,
    mask_email,
    mask_id_number,
    mask_mobile,
    mask_name,
)
from models.domain.customers.record import FIELDS
from models.domain.privacy.masks import MaskPolicy

# Neither tells who somebody is.
_SHOWN: Final = frozenset({"id_type", "language", "nationality", "id_valid_until"})


def masked_field(name: str, value: str | None, masks: MaskPolicy) -> str | None:
    """One value under the mask of its field; what no mask is made for is hidden whole."""
    if value is None or name in _SHOWN:
        return value
    match name:
        case "name":
            return mask_name(value, masks)
        case "id_number":
            return mask_id_number(value, masks)
        case "mobile":
            return mask_mobile(value, masks)
        case "email":
            return mask_email(value, masks)
        case "account":
            return mask_card(value, masks)
        case "address":
            return mask_address(value, masks)
        case "customer_no":
            return mask_card(value, masks)
        case _:
            return HIDDEN


def masked_fields(values: Mapping[str, str | None], masks: MaskPolicy) -> dict[str, str | None]:
    """Every field that is there, in the order of the record."""
    return {name: masked_field(name, values[name], masks) for name in FIELDS if values.get(name) is not None}
