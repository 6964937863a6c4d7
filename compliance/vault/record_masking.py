"""A customer's record as screens of a transfer job show it: masked on the server, by field (JR/T 0171-2020)."""

from collections.abc import Collection, Mapping
from typing import Final

from compliance.vault.masking import STAR, masked
from models.domain.privacy.masks import DEFAULT_MASKS, MaskPolicy
from models.domain.privacy.words import Mask

_MASKS: Final = {
    "name": Mask.NAME,
    "id_number": Mask.ID_NUMBER,
    "mobile": Mask.PHONE,
    "email": Mask.EMAIL,
    "account": Mask.CARD,
    "address": Mask.ADDRESS,
}
_SHOWN: Final = frozenset({"id_type", "language", "sex", "nationality", "employer_uscc", "id_valid_until"})
_YEAR: Final = 4
_ENDS_SHOWN_FROM: Final = 6
_LONGEST_SHOWN: Final = 40


def mask_record(
    values: Mapping[str, str], *, faulty: Collection[str] = (), masks: MaskPolicy = DEFAULT_MASKS
) -> dict[str, str]:
    """Each field that is there, masked.

    Args:
        values: by field.
        faulty: fields that broke a rule: what they hold has no shape that a mask could keep to, so that only the first
            and the last character stay, of longer ones.
        masks: the tenant's patterns.
    """
    return {name: blurred(value) if name in faulty else _masked(name, value, masks) for name, value in values.items()}


def _masked(name: str, value: str, masks: MaskPolicy) -> str:
    mask = _MASKS.get(name)
    if mask is not None:
        return masked(mask, value, masks) or STAR
    if name == "birth_date":
        return value[:_YEAR] + "-**-**"
    return value if name in _SHOWN else blurred(value)


def blurred(value: str) -> str:
    """Of a longer value the first and the last character, of a short one nothing."""
    shown = value[:_LONGEST_SHOWN]
    if len(shown) < _ENDS_SHOWN_FROM:
        return STAR * len(shown)
    return shown[0] + STAR * (len(shown) - 2) + shown[-1]
