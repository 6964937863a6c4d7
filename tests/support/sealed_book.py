"""A book of people with something in every sealed column, in every index and on the shelf, and how it is read back.

Addresses are spelt out here as the product's own code spells them, not taken from `compliance.vault.sealed_places`:
what that list has wrong must show.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlmodel import SQLModel, col, select

from activities.parties.reseal_steps import SqlReseal
from compliance.vault.blind import BlindField
from compliance.vault.cells import CellAddress
from compliance.vault.files import FileAddress
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from compliance.vault.shelf import Shelf
from compliance.vault.subjects import new_subject_key
from deploy.demo.book import BookRow
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.suite_changes import ChangeKind, ChangeReason, ChangeState, SuiteName
from models.domain.tokens import new_case_token, new_token
from models.tables.agreements import Agreement, Mandate, PlanOffer
from models.tables.daily import BankFile, BankReply, DebitOrder, Ticket
from models.tables.installments import BureauReport, CaseContact, CaseDocument, InstallmentCase
from models.tables.notices import Notice
from models.tables.parties import ContactPoint, Subject
from models.tables.suite_changes import SuiteChange
from models.tables.tasks import Decision, Task, TaskComment
from models.tables.tenants import Tenant

TENANT: Final = "main"
_NOW: Final = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
_DAY: Final = date(2026, 11, 20)
# table -> sealed columns
SEALED: Final[dict[type[SQLModel], tuple[str, ...]]] = {
    Subject: ("name_cell", "id_cell", "employer_cell", "address_cell", "card_cell"),
    ContactPoint: ("value_cell",),
    InstallmentCase: ("hardship_note_cell",),
    CaseContact: ("note_cell",),
    CaseDocument: ("filename_cell",),
    BureauReport: ("report_cell",),
    Mandate: ("account_cell", "holder_cell"),
    Ticket: ("text_cell",),
    Notice: ("secrets_cell",),
    TaskComment: ("text_cell",),
    Decision: ("note_cell",),
}
_CHUNK: Final = 400


@dataclass(frozen=True, slots=True)
class SealedBook:
    """Where people are put on record, changed and read again."""

    database: Database
    vault: Vault
    clock: Clock
    root: Path

    @property
    def shelf(self) -> Shelf:
        return Shelf(vault=self.vault, root=self.root)

    def open(self) -> None:
        """The tenant, its keys, its seal, and a file of the bank."""
        self.vault.ensure_tenant(TENANT)
        self.vault.ensure_seal(tenant=TENANT, organisation="示例银行")
        with self.database.write() as session:
            session.add(Tenant(code=TENANT, name="-", sandbox=True, created_at=_NOW))
            session.flush()
            session.add(
                BankFile(id="bkf_1", tenant=TENANT, direction="in", kind="camt.054", name="-", business_date=_DAY,
                         state="TAKEN", created_at=_NOW)
            )  # fmt: skip

    def add(self, rows: Sequence[BookRow], *, files_every: int = 1, cases_every: int = 1) -> list[str]:
        """Put people on record; every so many of them with a case, and with files. Returns their subject ids."""
        subjects: list[str] = []
        for first in range(0, len(rows), _CHUNK):
            some = rows[first : first + _CHUNK]
            ids = [new_token("sub") for _ in some]
            self._make_keys(ids)
            made: list[list[SQLModel]] = [[] for _ in range(7)]
            for number, (subject, row) in enumerate(zip(ids, some, strict=True)):
                for level, records in enumerate(self._records(subject, row, number, files_every, cases_every)):
                    made[level] += records
            with self.database.write() as session:
                for level in made:
                    session.add_all(level)
                    session.flush()
            subjects += ids
        return subjects

    def _make_keys(self, ids: Sequence[str]) -> None:
        branch = self.vault.branches.get(TENANT, Purpose.SUBJECT_WRAP).current
        with self.vault.branches.database.write() as session:
            session.add_all(
                new_subject_key(branch, tenant=TENANT, subject_id=subject, version=1, at=_NOW)[0] for subject in ids
            )

    def seal(self, table: str, column: str, row: str, subject: str, value: str) -> bytes:
        return self.vault.seal(CellAddress(TENANT, table, column, row, subject), value)

    def _records(
        self, subject: str, row: BookRow, number: int, files_every: int, cases_every: int
    ) -> Iterator[list[SQLModel]]:
        """Records of one person, parents first."""

        def of_subject(column: str, value: str) -> bytes:
            return self.seal("subjects", column, subject, subject, value)

        yield [
            Subject(
                id=subject,
                tenant=TENANT,
                name_cell=of_subject("name_cell", row.name),
                id_type=row.id_type,
                id_cell=of_subject("id_cell", row.id_number),
                id_index=self.vault.blind_index(tenant=TENANT, field="id_number", value=row.id_number),
                employer_cell=of_subject("employer_cell", row.employer) if number % 2 else None,
                address_cell=of_subject("address_cell", row.address),
                card_cell=of_subject("card_cell", row.card_number),
                created_at=_NOW,
            )
        ]
        if number % cases_every == 0:
            yield from self._case(subject, row, has_file=number % files_every == 0)
        else:
            yield [self.point(subject, "mobile", row.mobile)]

    def point(self, subject: str, kind: str, value: str) -> ContactPoint:
        """A contact point, sealed and indexed at this moment."""
        point = new_token("cpt")
        index = self.vault.blind_index(tenant=TENANT, field="mobile", value=value) if kind == "mobile" else None
        cell = self.seal("contact_points", "value_cell", point, subject, value)
        return ContactPoint(
            id=point, tenant=TENANT, subject_id=subject, kind=kind, value_cell=cell, value_index=index, created_at=_NOW
        )

    def _case(self, subject: str, row: BookRow, *, has_file: bool) -> Iterator[list[SQLModel]]:
        token = new_case_token(TENANT)
        common: dict[str, Any] = {"tenant": TENANT, "created_at": _NOW}
        note = self.seal("installment_cases", "hardship_note_cell", token, subject, f"困难说明 {row.row}")
        yield [
            self.point(subject, "mobile", row.mobile),
            self.point(subject, "email", row.email),
            InstallmentCase(
                token=token, subject_id=subject, branch="sh-01", channel="staff", stage="servicing",
                total_due_minor=1, requested_amount_minor=1, requested_term_months=12, monthly_income_minor=1,
                essential_expense_minor=1, other_debt_payment_minor=0, dependants=0, hardship_code="other",
                willing_to_repay=True, created_by="-", hardship_note_cell=note, updated_at=_NOW, **common,
            ),
        ]  # fmt: skip
        contact, report, mandate, ticket = new_token("con"), new_token("bur"), new_token("mdt"), new_token("tkt")
        notice, task = new_token("ntc"), new_token("tsk")
        offer, account = new_token("plo"), f"62220000{row.row:08d}"
        yield [
            CaseContact(
                id=contact, tenant=TENANT, case_token=token, channel="phone", direction="out", result_code="-",
                note_cell=self.seal("case_contacts", "note_cell", contact, subject, f"电话 {row.row}"), by_staff="-",
                at=_NOW,
            ),
            BureauReport(
                id=report, case_token=token, query_key=report, source="bureau", open_accounts=1,
                monthly_obligation_minor=0, worst_days_past_due=0,
                report_cell=self.seal("bureau_reports", "report_cell", report, subject, f"征信 {row.row}"), **common,
            ),
            Mandate(
                id=mandate, subject_id=subject, case_token=token, profile="generic-cny", purpose="-", limit_minor=1,
                account_cell=self.seal("mandates", "account_cell", mandate, subject, account),
                holder_cell=self.seal("mandates", "holder_cell", mandate, subject, row.name), signed_on=_DAY,
                valid_to=_DAY, **common,
            ),
            Ticket(
                id=ticket, case_token=token, kind="complaint", state="OPEN", due_at=_NOW, opened_by="-",
                text_cell=self.seal("tickets", "text_cell", ticket, subject, f"投诉 {row.row}"), **common,
            ),
            Notice(
                id=notice, subject_id=subject, case_token=token, business_key=notice, kind="-", channel="sms",
                locale="zh-CN", template_version="-", params={}, state="QUEUED", send_after=_NOW, expires_at=_NOW,
                secrets_cell=self.seal("notices", "secrets_cell", notice, subject, json.dumps({"link": "-"})), **common,
            ),
            Task(
                id=task, workflow_id=f"installments/{token}", task_no=1, case_token=token, type="-", state="READY",
                candidate_role="-", branch="-", due_at=_NOW, shown_hash="-", updated_at=_NOW, **common,
            ),
            PlanOffer(
                id=offer, case_token=token, version=1, family="-", kind="offer", terms={}, rows=[], figures={}, **common
            ),
            *(self.documents(token, subject, f"证明 {row.row}") if has_file else ()),
        ]  # fmt: skip
        yield self._words(token, task, subject, row.row)
        yield from self._debit(token, subject, offer, mandate, account)

    def _words(self, token: str, task: str, subject: str, number: int) -> list[SQLModel]:
        """What staff wrote: a decision's note and a comment."""
        common: dict[str, Any] = {"tenant": TENANT, "created_at": _NOW}
        decision, comment = new_token("dec"), new_token("cmt")
        return [
            Decision(
                id=decision, workflow_id="-", case_token=token, outcome="-", state="APPLIED",
                note_cell=self.seal("decisions", "note_cell", decision, subject, f"意见 {number}"), **common,
            ),
            TaskComment(
                id=comment, task_id=task, author="-",
                text_cell=self.seal("task_comments", "text_cell", comment, subject, f"备注 {number}"), **common,
            ),
        ]  # fmt: skip

    def documents(self, token: str, subject: str, content: str) -> list[CaseDocument]:
        """A file on the shelf and its record."""
        document = new_token("doc")
        sealed = self.shelf.put(FileAddress(TENANT, subject, document), iter([content.encode()]))
        name = self.seal("case_documents", "filename_cell", document, subject, f"{content}.pdf")
        return [
            CaseDocument(
                id=document, tenant=TENANT, case_token=token, subject_id=subject, kind="-", media_type="-",
                filename_cell=name, size_bytes=sealed.size_bytes, digest=sealed.digest, added_by="-", created_at=_NOW,
            )
        ]  # fmt: skip

    def _debit(self, token: str, subject: str, offer: str, mandate: str, account: str) -> Iterator[list[SQLModel]]:
        agreement, order = new_token("agr"), new_token("dbo")
        index = self.vault.blind_index(tenant=TENANT, field=BlindField.ACCOUNT, value=account)
        common: dict[str, Any] = {"tenant": TENANT, "created_at": _NOW}
        yield [
            Agreement(
                id=agreement, case_token=token, subject_id=subject, offer_id=offer, mandate_id=mandate, plan_hash="-",
                currency="CNY", principal_minor=1, start=_DAY, terms={}, signed_at=_NOW, status="-", **common,
            )
        ]  # fmt: skip
        yield [
            DebitOrder(
                id=order, agreement_id=agreement, mandate_id=mandate, row_no=1, attempt=1, end_to_end_id=order[:35],
                amount_minor=1, requested_on=_DAY, state="SENT", policy_version="-", account_index=index,
                updated_at=_NOW, **common,
            )
        ]  # fmt: skip
        yield [
            BankReply(
                id=new_token("bkr"), file_id="bkf_1", business_key=order, status="-", order_id=order,
                account_index=index, state="NOTED", **common,
            )
        ]  # fmt: skip

    # Reading it back ------------------------------------------------------------------------------------------------

    def contents(self) -> dict[str, str]:
        """Everything that is sealed, opened, by place; what an index finds, by value."""
        with self.database.read() as session:
            of_case = dict(session.exec(select(InstallmentCase.token, InstallmentCase.subject_id)).all())
            of_task = dict(session.exec(select(Task.id, Task.case_token)).all())
            found = {}
            for model, columns in SEALED.items():
                for row in session.exec(select(model)).all():
                    subject = _subject(row, of_case, of_task)
                    key = row.token if isinstance(row, InstallmentCase) else row.id
                    for column in columns:
                        if getattr(row, column) is not None:
                            address = CellAddress(TENANT, model.__tablename__, column, key, subject)
                            value = self.vault.open_text(address, getattr(row, column))
                            found[f"{model.__tablename__}.{column}/{key}"] = value
            for row in session.exec(select(CaseDocument)).all():
                found[f"file/{row.id}"] = self.shelf.read(FileAddress(TENANT, row.subject_id, row.id)).decode()
        return found

    def digest(self) -> str:
        """SHA-256 over everything that is sealed, in clear and in one order."""
        return hashlib.sha256(json.dumps(self.contents(), sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    def by_id_number(self, number: str) -> list[str]:
        indexes = self.vault.blind_indexes(tenant=TENANT, field="id_number", value=number)
        with self.database.read() as session:
            return list(session.exec(select(Subject.id).where(col(Subject.id_index).in_(indexes))).all())

    def by_mobile(self, number: str) -> list[str]:
        indexes = self.vault.blind_indexes(tenant=TENANT, field="mobile", value=number)
        with self.database.read() as session:
            return list(
                session.exec(select(ContactPoint.subject_id).where(col(ContactPoint.value_index).in_(indexes))).all()
            )

    # Changes --------------------------------------------------------------------------------------------------------

    def change(self, suite: SuiteName, *, subject: str | None = None) -> str:
        """A change that two persons have agreed on already."""
        change = new_token("sch")
        old = self.vault.renewal.newest_version(TENANT, subject) if subject is not None else None
        with self.database.write() as session:
            session.add(
                SuiteChange(
                    id=change, tenant=TENANT, kind=ChangeKind.SUITE if subject is None else ChangeKind.SUBJECT,
                    suite=suite, subject_id=subject, old_version=old, reason_code=ChangeReason.SCHEDULE,
                    shown_hash=change, state=ChangeState.RUNNING, proposed_by="-", proposed_at=_NOW,
                )
            )  # fmt: skip
        return change

    def record_of(self, change: str) -> SuiteChange:
        with self.database.read() as session:
            return session.get_one(SuiteChange, change)

    def steps(self, **keywords: Any) -> SqlReseal:
        """The adapter of the workflow's steps over this book."""
        return SqlReseal(self.database, self.vault, self.clock, self.root, **keywords)


def _subject(row: Any, of_case: dict[str, str], of_task: dict[str, str]) -> str:
    if isinstance(row, Subject):
        return row.id
    if isinstance(row, TaskComment):
        return of_case[of_task[row.task_id]]
    return row.subject_id if hasattr(row, "subject_id") else of_case[row.case_token]
