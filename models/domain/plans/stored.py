"""A stored offer as the plan that it was: for pictures and differences, and to see that nothing of it was altered."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from models.domain.plans.negotiation import Balances, Family, Kind
from models.domain.plans.offers import Figures, PlanOffer
from models.domain.plans.pricing import ConcessionLine
from models.domain.schedules.rows import Schedule
from models.domain.servicing.stored import rows_from_json


def offer_from_stored(
    *,
    family: str,
    convention: str | None,
    terms: Mapping[str, Any],
    rows: Sequence[Sequence[Any]],
    figures: Mapping[str, Any],
) -> PlanOffer:
    """The offer from its columns; its hash is the stored one if and only if nothing of it was altered.

    Raises:
        KeyError: a member is missing.
    """
    schedule = None
    if convention is not None and rows:
        schedule = Schedule(
            convention=convention,
            start=date.fromisoformat(terms["start"]),
            principal_minor=terms["principalMinor"],
            rows=rows_from_json(rows),
        )
    return PlanOffer(
        family=Family(family),
        terms_version=terms["plans"],
        balances=Balances(purchases_minor=terms["principalMinor"]),
        original_rate=Decimal(terms["originalRate"]),
        capacity_minor=terms["capacityMinor"],
        reasons=tuple(terms["reasons"]),
        schedule=schedule,
        figures=_figures(figures) if figures else None,
    )


def _figures(stored: Mapping[str, Any]) -> Figures:
    return Figures(
        level_installment_minor=stored["levelInstallmentMinor"],
        first_installment_minor=stored["firstInstallmentMinor"],
        last_installment_minor=stored["lastInstallmentMinor"],
        highest_installment_minor=stored["highestInstallmentMinor"],
        term=stored["term"],
        last_due=date.fromisoformat(stored["lastDue"]),
        total_paid_minor=stored["totalPaidMinor"],
        interest_minor=stored["interestMinor"],
        fee_minor=stored["feeMinor"],
        total_cost_minor=stored["totalCostMinor"],
        conceded_minor=stored["concededMinor"],
        concession_bps=stored["concessionBps"],
        rate_concession_bps=stored["rateConcessionBps"],
        lines=tuple(
            ConcessionLine(
                kind=Kind(line["kind"]), original_minor=line["originalMinor"], charged_minor=line["chargedMinor"]
            )
            for line in stored["lines"]
        ),
        nominal=Decimal(stored["nominalPercent"]),
        effective=Decimal(stored["effectivePercent"]),
        simple=Decimal(stored["simplePercent"]),
        european=Decimal(stored["europeanPercent"]),
        actuarial=Decimal(stored["actuarialPercent"]),
        original_effective=Decimal(stored["originalEffectivePercent"]),
        capacity_bps=stored["capacityBps"],
        fits=stored["fits"],
    )
