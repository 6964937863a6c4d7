"""The forms of a conflict (迁移冲突): what becomes of a row and a record that do not fit, and why.

Without free text: a conflict is about two subjects, and words about both would lie under the key of one of them.
"""

from typing import Literal

from models.domain.form_base import Plain

KeepReason = Literal["target-newer", "row-wrong", "another-person", "customer-confirmed"]
TakeReason = Literal["row-newer", "target-wrong", "customer-confirmed", "put-back"]
HoldReason = Literal["ask-the-customer", "another-person", "number-in-use"]


class ConflictKeep(Plain):
    """The target's record stays as it is."""

    outcome: Literal["keep"]
    reason_code: KeepReason


class ConflictTake(Plain):
    """The row's values win; of an undo: the record becomes what it was before the change."""

    outcome: Literal["take"]
    reason_code: TakeReason


class ConflictHold(Plain):
    """The row is set aside."""

    outcome: Literal["hold"]
    reason_code: HoldReason
