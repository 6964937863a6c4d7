"""`POST /v1/quotes`: any member of staff, the same answer as the command, faults that name the field and the fix."""

import json

from models.domain.roles import Role
from models.domain.schedules.quote_form import QuoteForm, quote
from tests.support.api import Office

BODY = {"convention": "cn-level", "start": "2026-01-31", "principalMinor": 1_000_000, "annualRate": "0.12", "rows": 12}


async def test_any_member_of_staff_gets_the_answer_that_the_command_gives(sqlite_office: Office) -> None:
    for name, role in (("officer", Role.CASE_OFFICER), ("admin", Role.STAFF_ADMIN)):
        async with sqlite_office.client(sqlite_office.staff(name, role)) as client:
            answer = await client.post("/v1/quotes", json=BODY)
        assert answer.status_code == 200, answer.text
        assert answer.json() == quote(QuoteForm.read_json(json.dumps(BODY)))


async def test_every_part_of_a_request_goes_through(sqlite_office: Office) -> None:
    body = {
        "convention": {"base": "cn-card-level", "holiday": "move-debit", "basis": "daily"},
        "start": "2026-01-12",
        "balances": [
            {"kind": "purchases", "principalMinor": 600_000, "annualRate": "0.12"},
            {"kind": "cash", "principalMinor": 400_000, "annualRate": "0.18"},
        ],
        "rows": 6,
        "dueDay": 25,
        "fee": {"rate": "0.001", "timing": "first-row", "rowMinor": 100},
        "grace": {"principalRows": 1},
        "calendar": {"first": "2026-01-01", "last": "2027-01-31", "holidays": ["2026-05-25"], "makeUpDays": []},
    }
    async with sqlite_office.client(sqlite_office.staff("officer", Role.CASE_OFFICER)) as client:
        answer = await client.post("/v1/quotes", json=body)
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    assert [(row["due"], row["debit"]) for row in rows[3:5]] == [
        ("2026-04-25", "2026-04-27"),
        ("2026-05-25", "2026-05-26"),
    ]
    assert [kind["kind"] for kind in answer.json()["byKind"]] == ["purchases", "cash"]


async def test_a_fault_names_the_field_the_rule_and_the_fix(sqlite_office: Office) -> None:
    async with sqlite_office.client(sqlite_office.staff("officer", Role.CASE_OFFICER)) as client:
        wrong = await client.post("/v1/quotes", json={**BODY, "rows": 0})
        small = await client.post(
            "/v1/quotes",
            json={key: value for key, value in BODY.items() if key != "rows"} | {"amountMinor": 5_000},
            headers={"Accept-Language": "en"},
        )
    assert (wrong.status_code, small.status_code) == (422, 422)
    [fault] = small.json()["errors"]
    assert fault["pointer"] == "/amountMinor"
    assert "100.01" in fault["detail"]


async def test_nobody_gets_a_quote_without_logging_in(sqlite_office: Office) -> None:
    async with sqlite_office.client(None) as client:
        assert (await client.post("/v1/quotes", json=BODY)).status_code == 401
