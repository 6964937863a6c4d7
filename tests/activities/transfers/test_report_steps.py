"""The audit of a job as auditors meet it: what is true passes, each thing that is wrong is found and bars closing."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import Session, col, select

from activities.transfers.report_steps import SqlReport
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.contracts.transfers import JobStep
from models.database.engine import Database
from models.queries.transfers.reports import newest_report, papers_of, reports_of_job
from models.tables.audit import AuditEvent
from models.tables.customers import CustomerRecord
from models.tables.installments import RuleVerdict
from models.tables.tasks import Decision
from models.tables.transfer_notices import TransferFollowUp, TransferNotice
from models.tables.transfer_reports import TransferReport
from models.tables.transfers import (
    TransferBackup,
    TransferChange,
    TransferJob,
    TransferPair,
    TransferRow,
    TransferSource,
    TransferWave,
)
from tests.support.clock import FakeClock
from tests.support.reported_jobs import JOB, ROOT, AuditedJob
from tests.support.worlds import Copied, World

STEP = JobStep(job=JOB)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A sound job, written once for each kind of database; each test has a copy of its own."""
    folder = tmp_path_factory.mktemp("audited-job")
    return World(lambda database, vault, beside: AuditedJob(database, vault, beside / "anchor").build(), folder)


@pytest.fixture(params=["sqlite", "postgres"])
def copied(request: pytest.FixtureRequest, world: World, clock: FakeClock, tmp_path: Path) -> Iterator[Copied]:
    stores = request.getfixturevalue("sqlite_files" if request.param == "sqlite" else "postgres")
    with world.copy(stores, into=tmp_path, clock=clock) as copied:
        yield copied


@pytest.fixture
def database(copied: Copied) -> Database:
    return copied.database


@pytest.fixture
def vault(copied: Copied) -> Vault:
    return copied.vault


@pytest.fixture
def job(copied: Copied) -> AuditedJob:
    return AuditedJob(copied.database, copied.vault, copied.folder / "anchor")


@pytest.fixture
def steps(database: Database, vault: Vault, clock: FakeClock) -> SqlReport:
    return SqlReport(database, vault, clock, sealer_wait_s=0)


def written(database: Database) -> TransferReport:
    with database.read() as session:
        report = newest_report(session, JOB, written=True)
    assert report is not None
    return report


def record_of(database: Database) -> dict[str, object]:
    return json.loads(written(database).body or "")


def codes(database: Database) -> set[str]:
    return {each["code"] for each in record_of(database)["findings"]}  # type: ignore[attr-defined, index]


def test_a_sound_job_passes_and_may_be_closed(job: AuditedJob, steps: SqlReport, database: Database) -> None:
    assert steps.may_close(STEP).lacks == ("report-missing",)
    steps.write_report(STEP)
    record = record_of(database)
    assert record["verdict"] == "passed", record["findings"]
    assert codes(database) == {"objections", "wave-rolled-back"}
    assert {item["result"] for item in record["sample"]["items"]} == {"pass"}  # type: ignore[index]
    assert len(record["sample"]["items"]) == 26  # type: ignore[index]  # so few rows are looked at one and all
    assert steps.may_close(STEP).may_close


def test_the_papers_are_what_the_log_says(job: AuditedJob, steps: SqlReport, database: Database, vault: Vault) -> None:
    steps.write_report(STEP)
    report = written(database)
    with database.read() as session:
        papers = papers_of(session, report.id)
        event = session.exec(select(AuditEvent).where(AuditEvent.action == "transfer.report-written")).one()
    told = json.loads(event.body)["facts"]
    assert hashlib.sha256((report.body or "").encode()).hexdigest() == report.digest == told["digest"]
    assert len(papers) == 8
    for paper in papers:
        address = CellAddress(paper.tenant, "transfer_papers", "content_cell", paper.id, report.id)
        content = vault.open(address, paper.content_cell)
        assert hashlib.sha256(content).hexdigest() == told["papers"][f"{paper.kind}/{paper.locale}/{paper.form}"]
        assert content.startswith(b"%PDF" if paper.form == "pdf" else b"<!DOCTYPE html>")
        if paper.form == "pdf":
            assert b"/ByteRange" in content


def _put_back(job: AuditedJob, *, root: str, differing: int, proven: bool) -> None:
    facts = {
        "wave": 1, "attempt": 1, "records": 23, "root": root, "rootBefore": ROOT[5], "equal": root == ROOT[5],
        "proven": proven, "differing": [], "differingCount": differing,
    }  # fmt: skip
    job.note("transfer.wave-undone", facts, after=timedelta(hours=2))
    job.seal()


