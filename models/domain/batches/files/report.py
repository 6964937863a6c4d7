"""The data-quality report of a file (数据质量报告), as a value: figures and rules, nothing of anybody."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import FieldFault


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldQuality:
    """Of the rows that were read: in how many the field holds something, and in how many that breaks no rule."""

    filled: int
    valid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class QualityReport:
    """What became of every row.

    Attributes:
        rejected: all that did not go on, `duplicates` among them.
        sum_minor, accepted_minor: of the layout's total, in minor units; `unread_amounts` rows have no readable one.
        rules: per rule, in how many rows it was broken; warnings too.
        file_faults: of the file as a whole: trailer and control totals. With any of them nothing may be paid.
    """

    layout: str
    layout_digest: str
    read: int
    accepted: int
    rejected: int
    duplicates: int
    sum_minor: int
    accepted_minor: int
    unread_amounts: int
    rules: Mapping[str, int]
    fields: Mapping[str, FieldQuality]
    file_faults: tuple[FieldFault, ...]

    @property
    def is_conserved(self) -> bool:
        """Read = accepted + rejected (守恒)."""
        return self.read == self.accepted + self.rejected and self.duplicates <= self.rejected

    def as_document(self) -> dict[str, Any]:
        """As it is kept and shown."""
        return {
            "layout": self.layout,
            "layoutDigest": self.layout_digest,
            "read": self.read,
            "accepted": self.accepted,
            "rejected": self.rejected,
            "duplicates": self.duplicates,
            "conserved": self.is_conserved,
            "sumMinor": self.sum_minor,
            "acceptedMinor": self.accepted_minor,
            "unreadAmounts": self.unread_amounts,
            "rules": dict(sorted(self.rules.items())),
            "fields": {
                name: {
                    "filled": each.filled,
                    "valid": each.valid,
                    "filledPermille": _permille(each.filled, self.read),
                    "validPermille": _permille(each.valid, each.filled),
                }
                for name, each in self.fields.items()
            },
            "fileFaults": [
                {"pointer": each.pointer, "code": each.code, "params": dict(each.params)} for each in self.file_faults
            ],
        }


def _permille(part: int, whole: int) -> int | None:
    return part * 1000 // whole if whole else None
