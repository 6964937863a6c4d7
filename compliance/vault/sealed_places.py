"""Everything that is sealed about people, as data: the cells, the indexes made from them, and the files.

Whatever has to find it all works from here: counting by suite, sealing again under new keys (`activities.parties`). A
test compares this list with the tables, so that a new sealed column cannot be forgotten.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Select, Table, func, literal, select

from compliance.vault.blind import BlindField
from compliance.vault.cells import HEADER_BYTES
from compliance.vault.customer_layout import CUSTOMER_LAYOUT, SEALED_COLUMNS
from models.domain.ids import JOB_RECORD_PREFIX
from models.tables.agreements import Mandate
from models.tables.assessments import ImpactAssessment
from models.tables.batch_books import BatchDispute, BatchFeedback, BatchPaper
from models.tables.batch_clients import BatchClient, FundingAccount
from models.tables.batch_imports import BatchCorrection, BatchImport, BatchRow
from models.tables.change_requests import ChangeRequest
from models.tables.customers import CustomerRecord
from models.tables.daily import BankReply, DebitOrder, Ticket
from models.tables.erasure import ErasureRequest
from models.tables.incidents import IncidentReport, SecurityIncident
from models.tables.installments import BureauReport, CaseContact, CaseDocument, InstallmentCase
from models.tables.notices import Notice
from models.tables.parties import ContactPoint, Subject
from models.tables.tasks import Decision, Task, TaskComment
from models.tables.transfer_corrections import TransferCorrection
from models.tables.transfer_jobs import TransferEvidence
from models.tables.transfer_notices import TransferFollowUp
from models.tables.transfer_reports import TransferPaper
from models.tables.transfer_telling import CustomerMessage
from models.tables.transfers import TransferRow


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


_CASES: Final = _table(InstallmentCase)
_TASKS: Final = _table(Task)


@dataclass(frozen=True, kw_only=True, slots=True)
class CellPlace:
    """The sealed columns of one table, and how a row is addressed (`compliance.vault.cells.RowAddress`).

    Attributes:
        row: the column whose value stands in the address.
        subject: the column with the person whose key seals; of another table where that one knows.
        joined: the way there, each with its condition.
        only: which rows these are, where others of the table are found another way.
    """

    table: Table
    columns: tuple[str, ...]
    row: Column[Any]
    subject: Column[Any]
    joined: tuple[tuple[Table, Any], ...] = ()
    only: Any = None

    @property
    def name(self) -> str:
        """The table's name, as it stands in the address."""
        return self.table.name

    def rows(self, *, tenant: str) -> Select[Any]:
        """Row, subject and the whole cells of a tenant, in no order."""
        return self._select(tenant, [self.table.c[column] for column in self.columns])

    def headers(self, *, tenant: str) -> Select[Any]:
        """As `rows`, with no more of a cell than its header; in the order of the rows."""
        starts = [func.substr(self.table.c[column], 1, HEADER_BYTES).label(column) for column in self.columns]
        return self._select(tenant, starts).order_by(self.row)

    def _select(self, tenant: str, cells: list[Any]) -> Select[Any]:
        source: Any = self.table
        for table, condition in self.joined:
            source = source.outerjoin(table, condition)
        chosen = select(self.row.label("row"), self.subject.label("subject"), *cells)
        wanted = chosen.select_from(source).where(self.table.c.tenant == tenant)
        return wanted if self.only is None else wanted.where(self.only)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexPlace:
    """A column of blind indexes, and the cell whose value each one stands for.

    Attributes:
        is_own: the index stands in the row of its cell; otherwise in rows that name the same value.
    """

    column: Column[Any]
    field: BlindField
    cells: CellPlace
    cell: str
    is_own: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePlace:
    """The sealed files that the rows of one table name (`compliance.vault.shelf`).

    Attributes:
        file: the column with the name on the shelf, which is the document's id in its address; null: no file.
        subject: the column with the subject whose key seals it, or an expression over one.
        digest: the column with the digest of the **sealed** file; None where the table knows that of the content alone,
            which no new key changes.
    """

    table: Table
    file: Column[Any]
    subject: Any
    digest: Column[Any] | None = None

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    def rows(self, *, tenant: str) -> Select[Any]:
        """File, subject and the sealed file's digest, if the table has it, of a tenant; in the order of the files."""
        digest: Any = literal(None) if self.digest is None else self.digest
        chosen = select(self.file.label("file"), self.subject.label("subject"), digest.label("digest"))
        return chosen.where(self.table.c.tenant == tenant, self.file.is_not(None)).order_by(self.file)


