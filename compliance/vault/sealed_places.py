"""Everything that is sealed about people, as data: the cells, the indexes made from them, and the files.

Whatever has to find it all works from here: counting by suite, sealing again under new keys (`activities.parties`). A
test compares this list with the tables, so that a new sealed column cannot be forgotten.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Select, Table, func, literal, select

from compliance.vault.blind import BlindField
from compliance.vault.cells import HEADER_BYTES
from models.tables.agreements import Mandate
from models.tables.assessments import ImpactAssessment
from models.tables.daily import BankReply, DebitOrder, Ticket
from models.tables.erasure import ErasureRequest
from models.tables.incidents import IncidentReport, SecurityIncident
from models.tables.installments import BureauReport, CaseContact, CaseDocument, InstallmentCase
from models.tables.notices import Notice
from models.tables.parties import ContactPoint, Subject
from models.tables.tasks import Decision, Task, TaskComment


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
_COMMENTS: Final = _table(TaskComment)

_DECISIONS: Final = _table(Decision)
_INCIDENTS: Final = _table(SecurityIncident)


def _incident_workflow(incidents: Table) -> Any:
    """`models.domain.ids.incident_workflow_id`, in SQL."""
    return literal("incidents/") + incidents.c.tenant + "/" + incidents.c.id


# On tasks of an incident: whose words they are, the incident's, stands in the workflow's id only.
_DECIDED_ON_INCIDENTS: Final = _DECISIONS.c.workflow_id.startswith("incidents/")
_SAID_ON_INCIDENTS: Final = _TASKS.c.workflow_id.startswith("incidents/")

CELLS: Final[tuple[CellPlace, ...]] = (
    SUBJECTS,
    CONTACT_POINTS,
    MANDATES,
    _of(InstallmentCase, "hardship_note_cell", row="token"),
    _of(CaseDocument, "filename_cell"),
    _of(Notice, "secrets_cell"),
    _of_case(CaseContact, "note_cell"),
    _of_case(BureauReport, "report_cell"),
    _of_case(Decision, "note_cell", only=~_DECIDED_ON_INCIDENTS),
    CellPlace(
        table=_DECISIONS,
        columns=("note_cell",),
        row=_DECISIONS.c.id,
        subject=_INCIDENTS.c.id,
        joined=((_INCIDENTS, _DECISIONS.c.workflow_id == _incident_workflow(_INCIDENTS)),),
        only=_DECIDED_ON_INCIDENTS,
    ),
    _of(ErasureRequest, "note_cell"),
    # Records about no customer: what is said in them lies under a key of the record's own.
    _of(ImpactAssessment, "necessity_cell", "risk_cell", "measures_cell", subject="id"),
    _of(SecurityIncident, "summary_cell", subject="id"),
    _of(IncidentReport, "reason_cell", subject="incident_id"),
    _of_case(Ticket, "text_cell"),
    CellPlace(
        table=_COMMENTS,
        columns=("text_cell",),
        row=_COMMENTS.c.id,
        subject=_CASES.c.subject_id,
        joined=((_TASKS, _TASKS.c.id == _COMMENTS.c.task_id), (_CASES, _CASES.c.token == _TASKS.c.case_token)),
        only=~_SAID_ON_INCIDENTS,
    ),
    CellPlace(
        table=_COMMENTS,
        columns=("text_cell",),
        row=_COMMENTS.c.id,
        subject=_INCIDENTS.c.id,
        joined=(
            (_TASKS, _TASKS.c.id == _COMMENTS.c.task_id),
            (_INCIDENTS, _TASKS.c.workflow_id == _incident_workflow(_INCIDENTS)),
        ),
        only=_SAID_ON_INCIDENTS,
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
)

# One sealed file for each row, under its id (`compliance.vault.shelf`); `digest` is that of the sealed file.
FILES: Final = _table(CaseDocument)
