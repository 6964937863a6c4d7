"""Bank calendars (银行工作日历): one version per year at a time, uploaded whole by one person, approved by another."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter

from api.deps import ApiDeps, Deps, Locale
from api.idempotency import KeyHeader, Stored, fingerprint, key_slot, once
from api.identity.authenticate import requires
from api.identity.principal import Caller
from api.in_thread import in_thread
from api.rules import drafts
from api.rules.draft_bodies import (
    BankDayAnswer,
    CalendarAnswer,
    CalendarBody,
    CalendarsAnswer,
    DayAnswer,
    DaysAnswer,
    DifferenceAnswer,
    DifferencesAnswer,
    DraftDecisionBody,
    YearAnswer,
)
from models.domain.bank_calendar import YearCalendar, days_of_rows, days_of_year, differences, year_of_days
from models.domain.roles import Permission
from models.domain.rule_desk import DraftKind
from models.domain.shanghai import shanghai_date
from models.queries.bank_days import bank_days_of
from models.queries.rule_desk import calendar_rows, draft_records
from models.tables.rule_desk import RuleDraft

_SHOWN = 50
_YEARS_BACK, _YEARS_AHEAD = 1, 2


class CalendarController(Controller):
    """The bank days of the caller's institution."""

    path = "/v1/calendars"
    tags = ("Rules",)

    @get("/", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="ListCalendars")
    def list_calendars(self, deps: Deps, principal: Caller, locale: Locale) -> CalendarsAnswer:
        """Where each year's bank days come from, and the newest drafts."""
        with deps.database.read() as session:
            own = calendar_rows(session, principal.tenant)
            found = draft_records(session, principal.tenant, kind=DraftKind.CALENDAR, limit=_SHOWN)
        present = shanghai_date(deps.clock()).year
        years = sorted({*own, *range(present - _YEARS_BACK, present + _YEARS_AHEAD + 1)})
        return CalendarsAnswer(
            years=[_year(deps, year, own.get(year)) for year in years],
            items=[CalendarAnswer.of(each, locale=locale) for each in found],
        )

    @get("/{draft_id:str}", guards=[requires(Permission.RULES_READ)], sync_to_thread=True, operation_id="GetCalendar")
    def get_calendar(self, draft_id: FromPath[str], deps: Deps, principal: Caller, locale: Locale) -> CalendarAnswer:
        """One version, drafted or decided."""
        return CalendarAnswer.of(drafts.record(deps, principal, draft_id, kind=DraftKind.CALENDAR), locale=locale)

    @get(
        "/{draft_id:str}/days",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        operation_id="ListCalendarDays",
    )
    def days(self, draft_id: FromPath[str], deps: Deps, principal: Caller) -> DaysAnswer:
        """Every day of a version, as it can be uploaded again."""
        found = drafts.record(deps, principal, draft_id, kind=DraftKind.CALENDAR)
        days = [
            DayAnswer(date=each.day, state="open" if each.is_open else "closed", reason=each.reason)
            for each in YearCalendar.from_record(found.row.definition).days()
        ]
        return DaysAnswer(items=days)

    @get(
        "/{draft_id:str}/differences",
        guards=[requires(Permission.RULES_READ)],
        sync_to_thread=True,
        operation_id="CompareCalendars",
    )
    def compare(
        self,
        draft_id: FromPath[str],
        deps: Deps,
        principal: Caller,
        to: Annotated[str | None, QueryParameter(name="to", max_length=40)] = None,
    ) -> DifferencesAnswer:
        """The days that a version tells differently from another (`to`), or from what holds for its year now."""
        after = drafts.record(deps, principal, draft_id, kind=DraftKind.CALENDAR).row
        if to is not None:
            other = drafts.record(deps, principal, to, kind=DraftKind.CALENDAR).row
            told = Told(YearCalendar.from_record(other.definition), other.version)
        else:
            told = _in_force(deps, principal.tenant, after.valid_from.year)
        found = differences(told.calendar, YearCalendar.from_record(after.definition))
        return DifferencesAnswer(
            before=told.name, after=after.version, items=[DifferenceAnswer.of(each) for each in found]
        )

    @post("/", guards=[requires(Permission.RULES_PROPOSE)], operation_id="UploadCalendar")
    async def upload(
        self,
        data: JSONBody[CalendarBody],
        deps: Deps,
        principal: Caller,
        locale: Locale,
        idempotency_key: KeyHeader,
    ) -> Response[CalendarAnswer]:
        """Upload a whole year; another person approves it. Every day of the year stands in it once."""
        slot = key_slot(principal, route="calendars.upload", key=idempotency_key)
        digest = await in_thread(fingerprint, deps, slot, data)

        def act() -> str:
            calendar = year_of_days(data.year, days_of_rows(data.days), provisional=data.provisional)
            return drafts.add(
                deps,
                principal,
                kind=DraftKind.CALENDAR,
                version=data.version,
                valid_from=date(data.year, 1, 1),
                definition=calendar.as_record(),
                slot=slot,
                fingerprint=digest,
            )

        def rebuild(draft_id: str) -> Stored:
            found = drafts.record(deps, principal, draft_id, kind=DraftKind.CALENDAR)
            body = CalendarAnswer.of(found, locale=locale).model_dump(mode="json")
            return Stored(status=201, body=body, headers={"Location": f"/v1/calendars/{draft_id}"})

        return await once(deps, slot, fingerprint=digest, act=act, rebuild=rebuild)

    @post(
        "/{draft_id:str}/approval",
        guards=[requires(Permission.RULES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="ApproveCalendar",
    )
    def approve(
        self, draft_id: FromPath[str], data: JSONBody[DraftDecisionBody], deps: Deps, principal: Caller, locale: Locale
    ) -> CalendarAnswer:
        """Approve a version as the second person; from the next step on dates of its year are moved by it."""
        found = drafts.decide(deps, principal, draft_id, kind=DraftKind.CALENDAR, shown=data.shown_hash, approve=True)
        return CalendarAnswer.of(found, locale=locale)

    @post(
        "/{draft_id:str}/rejection",
        guards=[requires(Permission.RULES_CONFIRM)],
        sync_to_thread=True,
        status_code=200,
        operation_id="RejectCalendar",
    )
    def reject(
        self, draft_id: FromPath[str], data: JSONBody[DraftDecisionBody], deps: Deps, principal: Caller, locale: Locale
    ) -> CalendarAnswer:
        """Reject a version as the second person."""
        found = drafts.decide(deps, principal, draft_id, kind=DraftKind.CALENDAR, shown=data.shown_hash, approve=False)
        return CalendarAnswer.of(found, locale=locale)


@get(
    "/v1/bank-days",
    guards=[requires(Permission.RULES_READ)],
    sync_to_thread=True,
    operation_id="GetBankDay",
    tags=["Rules"],
)
def bank_day(deps: Deps, principal: Caller, on: Annotated[date, QueryParameter(name="on")]) -> BankDayAnswer:
    """Whether banks work on a day, and to which day a debit of it is moved, as far as it is known now."""
    with deps.database.read() as session:
        days = bank_days_of(session, principal.tenant, otherwise=deps.is_bank_day)
    try:
        state = "open" if days(on) else "closed"
    except LookupError:
        return BankDayAnswer(date=on, state="unknown", moved_to=None, provisional=True)
    moved = days.moved(on)
    provisional = moved is None or days.is_provisional(on) or days.is_provisional(moved)
    return BankDayAnswer(date=on, state=state, moved_to=moved, provisional=provisional)


def _year(deps: ApiDeps, year: int, own: RuleDraft | None) -> YearAnswer:
    if own is not None:
        provisional = YearCalendar.from_record(own.definition).provisional
        return YearAnswer(year=year, source="own", version=own.version, provisional=provisional)
    try:
        deps.is_bank_day(date(year, 1, 1))
    except LookupError:
        return YearAnswer(year=year, source="none", version=None, provisional=True)
    return YearAnswer(year=year, source="built-in", version=None, provisional=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A calendar and its name; neither where nobody has announced the year."""

    calendar: YearCalendar | None
    name: str | None


def _in_force(deps: ApiDeps, tenant: str, year: int) -> Told:
    """The calendar that a year has now; the built-in table is worked out day by day."""
    with deps.database.read() as session:
        own = calendar_rows(session, tenant).get(year)
    if own is not None:
        return Told(YearCalendar.from_record(own.definition), own.version)
    try:
        marks = "".join("1" if deps.is_bank_day(each) else "0" for each in days_of_year(year))
    except LookupError:
        return Told(None, None)
    return Told(YearCalendar(year=year, open_days=marks), "built-in")
