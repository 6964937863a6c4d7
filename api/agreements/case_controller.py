"""What a case holds of plans and agreement: all offers side by side, their picture, and the agreement in service."""

from typing import Annotated

from litestar import Controller, Response, get
from litestar.params import FromPath, QueryParameter

from api.agreements.answers import AgreementAnswer, PlansAnswer
from api.agreements.plans import plans_answer, plans_picture
from api.agreements.views import agreement_answer
from api.deps import ApiDeps, Deps, Locale
from api.etags import etag
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.installments.access import PATH, case_for
from models.domain.roles import Permission
from models.errors import NotFound
from models.queries.agreements import agreement_of_case
from models.queries.servicing import all_offers
from models.tables.agreements import PlanOffer
from models.tables.installments import InstallmentCase

SVG = "image/svg+xml"
_MAX_ROUND = 10_000


class CaseAgreementController(Controller):
    """Plans and agreement of a case."""

    path = f"{PATH}/{{case_token:str}}"
    tags = ("Agreements",)

    @get("/plans", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="ListPlans")
    def plans(self, case_token: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> PlansAnswer:
        """Every round of plans, newest first: families side by side, with what changed since the round before."""
        case = case_for(deps, principal, case_token)
        return plans_answer(_offers(deps, case), currency=case.currency, locale=locale)

    @get(
        "/plans/picture.svg",
        guards=[requires(Permission.CASES_READ)],
        sync_to_thread=True,
        media_type=SVG,
        operation_id="GetPlansPicture",
    )
    def plans_as_picture(
        self,
        *,
        case_token: FromPath[str],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        round_no: Annotated[int | None, QueryParameter(name="round", ge=1, le=_MAX_ROUND)] = None,
    ) -> Response[str]:
        """One round of plans as SVG, the newest if none is named: a bar a row, all to the same scale."""
        case = case_for(deps, principal, case_token)
        offers = _offers(deps, case)
        wanted = round_no if round_no is not None else max((row.version for row in offers), default=0)
        chosen = [row for row in offers if row.version == wanted]
        if not chosen:
            raise NotFound
        return Response(plans_picture(chosen, currency=case.currency, locale=locale), media_type=SVG)

    @get("/agreement", guards=[requires(Permission.CASES_READ)], sync_to_thread=True, operation_id="GetAgreement")
    def agreement(
        self, case_token: FromPath[str], deps: Deps, principal: Caller, locale: Locale
    ) -> Response[AgreementAnswer]:
        """The agreement in service: rows, events with the reason for each cent, balances, progress."""
        case = case_for(deps, principal, case_token)
        with deps.database.read() as session:
            found = agreement_of_case(session, case_token=case.token)
            if found is None:
                raise NotFound
            answer = agreement_answer(session, found, locale=locale)
        return Response(answer, headers={"ETag": etag(answer.version)})


def _offers(deps: ApiDeps, case: InstallmentCase) -> list[PlanOffer]:
    with deps.database.read() as session:
        return all_offers(session, case_token=case.token)
