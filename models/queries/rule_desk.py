"""Reads about drafts of the rule desk: what is in force on a day, what waits, and what came before."""

from dataclasses import dataclass
from datetime import date

from sqlmodel import Session, col, select

from models.domain.rule_desk import DraftKind, DraftState
from models.tables.rule_desk import RuleDraft, RuleDraftDecision


@dataclass(frozen=True, slots=True)
class DraftRecord:
    """A draft with the word on it, if there is one."""

    row: RuleDraft
    decision: RuleDraftDecision | None

    @property
    def state(self) -> DraftState:
        """What became of it."""
        if self.decision is None:
            return DraftState.DRAFTED
        return DraftState.APPROVED if self.decision.approved else DraftState.REJECTED


def policy_row(session: Session, tenant: str, *, on: date) -> RuleDraft | None:
    """The approved policy in force on a day: the one with the latest first day not after it. None: as delivered."""
    return session.exec(
        select(RuleDraft)
        .join(RuleDraftDecision, col(RuleDraftDecision.draft_id) == col(RuleDraft.id))
        .where(
            col(RuleDraft.tenant) == tenant,
            col(RuleDraft.kind) == DraftKind.POLICY.value,
            col(RuleDraft.valid_from) <= on,
            col(RuleDraftDecision.approved).is_(True),
        )
        .order_by(col(RuleDraft.valid_from).desc())
        .limit(1)
    ).first()


def calendar_rows(session: Session, tenant: str) -> dict[int, RuleDraft]:
    """By year, the calendar that was approved last."""
    found = session.exec(
        select(RuleDraft)
        .join(RuleDraftDecision, col(RuleDraftDecision.draft_id) == col(RuleDraft.id))
        .where(
            col(RuleDraft.tenant) == tenant,
            col(RuleDraft.kind) == DraftKind.CALENDAR.value,
            col(RuleDraftDecision.approved).is_(True),
        )
        .order_by(col(RuleDraftDecision.slot))
    ).all()
    return {row.valid_from.year: row for row in found}


def draft_record(session: Session, tenant: str, draft_id: str, *, kind: DraftKind) -> DraftRecord | None:
    """One draft; None if the tenant has no such one."""
    row = session.get(RuleDraft, draft_id)
    if row is None or row.tenant != tenant or row.kind != kind:
        return None
    return DraftRecord(row, session.get(RuleDraftDecision, draft_id))


def draft_records(session: Session, tenant: str, *, kind: DraftKind, limit: int) -> list[DraftRecord]:
    """The newest drafts first."""
    found = session.exec(
        select(RuleDraft, RuleDraftDecision)
        .join(RuleDraftDecision, col(RuleDraftDecision.draft_id) == col(RuleDraft.id), isouter=True)
        .where(col(RuleDraft.tenant) == tenant, col(RuleDraft.kind) == kind.value)
        .order_by(col(RuleDraft.drafted_at).desc(), col(RuleDraft.id).desc())
        .limit(limit)
    ).all()
    return [DraftRecord(row, decision) for row, decision in found]
