"""The audit events of a job with their places in the log: the evidence that a report points at."""

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from models.domain.transfers.report import DrillFact, Evidence, Reconciled, UndoneFact
from models.tables.audit import AuditEvent, AuditLeaf, AuditPending

RECONCILED: Final = ("transfer.reconciled", "transfer.differs")
DRILLED: Final = "transfer.drilled"
UNDONE: Final = "transfer.wave-undone"
# Deeds of the report itself: a report that quoted its own making would never be the same twice.
OWN: Final = ("transfer.report-",)
Logged = tuple[AuditEvent, AuditLeaf | None]
_KEPT: Final = 400  # the first and the last of them, where a job has more


def events_of(session: Session, job: str, *, actions: Sequence[str] = ()) -> Sequence[Logged]:
    """Events whose target is the job, the oldest first."""
    query = (
        select(AuditEvent, AuditLeaf)
        .outerjoin(AuditLeaf, col(AuditLeaf.event_id) == col(AuditEvent.id))
        .where(AuditEvent.target == job)
        .order_by(col(AuditEvent.id))
    )
    if actions:
        query = query.where(col(AuditEvent.action).in_(actions))
    return session.exec(query).all()


def count_events(session: Session, job: str) -> int:
    """How many there are, however many are quoted."""
    return session.exec(select(func.count()).select_from(AuditEvent).where(AuditEvent.target == job)).one()


def unsealed(session: Session, job: str) -> bool:
    """Whether an event of the job still waits for its place in the log."""
    waiting = (
        select(AuditPending.event_id)
        .join(AuditEvent, col(AuditEvent.id) == col(AuditPending.event_id))
        .where(AuditEvent.target == job)
    )
    return session.exec(waiting.limit(1)).first() is not None


def evidence_of(events: Sequence[Logged]) -> tuple[Evidence, ...]:
    """As the report quotes them; of a long job the first and the last."""
    told = [
        Evidence(
            event=event.id,
            action=event.action,
            actor=event.actor,
            at=event.at,
            index=leaf.idx if leaf is not None else None,
            leaf=leaf.leaf_hash if leaf is not None else "",
        )
        for event, leaf in events
        if not event.action.startswith(OWN)
    ]
    half = _KEPT // 2
    return tuple(told if len(told) <= _KEPT else [*told[:half], *told[-half:]])


def facts_in(event: AuditEvent) -> dict[str, Any]:
    """The facts of an event."""
    facts = json.loads(event.body).get("facts", {})
    return facts if isinstance(facts, dict) else {}


def reconciled_in(events: Sequence[Logged]) -> Reconciled | None:
    """The last reconciliation of the whole job."""
    found = [event for event, _ in events if event.action in RECONCILED]
    if not found:
        return None
    last = found[-1]
    differs = facts_in(last).get("differs")
    codes = [str(each) for each in differs] if isinstance(differs, list) else [str(differs)] if differs else []
    return Reconciled(at=last.at, event=last.id, differs=", ".join(codes) or None)


def drills_in(events: Sequence[Logged]) -> tuple[DrillFact, ...]:
    """Exercises that were held for the job."""
    drills = []
    for event, _ in events:
        if event.action == DRILLED:
            facts = facts_in(event)
            drills.append(
                DrillFact(
                    fault=str(facts.get("fault", "")),
                    event=event.id,
                    at=event.at,
                    recovered=bool(facts.get("recovered")),
                    rto_ms=int(facts.get("rtoMs", 0)),
                    rpo_records=int(facts.get("rpoRecords", 0)),
                )
            )
    return tuple(drills)


def undone_in(events: Sequence[Logged]) -> tuple[UndoneFact, ...]:
    """Every time that a wave was put back; where one was looked at again, the last look."""
    told: dict[tuple[int, int], UndoneFact] = {}
    for event, _ in events:
        if event.action == UNDONE:
            facts = facts_in(event)
            wave, attempt = int(facts.get("wave", 0)), int(facts.get("attempt", 0))
            told[wave, attempt] = UndoneFact(
                wave=wave,
                attempt=attempt,
                event=event.id,
                at=event.at,
                records=int(facts.get("records", 0)),
                root_before=str(facts.get("rootBefore") or ""),
                root=str(facts.get("root") or ""),
                differing=int(facts.get("differingCount", 0)),
                proven=bool(facts.get("proven")),
            )
    return tuple(told[each] for each in sorted(told))
