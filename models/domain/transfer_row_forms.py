"""What a person decides about a quarantined row of a transfer job, on its task."""

from typing import Literal

from models.domain.form_base import Form

DiscardReason = Literal["not-this-bank", "source-withdraws", "cannot-be-corrected", "duplicate-line"]


class QuarantineDiscard(Form):
    """The row is rejected for good: it becomes nobody's record, and counts as rejected."""

    outcome: Literal["discard"]
    reason_code: DiscardReason
