"""The HTTP edge, put together. Each area adds its controllers to `ROUTES`; what every route shares stands here."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.di import Provide
from litestar.middleware import DefineMiddleware
from litestar.openapi.config import OpenAPIConfig
from litestar.plugins.pydantic import PydanticDIPlugin, PydanticInitPlugin, PydanticSchemaPlugin
from litestar.types import ControllerRouterHandler

from api.aftercare.controller import CaseCareController, EducationController, TicketController
from api.aftercare.link_controller import LinkCareController
from api.agreements.case_controller import CaseAgreementController
from api.agreements.money_controller import AgreementMoneyController, SettlementQuoteController
from api.agreements.reversal_controller import AgreementReversalController, ReversalController
from api.agreements.suspense_controller import AgreementSuspenseController, SuspenseAssignmentController
from api.audit.controller import AuditController
from api.batches.client_controller import BatchClientController
from api.batches.controller import BatchController
from api.batches.file_controller import BatchFileController
from api.batches.layout_controller import BatchLayoutController
from api.batches.plan_controller import BatchPlanController
from api.batches.record_controller import BatchRecordController
from api.batches.report_controller import BatchReportController
from api.batches.rule_controller import BatchRuleController
from api.bodies import BodyPlugin
from api.body_gate import MAX_MULTIPART_BYTES, BodyGate
from api.business_dates.controller import BusinessDateController
from api.business_dates.queue_controller import ExceptionController, SuspenseController
from api.change_requests.controller import ChangeRequestController
from api.customers.controller import CustomerController
from api.customers.erasing import CustomerErasureController
from api.customers.links import CustomerLinksController
from api.deps import ApiDeps, ApiSettings
from api.documented import OPENAPI, openapi_document, serve_document
from api.edge import Edge
from api.erasures.controller import ErasureController, SubjectErasureController
from api.erasures.holds_controller import LegalHoldController, SubjectHoldController
from api.erasures.register_controller import (
    PersonalFieldController,
    RetentionController,
    SubjectRetentionController,
)
from api.etags import provide_if_match
from api.health import healthz, metrics, readyz
from api.idempotency import provide_key
from api.identity.authenticate import AuthenticationMiddleware, provide_principal, refuse_open_routes
from api.identity.sessions import MeController, SessionController
from api.installments.controller import CaseController
from api.installments.file_controller import CaseFileController
from api.links.controller import CustomerLinkController, LinkController
from api.links.signing_controller import SigningController
from api.parties.controller import SubjectController
from api.problems import EXCEPTION_HANDLERS, locale_of, problem_page
from api.quotes.controller import QuoteController
from api.receipts.controller import GatewayReceiptController
from api.reconciliations.controller import ReconciliationController
from api.registers.assessment_controller import AssessmentController
from api.registers.consent_controller import ConsentController, SubjectRegisterController
from api.registers.incident_controller import IncidentController
from api.registers.link_controller import LinkConsentController
from api.registers.text_controller import TextDraftController, TextVersionController
from api.rules.calendar_controller import CalendarController, bank_day
from api.rules.controller import RuleController
from api.rules.pass_controller import RuleReevaluationController
from api.rules.policy_controller import RuleParameterController
from api.staff.controller import RoleChangeController, StaffController
from api.suites.controller import SuiteChangeController
from api.tasks.controller import TaskController
from api.transfers.backup_controller import TransferBackupController
from api.transfers.conflicts_controller import TransferConflictController
from api.transfers.job_controller import TransferJobController
from api.transfers.link_controller import LinkTransferController
from api.transfers.matches_controller import MatchController
from api.transfers.notices_controller import PublicNoticeController, TransferNoticeController
from api.transfers.proof_controller import TransferProofController
from api.transfers.report_controller import TransferReportController, published_transparency
from api.transfers.row_controller import TransferRowController
from api.transfers.search_controller import TransferSearchController
from api.transfers.source_controller import TransferSourceController
from api.transfers.waves_controller import TransferWaveController
from compliance.telemetry.requests import request_spans

ROUTES: Final[tuple[ControllerRouterHandler, ...]] = (
    healthz,
    readyz,
    metrics,
    problem_page,
    serve_document,
    SessionController,
    MeController,
    StaffController,
    RoleChangeController,
    TaskController,
    CaseController,
    CaseFileController,
    CaseAgreementController,
    AgreementMoneyController,
    SettlementQuoteController,
    AgreementReversalController,
    ReversalController,
    AgreementSuspenseController,
    SuspenseAssignmentController,
    SubjectController,
    CustomerController,
    CustomerErasureController,
    CustomerLinksController,
    SubjectErasureController,
    SubjectHoldController,
    SubjectRetentionController,
    ErasureController,
    LegalHoldController,
    PersonalFieldController,
    RetentionController,
    CustomerLinkController,
    LinkController,
    SigningController,
    TicketController,
    CaseCareController,
    EducationController,
    LinkCareController,
    QuoteController,
    BusinessDateController,
    ExceptionController,
    SuspenseController,
    ReconciliationController,
    TextDraftController,
    TextVersionController,
    ConsentController,
    SubjectRegisterController,
    LinkConsentController,
    LinkTransferController,
    TransferNoticeController,
    PublicNoticeController,
    GatewayReceiptController,
    ChangeRequestController,
    AssessmentController,
    IncidentController,
    MatchController,
    AuditController,
    RuleController,
    RuleParameterController,
    CalendarController,
    bank_day,
    RuleReevaluationController,
    SuiteChangeController,
    TransferBackupController,
    TransferSourceController,
    TransferRowController,
    TransferWaveController,
    TransferConflictController,
    TransferReportController,
    published_transparency,
    TransferJobController,
    TransferSearchController,
    TransferProofController,
    BatchController,
    BatchFileController,
    BatchReportController,
    BatchClientController,
    BatchPlanController,
    BatchRuleController,
    BatchLayoutController,
    BatchRecordController,
)


def create_app(
    deps: ApiDeps, *, settings: ApiSettings, more_routes: Sequence[ControllerRouterHandler] = ()
) -> Litestar:
    """The ASGI app.

    Args:
        deps: what handlers may reach.
        settings: what differs between installations.
        more_routes: for tests.

    Raises:
        UnsafeSetting: a route does not say who may call it.
    """
    routes = [*ROUTES, *more_routes]
    app = _litestar(deps, routes, state=State({"api_settings": settings}))
    app.state.describe = partial(_describe, deps, routes)
    refuse_open_routes(app)
    app.asgi_handler = Edge(app.asgi_handler, settings=settings, start_span=request_spans(deps.metrics))
    return app


def _litestar(
    deps: ApiDeps,
    routes: Sequence[ControllerRouterHandler],
    *,
    state: State | None = None,
    openapi: OpenAPIConfig | None = None,
) -> Litestar:
    return Litestar(
        route_handlers=routes,
        dependencies={
            "deps": Provide(lambda: deps, sync_to_thread=False),
            "principal": Provide(provide_principal, sync_to_thread=False),
            "request_id": Provide(_request_id, sync_to_thread=False),
            "locale": Provide(_locale, sync_to_thread=False),
            "idempotency_key": Provide(provide_key, sync_to_thread=False),
            "if_match": Provide(provide_if_match, sync_to_thread=False),
        },
        middleware=[DefineMiddleware(AuthenticationMiddleware, deps=deps), BodyGate],
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=openapi,
        # Each by name, in this order: `PydanticPlugin` would put its reading of bodies before ours.
        plugins=[
            PydanticInitPlugin(prefer_alias=True),
            PydanticSchemaPlugin(prefer_alias=True),
            PydanticDIPlugin(),
            BodyPlugin(),
        ],
        request_max_body_size=MAX_MULTIPART_BYTES,
        logging_config=None,  # compliance.telemetry owns logging; Litestar would log the texts of exceptions
        state=state,
    )


def _describe(deps: ApiDeps, routes: Sequence[ControllerRouterHandler]) -> dict[str, Any]:
    # A second app that serves nothing: one that has a document would also serve it, openly, in ways of its own.
    return openapi_document(_litestar(deps, routes, openapi=OPENAPI))


def _request_id(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["state"]["request_id"])


def _locale(request: Request[Any, Any, Any]) -> str:
    return locale_of(request)
