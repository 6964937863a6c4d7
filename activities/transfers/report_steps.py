"""The audit of a transfer job (内部审计): seed, report, sealed papers; and whether the job may be closed.

Each step can be killed and repeated: the seed is on record before a row is looked at, the report is written once with
its papers in one transaction, and a second call over unchanged facts writes nothing.
"""

import hashlib
import json
import os
import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from temporalio import activity

from activities.documents.render import Renderer
from activities.documents.seal import seal_pdf
from activities.reports.html import html_page
from activities.reports.pdf import pdf_page
from activities.reports.sheet import Sheet
from activities.transfers.report_content import report_sheet
from activities.transfers.report_gathering import Gathering, gather, without_time
from activities.transfers.transparency_content import Institution, transparency_sheet
from compliance.audit.deeds import Deed
from compliance.audit.proofs import one_snapshot
from compliance.audit.seal import seal_keys
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.training import require_training
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.contracts.platform import Done
from models.contracts.transfers import CloseAnswer, JobStep
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import named_token
from models.domain.transfers.report import ReportFacts, canonical_report
from models.domain.transfers.report_ids import report_id
from models.errors import NotFound
from models.operations.transfers.reports import begin_report, finish_report
from models.queries.transfers.report_close import close_lacks
from models.queries.transfers.report_events import unsealed
from models.queries.transfers.reports import newest_report
from models.tables.tenants import Tenant
from models.tables.transfer_reports import TransferPaper, TransferReport
from models.tables.transfers import TransferJob
from models.texts.render import LOCALES, Locale
from workflows.ports.transfers import ReportPort

_SEED_BYTES: Final = 16
_LOOK_S: Final = 0.2


