"""Conservation (守恒): read = accepted + rejected + merged + held, by source and by job. The one place that counts."""

from dataclasses import dataclass, field

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.domain.transfers.states import RowOutcome
from models.tables.transfers import TransferRow, TransferSource


@dataclass(frozen=True, kw_only=True, slots=True)
class Conservation:
    """One side and the other, in rows.

    Attributes:
        read: what the sources say they gave.
        open: rows that nobody has verified yet.
        by_outcome: the others.
        unequal: sources that say another number than there are rows.
    """

    read: int
    open: int
    by_outcome: dict[str, int]
    unequal: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = field(default=())

    @property
    def ended(self) -> int:
        """Rows with an outcome."""
        return sum(self.by_outcome.values())

    @property
    def adds_up(self) -> bool:
        """No row is lost or counted twice, whether it was verified or not."""
        return self.read == self.open + self.ended and not self.unequal

    @property
    def holds(self) -> bool:
        """Every source was read to its end, and each of its rows ended in exactly one outcome."""
        return self.adds_up and self.open == 0 and not self.unfinished

    def as_counts(self) -> dict[str, int]:
        """For reports and screens."""
        return {"read": self.read, "open": self.open, **self.by_outcome}


def conservation_of(session: Session, job: str) -> Conservation:
    """Count a job: one pass over its rows by index."""
    sources = session.exec(select(TransferSource).where(col(TransferSource.job) == job)).all()
    counted = session.exec(
        select(TransferRow.source, TransferRow.outcome, func.count())
        .where(col(TransferRow.job) == job)
        .group_by(col(TransferRow.source), col(TransferRow.outcome))
    ).all()
    rows: dict[str, int] = {}
    outcomes = {outcome.value: 0 for outcome in RowOutcome}
    waiting = 0
    for source, outcome, count in counted:
        rows[source] = rows.get(source, 0) + count
        if outcome is None:
            waiting += count
        else:
            outcomes[outcome] = outcomes.get(outcome, 0) + count
    return Conservation(
        read=sum(source.read_rows for source in sources),
        open=waiting,
        by_outcome=outcomes,
        unequal=tuple(sorted(each.id for each in sources if each.read_rows != rows.get(each.id, 0))),
        unfinished=tuple(sorted(each.id for each in sources if each.finished_at is None)),
    )
