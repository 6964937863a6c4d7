"""A run's report written once for its facts: body, sealed papers and suggestions in one transaction.

Everything in it follows from the facts, also each paper's bytes but for the seal. A second call over the same facts
finds the report and writes nothing; over others it writes the next one, and the one before stays.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from activities.batches.report_content import batch_sheet
from activities.documents.render import Renderer
from activities.documents.seal import seal_pdf
from activities.reports.html import html_page
from activities.reports.json_sheet import json_sheet
from activities.reports.pdf import pdf_page
from activities.reports.sheet import Sheet
from compliance.audit.deeds import Deed, canonical_json
from compliance.audit.proofs import one_snapshot
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import named_token
from models.operations.batches.suggestions import open_suggestions
from models.queries.batches.report_facts import Facts, report_facts, suggestions_of
from models.tables.batch_books import BatchPaper, BatchReport
from models.tables.batch_runs import BatchRun
from models.tables.tenants import Tenant
from models.texts.render import LOCALES, Locale


@dataclass(frozen=True, slots=True)
class ReportWriter:
    """Writes reports of runs."""

    database: Database
    vault: Vault
    clock: Clock
    renderer: Renderer

    def write(self, run: BatchRun) -> str:
        """The report of the facts as they are now; returns its id."""
        with self.database.read() as session:
            one_snapshot(session.connection())
            facts = report_facts(session, session.get_one(BatchRun, run.token))
            tenant = session.get_one(Tenant, run.tenant)
        mark = fingerprint(facts)
        report_id = named_token("brp", f"{run.token}/{mark}")
        with self.database.read() as session:
            if session.get(BatchReport, report_id) is not None:
                return report_id
        now = self.clock()
        papers = self._papers(tenant, report_id, facts, mark, now=now)
        deed = Deed(
            tenant=run.tenant,
            action="batch.report-written",
            target=run.token,
            actor="workflow",
            at=now,
            facts={
                "report": report_id,
                "fingerprint": mark,
                "papers": {f"{each.locale}/{each.form}": each.digest for each in papers},
            },
        )
        with unit_of_work(self.database, deed) as unit:
            session = unit.session
            standing = session.get_one(BatchRun, run.token, with_for_update=True, populate_existing=True)
            if session.get(BatchReport, report_id) is not None:  # somebody else was first
                raise Unchanged
            session.add(
                BatchReport(id=report_id, tenant=run.tenant, run=run.token, fingerprint=mark, body=facts, made_at=now)
            )
            session.flush()
            session.add_all(papers)
            opened = open_suggestions(session, standing, suggestions_of(facts), now=now)
            for each in opened:
                unit.also(
                    Deed(
                        tenant=run.tenant,
                        action="batch.suggestion-made",
                        target=run.token,
                        actor="workflow",
                        at=now,
                        facts={"suggestion": each.id, "code": each.code, "ruleVersion": each.rule_version},
                    )
                )
        return report_id

    def _papers(self, tenant: Tenant, report: str, facts: Facts, mark: str, *, now: datetime) -> list[BatchPaper]:
        self.vault.create_subject(tenant=tenant.code, subject_id=report)
        self.vault.ensure_seal(tenant=tenant.code, organisation=tenant.name)
        papers = []
        for locale in LOCALES:
            sheet = batch_sheet(facts, report=report, digest=mark, institution=tenant.name, locale=locale)
            papers += [
                self._paper(tenant, report, locale, "html", html_page(sheet)),
                self._paper(tenant, report, locale, "pdf", self._sealed(tenant, sheet, now)),
                self._paper(tenant, report, locale, "json", json_sheet(sheet, facts)),
            ]
        return papers

    def _sealed(self, tenant: Tenant, sheet: Sheet, now: datetime) -> bytes:
        seal = self.vault.document_seal(tenant.code)
        return seal_pdf(pdf_page(self.renderer, sheet), seal, reason=f"report {sheet.id}", at=now)

    def _paper(self, tenant: Tenant, report: str, locale: Locale, form: str, content: bytes) -> BatchPaper:
        paper = named_token("bpp", f"{report}/{locale}/{form}")
        return BatchPaper(
            id=paper,
            tenant=tenant.code,
            report=report,
            locale=locale,
            form=form,
            content_cell=self.vault.seal(paper_address(tenant.code, paper, report), content),
            digest=hashlib.sha256(content).hexdigest(),
        )


def paper_address(tenant: str, paper: str, report: str) -> CellAddress:
    """Where a paper's content is sealed: under the report's own key, since a report is about no customer."""
    return CellAddress(tenant, "batch_papers", "content_cell", paper, report)


def fingerprint(facts: Facts) -> str:
    """SHA-256, in hex, over the one spelling of the facts: equal facts have the same, and need one report."""
    return hashlib.sha256(canonical_json(facts).encode()).hexdigest()