def test_a_wave_that_ran_again_keeps_the_proof_that_it_was_put_back(
    job: AuditedJob, steps: SqlReport, database: Database, vault: Vault
) -> None:
    _put_back(job, root=ROOT[5], differing=0, proven=True)
    steps.write_report(STEP)
    [undone] = record_of(database)["undone"]  # type: ignore[misc]
    assert (undone["wave"], undone["attempt"], undone["root"]) == (1, 1, undone["rootBefore"])
    assert "root-differs" not in codes(database)
    report = written(database)
    with database.read() as session:
        papers = [each for each in papers_of(session, report.id) if each.kind == "report" and each.form == "html"]
    for paper in papers:
        page = vault.open(
            CellAddress(paper.tenant, "transfer_papers", "content_cell", paper.id, report.id), paper.content_cell
        )
        assert {"zh-CN": "回退证明", "en": "Waves put back, and their proof"}[paper.locale] in page.decode()
    assert len(papers) == 2


def test_a_wave_that_was_not_put_back_wholly_fails_the_job(
    job: AuditedJob, steps: SqlReport, database: Database
) -> None:
    _put_back(job, root=ROOT[4], differing=2, proven=False)
    steps.write_report(STEP)
    assert "root-differs" in codes(database)
    assert record_of(database)["verdict"] == "failed"


def test_a_repeated_step_writes_nothing_and_changed_facts_write_a_second_report(
    job: AuditedJob, steps: SqlReport, database: Database, clock: FakeClock
) -> None:
    steps.write_report(STEP)
    clock.advance(hours=1)
    steps.write_report(STEP)
    with database.read() as session:
        assert len(reports_of_job(session, JOB)) == 1
    change(database, TransferPair, lambda each: setattr(each, "verdict", "review"))
    steps.write_report(STEP)
    with database.read() as session:
        first, second = sorted(reports_of_job(session, JOB), key=lambda each: each.number)
    assert (first.verdict, second.verdict) == ("passed", "failed")
    assert first.seed != second.seed


