"""The form of a rule review (规则变更复核): what an officer found about a case that a changed rule stands against."""

from typing import Literal

from models.domain.form_base import Form

RuleReviewReason = Literal["earlier-law-holds", "agreement-changed", "evidence-added", "case-to-be-ended"]


class RuleReviewNoted(Form):
    """The case was looked at; what follows for it is done in the case itself."""

    outcome: Literal["noted"]
    reason_code: RuleReviewReason
