"""The forms of a match review (疑似重复复核): what a person saw in two records that may be one person's."""

from typing import Literal

from models.domain.form_base import Form

MatchSameReason = Literal["documents-agree", "details-agree", "customer-confirmed", "slip-of-the-pen"]
MatchDifferentReason = Literal[
    "twins", "household", "namesakes", "documents-differ", "customer-confirmed", "not-proven"
]


class MatchSame(Form):
    """The two are one person. Of a pair with a veto a second person must say so too."""

    outcome: Literal["same"]
    reason_code: MatchSameReason


class MatchDifferent(Form):
    """The two are two persons; also where nobody can prove that they are one."""

    outcome: Literal["different"]
    reason_code: MatchDifferentReason
