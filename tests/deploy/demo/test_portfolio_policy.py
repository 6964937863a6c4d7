"""The office of the portfolio decides by what a task shows: rules first, then sums; each refusal with its reason."""

from typing import Any

import pytest

from deploy.demo import portfolio_policy as policy
from models.domain.application import HardshipCode
from models.domain.forms import parse_decision
from models.domain.plans.negotiation import Family
from models.domain.states import Outcome, TaskType


def assessment(*, capacity: int = 300_000, term: int = 12, reason: str | None = None) -> dict[str, Any]:
    rules = [{"outcome": "recommend", "rule": "CCM-70a", "reason": reason}] if reason else []
    shown = {
        "affordability": {"capacityMinor": capacity},
        "requested": {"amountMinor": 1_200_000, "termMonths": term},
    }
    return {"blocked": rules, "shown": shown}


def offer(family: Family, *, fits: bool = True, bps: int = 200, offered: bool = True) -> dict[str, Any]:
    figures = {"fits": fits, "concessionBps": bps} if offered else {}
    token = f"plo_{list(Family).index(family):026d}"
    return {"id": token, "family": family.value, "hash": "h" if offered else None, "figures": figures}


def negotiated(*offers: dict[str, Any], number: int = 1, hardship: str = "other") -> dict[str, Any]:
    task = {"shown": {"offers": list(offers)}, "blocked": []}
    return policy.negotiated(task, hardship=hardship, amount_minor=900_000, number=number, authority_bps=1_000)


@pytest.mark.parametrize(
    ("reason", "outcome", "code"),
    [
        ("hardship-without-evidence", Outcome.RETURN, "documents-unclear"),
        ("debt-within-capacity", Outcome.REJECT, "able-to-repay"),
        ("not-willing-to-repay", Outcome.REJECT, "not-willing-to-repay"),
        ("hardship-not-recognised", Outcome.REJECT, "no-hardship"),
        ("anything-else", Outcome.REJECT, "outside-policy"),
    ],
)
def test_a_rule_that_bars_the_recommendation_gives_the_reason(reason: str, outcome: Outcome, code: str) -> None:
    form = policy.assessed(assessment(reason=reason))
    assert form == {"outcome": outcome, "reasonCode": code}
    assert parse_decision(TaskType.ASSESSMENT, form).reason_code == code


def test_without_capacity_nothing_is_recommended() -> None:
    assert policy.assessed(assessment(capacity=0)) == {"outcome": "reject", "reasonCode": "capacity-too-low"}


def test_what_was_asked_for_is_recommended_over_a_term_that_the_capacity_bears() -> None:
    form = policy.assessed(assessment(capacity=300_000, term=12))
    assert (form["outcome"], form["amountMinor"], form["termMonths"]) == ("recommend", 1_200_000, 12)
    assert policy.assessed(assessment(capacity=60_000, term=12))["termMonths"] == 24
    assert policy.assessed(assessment(capacity=60_000, term=36))["termMonths"] == 36
    assert policy.assessed(assessment(capacity=1, term=12))["termMonths"] == 60
    assert parse_decision(TaskType.ASSESSMENT, form).terms is not None


def test_a_plan_is_chosen_that_fits_and_is_nearest_to_the_customers_need() -> None:
    offers = [offer(family) for family in Family]
    for hardship, family in (
        (HardshipCode.ILLNESS, Family.INTEREST_PAUSE),
        (HardshipCode.UNEMPLOYMENT, Family.STEP_UP),
        (HardshipCode.OTHER, Family.FIXED_TERM),
    ):
        assert negotiated(*offers, hardship=hardship)["offerId"] == offer(family)["id"]


def test_what_does_not_fit_or_nobody_may_concede_is_not_chosen() -> None:
    chosen = negotiated(
        offer(Family.FIXED_TERM, fits=False),
        offer(Family.STEP_UP, bps=1_001),
        offer(Family.AFFORDABLE, offered=False),
        offer(Family.PRINCIPAL_FIRST, bps=1_000),
    )
    assert chosen == {"outcome": "choose", "offerId": offer(Family.PRINCIPAL_FIRST)["id"]}


def test_other_terms_are_tried_once_before_the_case_is_refused() -> None:
    first = negotiated(offer(Family.FIXED_TERM, fits=False))
    assert (first["outcome"], first["amountMinor"], first["termMonths"]) == ("reoffer", 900_000, 60)
    assert parse_decision(TaskType.NEGOTIATION, first).terms is not None
    second = negotiated(offer(Family.FIXED_TERM, fits=False), number=2)
    assert second == {"outcome": "reject", "reasonCode": "capacity-too-low"}


def test_an_approval_that_a_rule_bars_is_a_refusal() -> None:
    task = {"blocked": [{"outcome": "approve", "rule": "CCN22-RANGE", "reason": "below-minimum"}]}
    assert policy.approved(task) == {"outcome": "reject", "reasonCode": "outside-policy"}
    assert policy.approved({"blocked": []}) == {"outcome": "approve"}


def test_the_senior_is_asked_only_above_the_authority() -> None:
    def permit(because: str | None) -> dict[str, Any]:
        return {"allowedActions": {"approve": {"allowed": because is None, "because": because}}}

    assert policy.beyond_authority(permit("authority-exceeded"))
    assert not policy.beyond_authority(permit("four-eyes-violation"))
    assert not policy.beyond_authority(permit(None))


def test_what_a_returned_case_lacks_is_read_from_its_verdicts() -> None:
    consent = {"rule": "CRED-18", "result": "FAIL", "reason": "consent-not-written"}
    evidence = {"rule": "CCM-70a", "result": "FAIL", "reason": "hardship-without-evidence"}
    for verdicts, wanted in (([consent], (True, False)), ([evidence], (False, True)), ([], (False, False))):
        task = {"shown": {"verdicts": verdicts}}
        assert (policy.wants_written_consent(task), policy.wants_evidence(task)) == wanted
