"""What lies in a case's file: documents that are sealed as they come in, the contact log, consents."""

import asyncio
import gc
import hashlib
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func
from sqlmodel import select

from compliance.audit.unit import Unit
from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.installments import CaseContact, CaseDocument
from models.tables.parties import Consent
from models.tables.staff import Staff
from tests.support.api import Office, raw_request
from tests.support.applications import CASES, NOTE, PNG, another_id, taken_in
from tests.support.clock import FakeClock

PDF = b"%PDF-1.7\n" + b"0 0 obj proof of income\n" * 20
_OPEN = Path("/proc/self/fd")
JPEG = b"\xff\xd8\xff\xe0" + b"photo" * 50


async def upload(
    office: Office,
    by: Staff,
    token: str,
    content: bytes = PNG,
    *,
    key: str = "d",
    kind: str | None = "hardship-evidence",
    name: str = "诊断证明-欧阳晓雯.png",
    **more: str,
) -> httpx.Response:
    fields = ({"kind": kind} if kind is not None else {}) | more
    async with office.client(by) as client:
        return await client.post(
            f"{CASES}/{token}/documents",
            data=fields,
            files={"file": (name, content, "application/octet-stream")},
            headers={"Idempotency-Key": key},
        )


def _descriptors_of(file: Path) -> list[Path]:
    return [path for path in _OPEN.iterdir() if path.is_symlink() and path.readlink() == file]


def sealed_files(office: Office) -> list[Path]:
    return [path for path in office.deps.files_root.rglob("*") if path.is_file()]


@pytest.mark.skipif(not _OPEN.is_dir(), reason="only Linux lists what a process has open")
async def test_a_client_that_goes_away_leaves_no_file_open(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    told = (await upload(sqlite_office, officer, token)).headers["location"]
    [lies] = sealed_files(sqlite_office)
    headers = [("host", "casework.test"), ("authorization", f"Bearer {sqlite_office.token(officer)}")]
    gc.disable()  # nobody may have to come by and collect it
    try:
        answer = await raw_request(sqlite_office.app, "GET", told, headers=headers)
        held = _descriptors_of(lies)
    finally:
        gc.enable()
    assert (answer.status, answer.body, held) == (200, b"", [])


@pytest.mark.parametrize(
    ("content", "media_type"), [(PNG, "image/png"), (PDF, "application/pdf"), (JPEG, "image/jpeg")]
)
async def test_a_document_is_sealed_and_comes_back_whole(office: Office, content: bytes, media_type: str) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    answer = await upload(office, officer, token, content)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["mediaType"], told["sizeBytes"], told["kindText"]) == (media_type, len(content), "Proof of hardship")
    [lies] = sealed_files(office)
    assert hashlib.sha256(lies.read_bytes()).hexdigest() == told["digest"]
    assert content[:64] not in lies.read_bytes()
    assert "欧阳晓雯" not in str(lies)
    async with office.client(officer) as client:
        opened = await client.get(answer.headers["location"])
        assert opened.content == content
        assert opened.headers["content-type"] == media_type
        assert opened.headers["x-content-type-options"] == "nosniff"
        assert opened.headers["content-disposition"].startswith(f'attachment; filename="{told["id"]}.')
        assert "filename*=UTF-8''%E8%AF%8A" in opened.headers["content-disposition"]
        case = (await client.get(f"{CASES}/{token}")).json()
    assert [document["id"] for document in case["documents"]] == [told["id"]]
    with office.deps.database.read() as session:
        events = session.exec(select(AuditEvent).where(AuditEvent.target == token)).all()
    assert sorted(event.action for event in events) == ["case.created", "document.added", "document.opened"]
    assert "诊断证明" not in "".join(event.body for event in events)


