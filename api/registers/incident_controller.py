"""Routes of security incidents (安全事件). Reports are recorded in the inbox, by the decision on a task."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Final, Literal

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from sqlmodel import Session

from api.bodies import known_token
from api.deps import ApiDeps, Deps, Locale
from api.etags import IfMatch, etag
from api.four_eyes import by
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import fresh_login, requires
from api.identity.principal import Caller, Principal
from api.in_thread import in_thread
from api.installments.controller import cursor_of, position_of
from api.paging import DEFAULT_LIMIT, After, Limit
from api.registers.incident_bodies import (
    CorrectionBody,
    FactsBody,
    IncidentAnswer,
    IncidentBody,
    IncidentPage,
    NotNeededBody,
    NotNeededDecisionBody,
)
from api.registers.incident_views import answer_of, item_of, reason_address, summary_address
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from models.domain.incident_clocks import (
    BY_CODE,
    HARM_AVERTED,
    NOT_NEEDED_REASONS,
    IncidentFacts,
    IncidentKind,
    reason_fits,
)
from models.domain.roles import Permission
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid, NotFound
from models.operations.idempotency import open_key
from models.operations.incidents import (
    close_incident,
    correct_incident,
    decide_not_needed,
    open_incident,
    propose_not_needed,
)
from models.queries.incidents import history_of, incident_by_id, list_incidents, reports_of_incident
from models.tables.incidents import IncidentReport, SecurityIncident

PATH: Final = "/v1/security-incidents"


class IncidentController(Controller):
    """Security incidents of the caller's institution."""

    path = PATH
    tags = ("Registers",)

    @post("/", guards=[requires(Permission.INCIDENTS_REPORT)], operation_id="RecordIncident")
    async def record(
        self, data: JSONBody[IncidentBody], deps: Deps, principal: Caller, locale: Locale, idempotency_key: KeyHeader
    ) -> Response[IncidentAnswer]:
        """Record an incident; its clocks run from the discovery, and each authority gets a task in the inbox."""
        slot = key_slot(principal, route="incidents.record", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            now, incident_id = deps.clock(), new_token("sin")
            facts = _facts(deps, data, kind=data.kind)
            deps.vault.create_subject(tenant=principal.tenant, subject_id=incident_id)
            cell = deps.vault.seal(summary_address(principal.tenant, incident_id), data.summary)
            deed = _deed(deps, principal, "incident.recorded", incident_id, _told_facts(facts, data))
            with unit_of_work(deps.database, deed) as unit:
                open_key(unit.session, slot, fingerprint=digest, resource_id=incident_id, status=201, now=now)
                open_incident(
                    unit.session,
                    facts,
                    incident_id=incident_id,
                    discovered_at=data.discovered_at,
                    summary_cell=cell,
                    by=by(principal),
                    now=now,
                )
            return incident_id

        def rebuild(incident_id: str) -> Stored:
            answer = _answer(deps, principal, incident_id, locale)
            return Stored(
                status=HTTPStatus.CREATED,
                body=answer.model_dump(mode="json"),
                headers={"Location": f"{PATH}/{incident_id}", "ETag": etag(answer.version)},
            )

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @get("/", guards=[requires(Permission.REGISTERS_READ)], sync_to_thread=True, operation_id="ListIncidents")
    def list_all(
        self,
        *,
        deps: Deps,
        principal: Caller,
        locale: Locale,
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
        stands: Annotated[Literal["OPEN", "CLOSED"] | None, QueryParameter(name="state")] = None,
    ) -> IncidentPage:
        """Incidents, newest first, a page at a time."""
        now, start = deps.clock(), position_of(after, kind="incidents")
        with deps.database.read() as session:
            found = list_incidents(session, tenant=principal.tenant, state=stands, after=start, limit=limit + 1)
            page = found[:limit]
            items = [item_of(row, reports_of_incident(session, row.id), now=now, locale=locale) for row in page]
        last = page[-1] if len(found) > limit else None
        return IncidentPage(
            items=items,
            end_cursor=cursor_of("incidents", last.created_at, last.id) if last is not None else None,
        )

    @get(
        "/{incident_id:str}",
        guards=[requires(Permission.REGISTERS_READ)],
        sync_to_thread=True,
        operation_id="GetIncident",
    )
    def get_one(
        self, incident_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[IncidentAnswer]:
        """One incident with its words, its clocks and its history."""
        return _response(deps, principal, incident_id, locale)

    @post(
        "/{incident_id:str}/corrections",
        guards=[requires(Permission.INCIDENTS_REPORT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="CorrectIncident",
    )
    def correct(
        self,
        *,
        incident_id: FromPath[str],
        data: JSONBody[CorrectionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        if_match: IfMatch,
    ) -> Response[IncidentAnswer]:
        """Correct when it was discovered, or what is known of it; clocks move, and what was recorded before stays."""
        now, row = deps.clock(), _incident(deps, principal, incident_id)
        facts = _facts(deps, data, kind=IncidentKind(row.kind))
        told = _told_facts(facts, data) | {
            "reason": data.reason_code,
            "discoveredBefore": row.discovered_at.isoformat(),
        }
        with unit_of_work(deps.database, _deed(deps, principal, "incident.corrected", row.id, told)) as unit:
            correct_incident(
                unit.session,
                facts,
                incident_id=row.id,
                read_version=if_match,
                discovered_at=data.discovered_at,
                reason_code=data.reason_code,
                by=by(principal),
                now=now,
            )
        return _response(deps, principal, row.id, locale)

    @post(
        "/{incident_id:str}/reports/{clock:str}/omission",
        guards=[requires(Permission.INCIDENTS_REPORT)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ProposeOmission",
    )
    def propose(
        self,
        *,
        incident_id: FromPath[str],
        clock: FromPath[str],
        data: JSONBody[NotNeededBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[IncidentAnswer]:
        """Propose that a report is not needed, with the reason; it is waited for until a second person agrees."""
        now, row = deps.clock(), _incident(deps, principal, incident_id)
        report = _report(deps, row, clock)
        if not reason_fits(report.clock, data.reason_code):
            others = ", ".join(code for code in NOT_NEEDED_REASONS if code != HARM_AVERTED)
            raise FormInvalid(
                faults=(FieldFault(pointer="/reasonCode", code="not-one-of", params={"allowed": others}),)
            )
        shown = shown_hash(
            {"report": report.id, "version": report.version, "reason": data.reason_code, "words": data.reason}
        )
        cell = deps.vault.seal(reason_address(row.tenant, row.id, report.id), data.reason)
        told = {"clock": clock, "reason": data.reason_code, "shown": shown}
        with unit_of_work(deps.database, _deed(deps, principal, "incident.omission-proposed", row.id, told)) as unit:
            propose_not_needed(
                unit.session,
                report=report,
                reason_code=data.reason_code,
                reason_cell=cell,
                shown_hash=shown,
                by=by(principal),
                now=now,
            )
        return _response(deps, principal, row.id, locale)

    @post(
        "/{incident_id:str}/reports/{clock:str}/omission/confirmation",
        guards=[requires(Permission.INCIDENTS_CLOSE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ConfirmOmission",
    )
    def confirm(
        self,
        *,
        incident_id: FromPath[str],
        clock: FromPath[str],
        data: JSONBody[NotNeededDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[IncidentAnswer]:
        """Agree as the second person that a report is not needed. Needs a fresh log-in."""
        fresh_login(principal, now=deps.clock())
        return _decide(deps, principal, incident_id, clock, shown=data.shown_hash, confirm=True, locale=locale)

    @post(
        "/{incident_id:str}/reports/{clock:str}/omission/rejection",
        guards=[requires(Permission.INCIDENTS_CLOSE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectOmission",
    )
    def reject(
        self,
        *,
        incident_id: FromPath[str],
        clock: FromPath[str],
        data: JSONBody[NotNeededDecisionBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
    ) -> Response[IncidentAnswer]:
        """Refuse as the second person: the report is waited for as before."""
        return _decide(deps, principal, incident_id, clock, shown=data.shown_hash, confirm=False, locale=locale)

    @post(
        "/{incident_id:str}/closing",
        guards=[requires(Permission.INCIDENTS_CLOSE)],
        sync_to_thread=True,
        status_code=200,
        operation_id="CloseIncident",
    )
    def close(
        self, incident_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale, if_match: IfMatch
    ) -> Response[IncidentAnswer]:
        """Close an incident of which everything is reported, or left out by two persons."""
        now, row = deps.clock(), _incident(deps, principal, incident_id)
        with unit_of_work(deps.database, _deed(deps, principal, "incident.closed", row.id, {})) as unit:
            close_incident(unit.session, incident_id=row.id, read_version=if_match, by=by(principal), now=now)
        return _response(deps, principal, row.id, locale)


def _decide(
    deps: ApiDeps,
    principal: Principal,
    incident_id: str,
    clock: str,
    *,
    shown: str,
    confirm: bool,
    locale: str,
) -> Response[IncidentAnswer]:
    now, row = deps.clock(), _incident(deps, principal, incident_id)
    report = _report(deps, row, clock)
    action = "incident.omission-confirmed" if confirm else "incident.omission-rejected"
    told = {"clock": clock, "reason": report.reason_code, "shown": shown}
    with unit_of_work(deps.database, _deed(deps, principal, action, row.id, told)) as unit:
        decide_not_needed(
            unit.session, report_id=report.id, shown_hash=shown, confirm=confirm, by=by(principal), now=now
        )
    return _response(deps, principal, row.id, locale)


def _facts(deps: ApiDeps, data: FactsBody, *, kind: IncidentKind) -> IncidentFacts:
    """What a body says, checked.

    Raises:
        FormInvalid: discovered in time to come.
    """
    now = deps.clock()
    if data.discovered_at > now:
        fault = FieldFault(pointer="/discoveredAt", code="in-the-future")
        raise FormInvalid(faults=(fault,))
    return IncidentFacts(
        kind=kind,
        grade=data.grade,
        data_classes=frozenset(data.data_classes),
        persons=data.persons,
        cii=data.critical_infrastructure,
        public_interest=data.public_interest,
    )


def _told_facts(facts: IncidentFacts, data: FactsBody) -> dict[str, object]:
    return {
        "kind": facts.kind.value,
        "grade": facts.grade.value,
        "discoveredAt": data.discovered_at.isoformat(),
        "dataClasses": sorted(each.value for each in facts.data_classes),
        "persons": facts.persons,
        "criticalInfrastructure": facts.cii,
        "publicInterest": facts.public_interest,
    }


def _incident(deps: ApiDeps, principal: Principal, incident_id: str) -> SecurityIncident:
    with deps.database.read() as session:
        return _read(session, principal, incident_id)


def _report(deps: ApiDeps, incident: SecurityIncident, clock: str) -> IncidentReport:
    if clock not in BY_CODE:
        raise NotFound
    with deps.database.read() as session:
        found = next((row for row in reports_of_incident(session, incident.id) if row.clock == clock), None)
    if found is None:
        raise NotFound
    return found


def _read(session: Session, principal: Principal, incident_id: str) -> SecurityIncident:
    found = incident_by_id(session, known_token(incident_id), tenant=principal.tenant)
    if found is None:
        raise NotFound
    return found


def _answer(deps: ApiDeps, principal: Principal, incident_id: str, locale: str) -> IncidentAnswer:
    with deps.database.read() as session:
        row = _read(session, principal, incident_id)
        reports, history = reports_of_incident(session, row.id), history_of(session, row.id)
    return answer_of(deps, row, reports, history, locale=locale)


def _response(deps: ApiDeps, principal: Principal, incident_id: str, locale: str) -> Response[IncidentAnswer]:
    answer = _answer(deps, principal, incident_id, locale)
    return Response(answer, headers={"ETag": etag(answer.version)})


def _deed(deps: ApiDeps, principal: Principal, action: str, incident_id: str, facts: Mapping[str, object]) -> Deed:
    return Deed(
        tenant=principal.tenant,
        action=action,
        target=incident_id,
        actor=principal.staff_id,
        at=deps.clock(),
        facts=dict(facts),
    )
