"""What a withdrawal of consent (撤回同意) stops, and what may go on and on which ground, as data with a version.

个人信息保护法 Art. 15: a withdrawal does not touch what was done on the consent before it. Art. 16: service is not
refused because of it, unless the processing is necessary for the service. Each `stops` names what the product itself
stops: the gate or check at which it does is the remark beside it.
"""

from dataclasses import dataclass
from typing import Final

from models.domain.application import TOLD, ConsentPurpose

EFFECTS_VERSION: Final = "2026-11"


@dataclass(frozen=True, slots=True)
class GoesOn:
    """What may go on after a withdrawal, and on which ground; both are codes with words in the texts."""

    what: str
    ground: str


@dataclass(frozen=True, slots=True)
class Effect:
    """What follows from the withdrawal of a consent of one purpose."""

    stops: tuple[str, ...]
    goes_on: tuple[GoesOn, ...]

    def as_record(self) -> dict[str, object]:
        """As it is kept with the withdrawal."""
        goes_on = [{"what": each.what, "ground": each.ground} for each in self.goes_on]
        return {"version": EFFECTS_VERSION, "stops": list(self.stops), "goesOn": goes_on}


_DONE_BEFORE: Final = GoesOn("done-before", "PIPL-15")
_AGREEMENT: Final = GoesOn("agreement-performance", "PIPL-13-contract")
_RECORDS: Final = GoesOn("statutory-records", "PIPL-13-legal-duty")

EFFECTS: Final[dict[ConsentPurpose, Effect]] = {
    ConsentPurpose.CREDIT_REPORT_QUERY: Effect(  # gate installments.bureau, CRED-18
        ("credit-report-query",), (_DONE_BEFORE, _AGREEMENT, _RECORDS)
    ),
    ConsentPurpose.PERSONAL_DATA: Effect(  # gate installments.intake, PIPL-13, where the notice rests on consent
        ("intake-on-consent",), (_DONE_BEFORE, _AGREEMENT, _RECORDS)
    ),
    ConsentPurpose.SENSITIVE_DATA: Effect(  # gate installments.intake, PIPL-30, likewise
        ("sensitive-data-on-consent",), (_DONE_BEFORE, _AGREEMENT, _RECORDS)
    ),
    ConsentPurpose.CONTACT_HOURS: Effect(  # gate installments.contact, COLL-CBA-HOURS
        ("contact-at-night",), (_DONE_BEFORE, GoesOn("contact-by-day", "PIPL-13-contract"))
    ),
    ConsentPurpose.PRIVACY_NOTICE: Effect(("notice-counts",), ()),  # an entry made by mistake: gate installments.intake
    ConsentPurpose.ADVERSE_REPORT_NOTICE: Effect(("notice-counts",), ()),
}


def withdrawable_by_customer(purpose: str) -> bool:
    """Whether a customer can take it back: what they were told stays told, only an entry by mistake is taken back."""
    return purpose not in TOLD
