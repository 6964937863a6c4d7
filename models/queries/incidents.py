"""Reads about security incidents (安全事件): the register, clocks, history, and the facts that rules ask for."""

from datetime import datetime

from sqlalchemy import tuple_
from sqlmodel import Session, col, select

from models.tables.incidents import IncidentCorrection, IncidentReport, SecurityIncident

Position = tuple[datetime, str]


def incident_by_id(session: Session, incident_id: str, *, tenant: str) -> SecurityIncident | None:
    """An incident of the tenant."""
    row = session.get(SecurityIncident, incident_id)
    return row if row is not None and row.tenant == tenant else None


def list_incidents(
    session: Session, *, tenant: str, state: str | None, after: Position | None, limit: int
) -> list[SecurityIncident]:
    """Incidents, newest first; at most `limit`."""
    query = select(SecurityIncident).where(col(SecurityIncident.tenant) == tenant)
    if state is not None:
        query = query.where(col(SecurityIncident.state) == state)
    if after is not None:
        query = query.where(tuple_(col(SecurityIncident.created_at), col(SecurityIncident.id)) < tuple_(*after))
    ordered = query.order_by(col(SecurityIncident.created_at).desc(), col(SecurityIncident.id).desc())
    return list(session.exec(ordered.limit(limit)).all())


def reports_of_incident(session: Session, incident_id: str) -> list[IncidentReport]:
    """Every duty to report, the first to end before the others."""
    return list(
        session.exec(
            select(IncidentReport)
            .where(col(IncidentReport.incident_id) == incident_id)
            .order_by(col(IncidentReport.due_at), col(IncidentReport.clock))
        ).all()
    )


def history_of(session: Session, incident_id: str) -> list[IncidentCorrection]:
    """What was known when, the first record first."""
    return list(
        session.exec(
            select(IncidentCorrection)
            .where(col(IncidentCorrection.incident_id) == incident_id)
            .order_by(col(IncidentCorrection.no))
        ).all()
    )


def overdue_reports(session: Session, *, now: datetime, limit: int) -> list[IncidentReport]:
    """Reports whose time has run out unmet and which nobody was told about yet; the oldest first."""
    return list(
        session.exec(
            select(IncidentReport)
            .where(
                col(IncidentReport.state) == "OPEN",
                col(IncidentReport.due_at) < now,
                col(IncidentReport.escalated_at).is_(None),
            )
            .order_by(col(IncidentReport.due_at))
            .limit(limit)
        ).all()
    )


def incident_facts(session: Session, incident: SecurityIncident) -> dict[str, object]:
    """What rules INC-* ask about one incident. What is not on record is left out.

    `<clock>_reported_at` and `<clock>_not_needed` by clock, hyphens as underscores.
    """
    facts: dict[str, object] = {
        "incident_kind": incident.kind,
        "incident_grade": incident.grade,
        "incident_data_classes": tuple(incident.data_classes),
        "incident_persons": incident.persons,
        "critical_infrastructure": incident.cii,
        "public_interest": incident.public_interest,
        "discovered_at": incident.discovered_at,
    }
    for row in reports_of_incident(session, incident.id):
        name = row.clock.replace("-", "_")
        facts[f"{name}_due_at"] = row.due_at
        facts[f"{name}_not_needed"] = row.state == "NOT_NEEDED"
        if row.reported_at is not None:
            facts[f"{name}_reported_at"] = row.reported_at
    return facts
