"""Plans side by side (方案对比) as they were offered: rounds, figures, differences, and their picture."""

from itertools import groupby

from api.agreements.answers import (
    PlanAnswer,
    PlanChangeAnswer,
    PlanNoteAnswer,
    PlanRoundAnswer,
    PlanRowAnswer,
    PlansAnswer,
)
from api.wording import worded
from models.domain.plans.changes import changes
from models.domain.plans.negotiation import Family
from models.domain.plans.offers import PlanOffer as OfferedPlan
from models.domain.plans.picture import PictureTexts, picture
from models.domain.plans.stored import offer_from_stored
from models.domain.schedules.rows import Row
from models.tables.agreements import PlanOffer
from models.texts.formats import format_money


def plan_of(row: PlanOffer) -> OfferedPlan:
    """The plan behind a stored offer."""
    return offer_from_stored(
        family=row.family, convention=row.convention, terms=row.terms, rows=row.rows, figures=row.figures
    )


def plans_answer(offers: list[PlanOffer], *, currency: str, locale: str) -> PlansAnswer:
    """All rounds, newest first; each plan beside what it was in the round before in which its family stood."""
    earlier: dict[str, OfferedPlan] = {}
    told: dict[str, PlanAnswer] = {}
    for row in sorted(offers, key=lambda each: each.version):
        plan = plan_of(row)
        told[row.id] = _plan(row, plan, earlier.get(row.family), locale=locale)
        earlier[row.family] = plan
    rounds = [
        PlanRoundAnswer(version=version, plans=[told[row.id] for row in sorted(group, key=_place)])
        for version, group in groupby(offers, key=lambda each: each.version)
    ]
    return PlansAnswer(currency=currency, rounds=rounds)


def plans_picture(offers: list[PlanOffer], *, currency: str, locale: str) -> str:
    """One round as SVG."""
    reasons = {reason for row in offers for reason in row.terms["reasons"]}
    texts = PictureTexts(
        **{name: worded(f"plan.picture.{key}", locale) for name, key in _PICTURE.items()},
        families={family: worded(f"plan.family.{family}", locale) for family in Family},
        reasons={reason: worded(f"plan.reason.{reason}", locale) for reason in reasons},
        money=lambda amount: format_money(amount, currency=currency),
    )
    return picture([plan_of(row) for row in sorted(offers, key=_place)], texts)


_PICTURE = {
    "title": "title",
    "not_offered": "not-offered",
    "principal": "principal",
    "cost": "cost",
    "capacity": "capacity",
    "highest": "highest",
    "total": "total",
    "rate": "rate",
    "rows": "rows",
}
_ORDER = {family.value: place for place, family in enumerate(Family)}


def _place(row: PlanOffer) -> int:
    return _ORDER[row.family]


def _plan(row: PlanOffer, plan: OfferedPlan, before: OfferedPlan | None, *, locale: str) -> PlanAnswer:
    different = None
    if before is not None:
        different = [PlanChangeAnswer(path=one.path, old=one.old, new=one.new) for one in changes(before, plan)]
    return PlanAnswer(
        id=row.id,
        family=row.family,
        family_text=worded(f"plan.family.{row.family}", locale),
        kind=row.kind,
        convention=row.convention,
        hash=row.plan_hash,
        intact=row.plan_hash is None or plan.hash == row.plan_hash,
        notes=[PlanNoteAnswer(code=code, text=worded(f"plan.reason.{code}", locale)) for code in plan.reasons],
        figures=row.figures or None,
        rows=plan_rows(plan.schedule.rows if plan.schedule is not None else ()),
        changes=different,
        created_at=row.created_at,
    )


def plan_rows(rows: tuple[Row, ...]) -> list[PlanRowAnswer]:
    """Rows of a plan, or new rows of a change."""
    return [
        PlanRowAnswer(
            no=row.no,
            due=row.due,
            principal_minor=row.principal_minor,
            interest_minor=row.interest_minor,
            fee_minor=row.fee_minor,
            total_minor=row.total_minor,
        )
        for row in rows
    ]
