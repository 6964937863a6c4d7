"""Bank calendars: a whole year by two persons, compared before it counts, the newest of a year in force."""

from datetime import date
from typing import Any

import pytest

from deploy.bank import built_in_days, is_bank_day
from models.domain.bank_calendar import days_of_year
from models.queries.bank_days import bank_days_of
from tests.support.api import Office
from tests.support.rule_desk import RuleDesk

PATH = "/v1/calendars"


def year(number: int, **changed: str) -> list[dict[str, Any]]:
    """Weekdays open, and what is said otherwise (`d2027_02_08="closed"`)."""
    rows = []
    for day in days_of_year(number):
        state = changed.get(f"d{day:%Y_%m_%d}", "open" if day.weekday() < 5 else "closed")
        rows.append({"date": day.isoformat(), "state": state, "reason": ""})
    return rows


def works(office: Office, day: date) -> bool:
    with office.deps.database.read() as session:
        return bank_days_of(session, "main", otherwise=is_bank_day)(day)


async def test_a_year_that_nobody_knew_is_known_once_two_persons_have_settled_it(office: Office) -> None:
    office.deps.is_bank_day = is_bank_day
    desk = RuleDesk(office)
    spring = date(2027, 2, 8)
    with pytest.raises(LookupError):
        works(office, spring)
    body = {"year": 2027, "version": "2027/1", "days": year(2027, d2027_02_08="closed"), "provisional": True}
    draft = (await desk.post(PATH, body)).json()
    assert draft["exceptions"] == [{"date": "2027-02-08", "state": "closed", "reason": ""}]
    with pytest.raises(LookupError):
        works(office, spring)
    assert (await desk.decide(PATH, draft, by=desk.maker)).json()["code"] == "four-eyes-violation"
    assert (await desk.decide(PATH, draft)).json()["state"] == "APPROVED"
    assert (works(office, spring), works(office, date(2027, 2, 9))) == (False, True)
    told = {each["year"]: each for each in (await desk.get(PATH)).json()["years"]}
    assert told[2026] == {"year": 2026, "source": "built-in", "version": None, "provisional": False}
    assert told[2027] == {"year": 2027, "source": "own", "version": "2027/1", "provisional": True}
    assert told[2028]["source"] == "none"


async def test_a_newer_version_is_compared_with_what_holds_and_takes_its_place(office: Office) -> None:
    office.deps.is_bank_day = is_bank_day
    desk = RuleDesk(office)
    first = await desk.calendar(2027, "2027/1", year(2027))
    body = {"year": 2027, "version": "2027/2", "days": year(2027, d2027_02_08="closed", d2027_02_13="open")}
    second = (await desk.post(PATH, body)).json()
    told = (await desk.get(f"{PATH}/{second['id']}/differences")).json()
    assert (told["before"], told["after"]) == ("2027/1", "2027/2")
    assert [(each["date"], each["before"], each["after"]) for each in told["items"]] == [
        ("2027-02-08", "open", "closed"),
        ("2027-02-13", "closed", "open"),
    ]
    assert works(office, date(2027, 2, 8))
    await desk.decide(PATH, second)
    assert not works(office, date(2027, 2, 8))
    back = (await desk.get(f"{PATH}/{second['id']}/differences?to={first['id']}")).json()
    assert (back["before"], len(back["items"])) == ("2027/1", 2)
    days = (await desk.get(f"{PATH}/{second['id']}/days")).json()["items"]
    assert days == body["days"]


async def test_the_built_in_table_can_be_taken_over_and_differs_from_itself_in_nothing(sqlite_office: Office) -> None:
    sqlite_office.deps.is_bank_day = is_bank_day
    desk = RuleDesk(sqlite_office)
    rows = built_in_days(2026)
    draft = (await desk.post(PATH, {"year": 2026, "version": "2026/1", "days": rows})).json()
    told = (await desk.get(f"{PATH}/{draft['id']}/differences")).json()
    assert (told["before"], told["items"]) == ("built-in", [])
    reasons = {each["date"]: (each["state"], each["reason"]) for each in draft["exceptions"]}
    assert reasons["2026-02-14"] == ("open", "春节调休")
    assert reasons["2026-10-01"] == ("closed", "国庆节")
    with pytest.raises(LookupError):
        built_in_days(2027)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda days: days[:-1], "calendar-day-missing"),
        (lambda days: [*days, days[0]], "calendar-day-twice"),
        (lambda days: [*days, {"date": "2028-01-01", "state": "open"}], "calendar-other-year"),
        (lambda days: [{**days[0], "state": "half"}, *days[1:]], "not-one-of"),
        (lambda days: [{**days[0], "colour": "red"}, *days[1:]], "unknown-field"),
    ],
)
async def test_a_year_that_is_not_whole_is_refused_by_day(sqlite_office: Office, change: Any, code: str) -> None:
    desk = RuleDesk(sqlite_office)
    refused = await desk.post(PATH, {"year": 2027, "version": "2027/1", "days": change(year(2027))})
    assert refused.status_code == 422
    assert [fault["code"] for fault in refused.json()["errors"]] == [code]
    assert "…" not in refused.json()["errors"][0]["detail"]


async def test_a_calendar_of_one_institution_is_nobody_elses(office: Office) -> None:
    desk = RuleDesk(office)
    await desk.calendar(2027, "2027/1", year(2027))
    with office.deps.database.read() as session:
        assert bank_days_of(session, "other", otherwise=is_bank_day).years == {}


async def test_a_day_says_where_a_debit_goes_and_whether_that_may_still_change(sqlite_office: Office) -> None:
    sqlite_office.deps.is_bank_day = is_bank_day
    desk = RuleDesk(sqlite_office)
    path = "/v1/bank-days?on="
    told = [(await desk.get(path + day)).json() for day in ("2026-02-16", "2026-12-31", "2027-01-01")]
    assert [(each["state"], each["movedTo"], each["provisional"]) for each in told] == [
        ("closed", "2026-02-24", False),
        ("open", "2026-12-31", False),
        ("unknown", None, True),
    ]
    await desk.calendar(2027, "2027/1", year(2027, d2027_01_01="closed"), provisional=True)
    (told_now,) = [(await desk.get(path + day)).json() for day in ("2027-01-01",)]
    assert (told_now["state"], told_now["movedTo"], told_now["provisional"]) == ("closed", "2027-01-04", True)
