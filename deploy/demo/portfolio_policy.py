"""How the office of the portfolio decides: by what each task shows, and by nothing else. Pure.

The bank's rules answer first: an outcome that a rule bars is not tried. What is left is the office's own policy, as
data in this file: which reason goes with which rule, what is recommended, and which plan a customer tends to want.
"""

from collections.abc import Mapping
from typing import Any, Final

from deploy.demo.negotiating import fitting
from models.domain.application import HardshipCode
from models.domain.plans.negotiation import Family
from models.domain.product import DEFAULT_PRODUCT
from models.domain.states import Outcome

CONCESSION_BPS: Final = 200
"""What an assessor gives up of the yearly rate without being asked."""
LAST_CONCESSION_BPS: Final = 800
"""What is given up in the second round, if no plan of the first fits."""
ROUNDS: Final = 2
_TERMS: Final = (6, 12, 18, 24, 36, 48, 60)
_LONGEST: Final = _TERMS[-1]
_YEAR_BPS: Final = 12 * 10_000
_RATE_BPS: Final = int(DEFAULT_PRODUCT.original_rate * 10_000)
# Reasons of CCM-70a to reasons of the refusal; evidence that lacks is asked for instead.
_NO_EVIDENCE: Final = "hardship-without-evidence"
_REFUSED_FOR: Final = {
    "debt-within-capacity": "able-to-repay",
    "not-willing-to-repay": "not-willing-to-repay",
    "hardship-not-recognised": "no-hardship",
}
_WISHES: Final = {
    HardshipCode.UNEMPLOYMENT: Family.STEP_UP,  # there will be work again
    HardshipCode.ILLNESS: Family.INTEREST_PAUSE,  # months of cure first
    HardshipCode.DISASTER: Family.PRINCIPAL_FIRST,
    HardshipCode.BUSINESS_FAILURE: Family.INTEREST_FREE,  # a price that is known
    HardshipCode.OTHER: Family.FIXED_TERM,
}
_FAMILIES: Final = tuple(Family)


def barred(task: Mapping[str, Any], outcome: Outcome) -> list[dict[str, Any]]:
    """The rules that bar an outcome of a task, as the task shows them, each with its citation."""
    return [block for block in task["blocked"] if block["outcome"] == outcome]


def wants_written_consent(task: Mapping[str, Any]) -> bool:
    """Whether a documents task came back because the credit report needs a consent in writing (CRED-18)."""
    return any(verdict["rule"] == "CRED-18" and verdict["result"] == "FAIL" for verdict in task["shown"]["verdicts"])


def wants_evidence(task: Mapping[str, Any]) -> bool:
    """Whether it came back for want of evidence of the hardship (CCM-70a)."""
    return any(verdict["reason"] == _NO_EVIDENCE for verdict in task["shown"]["verdicts"])


def assessed(task: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an assessment: recommend, ask for evidence, or refuse with the reason of the rule or the sum."""
    rules = barred(task, Outcome.RECOMMEND)
    if rules:
        if any(rule["reason"] == _NO_EVIDENCE for rule in rules):
            return {"outcome": Outcome.RETURN, "reasonCode": "documents-unclear"}
        named = (_REFUSED_FOR[rule["reason"]] for rule in rules if rule["reason"] in _REFUSED_FOR)
        return _refuse(next(named, "outside-policy"))
    capacity = task["shown"]["affordability"]["capacityMinor"]
    if capacity == 0:
        return _refuse("capacity-too-low")
    requested = task["shown"]["requested"]
    return {
        "outcome": Outcome.RECOMMEND,
        "amountMinor": requested["amountMinor"],
        "termMonths": bearable_term(requested["amountMinor"], capacity, least=requested["termMonths"]),
        "concessionBps": CONCESSION_BPS,
    }


def bearable_term(amount_minor: int, capacity_minor: int, *, least: int) -> int:
    """The shortest usual term, from the one asked for on, whose installment the capacity bears; else the longest.

    The installment is estimated as an equal share and the mean interest; what it really is, the plans will say.
    """
    rate_bps = _RATE_BPS - CONCESSION_BPS
    for term in _TERMS:
        interest = amount_minor * rate_bps * (term + 1) // (2 * term * _YEAR_BPS)
        if term >= least and -(-amount_minor // term) + interest <= capacity_minor:
            return term
    return _LONGEST


def negotiated(
    task: Mapping[str, Any], *, hardship: str, amount_minor: int, number: int, authority_bps: int
) -> dict[str, Any]:
    """The answer to a negotiation: a plan that fits, other terms once, or a refusal because nothing fits.

    Args:
        task: shows the plans side by side.
        hardship: what the customer tends to want follows from it; of the plans that fit, the nearest is taken.
        amount_minor: what was asked for.
        number: the number of this round of plans, from one.
        authority_bps: the most that anybody in the office may concede of the yearly rate.
    """
    offers = [offer for offer in task["shown"]["offers"] if offer["hash"] is not None and offer["figures"]["fits"]]
    within = [offer for offer in offers if offer["figures"]["concessionBps"] <= authority_bps]
    if within:
        wish = _FAMILIES.index(_WISHES[HardshipCode(hardship)])
        return {"outcome": Outcome.CHOOSE, "offerId": fitting(within, wish=wish)["id"]}
    if number < ROUNDS:
        return {
            "outcome": Outcome.REOFFER,
            "amountMinor": amount_minor,
            "termMonths": _LONGEST,
            "concessionBps": LAST_CONCESSION_BPS,
        }
    return _refuse("capacity-too-low")


def approved(task: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to an approval: what a rule bars is outside the policy of any bank."""
    if barred(task, Outcome.APPROVE):
        return _refuse("outside-policy")
    return {"outcome": Outcome.APPROVE}


def beyond_authority(task: Mapping[str, Any]) -> bool:
    """Whether the reader of the task may not approve it because amount or concession lies above their authority."""
    return bool(task["allowedActions"][Outcome.APPROVE]["because"] == "authority-exceeded")


def _refuse(reason: str) -> dict[str, Any]:
    return {"outcome": Outcome.REJECT, "reasonCode": reason}
