"""S10: guessing passwords is slow, whatever headers a guesser sends and however many he sends at once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from api.identity.issuer import Issuer
from models.errors import NotAuthenticated, TooManyRequests
from models.operations.sessions import MAX_CONSECUTIVE, MAX_FAILURES
from tests.support.api import PASSWORD, Office

WRONG = "wrong but long enough"


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 is not what is tested here."""
    monkeypatch.setattr(
        "api.identity.issuer.password_matches", lambda password, hashed: hashed is not None and password == PASSWORD
    )


async def guess(office: Office, login: str, *, source: str = "192.0.2.1", password: str = WRONG, **headers: str) -> Any:
    async with office.client(source=source) as client:
        body = {"tenant": "main", "login": login, "password": password}
        return await client.post("/v1/sessions", json=body, headers=headers)


async def test_ten_failures_of_an_account_in_five_minutes_from_anywhere(office: Office) -> None:
    office.staff("officer")
    statuses = [(await guess(office, "officer", source=f"192.0.2.{n}")).status_code for n in range(1, 12)]
    assert statuses == [401] * MAX_FAILURES + [429]
    right = await guess(office, "officer", source="192.0.2.99", password=PASSWORD)
    assert right.status_code == 429
    assert right.json()["code"] == "too-many-requests"
    assert 1 <= int(right.headers["retry-after"]) <= 300
    office.clock.advance(seconds=int(right.headers["retry-after"]))
    assert (await guess(office, "officer", source="192.0.2.99", password=PASSWORD)).status_code == 201


async def test_ten_failures_of_a_source_whatever_the_account(office: Office) -> None:
    statuses = [(await guess(office, f"user{n}")).status_code for n in range(12)]
    assert statuses == [401] * MAX_FAILURES + [429, 429]
    assert (await guess(office, "user99", source="192.0.2.2")).status_code == 401


async def test_forged_forwarding_headers_never_buy_a_try(sqlite_office: Office) -> None:
    for n in range(MAX_FAILURES):
        await guess(sqlite_office, f"user{n}")
    passed = 0
    for n in range(100):
        forged = dict.fromkeys(
            ("X-Forwarded-For", "X-Real-IP", "X-Client-IP", "CF-Connecting-IP", "True-Client-IP"), f"203.0.113.{n}"
        ) | {"Forwarded": f"for=203.0.113.{n}"}
        passed += (await guess(sqlite_office, f"other{n}", **forged)).status_code != 429
    assert passed == 0


async def test_guesses_at_once_do_not_slip_past(office: Office) -> None:
    office.staff("officer")
    answers = await asyncio.gather(*(guess(office, "officer", source=f"192.0.2.{n}") for n in range(1, 41)))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == MAX_FAILURES
    assert statuses.count(429) == 40 - MAX_FAILURES


async def test_the_limit_is_shared_by_all_processes(office: Office) -> None:
    """Two issuers over one database, as in two processes."""
    office.staff("officer")
    first = office.issuer
    second = Issuer(database=first.database, clock=first.clock, key=first.key, bucket_key=first.bucket_key)
    for n in range(MAX_FAILURES):
        with pytest.raises(NotAuthenticated):
            (first, second)[n % 2].log_in(tenant="main", login="officer", password=WRONG, source=f"192.0.2.{n}")
    for issuer in (first, second):
        with pytest.raises(TooManyRequests):
            issuer.log_in(tenant="main", login="officer", password=PASSWORD, source="192.0.2.200")


async def test_a_hundred_failures_in_a_row_shut_the_account_until_someone_opens_it(sqlite_office: Office) -> None:
    office = sqlite_office
    office.staff("officer")
    failures = 0
    while failures < MAX_CONSECUTIVE:
        answer = await guess(office, "officer", source=f"192.0.2.{failures % 250}")
        if answer.status_code == 429:
            office.clock.advance(minutes=5)
            continue
        failures += 1
    for _ in range(3):
        office.clock.advance(timedelta(days=1))
        assert (await guess(office, "officer", source="198.51.100.1", password=PASSWORD)).status_code == 429


async def test_unknown_accounts_are_throttled_just_the_same(sqlite_office: Office) -> None:
    sqlite_office.staff("known")
    for login in ("known", "unknown"):
        statuses = [
            (await guess(sqlite_office, login, source=f"192.0.{len(login)}.{n}")).status_code for n in range(1, 13)
        ]
        assert statuses == [401] * MAX_FAILURES + [429, 429]


async def test_a_success_forgives_the_account_but_not_the_source(sqlite_office: Office) -> None:
    office = sqlite_office
    office.staff("officer")
    for _ in range(5):
        await guess(office, "officer")
    assert (await guess(office, "officer", password=PASSWORD)).status_code == 201
    statuses = [(await guess(office, "officer")).status_code for _ in range(6)]
    assert statuses == [401] * 5 + [429], "five failures before the success still count against the source"
    elsewhere = [(await guess(office, "officer", source=f"192.0.2.{n}")).status_code for n in range(2, 8)]
    assert elsewhere == [401] * 5 + [429], "the account had begun anew"


async def test_the_letters_case_of_a_login_is_no_second_account(sqlite_office: Office) -> None:
    sqlite_office.staff("officer")
    spellings = ["officer", "OFFICER", "Officer", "oFFICER"] * 3
    statuses = [
        (await guess(sqlite_office, login, source=f"192.0.2.{n}")).status_code for n, login in enumerate(spellings)
    ]
    assert statuses[MAX_FAILURES:] == [429, 429]
