"""Reports over HTTP: auditors of both companies read what was written, others do not; every reading is on record."""

import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from sqlmodel import select

from activities.transfers.report_steps import SqlReport
from compliance.transfers.verify_transfer import Bundle, read_key, verify
from models.contracts.transfers import JobStep
from models.domain.roles import Role
from models.tables.audit import AuditEvent
from models.tables.transfer_reports import TransferReport
from models.tables.transfers import TransferJob
from tests.support.api import Office
from tests.support.reported_jobs import JOB, AuditedJob

BASE = f"/v1/transfers/{JOB}"


@pytest.fixture
def audited(sqlite_office: Office, tmp_path: Path) -> Office:
    office = sqlite_office
    job = AuditedJob(office.deps.database, office.deps.vault, tmp_path / "anchor").build()

    def ticking() -> object:
        return office.clock.advance(seconds=1)

    steps = SqlReport(office.deps.database, office.deps.vault, ticking, sealer_wait_s=0)  # type: ignore[arg-type]
    steps.write_report(JobStep(job=JOB))
    job.seal()
    return office


async def test_a_report_is_read_in_each_form_and_language_and_on_record(audited: Office) -> None:
    by = audited.staff("auditor", Role.AUDITOR)
    async with audited.client(by) as client:
        listed = (await client.get(f"{BASE}/reports")).json()["items"]
        told = await client.get(f"{BASE}/report", params={"format": "json"})
        forms = {
            (form, language): await client.get(f"{BASE}/report", params={"format": form, "language": language})
            for form in ("html", "pdf")
            for language in ("zh-CN", "en")
        }
    assert [(each["number"], each["verdict"]) for each in listed] == [(1, "passed")]
    assert hashlib.sha256(told.content).hexdigest() == listed[0]["digest"]
    assert forms["pdf", "en"].content.startswith(b"%PDF")
    assert "内部审计报告" in forms["html", "zh-CN"].text
    assert "Internal Audit Report" in forms["html", "en"].text
    assert "attachment" in forms["html", "en"].headers["Content-Disposition"]
    with audited.deps.database.read() as session:
        readings = session.exec(select(AuditEvent).where(AuditEvent.action == "transfer.report-read")).all()
    assert [each.actor for each in readings] == [by.id] * 5


async def test_who_is_no_auditor_or_of_another_company_reads_nothing(audited: Office) -> None:
    audited.tenant("else")
    officer = audited.staff("officer", Role.CASE_OFFICER)
    stranger = audited.staff("stranger", Role.AUDITOR, tenant="else")
    other = audited.staff("north", Role.AUDITOR, tenant="north")
    for by, status in ((officer, 403), (stranger, 404), (other, 200)):
        async with audited.client(by) as client:
            for path in ("report", "reports", "report-bundle", "transparency-report"):
                assert (await client.get(f"{BASE}/{path}")).status_code == status, (by.login, path)


async def test_the_bundle_holds(audited: Office, tmp_path: Path) -> None:
    async with audited.client(audited.staff("auditor", Role.AUDITOR)) as client:
        answer = await client.get(f"{BASE}/report-bundle")
    assert answer.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        archive.extractall(tmp_path / "bundle")
    bundle = Bundle(tmp_path / "bundle")
    assert verify(bundle, read_key(bundle.text("key.txt"))) == []


async def test_the_public_reads_the_transparency_page_when_the_job_has_ended(audited: Office) -> None:
    path = f"/v1/transparency-reports/{JOB}"
    async with audited.client() as client:
        assert (await client.get(path)).status_code == 404
        with audited.deps.database.write() as session:
            job = session.get_one(TransferJob, JOB)
            job.ended_at = audited.clock()
            session.add(job)
        page = await client.get(path, params={"language": "en"})
        assert (await client.get("/v1/transparency-reports/main.nothing")).status_code == 404
    assert page.status_code == 200
    assert "fewer than 5" in page.text
    assert "stf_" not in page.text
    assert JOB not in page.text


async def test_what_is_not_there_is_not_found(audited: Office) -> None:
    async with audited.client(audited.staff("auditor", Role.AUDITOR)) as client:
        assert (await client.get(f"{BASE}/report", params={"number": 2})).status_code == 404
        assert (await client.get("/v1/transfers/x/report")).status_code == 404
        assert (await client.get(f"{BASE}/report", params={"format": "doc"})).status_code == 400
    with audited.deps.database.write() as session:
        for each in session.exec(select(TransferReport)):
            each.written_at = None
            session.add(each)
    async with audited.client(audited.staff("second", Role.AUDITOR)) as client:
        assert (await client.get(f"{BASE}/report")).status_code == 404
