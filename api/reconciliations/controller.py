"""Reconciliation (对账): books against bank, and books against what the cases' workflows remember. It only reads."""

from datetime import date, timedelta
from typing import Annotated, Final, Literal

from litestar import Controller, get
from litestar.params import QueryParameter

from api.days import EARLIEST, check_day
from api.deps import ApiDeps, Deps
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.reconciliations.bodies import CaseGapsAnswer, ReconciliationAnswer
from compliance.payloads.memory import remembered_by_cases
from models.domain.reconciliation.compare import reconcile
from models.domain.reconciliation.gaps import Gap, Remembered, gaps
from models.domain.reconciliation.tolerance import DEFAULT_TOLERANCE
from models.domain.roles import Permission
from models.errors import WrongState
from models.queries.bank_days import bank_days_of
from models.queries.case_gaps import recorded_of
from models.queries.daily import business_date_row
from models.queries.reconciliation import Period, accounts_of, not_kept

_LONGEST: Final = timedelta(days=366)
_ONE_DAY: Final = timedelta(days=1)


class ReconciliationController(Controller):
    """What differs, named and counted; nothing is booked, mended or sent."""

    path = "/v1/reconciliations"
    tags = ("Reconciliation",)

    @get(
        "/",
        guards=[requires(Permission.BUSINESS_DATES_RUN)],
        sync_to_thread=True,
        operation_id="ReconcileWithBank",
    )
    def with_bank(
        self,
        *,
        deps: Deps,
        principal: Caller,
        first: Annotated[date, QueryParameter(name="from")],
        last: Annotated[date, QueryParameter(name="until")],
        source: Annotated[Literal["records", "files"], QueryParameter(name="source")] = "records",
    ) -> ReconciliationAnswer:
        """Books against bank over at most a year: every movement of money agrees, or is named as a difference.

        `source=files` reads the bank's files again that were taken, and so finds what the records have lost.
        """
        check_day("/until", last)
        check_day("/from", first, earliest=max(EARLIEST, last - _LONGEST), latest=last)
        filed = deps.filed_lines(principal.tenant) if source == "files" else ()
        with deps.database.read() as session:
            row = business_date_row(session, tenant=principal.tenant)
            if row is None:
                raise WrongState(detail=principal.tenant, params={"state": "no-business-date"})
            # The run of the date before the open one has read what the bank had said by then.
            period = Period(tenant=principal.tenant, first=first, last=last, as_of=row.today - _ONE_DAY)
            accounts = accounts_of(session, period, unknown=not_kept(session, filed))
            days = bank_days_of(session, principal.tenant, otherwise=deps.is_bank_day)
        result = reconcile(accounts, is_bank_day=days, tolerance=DEFAULT_TOLERANCE)
        return ReconciliationAnswer.of(accounts, result, DEFAULT_TOLERANCE)

    @get("/cases", guards=[requires(Permission.BUSINESS_DATES_RUN)], operation_id="ReconcileWithCases")
    async def with_cases(self, deps: Deps, principal: Caller) -> CaseGapsAnswer:
        """Books against the memory of the cases: what their workflows know to have been done, and the books lack.

        Nothing is missing unless the data store was set back to an older state than Temporal's.
        """
        told = [each async for each in remembered_by_cases(deps.temporal, tenant=principal.tenant)]
        return CaseGapsAnswer.of(len(told), await in_thread(_missing, deps, told))


def _missing(deps: ApiDeps, told: list[Remembered]) -> list[Gap]:
    with deps.database.read() as session:
        return list(gaps(told, recorded_of(session, told)))
