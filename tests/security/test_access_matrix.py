"""S3: every route × no token, expired token, each role, another institution. Generated from the routes themselves."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from api.identity.authenticate import required_permission, served_handlers
from compliance.audit.deeds import shown_hash
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.roles import GRANTS, Permission, Role
from models.domain.tokens import new_token
from models.operations.staff import Proposal, propose_role_change
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import FakeDispatcher, open_desk, taken_in
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH
from tests.support.inbox import add_tasks, make_task

Route = tuple[str, str, Permission | None, bool]
UNKNOWN: Final = {
    "staff_id": "stf_" + "0" * 26,
    "change_id": "rch_" + "0" * 26,
    "task_id": "tsk_" + "0" * 26,
    "decision_id": "01890000-0000-7000-8000-000000000000",
    "case_token": "main." + "0" * 26,
    "document_id": "doc_" + "0" * 26,
    "consent_id": "cns_" + "0" * 26,
    "contact_id": "con_" + "0" * 26,
    "subject_id": "sub_" + "0" * 26,
    "customer_id": "cus_" + "0" * 26,
    "agreement_id": "agr_" + "0" * 26,
    "quote_id": "quo_" + "0" * 26,
    "reversal_id": "rev_" + "0" * 26,
    "assignment_id": "sua_" + "0" * 26,
    "ticket_id": "tkt_" + "0" * 26,
    "exception_id": "dex_" + "0" * 26,
    "draft_id": "txd_" + "0" * 26,
    "assessment_id": "pia_" + "0" * 26,
    "incident_id": "sin_" + "0" * 26,
    "clock": "cac",
    "job": "main." + "0" * 26,
    "run": "main." + "0" * 26,
    "plan": "bpl_" + "0" * 26,
    "client_id": "bcl_" + "0" * 26,
    "account_id": "fac_" + "0" * 26,
    "suspense_id": "bsu_" + "0" * 26,
    "dispute_id": "bdi_" + "0" * 26,
    "order_id": "bor_" + "0" * 26,
    "row": "1",
    "number": "1",
    "record": "cus_" + "0" * 26,
    "conflict_id": "tcf_" + "0" * 26,
    "pair_id": "tpr_" + "0" * 26,
    "correction": "tco_" + "0" * 26,
    "grant": "tgr_" + "0" * 26,
    "backup": "tbk_" + "0" * 26,
    "name": "unknown",
    "erasure_id": "era_" + "0" * 26,
    "hold_id": "lhd_" + "0" * 26,
    "rule_id": "XX-1",
    "pass_id": "rrv_" + "0" * 26,
    "event_id": "01890000-0000-7000-8000-000000000000",
}
# The answer of a route that asks Temporal, where none runs.
AWAY: Final = "workflow-unavailable"
_PARAMETER: Final = re.compile(r"\{(\w+):(?:str|int)\}")


@pytest.fixture
def bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


def routes(office: Office) -> list[Route]:
    """Every route that is not public: method, path, permission (None: any staff), whether it takes a file."""
    found = []
    for path, method, handler in served_handlers(office.app):
        guard = required_permission(handler)
        if guard is not None:
            found.append((method, path, guard.permission, handler.opt.get("multipart") is True))
    return found


def filled(path: str, values: dict[str, str]) -> str:
    return _PARAMETER.sub(lambda match: values[match.group(1)], path)


async def call(office: Office, route: Route, *, token: str | None, values: dict[str, str] = UNKNOWN) -> httpx.Response:
    method, path, _, takes_file = route
    headers = {"Idempotency-Key": new_token("key"), "If-Match": '"v1"'}
    body: dict[str, Any] = {}
    if takes_file:
        body = {"files": {"file": ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "image/png")}, "data": {"kind": "other"}}
    elif method in ("POST", "PUT", "PATCH"):
        body = {"json": {}}
    async with office.client(token=token) as client:
        return await client.request(method, filled(path, values), headers=headers, **body)


def test_every_parameter_of_a_path_is_known_to_this_test(bank: Office) -> None:
    assert {name for _, path, _, _ in routes(bank) for name in _PARAMETER.findall(path)} <= set(UNKNOWN)
    assert len(routes(bank)) >= 30


async def test_without_a_good_token_every_route_gives_one_and_the_same_answer(bank: Office) -> None:
    staff, shut = bank.staff("officer", *Role), bank.staff("shut", *Role)
    with bank.deps.database.write() as session:
        session.get_one(Staff, shut.id).active = False
    tokens = [
        None,
        "garbage",
        bank.token(staff, age=timedelta(minutes=11)),
        bank.token(staff)[:-6] + "AAAAAA",
        bank.token(shut),
    ]
    answers: dict[tuple[int, str], list[Route]] = {}
    for route in routes(bank):
        for token in tokens:
            answer = await call(bank, route, token=token)
            answers.setdefault((answer.status_code, str(answer.json() | {"traceId": ""})), []).append(route)
    assert len(answers) == 1, {key: value[:3] for key, value in answers.items()}
    assert next(iter(answers))[0] == 401


@pytest.mark.timeout(300)  # some four thousand requests: ten seconds of work, which a busy machine stretches
async def test_each_role_may_what_it_was_granted_and_nothing_else(bank: Office) -> None:
    people: dict[Role | None, Staff] = {role: bank.staff(role.value, role, branch=BRANCH) for role in Role}
    people[None] = bank.staff("nobody", branch=BRANCH)
    unexpected, refused, allowed = [], 0, 0
    for route in routes(bank):
        permission = route[2]
        for role, staff in people.items():
            may = permission is None or (role is not None and permission in GRANTS[role])
            answer = await call(bank, route, token=bank.token(staff))
            code = (
                answer.json().get("code") if answer.headers.get("content-type") == "application/problem+json" else None
            )
            barred = (answer.status_code, code) == (403, "permission-missing")
            refused, allowed = refused + barred, allowed + (not barred)
            if barred == may or answer.status_code == 401 or (answer.status_code >= 500 and code != AWAY):
                unexpected.append((role, *route[:2], answer.status_code, code))
            if barred:
                assert answer.json()["params"] == {"permission": permission}
    assert unexpected == []
    assert refused > 50
    assert allowed > 50


async def test_what_another_institution_holds_is_unknown_here(bank: Office) -> None:
    bank.tenant("other")
    theirs = bank.staff("theirs", Role.CASE_OFFICER, tenant="other", branch=BRANCH)
    case = await taken_in(bank, theirs)
    task = make_task(case_token=case["token"], workflow_id=f"installments/{case['token']}", tenant="other")
    foreign = UNKNOWN | {
        "staff_id": theirs.id,
        "case_token": case["token"],
        "task_id": task.id,
        "subject_id": case["subjectId"],
    }
    add_tasks(bank.deps.database, [task])
    proposal = Proposal(
        change_id=new_token("rch"),
        tenant="other",
        staff_id=theirs.id,
        staff_version=1,
        roles=frozenset({Role.AUDITOR}),
        authority_amount_minor=0,
        authority_concession_bps=0,
    )
    with bank.deps.database.write() as session:
        propose_role_change(
            session,
            proposal,
            shown_hash=shown_hash(proposal.shown()),
            by_staff=theirs.id,
            by_person=theirs.person_id,
            now=bank.clock(),
        )
    foreign["change_id"] = proposal.change_id
    mine, theirs_all = (
        bank.staff("mine", *Role, branch=BRANCH),
        bank.staff("theirs2", *Role, tenant="other", branch=BRANCH),
    )
    seen, reached = 0, 0
    for route in routes(bank):
        if not _PARAMETER.search(route[1]):
            continue
        there = await call(bank, route, token=bank.token(mine), values=foreign)
        nowhere = await call(bank, route, token=bank.token(mine), values=UNKNOWN)
        told = [answer.json() | {"traceId": ""} for answer in (there, nowhere)]
        assert (there.status_code, told[0]) == (nowhere.status_code, told[1]), route
        assert there.status_code in ((404,) if route[0] in ("GET", "DELETE") else (404, 422)), route
        seen += there.status_code == 404
        if route[0] == "GET":
            reached += (await call(bank, route, token=bank.token(theirs_all), values=foreign)).status_code == 200
    assert seen >= 10
    assert reached >= 4, "the same ids are found by staff of the institution that holds them"
