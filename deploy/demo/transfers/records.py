"""What the records of a job say when the demo looks: counts, merges, waves, notices. Read from the database alone."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from sqlmodel import Session, col, func, select

from deploy.demo.transfers.scoring import BY_PERSON, BY_POLICY, Merged
from models.domain.transfers.states import TOLD, MatchVerdict, RowOutcome, Side
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.transfer_notices import TransferFollowUp, TransferNotice
from models.tables.transfers import TransferBackup, TransferPair, TransferRow, TransferSource, TransferWave

_PAGE: Final = 5_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Conservation:
    """Rows of a job: read = accepted + rejected + merged + held."""

    read: int
    outcomes: dict[str, int]
    undecided: int

    @property
    def holds(self) -> bool:
        """Whether every row that was read is in exactly one place."""
        return self.undecided == 0 and self.read == sum(self.outcomes.values())

    def __str__(self) -> str:
        parts = " + ".join(f"{self.outcomes.get(outcome.value, 0)} {outcome.value}" for outcome in RowOutcome)
        return f"{self.read} read = {parts}" + (f", {self.undecided} undecided" if self.undecided else "")


def conservation(session: Session, job: str) -> Conservation:
    """How the rows of a job add up."""
    read = session.exec(select(func.sum(TransferSource.read_rows)).where(col(TransferSource.job) == job)).one()
    counts = session.exec(
        select(TransferRow.outcome, func.count()).where(col(TransferRow.job) == job).group_by(col(TransferRow.outcome))
    ).all()
    return Conservation(
        read=int(read or 0),
        outcomes={str(outcome): count for outcome, count in counts if outcome is not None},
        undecided=sum(count for outcome, count in counts if outcome is None),
    )


def undo_facts(session: Session, job: str) -> list[dict[str, Any]]:
    """What the log says of each wave that was rolled back: `root`, `rootBefore`, `equal`."""
    bodies = session.exec(
        select(AuditEvent.body).where(col(AuditEvent.target) == job, col(AuditEvent.action) == "transfer.wave-undone")
    )
    return [json.loads(body)["facts"] for body in bodies]


def rejected(session: Session, job: str) -> frozenset[int]:
    """Rows that were turned down for good."""
    rows = session.exec(
        select(TransferRow.number).where(
            col(TransferRow.job) == job, col(TransferRow.outcome) == RowOutcome.REJECTED.value
        )
    )
    return frozenset(rows.all())


def merges(session: Session, job: str) -> list[Merged]:
    """Every merged row, and whether a person was asked about one of its pairs that counts."""
    asked = frozenset(
        session.exec(
            select(TransferPair.row_number).where(
                col(TransferPair.job) == job, col(TransferPair.verdict) == MatchVerdict.SAME.value
            )
        ).all()
    )
    rows = session.exec(
        select(TransferRow.number, TransferRow.target_record, TransferRow.same_row).where(
            col(TransferRow.job) == job, col(TransferRow.outcome) == RowOutcome.MERGED.value
        )
    ).all()
    return [
        Merged(
            row=number,
            record=target if same is None else None,
            same_row=same,
            by=BY_PERSON if number in asked else BY_POLICY,
        )
        for number, target, same in rows
    ]


def moves(session: Session, job: str) -> Counter[str]:
    """Whether accepted and merged rows have reached the book, counted."""
    rows = session.exec(
        select(TransferRow.move, func.count())
        .where(
            col(TransferRow.job) == job,
            col(TransferRow.outcome).in_((RowOutcome.ACCEPTED.value, RowOutcome.MERGED.value)),
        )
        .group_by(col(TransferRow.move))
    )
    return Counter(dict(rows.all()))


def waves(session: Session, job: str) -> list[TransferWave]:
    """All waves."""
    return list(
        session.exec(select(TransferWave).where(col(TransferWave.job) == job).order_by(col(TransferWave.number))).all()
    )


def proven(session: Session, job: str) -> dict[str, str]:
    """The state of the newest backup of each side."""
    found = session.exec(
        select(TransferBackup).where(col(TransferBackup.job) == job).order_by(col(TransferBackup.number))
    ).all()
    return {Side(each.side).value: each.state for each in found}


def notices(session: Session, job: str) -> Counter[str]:
    """Customers by how they were told."""
    rows = session.exec(
        select(TransferNotice.state, func.count())
        .where(col(TransferNotice.job) == job)
        .group_by(col(TransferNotice.state))
    )
    return Counter(dict(rows.all()))


def untold(counts: Counter[str]) -> int:
    """How many are in no state that proves that they were told."""
    return sum(count for state, count in counts.items() if state not in TOLD)


def follow_ups(session: Session, job: str) -> Counter[str]:
    """Follow-ups by kind and state."""
    rows = session.exec(
        select(TransferFollowUp.kind, TransferFollowUp.state, func.count())
        .where(col(TransferFollowUp.job) == job)
        .group_by(col(TransferFollowUp.kind), col(TransferFollowUp.state))
    )
    return Counter({f"{kind} {state}": count for kind, state, count in rows.all()})


def book_sizes(session: Session, tenant: str, job: str) -> tuple[int, int]:
    """How many records the tenant's book has, and how many of them the job brought."""
    of_tenant = select(func.count()).select_from(CustomerRecord).where(col(CustomerRecord.tenant) == tenant)
    return session.exec(of_tenant).one(), session.exec(of_tenant.where(col(CustomerRecord.origin) == job)).one()
