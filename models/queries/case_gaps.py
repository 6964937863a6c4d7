"""What the books hold of cases, to be held against what their workflows remember."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from sqlmodel import Session, col, select

from models.domain.reconciliation.gaps import Recorded, Remembered
from models.domain.states import DecisionState, OutboxKind
from models.tables.agreements import Agreement
from models.tables.installments import InstallmentCase
from models.tables.platform import OutboxEntry
from models.tables.tasks import Decision

_PART: Final = 500


def recorded_of(session: Session, remembered: Iterable[Remembered]) -> Recorded:
    """The books' word on these cases."""
    told = list(remembered)
    tokens = sorted({case.case_token for case in told})
    decisions = sorted({decision for case in told for decision in case.decisions})
    news = sorted({key for case in told for key in case.news})
    is_news = col(OutboxEntry.kind) == OutboxKind.NEWS
    is_applied = col(Decision.state) == DecisionState.APPLIED
    return Recorded(
        cases=_known(session, InstallmentCase.token, tokens),
        in_force=_known(session, Agreement.case_token, tokens),
        decisions=_known(session, Decision.id, decisions, is_applied),
        news=_known(session, OutboxEntry.business_key, news, is_news),
    )


def _known(session: Session, column: Any, values: Sequence[str], *conditions: Any) -> frozenset[str]:
    found: set[str] = set()
    for first in range(0, len(values), _PART):
        part = values[first : first + _PART]
        found |= set(session.exec(select(column).where(col(column).in_(part), *conditions)).all())
    return frozenset(found)