def test_a_step_killed_after_the_seed_goes_on_with_it(job: AuditedJob, steps: SqlReport, database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        _dies(steps).write_report(STEP)
    with database.read() as session:
        begun = newest_report(session, JOB)
    assert begun is not None
    assert begun.written_at is None
    steps.write_report(STEP)
    assert written(database).seed == begun.seed == record_of(database)["sample"]["seed"]  # type: ignore[index]


def test_no_personal_datum_stands_in_what_is_written(
    job: AuditedJob, steps: SqlReport, database: Database, vault: Vault
) -> None:
    from tests.support.reported_jobs import person_values

    steps.write_report(STEP)
    report = written(database)
    with database.read() as session:
        papers = papers_of(session, report.id)
    texts = [report.body or ""]
    for paper in papers:
        if paper.form == "html":
            address = CellAddress(paper.tenant, "transfer_papers", "content_cell", paper.id, report.id)
            texts.append(vault.open_text(address, paper.content_cell))
    for number in range(1, 27):
        values = person_values(number)
        for name in ("name", "id_number", "mobile", "customer_no"):
            assert not any(values[name] in text for text in texts), name


def change(database: Database, table: type, act: Callable[[object], object], **where: object) -> None:
    with database.write() as session:
        query = select(table)
        for name, value in where.items():
            query = query.where(getattr(table, name) == value)
        found = session.exec(query).first()
        act(found)
        session.add(found)


def _set(**values: object) -> Callable[[object], None]:
    def act(each: object) -> None:
        for name, value in values.items():
            setattr(each, name, value)

    return act


def _drop(database: Database, table: type, **where: object) -> None:
    with database.write() as session:
        query = select(table)
        for name, value in where.items():
            query = query.where(getattr(table, name) == value)
        for each in session.exec(query):
            session.delete(each)


Break = Callable[[Database], None]
WRONG: dict[str, tuple[Break, str, str | None]] = {
    "a row is lost": (
        lambda d: change(d, TransferSource, _set(read_rows=28)), "not-conserved", "not-conserved"),
    "a record vanished from the book": (
        lambda d: change(d, CustomerRecord, _set(origin=None)), "not-conserved", "not-conserved"),
    "a backup was not proven": (
        lambda d: change(d, TransferBackup, _set(state="made", proven_at=None), side="target"),
        "backup-not-proven", "backup-not-proven"),
    "it moved before the backup was proven": (
        lambda d: change(d, TransferWave, lambda w: setattr(w, "begun_at", w.begun_at - timedelta(hours=5))),
        "moved-before-backup", None),
    "a rule blocked": (
        lambda d: change(d, RuleVerdict, _set(result="UNKNOWN"), rule_id="PIPL-55"), "gate-stops", None),
    "one company did not approve": (
        lambda d: change(d, Decision, _set(outcome="return"), staff_id="stf_wang"), "approval-missing", None),
    "the plan was changed after it was approved": (
        lambda d: change(d, TransferJob, _set(plan_hash=ROOT[1])), "approval-missing", None),
    "one person approved twice": (
        lambda d: change(d, Decision, _set(staff_id="stf_chen"), staff_id="stf_wang"), "approved-by-one", None),
    "somebody was not told": (
        lambda d: change(d, TransferNotice, _set(state="sent"), row_number=3), "customer-untold", "customers-untold"),
    "somebody has no notice": (
        lambda d: change(d, TransferNotice, _set(row_number=27), row_number=3), "customer-untold", "customers-untold"),
    "a notice has no evidence": (
        lambda d: change(d, TransferNotice, _set(evidence={}), row_number=3), "notice-without-evidence", None),
    "a follow-up is open": (
        lambda d: change(d, TransferFollowUp, _set(state="open", done_at=None)), "follow-ups-open", "follow-ups-open"),
    "a wave is stopped": (
        lambda d: change(d, TransferWave, _set(state="stopped")), "wave-unsettled", "waves-open"),
    "an undo did not restore the root": (
        lambda d: change(d, TransferWave, _set(state="undone", root_undone=ROOT[8])), "root-differs", None),
    "a conflict is open": (
        lambda d: change(d, TransferRow, _set(move="conflict"), number=2), "conflicts-open", "conflicts-open"),
    "a pair waits": (
        lambda d: change(d, TransferPair, _set(verdict="review")), "pairs-open", "pairs-open"),
    "the record is another one": (
        lambda d: change(d, TransferRow, _set(target_record=None), number=5), "sample-failed", None),
    "a digest is another row's": (
        lambda d: change(d, TransferRow, _set(digest=b"x" * 32), number=5), "sample-failed", None),
    "a journal line is gone": (
        lambda d: _drop(d, TransferChange, row_number=5), "sample-failed", "not-conserved"),
    "a rejected row has no reason": (
        lambda d: change(d, TransferRow, _set(reason_code=None, faults=[]), number=26), "sample-failed", None),
    "the job wants consent that nobody gave": (
        lambda d: (change(d, TransferJob, _set(classes=["E"])),
                   change(d, TransferNotice, _set(consent="asked"), row_number=3))[0],
        "moved-without-consent", "consent-missing"),
}  # fmt: skip


@pytest.mark.parametrize("what", sorted(WRONG))
def test_what_is_wrong_is_found(what: str, job: AuditedJob, steps: SqlReport, database: Database) -> None:
    act, code, lack = WRONG[what]
    act(database)
    _unpapered(steps).write_report(STEP)
    assert code in codes(database)
    assert written(database).verdict in ("failed", "reserved")
    answer = steps.may_close(STEP)
    if lack is not None:
        assert lack in answer.lacks
    assert answer.may_close is (written(database).verdict != "failed" and lack is None)


def test_a_cell_that_was_exchanged_is_found(job: AuditedJob, steps: SqlReport, database: Database) -> None:
    with database.write() as session:
        one, two = _records(session)[:2]
        one.name_cell, two.name_cell = two.name_cell, one.name_cell
        session.add_all([one, two])
    _unpapered(steps).write_report(STEP)
    finding = next(each for each in record_of(database)["findings"] if each["code"] == "sample-failed")  # type: ignore[attr-defined]
    assert finding["count"] == 2


def test_moving_after_the_report_makes_it_stale(
    job: AuditedJob, steps: SqlReport, database: Database, clock: FakeClock
) -> None:
    _unpapered(steps).write_report(STEP)
    change(database, TransferWave, _set(begun_at=clock() + timedelta(hours=1)))
    assert "report-stale" in steps.may_close(STEP).lacks


def _records(session: Session) -> list[CustomerRecord]:
    return list(session.exec(select(CustomerRecord).order_by(col(CustomerRecord.id))))


class _NoPapers(SqlReport):
    def _papers(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
        return []


class _Dying(SqlReport):
    def _papers(self, *_: object, **__: object) -> list[object]:  # type: ignore[override]
        raise ZeroDivisionError


def _unpapered(steps: SqlReport) -> SqlReport:
    """Without the PDFs, which take a second and are the same."""
    return _NoPapers(steps.database, steps.vault, steps.clock, sealer_wait_s=0)


def _dies(steps: SqlReport) -> SqlReport:
    return _Dying(steps.database, steps.vault, steps.clock, sealer_wait_s=0)


def test_facts_of_the_same_moment_give_the_same_bytes(job: AuditedJob, steps: SqlReport, database: Database) -> None:
    from models.domain.transfers.report import canonical_report

    standing = steps._job(JOB)
    report = steps._begin(standing, 1)
    first, second = steps._facts(standing, report), steps._facts(standing, report)
    assert canonical_report(first) == canonical_report(second)
    assert canonical_report(replace(first, changes=1)) != canonical_report(second)
