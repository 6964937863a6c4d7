"""What the printed documents say, as the facts that rules of the signing gate ask for. Pure: content in, JSON out."""

from typing import Any, Final

from activities.documents.citations import articles_cited
from activities.documents.content import Agreement, Charge, ChargeKind, CostStatement
from models.domain.rule_words import AGREEMENT_CONTENTS, STATEMENT_FIELDS, FeeCharge, FundsCost
from models.texts.render import Locale, render

DISCLOSED: Final = ("nature", "procedure", "risk")  # paragraphs of their own; liability for breach is an article
# Clauses that the template sets off (重点条款), each with a mark and a frame: charges and rate stand on the first page.
_MAJOR: Final = ("interest", "no-new-card-undertaking", "breach-liability")
_DEBIT: Final = "debit-mandate"
_PPM: Final = 1_000_000


def facts_of(agreement: Agreement, statement: CostStatement, *, locale: Locale = "zh-CN") -> dict[str, Any]:
    """Names and values of `compliance.rules.installments.facts`: what is on the paper, never what should be."""
    major = [*_MAJOR, *([_DEBIT] if agreement.mandate is not None else [])]
    return {
        "agreement_contents": [name for name in AGREEMENT_CONTENTS if _holds(agreement)[name]],
        "annual_fee_charge": _word(agreement, ChargeKind.ANNUAL_FEE),
        "interest_charge": _word(agreement, ChargeKind.INTEREST),
        "other_fees_charge": _word(agreement, ChargeKind.OTHER),
        "funds_cost_shown_as": _funds_cost(agreement).value,
        "cited_articles": articles_cited(agreement, locale=locale),
        "disclosed_items": _disclosed(agreement, locale),
        "statement_fields": [name for name in STATEMENT_FIELDS if _states(statement)[name]],
        "statement_items": [*(item.code for item in statement.items), *(item.code for item in statement.contingent)],
        "statement_rate_ppm": int((statement.total.value * _PPM).to_integral_value()),
        "rate_in_agreement": bool(agreement.rates),
        "short_rate_more_conspicuous": False,  # the first rate of the content is the only one in large type
        "major_clauses": major,
        "highlighted_clauses": major,
    }


def _holds(agreement: Agreement) -> dict[str, bool]:
    """Which contents of CCM-70c the agreement has; texts of the template that stand in every agreement are always."""
    rows = agreement.schedule.rows
    return {
        "debt-balance": sum(part.amount_minor for part in agreement.debt) > 0,
        "debt-structure": bool(agreement.debt),
        "debt-currency": bool(agreement.currency),
        "repayment-cycle": bool(agreement.cycle),
        "repayment-method": bool(agreement.method),
        "repayment-currency": bool(agreement.currency),
        "row-dates": bool(rows),
        "row-amounts": all(row.total_minor > 0 for row in rows),
        "no-new-card-undertaking": True,
        "rights-and-duties": True,
        "breach-liability": agreement.breach.missed_rows > 0,
        "other-matters": True,
    }


def _states(statement: CostStatement) -> dict[str, bool]:
    items = statement.items
    return {
        "principal": statement.principal_minor > 0,
        "item-method": bool(items) and all(item.method for item in items),
        "item-standard": bool(items) and all(item.standard for item in items),
        "item-charging-party": bool(items) and all(item.charged_by for item in items),
        "item-yearly-rate": bool(items) and all(item.annual_rate >= 0 for item in items),
        "total-yearly-rate": statement.total.value >= 0,
        "breach-items": bool(statement.contingent),
        "nothing-else-charged": True,
    }


def _disclosed(agreement: Agreement, locale: Locale) -> list[str]:
    said = [name for name in DISCLOSED if disclosure(name, locale) in agreement.other_terms]
    return [*said, *(["breach-liability"] if agreement.breach.missed_rows > 0 else [])]


def disclosure(name: str, locale: Locale) -> str:
    """The paragraph that discloses one item before signing (业务性质、办理程序、风险)."""
    return render(f"document.disclosure.{name}", {}, locale)


def _funds_cost(agreement: Agreement) -> FundsCost:
    """Under which name the price of the money stands in the schedule."""
    rows = agreement.schedule.rows
    if any(row.fee_minor for row in rows):
        return FundsCost.FEE
    return FundsCost.INTEREST if any(row.interest_minor for row in rows) else FundsCost.NONE


def _word(agreement: Agreement, kind: ChargeKind) -> str:
    charge: Charge = next(charge for charge in agreement.charges if charge.kind is kind)
    return (FeeCharge.CHARGED if charge.charged else FeeCharge.NOT_CHARGED).value
