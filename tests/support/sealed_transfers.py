"""A customer's record, a row of a transfer job and what is said about both, sealed in a `SealedBook` and read back.

Addresses and whose key seals are spelt out here, as in `tests.support.sealed_book`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import col, select

from compliance.vault.cells import CellAddress
from compliance.vault.customer_layout import Customer, customer_tokens, open_customers, seal_customers, stored_of
from compliance.vault.transfer_rows import open_rows, seal_rows
from deploy.demo.book import BookRow
from models.domain.tokens import new_case_token, new_token
from models.tables.customers import CustomerRecord
from models.tables.tasks import Decision, Task, TaskComment
from models.tables.transfers import TransferJob, TransferRow, TransferSource
from tests.support.sealed_book import TENANT, SealedBook

_NOW: Final = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
_CUSTOMER_NO: Final = "K00000001"
_COMMON: Final[dict[str, Any]] = {"tenant": TENANT, "created_at": _NOW}


@dataclass(frozen=True, slots=True)
class SealedTransfer:
    """A job with one row that became one record, and a decision and a remark on the job and on the row.

    Attributes:
        owners: id of a decision or remark → whose key seals it.
    """

    book: SealedBook
    person: BookRow
    job: str
    row_subject: str
    record: str
    owners: dict[str, str]

    def contents(self) -> dict[str, Any]:
        """Everything, opened."""
        vault = self.book.vault
        with self.book.database.read() as session:
            record = stored_of(session.get_one(CustomerRecord, self.record))
            row = session.get_one(TransferRow, (self.job, 1))
            decisions = {each.id: each.note_cell for each in session.exec(select(Decision)).all()}
            remarks = {each.id: each.text_cell for each in session.exec(select(TaskComment)).all()}
        [customer] = open_customers(vault, tenant=TENANT, stored=[record])
        [(_, fields)] = open_rows(vault, tenant=TENANT, rows=[(row.subject_id, row.row_cell)])
        return {
            "record": customer.values,
            "row": fields,
            **{key: self._words("decisions", "note_cell", key, cell) for key, cell in decisions.items()},
            **{key: self._words("task_comments", "text_cell", key, cell) for key, cell in remarks.items()},
        }

    def suites(self) -> set[int]:
        """The suite bytes of everything."""
        with self.book.database.read() as session:
            record = session.get_one(CustomerRecord, self.record)
            cells = [value for name, value in record.model_dump().items() if name.endswith("_cell")]
            cells.append(session.get_one(TransferRow, (self.job, 1)).row_cell)
            cells += session.exec(select(Decision.note_cell)).all()
            cells += session.exec(select(TaskComment.text_cell)).all()
        return {cell[1] for cell in cells if cell is not None}

    def found(self, index: str) -> bool:
        """Whether the record is found by the value that an index stands for, under the present keys."""
        value = {
            "customer_no_index": _CUSTOMER_NO,
            "id_index": self.person.id_number,
            "mobile_index": self.person.mobile,
        }[index]
        [[token, *_]] = customer_tokens(self.book.vault, tenant=TENANT, index=index, values=[value])
        with self.book.database.read() as session:
            return bool(
                session.exec(select(CustomerRecord.id).where(col(getattr(CustomerRecord, index)) == token)).all()
            )

    def _words(self, table: str, column: str, key: str, cell: bytes | None) -> str:
        assert cell is not None
        return self.book.vault.open_text(CellAddress(TENANT, table, column, key, self.owners[key]), cell)


def add_transfer(book: SealedBook, person: BookRow) -> SealedTransfer:
    """Put it all on record."""
    job, row_subject, subject, record = new_case_token(TENANT), new_token("sub"), new_token("sub"), new_token("cus")
    values = {
        "customer_no": _CUSTOMER_NO,
        "name": person.name,
        "id_type": person.id_type,
        "id_number": person.id_number,
        "mobile": person.mobile,
        "address": person.address,
    }
    [stored] = seal_customers(book.vault, tenant=TENANT, customers=[Customer(record, subject, values)], create=True)
    [(_, cell)] = seal_rows(book.vault, tenant=TENANT, rows=[(row_subject, values)], create=True)
    of_job = f"tjb_{job.partition('.')[2]}"
    book.vault.create_subject(tenant=TENANT, subject_id=of_job)
    source = new_token("tsr")
    with book.database.write() as session:
        session.add(
            TransferJob(token=job, branch="-", plan_hash="-", stage="moving", created_by="-", created_by_person="-",
                        updated_at=_NOW, **_COMMON)
        )  # fmt: skip
        session.flush()
        session.add(
            TransferSource(id=source, tenant=TENANT, job=job, number=1, kind="csv", place="-", mapping_hash="-")
        )
        session.add(CustomerRecord(id=record, subject_id=subject, updated_at=_NOW, **stored.columns, **_COMMON))
        session.flush()
        session.add(
            TransferRow(job=job, number=1, tenant=TENANT, source=source, line=2, subject_id=row_subject, row_cell=cell)
        )
        session.flush()
    owners = {
        **_said(book, workflow_id=f"transfers/{job}", case_token=job, owner=of_job),
        **_said(book, workflow_id=f"transfers/{job}/rows/{row_subject}", case_token=None, owner=row_subject),
    }
    return SealedTransfer(book, person, job, row_subject, record, owners)


def _said(book: SealedBook, *, workflow_id: str, case_token: str | None, owner: str) -> dict[str, str]:
    """A task with a decision and a remark; their ids, with whose key seals them."""
    task, decision, remark = new_token("tsk"), new_token("dec"), new_token("cmt")
    with book.database.write() as session:
        session.add(
            Task(id=task, workflow_id=workflow_id, task_no=1, case_token=case_token, type="-", state="READY",
                 candidate_role="-", branch="-", due_at=_NOW, shown_hash="-", updated_at=_NOW, **_COMMON)
        )  # fmt: skip
        session.flush()
        session.add(
            Decision(id=decision, workflow_id=workflow_id, case_token=case_token, outcome="-", state="APPLIED",
                     note_cell=book.seal("decisions", "note_cell", decision, owner, f"意见 {owner}"), **_COMMON)
        )  # fmt: skip
        session.add(
            TaskComment(id=remark, task_id=task, author="-",
                        text_cell=book.seal("task_comments", "text_cell", remark, owner, f"备注 {owner}"), **_COMMON)
        )  # fmt: skip
    return {decision: owner, remark: owner}
