"""The decision table MIG-CLASS: what changes hands and by which event make the class of a company transfer (公司转让).

A: a corporate customer is sold by its shares; the bank updates its records. B: the institution is sold by its shares
and stays the same person. C: it merges. D: it divides. E: part of its business is sold (资产转让). F: it is dissolved
or bankrupt. G besides: the recipient of data is abroad.
"""

from collections.abc import Mapping
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
