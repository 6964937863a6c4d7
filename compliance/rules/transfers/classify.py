"""The decision table MIG-CLASS: what changes hands and by which event make the class of a company transfer (公司转让).

A: a corporate customer is sold by its shares; the bank updates its records. B: the institution is sold by its shares
and stays the same person. C: it merges. D: it divides. E: part of its business is sold (资产转让). F: it is dissolved
or bankrupt. G besides: the recipient of data is abroad.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

_CLASSES: Final[dict[tuple[str, str], str]] = {
    ("customer-company", "share-transfer"): "A",
    ("institution", "share-transfer"): "B",
    ("institution", "merger"): "C",
    ("institution", "division"): "D",
    ("institution", "dissolution"): "F",
    ("institution", "bankruptcy"): "F",
    ("portfolio", "asset-sale"): "E",
}
ABROAD: Final = "G"


def classes_of(facts: Mapping[str, Any]) -> tuple[str, ...]:
    """The class, and G besides if the recipient is abroad; nothing if the table does not know the event.

    Args:
        facts: `transferred`, `transfer_event` and `recipient_abroad`.
    """
    found = _CLASSES.get((facts["transferred"], facts["transfer_event"]))
    if found is None:
        return ()
    return (found, ABROAD) if facts["recipient_abroad"] else (found,)


class Consent(StrEnum):
    """Which consent a class of transfer needs from the persons whose data move."""

    NONE = "none"
    NEW_PURPOSE = "new-purpose"  # only if the recipient changes purpose or method
    SEPARATE = "separate"  # 单独同意


@dataclass(frozen=True, kw_only=True, slots=True)
class Duties:
    """What a transfer asks of whoever holds the data.

    Attributes:
        handler_changes: somebody else becomes the handler (个人信息处理者) by the event.
        tell: the persons are told before the data move.
    """

    handler_changes: bool
    tell: bool
    consent: Consent


_DUTIES: Final[dict[str, Duties]] = {
    "A": Duties(handler_changes=False, tell=False, consent=Consent.NONE),  # the customer itself supplies the change
    "B": Duties(handler_changes=False, tell=False, consent=Consent.NONE),  # the new parent gets nothing by it
    "C": Duties(handler_changes=True, tell=True, consent=Consent.NEW_PURPOSE),
    "D": Duties(handler_changes=True, tell=True, consent=Consent.NEW_PURPOSE),
    "E": Duties(handler_changes=True, tell=True, consent=Consent.SEPARATE),  # unless a legal opinion is on record
    "F": Duties(handler_changes=True, tell=True, consent=Consent.NEW_PURPOSE),
    ABROAD: Duties(handler_changes=False, tell=True, consent=Consent.SEPARATE),
}
_STRICTNESS: Final = (Consent.NONE, Consent.NEW_PURPOSE, Consent.SEPARATE)


def duties_of(classes: tuple[str, ...]) -> Duties:
    """The duties of all classes of a transfer together; of two consents the stricter.

    Raises:
        LookupError: there is no class, or one that the table does not know.
    """
    if not classes:
        raise LookupError("the transfer has no class")
    found = [_DUTIES[each] for each in classes]
    return Duties(
        handler_changes=any(each.handler_changes for each in found),
        tell=any(each.tell for each in found),
        consent=max((each.consent for each in found), key=_STRICTNESS.index),
    )
