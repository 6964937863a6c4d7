"""Facts that people have stated for a job, with their evidence: dates, yes or no, codes that no record can tell."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from sqlmodel import Session, col, select

from models.tables.transfer_jobs import TransferFact

# By the kind under which the statement was checked when it was made (`compliance.rules.rule.FactKind`).
_READ: Final[dict[str, Callable[[Any], Any]]] = {
    "date": date.fromisoformat,
    "instant": datetime.fromisoformat,
    "codes": tuple,
}


def stated_facts(session: Session, job: str) -> dict[str, Any]:
    """Every statement that stands for a job, by name, of the type that rules expect."""
    rows = session.exec(select(TransferFact).where(col(TransferFact.job) == job)).all()
    return {row.name: _READ.get(str(row.value["kind"]), _as_is)(row.value["value"]) for row in rows}


def _as_is(value: Any) -> Any:
    return value