def _of(model: Any, *columns: str, row: str = "id", subject: str = "subject_id") -> CellPlace:
    table = _table(model)
    return CellPlace(table=table, columns=columns, row=table.c[row], subject=table.c[subject])


def _of_case(model: Any, *columns: str, only: Any = None) -> CellPlace:
    table = _table(model)
    joined = ((_CASES, _CASES.c.token == table.c.case_token),)
    return CellPlace(
        table=table, columns=columns, row=table.c.id, subject=_CASES.c.subject_id, joined=joined, only=only
    )


SUBJECTS: Final = _of(Subject, "name_cell", "id_cell", "employer_cell", "address_cell", "card_cell", subject="id")
CONTACT_POINTS: Final = _of(ContactPoint, "value_cell")
MANDATES: Final = _of(Mandate, "account_cell", "holder_cell")
CUSTOMERS: Final = _of(CustomerRecord, *SEALED_COLUMNS)
_COMMENTS: Final = _table(TaskComment)

_DECISIONS: Final = _table(Decision)


_TOKEN_CHARACTERS: Final = 30  # of the record's token, which its workflow id ends with
_RANDOM_CHARACTERS: Final = 26  # of them, and of a job's token, behind the prefix


def _of_record(
    model: Any, column: str, *, workflow: Any, only: Any, joined: tuple[tuple[Table, Any], ...]
) -> CellPlace:
    """What is said on a record task lies under the record's own key (`models.domain.ids.care_item`)."""
    table = _table(model)
    subject: Any = func.substr(workflow, func.length(workflow) - _TOKEN_CHARACTERS + 1)
    return CellPlace(table=table, columns=(column,), row=table.c.id, subject=subject, joined=joined, only=only)


# Whose words they are: of a case its customer's, of a transfer job the job's own, of any other record (an incident, a
# row, a conflict, a follow-up) those of the token at the end of the workflow's id.
_DECIDED_ON_RECORDS: Final = _DECISIONS.c.case_token.is_(None)
_SAID_ON_RECORDS: Final = _TASKS.c.case_token.is_(None)
_DECIDED_ON_JOBS: Final = (
    _DECISIONS.c.workflow_id.startswith("transfers/") | _DECISIONS.c.workflow_id.startswith("batches/")
) & ~_DECIDED_ON_RECORDS
_SAID_ON_JOBS: Final = (
    _TASKS.c.workflow_id.startswith("transfers/") | _TASKS.c.workflow_id.startswith("batches/")
) & ~_SAID_ON_RECORDS


def _of_job(model: Any, column: str, *, job: Any, only: Any, joined: tuple[tuple[Table, Any], ...]) -> CellPlace:
    """What is said on a step task of a transfer job lies under the job's own key (`models.domain.ids.job_record`)."""
    table = _table(model)
    return CellPlace(
        table=table, columns=(column,), row=table.c.id, subject=_record_of_job(job), joined=joined, only=only
    )


def _record_of_job(job: Any) -> Any:
    """`models.domain.ids.job_record` in SQL."""
    return literal(JOB_RECORD_PREFIX) + func.substr(job, func.length(job) - _RANDOM_CHARACTERS + 1)


def _file_of_job(model: Any, job: str) -> FilePlace:
    table = _table(model)
    return FilePlace(table=table, file=table.c.file_name, subject=_record_of_job(table.c[job]))


