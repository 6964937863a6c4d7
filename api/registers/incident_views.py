"""How security incidents are told: a late report is told as late, also one that a correction would have made timely."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from api.deps import ApiDeps
from api.registers.incident_bodies import (
    IncidentAnswer,
    IncidentItem,
    ProposalAnswer,
    RecordedFactsAnswer,
    ReportAnswer,
)
from api.wording import worded
from compliance.vault.cells import CellAddress
from models.domain.incident_clocks import BY_CODE, is_late
from models.tables.incidents import IncidentCorrection, IncidentReport, SecurityIncident


def summary_address(tenant: str, incident_id: str) -> CellAddress:
    """Where the words of an incident lie: under a key of the record's own."""
    return CellAddress(tenant, "security_incidents", "summary_cell", incident_id, incident_id)


def reason_address(tenant: str, incident_id: str, report_id: str) -> CellAddress:
    """Where the reason lies for which a report is left out."""
    return CellAddress(tenant, "incident_reports", "reason_cell", report_id, incident_id)


def item_of(row: SecurityIncident, reports: Sequence[IncidentReport], *, now: datetime, locale: str) -> IncidentItem:
    """An incident without its words."""
    return IncidentItem(**_fields(row, reports, now, locale))


def answer_of(
    deps: ApiDeps,
    row: SecurityIncident,
    reports: Sequence[IncidentReport],
    history: Sequence[IncidentCorrection],
    *,
    locale: str,
) -> IncidentAnswer:
    """An incident with everything; blocking."""
    now = deps.clock()
    return IncidentAnswer(
        **_fields(row, reports, now, locale),
        summary=deps.vault.open_text(summary_address(row.tenant, row.id), row.summary_cell),
        clocks_version=row.clocks_version,
        reports=[_report(deps, each, now, locale) for each in reports],
        history=[_recorded(each, locale) for each in history],
    )


def _fields(row: SecurityIncident, reports: Sequence[IncidentReport], now: datetime, locale: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "kind_text": worded(f"incident-kind.{row.kind}", locale),
        "grade": row.grade,
        "grade_text": worded(f"incident-grade.{row.grade}", locale),
        "state": row.state,
        "state_text": worded(f"incident-state.{row.state}", locale),
        "discovered_at": row.discovered_at,
        "data_classes": row.data_classes,
        "persons": row.persons,
        "critical_infrastructure": row.cii,
        "public_interest": row.public_interest,
        "next_due_at": min((each.due_at for each in reports if each.state == "OPEN"), default=None),
        "any_late": any(_late(each, each.due_at, now) or _late(each, each.first_due_at, now) for each in reports),
        "opened_by": row.opened_by,
        "closed_by": row.closed_by,
        "version": row.version,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "closed_at": row.closed_at,
    }


def _late(row: IncidentReport, due: datetime, now: datetime) -> bool:
    if row.state == "NOT_NEEDED":
        return False
    return is_late(due=due, reported_at=row.reported_at or now)


def _report(deps: ApiDeps, row: IncidentReport, now: datetime, locale: str) -> ReportAnswer:
    late = _late(row, row.due_at, now)
    return ReportAnswer(
        clock=row.clock,
        clock_text=worded(f"incident-clock.{row.clock}", locale),
        authority=row.authority,
        authority_text=worded(f"incident-authority.{row.authority}", locale),
        limit_seconds=row.limit_seconds,
        source=row.source,
        verified=row.verified,
        provisional=BY_CODE[row.clock].provisional,
        due_at=row.due_at,
        first_due_at=row.first_due_at,
        state=row.state,
        state_text=worded(f"incident-report-state.{row.state}", locale),
        late=late,
        late_seconds=int(((row.reported_at or now) - row.due_at).total_seconds()) if late else 0,
        late_as_recorded_first=_late(row, row.first_due_at, now),
        escalated_at=row.escalated_at,
        reported_at=row.reported_at,
        recorded_at=row.recorded_at,
        reference=row.reference,
        evidence_ref=row.evidence_ref,
        recorded_by=row.recorded_by,
        not_needed=_proposal(deps, row, locale),
    )


def _proposal(deps: ApiDeps, row: IncidentReport, locale: str) -> ProposalAnswer | None:
    if row.shown_hash is None or row.reason_cell is None:
        return None
    return ProposalAnswer(
        reason_code=row.reason_code or "",
        reason_text=worded(f"incident-not-needed.{row.reason_code}", locale),
        reason=deps.vault.open_text(reason_address(row.tenant, row.incident_id, row.id), row.reason_cell),
        shown_hash=row.shown_hash,
        proposed_by=row.proposed_by or "",
        confirmed_by=row.confirmed_by,
    )


def _recorded(row: IncidentCorrection, locale: str) -> RecordedFactsAnswer:
    return RecordedFactsAnswer(
        no=row.no,
        discovered_at=row.discovered_at,
        grade=row.facts["grade"],
        data_classes=row.facts["data_classes"],
        persons=row.facts["persons"],
        critical_infrastructure=row.facts["cii"],
        public_interest=row.facts["public_interest"],
        reason_code=row.reason_code,
        reason_text=worded(f"incident-correction.{row.reason_code}", locale),
        made_by=row.made_by,
        made_at=row.made_at,
    )
