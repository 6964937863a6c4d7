"""Repayment capacity (还款能力测算): what is left a month for this debt, with every step of the working shown.

Pure arithmetic on integers in minor units. The lines of the working add up to the capacity before its floor of zero, so
that a person can check the sum with a pencil. Texts of the lines: `affordability.line.<code>`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

_BASIS_POINTS: Final = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class AffordabilityParameters:
    """What the bank sets, as data with a version; the version is stored with every assessment.

    Attributes:
        version: names this set; a changed figure is a new version.
        source: where the figures come from.
        dependant_allowance_minor: a month's living cost of one dependant, beyond `essential_expense_minor`.
    """

    version: str
    source: str
    dependant_allowance_minor: int


DEFAULT_PARAMETERS: Final = AffordabilityParameters(
    version="affordability/2026-01",
    source="product default, provisional: no law fixes the figure; the bank sets its own",
    dependant_allowance_minor=100_000,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finances:
    """A household's month in minor units, as declared and as the credit bureau (征信) reports it.

    Attributes:
        monthly_income_minor: income after tax.
        essential_expense_minor: necessary living cost without the allowance for dependants.
        other_debt_payment_minor: payments on other debts, as declared.
        dependants: persons who live on this income.
        bureau_obligation_minor: payments on other debts that the bureau knows; None if it was not asked.
    """

    monthly_income_minor: int
    essential_expense_minor: int
    other_debt_payment_minor: int
    dependants: int
    bureau_obligation_minor: int | None = None

    def __post_init__(self) -> None:
        """Refuse negative figures: they would turn a cost into income."""
        figures = (
            self.monthly_income_minor,
            self.essential_expense_minor,
            self.other_debt_payment_minor,
            self.dependants,
            self.bureau_obligation_minor or 0,
        )
        if min(figures) < 0:
            raise ValueError("figures of a household are not negative")


class LineCode(StrEnum):
    """Lines of the working, in their order."""

    INCOME = "income"
    ESSENTIAL_EXPENSE = "essential-expense"
    OTHER_DEBT = "other-debt"
    DEPENDANTS = "dependants"
    BUREAU_UNDECLARED = "bureau-undeclared"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the working: a signed amount and what its note needs."""

    code: LineCode
    amount_minor: int
    params: dict[str, int]

    def as_record(self) -> dict[str, object]:
        """JSON for the stored working: `code`, `amountMinor`, `params`."""
        return {"code": self.code.value, "amountMinor": self.amount_minor, "params": dict(self.params)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Affordability:
    """The answer with its working. All amounts in minor units, a month's unless said otherwise.

    Attributes:
        capacity_minor: what can be paid on this debt, never negative.
        before_floor_minor: the sum of `lines`; below zero where the household already lacks money.
        requested_payment_minor: the requested amount over the requested term, rounded up.
        coverage_bps: capacity over the requested payment, basis points, rounded down; 10,000 and more covers it.
        covers_request: whether the capacity bears the requested payment.
        months_needed: months until the requested amount is repaid at this capacity, without interest; None if never.
        rule_version: version of the parameters.
    """

    capacity_minor: int
    before_floor_minor: int
    lines: tuple[Line, ...]
    requested_payment_minor: int
    coverage_bps: int
    covers_request: bool
    months_needed: int | None
    rule_version: str

    def working(self) -> list[dict[str, object]]:
        """The lines as JSON, in order."""
        return [line.as_record() for line in self.lines]


def assess(
    finances: Finances,
    *,
    requested_amount_minor: int,
    requested_term_months: int,
    parameters: AffordabilityParameters = DEFAULT_PARAMETERS,
) -> Affordability:
    """Work out the capacity of a household and what it means for the request.

    Of the payments declared and those the bureau reports the larger sum counts: only what was not declared is taken off
    once more. This assumes that both speak of the same debts, and errs on the side of the customer's purse.

    Args:
        finances: the household's month.
        requested_amount_minor: the amount to be paid in installments, above zero.
        requested_term_months: number of monthly installments, above zero.
        parameters: the bank's figures.

    Raises:
        ValueError: the amount or the term is not above zero.
    """
    if requested_amount_minor <= 0 or requested_term_months <= 0:
        raise ValueError("a request has an amount and a term above zero")
    lines = _lines(finances, parameters)
    before_floor = sum(line.amount_minor for line in lines)
    capacity = max(0, before_floor)
    payment = _ceiling(requested_amount_minor, requested_term_months)
    return Affordability(
        capacity_minor=capacity,
        before_floor_minor=before_floor,
        lines=lines,
        requested_payment_minor=payment,
        coverage_bps=capacity * _BASIS_POINTS // payment,
        covers_request=capacity >= payment,
        months_needed=_ceiling(requested_amount_minor, capacity) if capacity else None,
        rule_version=parameters.version,
    )


def _lines(finances: Finances, parameters: AffordabilityParameters) -> tuple[Line, ...]:
    declared = finances.other_debt_payment_minor
    lines = [
        Line(code=LineCode.INCOME, amount_minor=finances.monthly_income_minor, params={}),
        Line(code=LineCode.ESSENTIAL_EXPENSE, amount_minor=-finances.essential_expense_minor, params={}),
        Line(code=LineCode.OTHER_DEBT, amount_minor=-declared, params={}),
        Line(
            code=LineCode.DEPENDANTS,
            amount_minor=-finances.dependants * parameters.dependant_allowance_minor,
            params={"dependants": finances.dependants, "allowance": parameters.dependant_allowance_minor},
        ),
    ]
    if finances.bureau_obligation_minor is not None:
        reported = finances.bureau_obligation_minor
        lines.append(
            Line(
                code=LineCode.BUREAU_UNDECLARED,
                amount_minor=-max(0, reported - declared),
                params={"reported": reported, "declared": declared},
            )
        )
    return tuple(lines)


def _ceiling(amount: int, parts: int) -> int:
    return -(-amount // parts)
