"""Shapes of the reconciliation (对账): counts, and each difference by identifiers alone."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Self

from api.bodies import Answer
from models.domain.reconciliation.differences import About, Difference, Kind, Reconciliation
from models.domain.reconciliation.gaps import Gap, GapKind
from models.domain.reconciliation.records import Accounts
from models.domain.reconciliation.tolerance import Tolerance


class DifferenceAnswer(Answer):
    """One difference between books and bank. `expected…` is the books' word, `found…` the bank's; minor units."""

    kind: Kind
    about: About
    agreement_id: str | None
    order_id: str | None
    event_id: str | None
    line_id: str | None
    expected_minor: int | None
    found_minor: int | None
    expected_on: date | None
    found_on: date | None

    @classmethod
    def of(cls, found: Difference) -> Self:
        """From the comparison."""
        return cls(
            kind=found.kind,
            about=found.about,
            agreement_id=found.agreement_id,
            order_id=found.order_id,
            event_id=found.event_id,
            line_id=found.line_id,
            expected_minor=found.expected_minor,
            found_minor=found.found_minor,
            expected_on=found.expected_on,
            found_on=found.found_on,
        )


class ReconciliationAnswer(Answer):
    """Books against bank over a period.

    `asOf` is the last day of which the bank can have spoken; `tolerance` names the days that may pass.
    """

    first: date
    last: date
    as_of: date
    tolerance: str
    orders: int
    lines: int
    agreeing: int
    pending: int
    counts: dict[Kind, int]
    differences: tuple[DifferenceAnswer, ...]

    @classmethod
    def of(cls, accounts: Accounts, result: Reconciliation, tolerance: Tolerance) -> Self:
        """From the comparison."""
        counts = Counter(difference.kind for difference in result.differences)
        return cls(
            first=accounts.first,
            last=accounts.last,
            as_of=accounts.as_of,
            tolerance=tolerance.version,
            orders=result.orders,
            lines=result.lines,
            agreeing=result.agreeing,
            pending=result.pending,
            counts={kind: counts[kind] for kind in Kind},
            differences=tuple(DifferenceAnswer.of(each) for each in result.differences),
        )


class GapAnswer(Answer):
    """One thing that a case's workflow knows to have been done, and the books lack."""

    kind: GapKind
    case_token: str
    name: str


class CaseGapsAnswer(Answer):
    """Cases against books. `cases` is how many workflow runs were asked."""

    cases: int
    counts: dict[GapKind, int]
    gaps: tuple[GapAnswer, ...]

    @classmethod
    def of(cls, cases: int, found: Iterable[Gap]) -> Self:
        """From the comparison."""
        told = tuple(GapAnswer(kind=gap.kind, case_token=gap.case_token, name=gap.name) for gap in found)
        counts = Counter(gap.kind for gap in told)
        return cls(cases=cases, counts={kind: counts[kind] for kind in GapKind}, gaps=told)