@dataclass(slots=True)
class SqlReport(ReportPort):
    """The adapter.

    Attributes:
        sealer_wait_s: how long the job's last events may take to reach the log before a report is written without.
    """

    database: Database
    vault: Vault
    clock: Clock
    renderer: Renderer = field(default_factory=Renderer)
    sealer_wait_s: float = 10.0

    @activity.defn(name="transfers.write_report", no_thread_cancel_exception=True)
    def write_report(self, input: JobStep) -> Done:
        """The internal audit report and the transparency page, in zh-CN and en; the same facts give the same report."""
        job = self._job(input.job)
        require_training(self.database, job=job.token, now=self.clock())  # the sample is opened
        report = self._report_under_way(job)
        self._wait_for_sealer(job.token)
        facts = self._facts(job, report)
        mark = fingerprint(facts)
        if report.written_at is not None:
            if report.fingerprint == mark:
                return Done()
            report = self._begin(job, report.number + 1)
            facts = self._facts(job, report)
            mark = fingerprint(facts)
        self._write(job, report, facts, mark)
        return Done()

    @activity.defn(name="transfers.may_close", no_thread_cancel_exception=True)
    def may_close(self, input: JobStep) -> CloseAnswer:
        """Whether every customer is in one evidenced notice state, everything adds up and nothing waits."""
        job = self._job(input.job)
        with self.database.read() as session:
            one_snapshot(session.connection())
            lacks = close_lacks(session, job)
        return CloseAnswer(may_close=not lacks, lacks=lacks)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _job(self, token: str) -> TransferJob:
        with self.database.read() as session:
            job = session.get(TransferJob, token)
        if job is None:
            raise NotFound(detail=token)
        return job

    def _report_under_way(self, job: TransferJob) -> TransferReport:
        with self.database.read() as session:
            newest = newest_report(session, job.token)
        return newest or self._begin(job, 1)

    def _begin(self, job: TransferJob, number: int) -> TransferReport:
        """Record a seed before the first row is looked at; whoever was first, theirs stands."""
        now, seed = self.clock(), os.urandom(_SEED_BYTES).hex()
        deed = Deed(
            tenant=job.tenant,
            action="transfer.report-seeded",
            target=job.token,
            actor="workflow",
            at=now,
            facts={"report": number, "seed": seed},
        )
        with unit_of_work(self.database, deed) as unit:
            if not begin_report(unit.session, tenant=job.tenant, job=job.token, number=number, seed=seed, now=now):
                raise Unchanged
        with self.database.read() as session:
            return session.get_one(TransferReport, report_id(job.token, number))

    def _wait_for_sealer(self, job: str) -> None:
        """The log takes an event within a second; without its place it proves nothing yet."""
        deadline = time.monotonic() + self.sealer_wait_s
        while time.monotonic() < deadline:
            with self.database.read() as session:
                if not unsealed(session, job):
                    return
            time.sleep(_LOOK_S)

    def _facts(self, job: TransferJob, report: TransferReport) -> ReportFacts:
        given = Gathering(vault=self.vault, public_key=self._public_key(), now=self.clock())
        with self.database.read() as session:
            one_snapshot(session.connection())
            standing = session.get_one(TransferJob, job.token)
            return gather(session, standing, number=report.number, seed=report.seed, given=given)

    def _public_key(self) -> Ed25519PublicKey:
        return seal_keys(self.vault).public_key

    def _write(self, job: TransferJob, report: TransferReport, facts: ReportFacts, mark: str) -> None:
        now = facts.gathered_at
        body = canonical_report(facts)
        digest = hashlib.sha256(body).hexdigest()
        papers = self._papers(job, report, body=body, digest=digest, now=now)
        deed = Deed(
            tenant=job.tenant,
            action="transfer.report-written",
            target=job.token,
            actor="workflow",
            at=now,
            facts={
                "report": report.number,
                "digest": digest,
                "verdict": facts.verdict.value,
                "seed": report.seed,
                "sampled": len(facts.sample.items),
                "papers": {f"{each.kind}/{each.locale}/{each.form}": each.digest for each in papers},
            },
        )
        with unit_of_work(self.database, deed) as unit:
            written = finish_report(
                unit.session,
                report,
                body=body.decode(),
                digest=digest,
                fingerprint=mark,
                verdict=facts.verdict.value,
                papers=papers,
                now=now,
            )
            if not written:
                raise Unchanged

    def _papers(
        self, job: TransferJob, report: TransferReport, *, body: bytes, digest: str, now: datetime
    ) -> list[TransferPaper]:
        with self.database.read() as session:
            tenant = session.get_one(Tenant, job.tenant)
            source = session.get(Tenant, job.source_tenant) if job.source_tenant is not None else None
        self.vault.create_subject(tenant=job.tenant, subject_id=report.id)
        self.vault.ensure_seal(tenant=tenant.code, organisation=tenant.name)
        record = json.loads(body)
        about = Institution(name=tenant.name, contact=tenant.hotline or "", complaints=tenant.complaints or "")
        papers = []
        for locale in LOCALES:
            told = source.name if source is not None else None
            sheets = {
                "report": report_sheet(record, digest=digest, institution=tenant.name, source=told, locale=locale),
                "transparency": transparency_sheet(
                    record, digest=digest, institution=about, source=told, locale=locale
                ),
            }
            for kind, sheet in sheets.items():
                reason = f"{kind} {report.id}"
                papers += [
                    self._paper(report, kind, locale, "html", html_page(sheet), now=now),
                    self._paper(report, kind, locale, "pdf", self._sealed(tenant, sheet, reason, now), now=now),
                ]
        return papers

    def _sealed(self, tenant: Tenant, sheet: Sheet, reason: str, now: datetime) -> bytes:
        return seal_pdf(pdf_page(self.renderer, sheet), self.vault.document_seal(tenant.code), reason=reason, at=now)

    def _paper(
        self, report: TransferReport, kind: str, locale: Locale, form: str, content: bytes, *, now: datetime
    ) -> TransferPaper:
        paper_id = named_token("tpa", f"{report.id}/{kind}/{locale}/{form}")
        address = CellAddress(report.tenant, "transfer_papers", "content_cell", paper_id, report.id)
        return TransferPaper(
            id=paper_id,
            tenant=report.tenant,
            report=report.id,
            kind=kind,
            locale=locale,
            form=form,
            content_cell=self.vault.seal(address, content),
            size_bytes=len(content),
            digest=hashlib.sha256(content).hexdigest(),
            created_at=now,
        )


def fingerprint(facts: ReportFacts) -> str:
    """What two readings of one state have in common: equal ones need no second report."""
    return hashlib.sha256(canonical_report(without_time(facts))).hexdigest()