CELLS: Final[tuple[CellPlace, ...]] = (
    SUBJECTS,
    CONTACT_POINTS,
    MANDATES,
    CUSTOMERS,
    _of(InstallmentCase, "hardship_note_cell", row="token"),
    _of(CaseDocument, "filename_cell"),
    _of(Notice, "secrets_cell"),
    _of_case(CaseContact, "note_cell"),
    _of_case(BureauReport, "report_cell"),
    _of(TransferFollowUp, "note_cell"),
    _of(CustomerMessage, "to_cell"),
    _of(ChangeRequest, "values_cell"),
    _of_case(Decision, "note_cell", only=~(_DECIDED_ON_JOBS | _DECIDED_ON_RECORDS)),
    _of_job(Decision, "note_cell", job=_DECISIONS.c.case_token, only=_DECIDED_ON_JOBS, joined=()),
    _of_record(Decision, "note_cell", workflow=_DECISIONS.c.workflow_id, only=_DECIDED_ON_RECORDS, joined=()),
    _of(ErasureRequest, "note_cell"),
    # Records about no customer: what is said in them lies under a key of the record's own.
    _of(ImpactAssessment, "necessity_cell", "risk_cell", "measures_cell", subject="id"),
    _of(SecurityIncident, "summary_cell", subject="id"),
    _of(IncidentReport, "reason_cell", subject="incident_id"),
    _of(TransferPaper, "content_cell", subject="report"),
    _of_case(Ticket, "text_cell"),
    # A row of a transfer job is addressed by its subject: each has one of its own (`compliance.vault.transfer_rows`).
    _of(TransferRow, "row_cell", row="subject_id"),
    _of(TransferCorrection, "changes_cell"),
    _of(BatchClient, "name_cell", subject="id"),
    _of(FundingAccount, "account_cell", subject="client"),
    # A row of an import is addressed by its subject: each has one of its own.
    _of(BatchRow, "row_cell", row="subject_id"),
    _of(BatchCorrection, "changes_cell"),
    _of(BatchDispute, "text_cell"),
    _of(BatchFeedback, "text_cell"),
    _of(BatchPaper, "content_cell", subject="report"),
    CellPlace(
        table=_COMMENTS,
        columns=("text_cell",),
        row=_COMMENTS.c.id,
        subject=_CASES.c.subject_id,
        joined=((_TASKS, _TASKS.c.id == _COMMENTS.c.task_id), (_CASES, _CASES.c.token == _TASKS.c.case_token)),
        only=~(_SAID_ON_JOBS | _SAID_ON_RECORDS),
    ),
    _of_job(
        TaskComment,
        "text_cell",
        job=_TASKS.c.case_token,
        only=_SAID_ON_JOBS,
        joined=((_TASKS, _TASKS.c.id == _COMMENTS.c.task_id),),
    ),
    _of_record(
        TaskComment,
        "text_cell",
        workflow=_TASKS.c.workflow_id,
        only=_SAID_ON_RECORDS,
        joined=((_TASKS, _TASKS.c.id == _COMMENTS.c.task_id),),
    ),
)

INDEXES: Final[tuple[IndexPlace, ...]] = (
    IndexPlace(
        column=SUBJECTS.table.c.id_index, field=BlindField.ID_NUMBER, cells=SUBJECTS, cell="id_cell", is_own=True
    ),
    IndexPlace(
        column=CONTACT_POINTS.table.c.value_index,
        field=BlindField.MOBILE,
        cells=CONTACT_POINTS,
        cell="value_cell",
        is_own=True,
    ),
    *(
        IndexPlace(
            column=_table(model).c.account_index,
            field=BlindField.ACCOUNT,
            cells=MANDATES,
            cell="account_cell",
            is_own=False,
        )
        for model in (DebitOrder, BankReply)
    ),
    *(
        IndexPlace(column=CUSTOMERS.table.c[column], field=index.field, cells=CUSTOMERS, cell=index.column, is_own=True)
        for column, index in CUSTOMER_LAYOUT.indexes.items()
    ),
)

_DOCUMENTS: Final = _table(CaseDocument)

# Everything on the shelf. The containers of transfer jobs and the backups of the key store are no part of it: each lies
# elsewhere, under a key of its own that no change of suite touches.
FILES: Final[tuple[FilePlace, ...]] = (
    FilePlace(table=_DOCUMENTS, file=_DOCUMENTS.c.id, subject=_DOCUMENTS.c.subject_id, digest=_DOCUMENTS.c.digest),
    _file_of_job(BatchImport, "run"),
    _file_of_job(TransferEvidence, "job"),
)
