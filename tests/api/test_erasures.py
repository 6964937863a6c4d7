"""Erasure over HTTP: refused while a law keeps the data, two persons, keys and tokens gone, certified, provable."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col, select, update

from activities.duties.eraser import Eraser
from activities.duties.retention import RetentionSweep
from compliance.audit.deeds import Deed
from compliance.audit.seal import seal_keys, seal_pending
from compliance.audit.unit import unit_of_work
from compliance.audit.verify import verify_database
from compliance.vault.branches import BranchKeys
from compliance.vault.cells import CellAddress
from compliance.vault.certificate import check
from compliance.vault.erasure import Erasing
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.privacy.retention import RetentionPolicy
from models.domain.roles import Role
from models.errors import FourEyesViolation, SubjectShredded
from models.operations import erasure
from models.operations.erasure import Word
from models.operations.four_eyes import By
from models.operations.products import set_terms
from models.tables.audit import AuditEvent
from models.tables.erasure import ErasureRequest
from models.tables.installments import InstallmentCase
from models.tables.parties import ContactPoint, Subject
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import CLEAR_VALUES, ID_NUMBER, FakeDispatcher, open_desk, taken_in
from tests.support.clock import FakeClock
from tests.support.desk import BRANCH

GROUND = {"ground": "consent-withdrawn"}


@pytest.fixture
def bank(database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(database, vault, clock, tmp_path, FakeDispatcher())


@pytest.fixture
def sqlite_bank(sqlite_database: Database, vault: Vault, clock: FakeClock, tmp_path: Path) -> Office:
    return open_desk(sqlite_database, vault, clock, tmp_path, FakeDispatcher())


def people(office: Office) -> tuple[Staff, Staff]:
    """Who asks, and who decides."""
    asks = office.staff("asks", Role.CASE_OFFICER, branch=BRANCH)
    return asks, office.staff("decides", Role.PRIVACY_OFFICER, branch=BRANCH)


def eraser(office: Office) -> Eraser:
    return Eraser(Erasing(database=office.deps.database, vault=office.deps.vault))


def end_cases(office: Office, subject_id: str, *, days_ago: int) -> None:
    """The cases of a person have ended; as their workflow would say."""
    at = office.clock() - timedelta(days=days_ago)
    deed = Deed(tenant="main", action="case.ended", target=subject_id, actor="workflow", at=at)
    with unit_of_work(office.deps.database, deed) as unit:
        unit.session.exec(
            update(InstallmentCase)
            .where(col(InstallmentCase.subject_id) == subject_id)
            .values(stage="ended", outcome="withdrawn", ended_at=at)
        )
        unit.session.exec(update(Subject).where(col(Subject.id) == subject_id).values(created_at=at))


async def call(office: Office, by: Staff, method: str, path: str, body: Any = None, *, key: str = "e") -> Any:
    async with office.client(by) as client:
        return await client.request(method, path, json=body, headers={"Idempotency-Key": key})


async def at_rest(office: Office, asks: Staff, *, years: int = 4) -> str:
    """A person whose one application ended long ago."""
    case = await taken_in(office, asks)
    end_cases(office, case["subjectId"], days_ago=366 * years)
    return str(case["subjectId"])


async def approved(office: Office, asks: Staff, decides: Staff, subject: str) -> dict[str, Any]:
    made = (await call(office, asks, "POST", f"/v1/subjects/{subject}/erasure-requests", GROUND)).json()
    answer = await call(
        office, decides, "POST", f"/v1/erasure-requests/{made['id']}/approval", {"shownHash": made["shownHash"]}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def sealed(office: Office, folder: Path) -> None:
    keys = seal_keys(office.deps.vault)
    while seal_pending(office.deps.database, keys, now=office.clock(), anchor=folder / "anchor"):
        pass


async def test_a_person_is_erased_by_two_persons_and_the_certificate_proves_it(bank: Office, tmp_path: Path) -> None:
    asks, decides = people(bank)
    subject = await at_rest(bank, asks)
    told = await approved(bank, asks, decides, subject)
    assert told["state"] == "APPROVED"
    assert await eraser(bank).run_once(bank.clock()) == 1
    sealed(bank, tmp_path)
    assert await eraser(bank).run_once(bank.clock()) == 1
    request = (await call(bank, decides, "GET", f"/v1/erasure-requests/{told['id']}")).json()
    assert (request["state"], request["subjectId"]) == ("CERTIFIED", None)
    assert request["figures"]["keys"] == 1
    assert request["figures"]["cases"] == 1
    assert request["figures"]["tokens"]["idIndex"] == 1
    assert request["figures"]["tokens"]["contactIndexes"] == 1
    certificate = (await call(bank, decides, "GET", f"/v1/erasure-requests/{told['id']}/certificate")).text
    checked = check(certificate, trusted_key=json.loads(certificate)["verifierKey"], subject=subject)
    assert (checked.faults, checked.key_known, checked.subject_shown) == ((), True, True)
    assert checked.statement["horizonDays"] == 7
    assert checked.statement["darkFrom"] == (bank.clock() + timedelta(days=7)).date().isoformat()
    assert subject not in certificate
    keys = seal_keys(bank.deps.vault)
    sealed(bank, tmp_path)
    report = verify_database(
        bank.deps.database, mac_key=keys.mac_key, public_key=keys.public_key, anchor=tmp_path / "anchor"
    )
    assert report.ok


async def test_what_is_read_of_an_erased_person(bank: Office) -> None:
    """410 where a value is asked for, an erased token in lists, nobody found by number; they may come anew."""
    asks, decides = people(bank)
    subject = await at_rest(bank, asks)
    found = await call(bank, asks, "POST", "/v1/subjects/search", {"idNumber": ID_NUMBER})
    assert [each["subject"]["id"] for each in found.json()["items"]] == [subject]
    await approved(bank, asks, decides, subject)
    await eraser(bank).run_once(bank.clock())
    reveal = {"field": "name", "reason": "data-subject-request"}
    answer = await call(bank, asks, "POST", f"/v1/subjects/{subject}/reveals", reveal)
    assert (answer.status_code, answer.json()["code"]) == (410, "subject-shredded")
    shown = (await call(bank, asks, "GET", f"/v1/subjects/{subject}")).json()
    assert (shown["erased"], shown["name"], shown["idNumber"]) == (True, None, None)
    for number in ({"idNumber": ID_NUMBER}, {"mobile": "13812345678"}):
        assert (await call(bank, asks, "POST", "/v1/subjects/search", number)).json()["items"] == []
    case = await taken_in(bank, asks, key="again")
    assert case["subjectId"] != subject
    with bank.deps.database.read() as session:
        assert all(
            clear.encode() not in bytes(row.name_cell)
            for row in session.exec(select(Subject))
            for clear in CLEAR_VALUES
        )
        assert session.exec(select(ContactPoint.value_index).where(ContactPoint.subject_id == subject)).all() == [
            None,
            None,
        ]


async def test_an_open_case_refuses_at_once_and_names_itself(sqlite_bank: Office) -> None:
    asks, _ = people(sqlite_bank)
    case = await taken_in(sqlite_bank, asks)
    path = f"/v1/subjects/{case['subjectId']}/erasure-requests"
    made = await call(sqlite_bank, asks, "POST", path, GROUND)
    assert made.status_code == 201
    assert made.json()["state"] == "REFUSED"
    assert [each["rule"] for each in made.json()["obstacles"]] == ["open-case"]
    assert made.json()["until"] is None
    again = await call(sqlite_bank, asks, "POST", path, GROUND)  # the same key
    assert again.json() == made.json()


async def test_a_period_refuses_through_its_last_day(sqlite_bank: Office) -> None:
    """An application that ended three years ago today is still kept; tomorrow it is not (CONV-1, 民法典 Art. 202)."""
    asks, _ = people(sqlite_bank)
    case = await taken_in(sqlite_bank, asks)
    end_cases(sqlite_bank, case["subjectId"], days_ago=365 * 3 + 1)  # 2024 had 29 February: three years to the day
    path = f"/v1/subjects/{case['subjectId']}/erasure-requests"
    today = (await call(sqlite_bank, asks, "POST", path, GROUND)).json()
    assert (today["state"], today["until"]) == ("REFUSED", "2026-11-23")
    assert [each["rule"] for each in today["obstacles"]] == ["application"]
    sqlite_bank.clock.advance(days=1)
    assert (await call(sqlite_bank, asks, "POST", path, GROUND, key="next")).json()["state"] == "REQUESTED"


async def test_who_asks_cannot_approve_in_any_layer(bank: Office) -> None:
    both = bank.staff("both", Role.CASE_OFFICER, Role.PRIVACY_OFFICER, branch=BRANCH)
    subject = await at_rest(bank, both)
    made = (await call(bank, both, "POST", f"/v1/subjects/{subject}/erasure-requests", GROUND)).json()
    path = f"/v1/erasure-requests/{made['id']}"
    answer = await call(bank, both, "POST", f"{path}/approval", {"shownHash": made["shownHash"]})
    assert (answer.status_code, answer.json()["code"]) == (403, "four-eyes-violation")
    # The same person under another account, past the API.
    with pytest.raises(FourEyesViolation), bank.deps.database.write() as session:
        request = session.get_one(ErasureRequest, made["id"])
        word = Word(by=By(tenant="main", staff_id="stf_other", person_id=both.person_id), shown_hash=made["shownHash"])
        erasure.decide(session, request, word, now=bank.clock())
    assert (await call(bank, both, "GET", path)).json()["state"] == "REQUESTED"


async def test_a_hold_stands_from_its_placing_and_ends_by_two_persons(bank: Office) -> None:
    asks, decides = people(bank)
    confirms = bank.staff("confirms", Role.APPROVER, branch=BRANCH)
    subject = await at_rest(bank, asks)
    placed = await call(bank, asks, "POST", f"/v1/subjects/{subject}/legal-holds", {"reason": "litigation"})
    assert placed.status_code == 201
    hold = placed.json()
    refused = (await call(bank, asks, "POST", f"/v1/subjects/{subject}/erasure-requests", GROUND)).json()
    assert (refused["state"], refused["obstacles"][0]["rule"]) == ("REFUSED", "legal-hold")
    path = f"/v1/legal-holds/{hold['id']}"
    own = await call(bank, decides, "POST", f"{path}/release-request", {"reason": "matter-closed"})
    assert own.json()["code"] == "wrong-state"  # not confirmed yet
    await call(bank, confirms, "POST", f"{path}/confirmation", {"shownHash": hold["shownHash"]})
    asked = (await call(bank, decides, "POST", f"{path}/release-request", {"reason": "matter-closed"})).json()
    assert (asked["state"], asked["stands"]) == ("RELEASE_ASKED", True)
    body = {"shownHash": asked["releaseHash"]}
    alone = await call(bank, decides, "POST", f"{path}/release", body)
    assert alone.json()["code"] == "four-eyes-violation"
    ended = (await call(bank, confirms, "POST", f"{path}/release", body)).json()
    assert (ended["state"], ended["stands"]) == ("RELEASED", False)
    made = (await call(bank, asks, "POST", f"/v1/subjects/{subject}/erasure-requests", GROUND, key="2")).json()
    assert made["state"] == "REQUESTED"


async def test_a_hold_that_comes_between_request_and_key_wins(bank: Office) -> None:
    """Placed after the approval, before the duty has begun: the last look finds it."""
    asks, decides = people(bank)
    subject = await at_rest(bank, asks)
    told = await approved(bank, asks, decides, subject)
    await call(bank, asks, "POST", f"/v1/subjects/{subject}/legal-holds", {"reason": "investigation"})
    assert await eraser(bank).run_once(bank.clock()) == 0
    assert bank.deps.vault.subject_key_count(tenant="main", subject_id=subject) == 1
    request = (await call(bank, decides, "GET", f"/v1/erasure-requests/{told['id']}")).json()
    assert (request["state"], request["obstacles"][0]["rule"]) == ("REFUSED", "legal-hold")


@pytest.mark.parametrize("killed_after", ["begun", "noted", "keys"])
async def test_a_step_that_is_killed_is_finished_by_the_next_try(
    bank: Office, killed_after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asks, decides = people(bank)
    subject = await at_rest(bank, asks)
    told = await approved(bank, asks, decides, subject)
    erasing = eraser(bank).erasing

    class Killed(Exception):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    where = {"begun": "note_tombstone", "noted": "vault", "keys": "_done"}[killed_after]
    with monkeypatch.context() as patch:
        if where == "_done":
            patch.setattr(Erasing, "_done", die)
            broken = erasing
        elif where == "vault":
            patch.setattr(Vault, "shred_subject", die)
            broken = erasing
        else:
            broken = Erasing(database=erasing.database, vault=erasing.vault, note_tombstone=die)
        with pytest.raises(Killed):
            broken.erase(told["id"], now=bank.clock())
    assert await eraser(bank).run_once(bank.clock()) == 1
    request = (await call(bank, decides, "GET", f"/v1/erasure-requests/{told['id']}")).json()
    assert (request["state"], request["figures"]["keys"]) == ("ERASED", 1)  # as counted before the key went
    with pytest.raises(SubjectShredded):
        bank.deps.vault.create_subject(tenant="main", subject_id=subject)
    with bank.deps.database.read() as session:
        done = select(AuditEvent.id).where(AuditEvent.action == "erasure.done", AuditEvent.target == told["id"])
        assert len(session.exec(done).all()) == 1


async def test_another_process_forgets_the_key_within_seconds(sqlite_bank: Office) -> None:
    asks, decides = people(sqlite_bank)
    subject = await at_rest(sqlite_bank, asks)
    here = sqlite_bank.deps.vault
    other = Vault(BranchKeys(here.branches.database, here.branches.kek, sqlite_bank.clock), subjects_cached=10)
    with sqlite_bank.deps.database.read() as session:
        row = session.get_one(Subject, subject)
    address = CellAddress("main", "subjects", "name_cell", subject, subject)
    assert other.open_text(address, row.name_cell)
    await approved(sqlite_bank, asks, decides, subject)
    await eraser(sqlite_bank).run_once(sqlite_bank.clock())
    assert other.open_text(address, row.name_cell)  # still in its memory
    sqlite_bank.clock.advance(seconds=2)
    with pytest.raises(SubjectShredded):
        other.open_text(address, row.name_cell)


# The sweep ------------------------------------------------------------------------------------------------------------


def policy(office: Office, **years: int) -> None:
    terms = RetentionPolicy(version="retention/test", source="test", years=years, lock_after_days=30)
    deed = Deed(tenant="main", action="terms.set", target="main", actor="operator", at=office.clock())
    with unit_of_work(office.deps.database, deed) as unit:
        set_terms(unit.session, terms, tenant="main", by="operator", now=office.clock())


async def test_the_sweep_proposes_what_is_due_and_two_persons_decide(bank: Office) -> None:
    asks, decides = people(bank)
    subject = await at_rest(bank, asks)
    sweep = RetentionSweep(bank.deps.database)
    assert await sweep.run_once(bank.clock()) == 1
    assert await sweep.run_once(bank.clock()) == 0  # once a day
    assert await RetentionSweep(bank.deps.database).run_once(bank.clock()) == 0  # another process finds it done
    page = (await call(bank, decides, "GET", "/v1/erasure-requests?state=PROPOSED")).json()
    (proposal,) = page["items"]
    assert (proposal["subjectId"], proposal["ground"], proposal["requestedBy"]) == (
        subject,
        "period-over",
        "duty:retention",
    )
    path, body = f"/v1/erasure-requests/{proposal['id']}", {"shownHash": proposal["shownHash"]}
    early = await call(bank, decides, "POST", f"{path}/approval", body)
    assert early.json()["code"] == "wrong-state"  # nobody has made it their own
    assert (await call(bank, decides, "POST", f"{path}/endorsement", body)).json()["state"] == "REQUESTED"
    alone = await call(bank, decides, "POST", f"{path}/approval", body)
    assert alone.json()["code"] == "four-eyes-violation"
    second = bank.staff("second", Role.PRIVACY_OFFICER, branch=BRANCH)
    assert (await call(bank, second, "POST", f"{path}/approval", body)).json()["state"] == "APPROVED"
    report = (await call(bank, decides, "GET", "/v1/retention")).json()
    assert (report["approved"], report["proposed"]) == (1, 0)


async def test_what_a_law_still_keeps_is_locked_and_opened_for_the_person_only(bank: Office) -> None:
    asks, decides = people(bank)
    policy(bank)
    subject = await at_rest(bank, asks, years=1)
    assert await RetentionSweep(bank.deps.database).run_once(bank.clock()) == 1
    told = (await call(bank, asks, "GET", f"/v1/subjects/{subject}/retention")).json()
    assert told["lockedUntil"] == told["until"]
    path = f"/v1/subjects/{subject}/reveals"
    refused = await call(bank, asks, "POST", path, {"field": "mobile", "reason": "call-customer"})
    assert (refused.status_code, refused.json()["code"]) == (409, "subject-locked")
    own = await call(bank, decides, "POST", path, {"field": "mobile", "reason": "data-subject-request"})
    assert own.status_code == 200
    await taken_in(bank, asks, key="new")  # a new purpose lifts it
    opened = await call(bank, asks, "POST", path, {"field": "mobile", "reason": "call-customer"})
    assert opened.status_code == 200


async def test_the_sweep_passes_over_whoever_is_held(bank: Office) -> None:
    asks, _ = people(bank)
    subject = await at_rest(bank, asks)
    await call(bank, asks, "POST", f"/v1/subjects/{subject}/legal-holds", {"reason": "regulator"})
    assert await RetentionSweep(bank.deps.database).run_once(bank.clock()) == 0


async def test_only_one_request_for_a_person_is_under_way(bank: Office) -> None:
    asks, _ = people(bank)
    subject = await at_rest(bank, asks)
    path = f"/v1/subjects/{subject}/erasure-requests"
    assert (await call(bank, asks, "POST", path, GROUND)).status_code == 201
    second = await call(bank, asks, "POST", path, GROUND, key="other")
    assert (second.status_code, second.json()["code"]) == (409, "conflict")


async def test_the_catalogue_is_served_to_everyone_in_two_languages(sqlite_bank: Office) -> None:
    asks, _ = people(sqlite_bank)
    answer = (await call(sqlite_bank, asks, "GET", "/v1/personal-fields")).json()
    by_id = {each["id"]: each for each in answer["items"]}
    assert by_id["id-number"]["dataClass"] == "C2"
    assert by_id["name"]["name"] == "name"
    assert by_id["one-time-code"]["mask"] == "never"
    async with sqlite_bank.client(asks) as client:
        chinese = await client.get("/v1/personal-fields", headers={"Accept-Language": "zh-CN"})
    assert next(each["name"] for each in chinese.json()["items"] if each["id"] == "name") == "姓名"