async def test_the_same_upload_sent_again_is_one_document_and_one_file(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    answers = await asyncio.gather(*(upload(office, officer, token) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len(sealed_files(office)) == 1
    other = await upload(office, officer, token, PDF)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency-mismatch")
    assert len(sealed_files(office)) == 1


@pytest.mark.parametrize(
    ("content", "changes", "pointer", "code"),
    [
        (b"MZ\x90\x00 a program", {}, "/file", "file-type"),
        (b"<html><script>alert(1)</script>", {"name": "proof.pdf"}, "/file", "file-type"),
        (b"GIF89a", {}, "/file", "file-type"),
        (b"", {}, "/file", "file-empty"),
        (PNG, {"kind": "selfie"}, "/kind", "not-one-of"),
        (PNG, {"kind": None}, "/kind", "missing"),
        (PNG, {"colour": "red"}, "/colour", "unknown-field"),
    ],
)
async def test_what_is_no_document_is_refused_and_leaves_no_file(
    sqlite_office: Office, content: bytes, changes: dict[str, Any], pointer: str, code: str
) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    answer = await upload(sqlite_office, officer, token, content, **changes)
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]
    assert sealed_files(sqlite_office) == []


async def test_a_file_over_the_limit_or_cut_short_is_refused_and_leaves_nothing(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    big = await upload(sqlite_office, officer, token, PNG[:8] + bytes(10 * 1024 * 1024 + 1))
    assert big.status_code in (413, 422)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    for body in (head + PNG, b"--b--\r\n", b"nothing", head + PNG + b"\r\n--b--\r\n"):
        answer = await raw_request(
            sqlite_office.app,
            "POST",
            f"{CASES}/{token}/documents",
            headers=(
                ("Host", "casework.test"),
                ("Authorization", f"Bearer {sqlite_office.token(officer)}"),
                ("Content-Type", "multipart/form-data; boundary=b"),
                ("Idempotency-Key", "x"),
            ),
            body=body,
        )
        assert answer.status in (400, 422), body[-20:]
    assert sealed_files(sqlite_office) == []


async def test_a_document_whose_row_cannot_be_written_leaves_no_file(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]

    def broken(self: Unit) -> None:
        raise RuntimeError("the event cannot be written")

    with monkeypatch.context() as patch:
        patch.setattr(Unit, "record", broken)
        assert (await upload(sqlite_office, officer, token)).status_code == 500
    assert sealed_files(sqlite_office) == []
    assert (await upload(sqlite_office, officer, token)).status_code == 201


async def test_a_document_is_not_shown_when_that_cannot_be_recorded(
    sqlite_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    place = (await upload(sqlite_office, officer, token)).headers["location"]

    def broken(self: Unit) -> None:
        raise RuntimeError("the event cannot be written")

    monkeypatch.setattr(Unit, "record", broken)
    async with sqlite_office.client(officer) as client:
        answer = await client.get(place)
    assert answer.status_code == 500
    assert PNG[:8] not in answer.content


async def test_documents_are_for_who_may_see_the_person_in_this_branch(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    place = (await upload(sqlite_office, officer, token)).headers["location"]
    operator = sqlite_office.staff("operator", Role.OPERATOR)
    neighbour = sqlite_office.staff("neighbour", Role.CASE_OFFICER, branch="bj-02")
    async with sqlite_office.client(operator) as client:
        assert (await client.get(place)).status_code == 403
    async with sqlite_office.client(neighbour) as client:
        assert (await client.get(place)).status_code == 404
    other = await taken_in(sqlite_office, officer, key="second")
    async with sqlite_office.client(officer) as client:
        misplaced = await client.get(place.replace(token, other["token"]))
    assert misplaced.status_code == 404


async def test_an_altered_file_is_not_shown(sqlite_office: Office) -> None:
    officer = sqlite_office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(sqlite_office, officer))["token"]
    place = (await upload(sqlite_office, officer, token)).headers["location"]
    [lies] = sealed_files(sqlite_office)
    lies.write_bytes(b"CWSF" + b"\x00" * 200)
    async with sqlite_office.client(officer) as client:
        assert (await client.get(place)).json()["code"] == "cannot-open"


async def test_the_contact_log_keeps_words_sealed_and_order(office: Office, clock: FakeClock) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer))["token"]
    talk = {"channel": "phone", "direction": "out", "resultCode": "call-back", "note": NOTE}
    async with office.client(officer) as client:
        for number in range(3):
            answer = await client.post(
                f"{CASES}/{token}/contacts", json=talk, headers={"Idempotency-Key": f"c{number}"}
            )
            assert answer.status_code == 201, answer.text
            clock.advance(minutes=1)
        again = await client.post(f"{CASES}/{token}/contacts", json=talk, headers={"Idempotency-Key": "c2"})
        assert again.json() == answer.json()
        first = (await client.get(f"{CASES}/{token}/contacts", params={"limit": 2})).json()
        rest = (await client.get(f"{CASES}/{token}/contacts", params={"after": first["endCursor"]})).json()
        later = {**talk, "at": "2026-12-24T00:00:00Z"}
        future = await client.post(f"{CASES}/{token}/contacts", json=later, headers={"Idempotency-Key": "f"})
    assert [len(first["items"]), len(rest["items"])] == [2, 1]
    assert rest["items"][0] == answer.json()
    assert (rest["items"][0]["hasNote"], rest["items"][0]["resultText"]) == (True, "Call back agreed")
    assert NOTE not in str(first)
    assert [(fault["pointer"], fault["code"]) for fault in future.json()["errors"]] == [("/at", "date-future")]
    with office.deps.database.read() as session:
        assert session.exec(select(func.count()).select_from(CaseContact)).one() == 3


async def test_a_consent_is_recorded_withdrawn_and_never_deleted(office: Office) -> None:
    officer = office.staff("officer", Role.CASE_OFFICER)
    token = (await taken_in(office, officer, consents=[]))["token"]
    paper = (await upload(office, officer, token, PDF, kind="bureau-consent")).json()["id"]
    body = {"purpose": "credit-report-query", "form": "WRITTEN", "textVersion": "2026-01", "evidenceDocumentId": paper}
    async with office.client(officer) as client:
        made = await client.post(f"{CASES}/{token}/consents", json=body, headers={"Idempotency-Key": "n"})
        assert made.status_code == 201, made.text
        place = f"{CASES}/{token}/consents/{made.json()['id']}"
        assert (await client.delete(place)).status_code == 204
        assert (await client.delete(place)).status_code == 204
        again = await client.post(f"{CASES}/{token}/consents", json=body, headers={"Idempotency-Key": "n"})
        assert again.json() == made.json()
        case = (await client.get(f"{CASES}/{token}")).json()
        foreign = {**body, "evidenceDocumentId": "doc_" + "0" * 26}
        refused = await client.post(f"{CASES}/{token}/consents", json=foreign, headers={"Idempotency-Key": "o"})
        other = await taken_in(office, officer, key="other", applicant__idNumber=another_id(7))
        assert (await client.delete(place.replace(token, other["token"]))).status_code == 404
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/evidenceDocumentId"]
    assert [(each["id"], each["withdrawnAt"] is not None) for each in case["consents"]] == [(made.json()["id"], True)]
    with office.deps.database.read() as session:
        actions = [event.action for event in session.exec(select(AuditEvent).where(AuditEvent.target == token)).all()]
        consent = session.get_one(Consent, made.json()["id"])
        assert session.exec(select(func.count()).select_from(CaseDocument)).one() == 1
    assert consent.evidence_document_id == paper
    assert actions.count("consent.withdrawn") == 1
