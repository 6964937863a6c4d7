"""Pairs over HTTP: one person decides, a risky one takes two, a merge can be taken apart, nobody is shown in clear."""

import json
from pathlib import Path

import httpx
import pytest

from compliance.vault.keyring import Vault
from models.contracts.transfers import JobStep
from models.database.engine import Database
from models.domain.matching.policy import Veto
from models.domain.roles import Role
from models.domain.states import TaskState
from models.domain.transfers.states import MatchVerdict, MoveState, RowOutcome
from models.tables.staff import Staff
from models.tables.tasks import Task
from models.tables.transfers import TransferPair, TransferRow
from tests.support.api import Office, open_office
from tests.support.clock import FakeClock
from tests.support.linkage_sets import Books, Maker, Values, noisy_books
from tests.support.training import train
from tests.support.transfer_matching import Matching

PERSON = Maker(61).person()
ALONE: Values = {**PERSON, "id_number": None, "mobile": None, "email": None, "account": None, "address": None}
MIXED_UP: Values = {**PERSON, "name": "诸葛不同", "email": None}


@pytest.fixture
def office(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_office(database, vault, clock, tmp_path)


def _open(office: Office, source: list[Values], target: list[Values]) -> Matching:
    deps = office.deps
    return Matching(deps.database, deps.vault, deps.clock).open(Books(source=source, target=target), tenant=False).run()


def _staff(office: Office, login: str, role: Role = Role.OPERATOR) -> Staff:
    return office.staff(login, role, branch="0001")


async def _decide(office: Office, by: Staff, pair: TransferPair, outcome: str, reason: str) -> httpx.Response:
    with office.deps.database.read() as session:
        version = session.get_one(Task, pair.task_id).version
    async with office.client(by) as http:
        return await http.post(
            f"/v1/tasks/{pair.task_id}/decisions",
            json={"outcome": outcome, "reasonCode": reason},
            headers={"Idempotency-Key": f"{pair.task_id}-{by.id}", "If-Match": f'"v{version}"'},
        )


async def _post(office: Office, by: Staff, path: str, body: dict[str, object]) -> httpx.Response:
    async with office.client(by) as http:
        return await http.post(path, json=body, headers={"Idempotency-Key": f"key-{path[-12:]}"})


def _path(case: Matching, pair: TransferPair, tail: str = "") -> str:
    return f"/v1/transfers/{case.job}/matches/{pair.id}{tail}"


@pytest.mark.parametrize(
    ("outcome", "reason", "verdict", "ends"),
    [
        ("same", "details-agree", MatchVerdict.SAME, RowOutcome.MERGED),
        ("different", "household", MatchVerdict.DIFFERENT, RowOutcome.ACCEPTED),
    ],
)
async def test_one_person_decides_a_plain_pair_and_the_row_follows(
    office: Office, outcome: str, reason: str, verdict: MatchVerdict, ends: RowOutcome
) -> None:
    case, clerk = _open(office, [ALONE], [PERSON]), _staff(office, "clerk")
    answer = await _decide(office, clerk, case.pair(1), outcome, reason)
    assert answer.status_code == 201, answer.text
    pair, row = case.pair(1), case.row(1)
    assert (pair.verdict, pair.decided_by, pair.reason_code, pair.task_id) == (verdict, clerk.id, reason, None)
    assert row.outcome == ends
    assert row.target_record == (case.customers[0] if ends is RowOutcome.MERGED else None)
    assert case.steps.unreviewed(JobStep(job=case.job)).count == 0


async def test_a_pair_with_a_veto_is_one_person_only_when_two_have_said_so(office: Office) -> None:
    case = _open(office, [MIXED_UP], [PERSON])
    first, second = _staff(office, "first"), _staff(office, "second")
    assert case.pair(1).vetoes == [Veto.NAME_GUARD]
    asked = case.pair(1)
    assert (await _decide(office, first, asked, "same", "documents-agree")).status_code == 201
    between = case.pair(1)
    assert (between.verdict, between.decided_by) == (MatchVerdict.REVIEW, first.id)
    assert between.task_id != asked.task_id
    assert case.row(1).outcome == RowOutcome.HELD
    again = await _decide(office, first, between, "same", "documents-agree")
    assert (again.status_code, again.json()["code"]) == (403, "four-eyes-violation")
    assert (await _decide(office, second, between, "same", "customer-confirmed")).status_code == 201
    pair = case.pair(1)
    assert (pair.verdict, pair.decided_by, pair.second_by) == (MatchVerdict.SAME, first.id, second.id)
    assert case.row(1).outcome == RowOutcome.MERGED


async def test_the_same_person_under_a_second_account_is_not_a_second_person(office: Office) -> None:
    case, first = _open(office, [MIXED_UP], [PERSON]), _staff(office, "first")
    other = office.staff("other", Role.OPERATOR, branch="0001", person_id=first.person_id)
    await _decide(office, first, case.pair(1), "same", "documents-agree")
    refused = await _decide(office, other, case.pair(1), "same", "documents-agree")
    assert refused.status_code == 403
    assert case.pair(1).verdict == MatchVerdict.REVIEW


async def test_the_second_person_may_say_no(office: Office) -> None:
    case = _open(office, [MIXED_UP], [PERSON])
    first, second = _staff(office, "first"), _staff(office, "second")
    await _decide(office, first, case.pair(1), "same", "documents-agree")
    await _decide(office, second, case.pair(1), "different", "not-proven")
    assert case.pair(1).verdict == MatchVerdict.DIFFERENT
    assert case.row(1).outcome == RowOutcome.ACCEPTED


async def test_one_person_is_enough_to_keep_a_risky_pair_apart(office: Office) -> None:
    case, clerk = _open(office, [MIXED_UP], [PERSON]), _staff(office, "clerk")
    await _decide(office, clerk, case.pair(1), "different", "documents-differ")
    assert case.pair(1).verdict == MatchVerdict.DIFFERENT


async def test_a_merge_is_taken_apart_until_the_row_has_moved(office: Office) -> None:
    case, clerk = _open(office, [PERSON, PERSON], [PERSON]), _staff(office, "clerk")
    pair = case.pair(1)
    assert pair.verdict == MatchVerdict.AUTO
    answer = await _post(office, clerk, _path(case, pair, "/unmerge"), {"reasonCode": "wrong-person"})
    assert (answer.status_code, answer.json()["verdict"]) == (200, "unmerged"), answer.text
    assert (case.row(1).outcome, case.row(1).target_record) == (RowOutcome.ACCEPTED, None)
    # It stays apart when the step is run again.
    case.run()
    assert case.row(1).outcome == RowOutcome.ACCEPTED
    with case.database.engine.begin() as connection:
        table = TransferRow.__table__  # type: ignore[attr-defined]
        connection.execute(table.update().where(table.c.number == 2).values(move=MoveState.MOVED.value))
    moved = await _post(
        office, clerk, _path(case, case.pair(2, case.customers[0]), "/unmerge"), {"reasonCode": "wrong-person"}
    )
    assert (moved.status_code, moved.json()["code"]) == (409, "wrong-state")


async def test_a_pair_is_shown_masked_with_weights_that_add_up(office: Office) -> None:
    case, clerk = _open(office, [ALONE], [PERSON]), _staff(office, "clerk")
    train(office.deps.database, case.job, clerk.id)
    async with office.client(clerk) as http:
        answer = await http.get(_path(case, case.pair(1)))
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert sum(field["milliBits"] for field in told["fields"]) == told["pair"]["scoreMilli"]
    for name in ("name", "id_number", "mobile", "email", "address", "birth_date"):
        assert not PERSON[name] or str(PERSON[name]) not in answer.text
    shown = {field["field"]: field for field in told["fields"]}
    assert shown["name"]["level"] == "equal"
    assert shown["mobile"]["one"] is None
    assert shown["mobile"]["other"].endswith(str(PERSON["mobile"])[-4:])


async def test_who_has_no_business_with_a_job_sees_nothing_of_it(office: Office) -> None:
    case = _open(office, [ALONE], [PERSON])
    office.tenant("other")
    stranger = office.staff("stranger", Role.OPERATOR, tenant="other")
    officer = _staff(office, "officer", Role.CASE_OFFICER)
    async with office.client(stranger) as http:
        assert (await http.get(_path(case, case.pair(1)))).status_code == 404
        assert (await http.get(f"/v1/transfers/{case.job}/matches")).status_code == 404
    async with office.client(officer) as http:
        assert (await http.get(_path(case, case.pair(1)))).status_code == 403


async def test_pairs_are_listed_page_by_page(office: Office) -> None:
    books = noisy_books(30, 12, seed=62)
    case, clerk = _open(office, books.source, books.target), _staff(office, "clerk")
    seen: list[str] = []
    after: str | None = ""
    async with office.client(clerk) as http:
        while after is not None:
            params = {"limit": 5, **({"after": after} if after else {})}
            page = (await http.get(f"/v1/transfers/{case.job}/matches", params=params)).json()
            seen += [item["id"] for item in page["items"]]
            after = page["nextAfter"]
        autos = (await http.get(f"/v1/transfers/{case.job}/matches", params={"verdict": "auto"})).json()
    assert seen == [pair.id for pair in sorted(case.pairs(), key=lambda pair: (pair.row_number, pair.id))]
    assert sum(autos["counts"].values()) == len(seen)
    assert {item["verdict"] for item in autos["items"]} == {"auto"}


async def test_the_audit_sample_says_how_far_the_automatic_merges_can_be_trusted(office: Office) -> None:
    books = noisy_books(30, 20, seed=63)
    case, auditor = _open(office, books.source, books.target), _staff(office, "auditor", Role.AUDITOR)
    sample = f"/v1/transfers/{case.job}/matches/sample"
    async with office.client(auditor) as http:
        before = (await http.get(sample)).json()
        assert (before["checked"], before["precisionLowPpm"]) == (0, None)
        for at, pair in enumerate(before["sampled"]):
            answer = await http.post(
                f"/v1/transfers/{case.job}/matches/{pair}/checks",
                json={"right": at > 0},
                headers={"Idempotency-Key": f"check-{pair}"},
            )
            assert answer.status_code == 200, answer.text
        after = (await http.get(sample)).json()
        outside = next(pair.id for pair in case.pairs() if pair.id not in before["sampled"])
        refused = await http.post(
            f"/v1/transfers/{case.job}/matches/{outside}/checks",
            json={"right": True},
            headers={"Idempotency-Key": "check-outside"},
        )
    assert refused.status_code == 404
    assert after["sampled"] == before["sampled"]
    assert (after["checked"], after["right"]) == (5, 4)
    assert after["precisionLowPpm"] < 800_000 < after["precisionHighPpm"]
    wrong = next(pair for pair in case.pairs() if pair.id == before["sampled"][0])
    assert wrong.verdict == MatchVerdict.UNMERGED
    assert case.row(wrong.row_number).outcome == RowOutcome.ACCEPTED


async def test_a_task_tells_no_more_than_codes(office: Office) -> None:
    case, clerk = _open(office, [ALONE], [PERSON]), _staff(office, "clerk")
    async with office.client(clerk) as http:
        answer = await http.get(f"/v1/tasks/{case.pair(1).task_id}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["state"] == TaskState.READY
    assert not any(str(PERSON[name]) in json.dumps(answer.json(), ensure_ascii=False) for name in ("name", "id_number"))
