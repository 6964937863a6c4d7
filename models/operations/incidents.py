"""Writes about security incidents (安全事件): opened with clocks, corrected, reported, left out, closed."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import exists
from sqlmodel import Session, col, select, update

from models.domain.incident_clocks import BY_CODE, CLOCKS_VERSION, IncidentClock, IncidentFacts, clocks_for, due_at
from models.domain.tokens import new_token
from models.errors import FourEyesViolation, NotFound, ShownChanged, StaleVersion, WrongState
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_makers
from models.operations.incident_tasks import sync_tasks
from models.tables.incidents import IncidentCorrection, IncidentReport, SecurityIncident

OPEN: Final = "OPEN"
CLOSED: Final = "CLOSED"
REPORTED: Final = "REPORTED"
NOT_NEEDED: Final = "NOT_NEEDED"
FIRST_RECORD: Final = "first-record"


@dataclass(frozen=True, kw_only=True, slots=True)
class Filed:
    """A report as it went out.

    Attributes:
        reference: the number under which the authority took it; for persons, of the notice.
        evidence_ref: where it can be seen that it went out.
    """

    reported_at: datetime
    reference: str
    evidence_ref: str


def open_incident(
    session: Session,
    facts: IncidentFacts,
    *,
    incident_id: str,
    discovered_at: datetime,
    summary_cell: bytes,
    by: By,
    now: datetime,
) -> None:
    """Record an incident; its clocks run from the discovery, with one task for each authority."""
    incident = SecurityIncident(
        id=incident_id,
        tenant=by.tenant,
        kind=facts.kind.value,
        discovered_at=discovered_at,
        summary_cell=summary_cell,
        state=OPEN,
        clocks_version=CLOCKS_VERSION,
        opened_by=by.staff_id,
        created_at=now,
        updated_at=now,
        **_columns(facts),
    )
    session.add(incident)
    session.flush()
    _note(session, incident, facts, no=1, discovered_at=discovered_at, reason=FIRST_RECORD, by=by, now=now)
    for clock in clocks_for(facts):
        _start(session, incident, clock, discovered_at=discovered_at, first=discovered_at, now=now)
    session.flush()
    sync_tasks(session, incident, now=now)


def correct_incident(
    session: Session,
    facts: IncidentFacts,
    *,
    incident_id: str,
    read_version: int,
    discovered_at: datetime,
    reason_code: str,
    by: By,
    now: datetime,
) -> None:
    """Correct when it was discovered, or what is known of it. What was recorded before stays on record.

    Every clock moves with the discovery; clocks that now apply begin; one that no longer applies stays until two
    persons have said that no report is needed.

    Raises:
        NotFound, WrongState, StaleVersion: why not; nothing is changed.
    """
    incident = _open_row(session, incident_id, tenant=by.tenant, read_version=read_version)
    _touch(session, incident, now=now, discovered_at=discovered_at, **_columns(facts))
    made = session.exec(select(IncidentCorrection).where(col(IncidentCorrection.incident_id) == incident_id)).all()
    _note(
        session,
        incident,
        facts,
        no=len(made) + 1,
        discovered_at=discovered_at,
        reason=reason_code,
        by=by,
        now=now,
    )
    first = min(made, key=lambda row: row.no).discovered_at
    running = {row.clock: row for row in reports_of(session, incident_id)}
    for row in running.values():
        row.due_at = discovered_at + timedelta(seconds=row.limit_seconds)
        row.updated_at = now
        session.add(row)
    for clock in clocks_for(facts):
        if clock.code not in running:
            _start(session, incident, clock, discovered_at=discovered_at, first=first, now=now)
    session.flush()
    sync_tasks(session, incident, now=now)


def hold_incident(session: Session, incident_id: str) -> None:
    """Let nobody else change this incident, its reports or its tasks until the end of the transaction.

    Whoever changes any of them takes this first: on PostgreSQL two who took them in another order would wait for each
    other. On SQLite writers take turns anyway.
    """
    session.exec(
        select(col(SecurityIncident.id)).where(col(SecurityIncident.id) == incident_id).with_for_update()
    ).one_or_none()


def record_report(
    session: Session, filed: Filed, *, incident_id: str, clock: str, by: By, now: datetime
) -> IncidentReport:
    """Record that a report went out; whether it was in time follows from its moment.

    Raises:
        WrongState: it is not waited for any more.
    """
    hold_incident(session, incident_id)
    recorded = session.execute(
        update(IncidentReport)
        .where(
            col(IncidentReport.incident_id) == incident_id,
            col(IncidentReport.tenant) == by.tenant,
            col(IncidentReport.clock) == clock,
            col(IncidentReport.state) == OPEN,
        )
        .values(
            state=REPORTED,
            reported_at=filed.reported_at,
            recorded_at=now,
            reference=filed.reference,
            evidence_ref=filed.evidence_ref,
            recorded_by=by.staff_id,
            shown_hash=None,
            version=col(IncidentReport.version) + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    row = report_of(session, incident_id, clock, tenant=by.tenant)
    if not recorded.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise WrongState(params={"state": row.state})
    _follow(session, incident_id, now=now)
    return row


def propose_not_needed(
    session: Session,
    *,
    report: IncidentReport,
    reason_code: str,
    reason_cell: bytes,
    shown_hash: str,
    by: By,
    now: datetime,
) -> None:
    """Propose that a report is not needed; it is waited for until another person agrees.

    Raises:
        WrongState, StaleVersion: why not; nothing is changed.
    """
    hold_incident(session, report.incident_id)
    proposed = session.execute(
        update(IncidentReport)
        .where(
            col(IncidentReport.id) == report.id,
            col(IncidentReport.version) == report.version,
            col(IncidentReport.state) == OPEN,
        )
        .values(
            reason_code=reason_code,
            reason_cell=reason_cell,
            shown_hash=shown_hash,
            proposed_by=by.staff_id,
            version=report.version + 1,
            updated_at=now,
        )
        .execution_options(synchronize_session=False)
    )
    if not proposed.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        present = session.get_one(IncidentReport, report.id, populate_existing=True)
        if present.state != OPEN:
            raise WrongState(params={"state": present.state})
        raise StaleVersion(params={"currentVersion": present.version})
    stand_as_makers(session, tenant=by.tenant, subject=shown_hash, persons=(by.person_id,), now=now)


def decide_not_needed(
    session: Session, *, report_id: str, shown_hash: str, confirm: bool, by: By, now: datetime
) -> IncidentReport:
    """Agree as the second person that a report is not needed, or refuse: then it is waited for as before.

    Raises:
        WrongState, ShownChanged, FourEyesViolation: why not; nothing is changed.
    """
    hold_incident(session, session.get_one(IncidentReport, report_id).incident_id)
    values: dict[str, Any] = (
        {"state": NOT_NEEDED, "confirmed_by": by.staff_id}
        if confirm
        else {"reason_code": None, "reason_cell": None, "shown_hash": None, "proposed_by": None}
    )
    decided = session.execute(
        update(IncidentReport)
        .where(
            col(IncidentReport.id) == report_id,
            col(IncidentReport.tenant) == by.tenant,
            col(IncidentReport.state) == OPEN,
            col(IncidentReport.shown_hash) == shown_hash,
            ~is_maker(shown_hash=col(IncidentReport.shown_hash), person_id=by.person_id),
        )
        .values(version=col(IncidentReport.version) + 1, updated_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    row = session.get_one(IncidentReport, report_id, populate_existing=True)
    if not decided.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        if row.state != OPEN or row.shown_hash is None:
            raise WrongState(params={"state": row.state})
        raise ShownChanged if row.shown_hash != shown_hash else FourEyesViolation
    stand_as_checker(
        session, tenant=by.tenant, subject=shown_hash, person_id=by.person_id, record_id=report_id, now=now
    )
    _follow(session, row.incident_id, now=now)
    return row


def close_incident(session: Session, *, incident_id: str, read_version: int, by: By, now: datetime) -> None:
    """Close an incident of which everything is reported, or left out by two persons.

    Raises:
        NotFound, StaleVersion: why not.
        WrongState: it is closed, or a report is waited for (`reports-open`).
    """
    waiting = exists().where(
        col(IncidentReport.incident_id) == col(SecurityIncident.id), col(IncidentReport.state) == OPEN
    )
    closed = session.execute(
        update(SecurityIncident)
        .where(
            col(SecurityIncident.id) == incident_id,
            col(SecurityIncident.tenant) == by.tenant,
            col(SecurityIncident.version) == read_version,
            col(SecurityIncident.state) == OPEN,
            ~waiting,
        )
        .values(state=CLOSED, closed_by=by.staff_id, closed_at=now, updated_at=now, version=read_version + 1)
        .execution_options(synchronize_session=False)
    )
    if not closed.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        _open_row(session, incident_id, tenant=by.tenant, read_version=read_version)
        raise WrongState(params={"state": "reports-open"})


def escalate(session: Session, *, report_id: str, now: datetime) -> bool:
    """Mark that the time of a report has run out unmet, once; all tasks of its incident become urgent."""
    hold_incident(session, session.get_one(IncidentReport, report_id).incident_id)
    marked = session.execute(
        update(IncidentReport)
        .where(
            col(IncidentReport.id) == report_id,
            col(IncidentReport.state) == OPEN,
            col(IncidentReport.due_at) < now,
            col(IncidentReport.escalated_at).is_(None),
        )
        .values(escalated_at=now, updated_at=now, version=col(IncidentReport.version) + 1)
        .execution_options(synchronize_session=False)
    )
    if not marked.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        return False
    row = session.get_one(IncidentReport, report_id, populate_existing=True)
    sync_tasks(session, session.get_one(SecurityIncident, row.incident_id, populate_existing=True), now=now)
    return True


def reports_of(session: Session, incident_id: str) -> list[IncidentReport]:
    """Every duty to report of an incident, the first to end before the others."""
    return list(
        session.exec(
            select(IncidentReport)
            .where(col(IncidentReport.incident_id) == incident_id)
            .order_by(col(IncidentReport.due_at), col(IncidentReport.clock))
        ).all()
    )


def report_of(session: Session, incident_id: str, clock: str, *, tenant: str) -> IncidentReport:
    """One of them.

    Raises:
        NotFound: the incident has no such clock.
    """
    row = session.exec(
        select(IncidentReport)
        .where(
            col(IncidentReport.incident_id) == incident_id,
            col(IncidentReport.clock) == clock,
            col(IncidentReport.tenant) == tenant,
        )
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def _columns(facts: IncidentFacts) -> dict[str, Any]:
    return {
        "grade": facts.grade.value,
        "data_classes": sorted(each.value for each in facts.data_classes),
        "persons": facts.persons,
        "cii": facts.cii,
        "public_interest": facts.public_interest,
    }


def _note(
    session: Session,
    incident: SecurityIncident,
    facts: IncidentFacts,
    *,
    no: int,
    discovered_at: datetime,
    reason: str,
    by: By,
    now: datetime,
) -> None:
    session.add(
        IncidentCorrection(
            id=new_token("ico"),
            tenant=incident.tenant,
            incident_id=incident.id,
            no=no,
            discovered_at=discovered_at,
            facts=_columns(facts),
            reason_code=reason,
            made_by=by.staff_id,
            made_at=now,
        )
    )


def _start(
    session: Session,
    incident: SecurityIncident,
    clock: IncidentClock,
    *,
    discovered_at: datetime,
    first: datetime,
    now: datetime,
) -> None:
    session.add(
        IncidentReport(
            id=new_token("irp"),
            tenant=incident.tenant,
            incident_id=incident.id,
            clock=clock.code,
            authority=clock.authority.value,
            limit_seconds=int(clock.limit.total_seconds()),
            source=clock.source,
            verified=clock.verified.value,
            due_at=due_at(clock, discovered_at=discovered_at),
            first_due_at=due_at(BY_CODE[clock.code], discovered_at=first),
            state=OPEN,
            updated_at=now,
        )
    )


def _open_row(session: Session, incident_id: str, *, tenant: str, read_version: int) -> SecurityIncident:
    row = session.get(SecurityIncident, incident_id, populate_existing=True)
    if row is None or row.tenant != tenant:
        raise NotFound
    if row.state != OPEN:
        raise WrongState(params={"state": row.state})
    if row.version != read_version:
        raise StaleVersion(params={"currentVersion": row.version})
    return row


def _touch(session: Session, incident: SecurityIncident, *, now: datetime, **values: Any) -> None:
    moved = session.execute(
        update(SecurityIncident)
        .where(col(SecurityIncident.id) == incident.id, col(SecurityIncident.version) == incident.version)
        .values(version=incident.version + 1, updated_at=now, **values)
        .execution_options(synchronize_session=False)
    )
    if not moved.rowcount:  # type: ignore[attr-defined]  # an UPDATE gives a CursorResult
        raise StaleVersion
    session.refresh(incident)


def _follow(session: Session, incident_id: str, *, now: datetime) -> None:
    """After one of its reports was settled: the incident has changed, and so have its tasks."""
    session.execute(
        update(SecurityIncident)
        .where(col(SecurityIncident.id) == incident_id)
        .values(version=col(SecurityIncident.version) + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    )
    sync_tasks(session, session.get_one(SecurityIncident, incident_id, populate_existing=True), now=now)
