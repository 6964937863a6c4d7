"""The search for transfer jobs: filters, orders, pages by cursor and exact counts; nobody sees another's jobs."""

from collections import Counter
from datetime import timedelta
from typing import Any

import httpx
import pytest

from models.domain.canonical import digest
from models.domain.roles import Role
from models.domain.tokens import new_case_token
from models.tables.staff import Staff
from models.tables.transfers import TransferJob
from tests.support.api import Office

# By class, stage, outcome, paused, whether the institution receives or gives, and where the rows come from.
JOBS: tuple[tuple[list[str], str, str | None, bool, str, str | None], ...] = (
    (["C"], "planning", None, False, "main", "seller"),
    (["C"], "updating", None, True, "main", None),
    (["E", "G"], "updating", None, False, "main", "seller"),
    (["E"], "ended", "completed", False, "main", "seller"),
    (["D"], "ended", "rolled-back", False, "main", None),
    (["E"], "collecting", None, False, "seller", "main"),
    (["A"], "planning", None, False, "seller", "third"),
)


@pytest.fixture
def lead(office: Office) -> Staff:
    """Of the institution that receives five jobs and gives one; they were opened an hour apart."""
    for code in ("seller", "third"):
        office.tenant(code)
    now = office.clock()
    with office.deps.database.write() as session:
        for number, (classes, stage, outcome, paused, tenant, source) in enumerate(JOBS):
            at = now - timedelta(hours=number // 2)  # two of the same moment: the token breaks the tie
            session.add(
                TransferJob(
                    token=new_case_token(tenant), tenant=tenant, source_tenant=source, branch="hq", classes=classes,
                    plan_hash=digest({}), stage=stage, outcome=outcome, paused_at=now if paused else None,
                    created_by="stf_1", created_by_person="prs_1", created_at=at, updated_at=now,
                    ended_at=now if stage == "ended" else None,
                )
            )  # fmt: skip
    return office.staff("lead", Role.MIGRATION_LEAD)


async def _search(office: Office, lead: Staff, **body: Any) -> httpx.Response:
    async with office.client(lead) as client:
        return await client.post("/v1/transfers/search", json=body)


async def _found(office: Office, lead: Staff, **filters: Any) -> list[tuple[list[str], str]]:
    answer = await _search(office, lead, filter=filters)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told["total"] == len(told["items"])
    return sorted((each["classes"], each["stage"]) for each in told["items"])


async def test_everything_is_counted_exactly_and_anothers_job_is_not_there(office: Office, lead: Staff) -> None:
    told = (await _search(office, lead, limit=2)).json()
    assert (len(told["items"]), told["total"]) == (2, 6)
    assert told["facets"] == {
        "stage": {"planning": 1, "updating": 2, "ended": 2, "collecting": 1},
        "classes": {"C": 2, "E": 3, "G": 1, "D": 1},
        "state": {"running": 3, "paused": 1, "completed": 1, "rolled-back": 1},
        "side": {"target": 5, "source": 1},
    }
    assert (await _search(office, lead, facets=False)).json()["facets"] is None


@pytest.mark.parametrize(
    ("filters", "places"),
    [
        ({"stage": "updating"}, (1, 2)),
        ({"class": "E"}, (2, 3, 5)),
        ({"class": {"$notIn": ["C", "E"]}}, (4,)),
        ({"state": "open"}, (0, 1, 2, 5)),
        ({"state": {"$in": ["paused", "completed"]}}, (1, 3)),
        ({"side": "source"}, (5,)),
        ({"sourceTenant": {"$exists": False}}, (1, 4)),
        ({"sourceTenant": "seller", "state": "open"}, (0, 2)),
        ({"targetTenant": "seller"}, (5,)),
        ({"endedAt": {"$exists": True}}, (3, 4)),
    ],
)
async def test_each_member_of_the_filter_narrows_it_down(
    office: Office, lead: Staff, filters: dict[str, Any], places: tuple[int, ...]
) -> None:
    assert await _found(office, lead, **filters) == sorted((JOBS[place][0], JOBS[place][1]) for place in places)


async def test_a_date_narrows_it_down(office: Office, lead: Staff) -> None:
    since = (office.clock() - timedelta(minutes=30)).isoformat()
    assert await _found(office, lead, createdAt={"$gte": since}) == [(["C"], "planning"), (["C"], "updating")]
    assert len(await _found(office, lead, createdAt={"$lt": since})) == 4


@pytest.mark.parametrize("sort", ["created", "-created", "updated", "-updated"])
async def test_pages_hold_each_job_once_in_order(office: Office, lead: Staff, sort: str) -> None:
    seen: list[tuple[str, str]] = []
    cursor = None
    while True:
        told = (await _search(office, lead, sort=sort, limit=2, cursor=cursor, facets=False)).json()
        seen += [(each["createdAt"], each["job"]) for each in told["items"]]
        cursor = told["nextCursor"]
        if cursor is None:
            break
    assert Counter(job for _, job in seen).total() == len({job for _, job in seen}) == 6
    key = (lambda each: each[1]) if "updated" in sort else None
    assert seen == sorted(seen, key=key, reverse=sort.startswith("-"))


async def test_what_does_not_fit_is_named(office: Office, lead: Staff) -> None:
    wrong = await _search(office, lead, filter={"stage": "somewhere", "colour": "red", "createdAt": "2026-11-01"})
    assert wrong.status_code == 422
    assert {(each["pointer"], each["code"]) for each in wrong.json()["errors"]} == {
        ("/filter/stage", "not-one-of"),
        ("/filter/colour", "unknown-field"),
        ("/filter/createdAt", "wrong-type"),
    }
    first = (await _search(office, lead, limit=1)).json()
    other = await _search(office, lead, limit=1, sort="created", cursor=first["nextCursor"])
    assert (other.status_code, other.json()["errors"][0]["pointer"]) == (400, "/cursor")


async def test_who_may_not_read_jobs_finds_none(office: Office, lead: Staff) -> None:
    admin = office.staff("admin", Role.STAFF_ADMIN)
    assert (await _search(office, admin)).status_code == 403
