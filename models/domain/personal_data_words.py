"""Lists that the rules about personal data know."""

from typing import Final

# Purposes inside the bank's own credit card business (本行信用卡业务)
CARD_PURPOSES: Final = ("card-servicing", "card-collection", "card-risk", "card-installment")
JOINT_TERMS: Final = ("duties", "rights-channel")
PUBLISHED_RULES: Final = (
    "purposes",
    "methods",
    "data-kinds",
    "sensitive-necessity",
    "retention",
    "rights",
    "recipient-list",
)
ASSESSMENT_SECTIONS: Final = ("lawfulness", "effect", "safeguards")
CONTROLS: Final = ("internal-rules", "classification", "encryption", "access-rights", "training", "incident-plan")
BREACH_NOTICE: Final = ("data-kinds", "cause", "harm", "measures", "self-help", "contacts")
