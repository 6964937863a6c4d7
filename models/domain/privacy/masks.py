"""Patterns of masks (屏蔽规则) as data with a version: shipped by default, and set by a bank within bounds.

A card number is partly hidden on vouchers and statements by law (信用卡业务监督管理办法 Art. 61); the
patterns are convention (JR/T 0171-2020 Annex A, informative). A bank may hide more than the defaults and never less.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from typing import Any, Final


class AmountsInLists(StrEnum):
    """How an amount stands in a list (列表中的金额); owner and case handler see it in full in the case."""

    SHOWN = "shown"
    ROUNDED = "rounded"  # down to its first two digits
    HIDDEN = "hidden"


class AddressShown(StrEnum):
    """Down to where an address is shown."""

    DISTRICT = "district"
    CITY = "city"
    NOTHING = "nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class MaskPolicy:
    """How many characters stay, at the beginning and at the end.

    Attributes:
        hide_surname: of a name of two characters or more the first one is hidden too.
        id_first, id_last: an identity card (身份证号) in the back office.
        own_id_first, own_id_last: the same on the customer's own screen.
        document_first, document_last: a passport or any other document.
        mobile_first, mobile_last: a mobile of the mainland; `abroad_last` of any other.
        landline_last: a landline (座机) behind its area code.
        card_first, card_last: a card or account number (银行卡号).
        statement_last: the same on statements, vouchers and letters.
        email_first: characters before the domain, never more than half.
    """

    version: str
    source: str
    hide_surname: bool = False
    id_first: int = 6
    id_last: int = 4
    own_id_first: int = 1
    own_id_last: int = 1
    document_first: int = 1
    document_last: int = 2
    mobile_first: int = 3
    mobile_last: int = 4
    abroad_last: int = 2
    landline_last: int = 4
    card_first: int = 6
    card_last: int = 4
    statement_last: int = 4
    email_first: int = 3
    address: str = AddressShown.DISTRICT.value
    amounts_in_lists: str = AmountsInLists.SHOWN.value

    def __post_init__(self) -> None:
        """Refuse patterns that show more than the defaults.

        Raises:
            ValueError: naming the pattern and its bounds, or a word that is none.
        """
        for each in fields(self):
            if type(each.default) is int and not 0 <= getattr(self, each.name) <= each.default:
                raise ValueError(f"{each.name} is 0 to {each.default}")
        AddressShown(self.address)
        AmountsInLists(self.amounts_in_lists)

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "MaskPolicy":
        """What was kept.

        Raises:
            TypeError: there is a member too many.
            ValueError: a pattern shows more than the defaults.
        """
        return cls(**kept)


DEFAULT_MASKS: Final = MaskPolicy(
    version="masks/2026-11", source="product default after JR/T 0171-2020 Annex A (informative)"
)
