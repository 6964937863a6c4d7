"""Rows of a bulk intake (批量进件) become cases, by the operation that makes every case; a line becomes one case.

Cells are opened, and keys made, before the transaction that writes: a key that nothing uses is all that a death leaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Protocol

from sqlmodel import Session

from activities.batches.judging import OpenedRows, import_rows
from compliance.audit.deeds import Deed
from compliance.audit.unit import Unit
from compliance.vault.blind import BlindField
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.keyring import Vault
from models.domain.application import Channel, ContactPointKind, HardshipCode
from models.domain.batches.states import FinalState, OrderReason, OrderState
from models.domain.identifiers import IdType
from models.domain.tokens import named_token
from models.operations import cases, parties
from models.operations.batches.orders import NewOrder
from models.operations.parties import NewContactPoint, NewSubject
from models.queries import parties as party_queries
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_imports import BatchRow
from models.tables.batch_runs import BatchRun
from models.tables.installments import InstallmentCase

_CELLS: Final = {
    "name_cell": "name",
    "id_cell": "id-number",
    "employer_cell": "employer",
    "address_cell": "address",
    "card_cell": "account",
}
_FIGURES: Final = {
    "total_due_minor": "total-due-minor",
    "requested_amount_minor": "amount-minor",
    "requested_term_months": "term-months",
    "monthly_income_minor": "monthly-income-minor",
    "essential_expense_minor": "essential-expense-minor",
    "other_debt_payment_minor": "other-debt-minor",
    "dependants": "dependants",
}


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Prepared:
    """A case to be, sealed.

    Attributes:
        new: the person, who is not on record yet; None: they are, or an earlier row of the chunk brings them.
    """

    token: str
    subject_id: str
    new: NewSubject | None
    point: NewContactPoint | None
    figures: cases.CaseFigures
    hardship: HardshipCode


class CasesOfRows(Protocol):
    """How rows of an intake become cases."""

    def prepare(self, session: Session, run: BatchRun, members: Sequence[BatchMember]) -> dict[int, Prepared]:
        """Open and seal what the cases are made of, by number of the member; before the transaction."""
        ...

    def open(
        self, unit: Unit, run: BatchRun, member: BatchMember, prepared: Prepared | None, *, on: date, now: datetime
    ) -> NewOrder:
        """Make the case, and say what the row came to."""
        ...


@dataclass(frozen=True, slots=True)
class NoCases(CasesOfRows):
    """Where nobody can open rows: each ends with that reason."""

    def prepare(self, session: Session, run: BatchRun, members: Sequence[BatchMember]) -> dict[int, Prepared]:
        """Nothing."""
        del session, run, members
        return {}

    def open(
        self, unit: Unit, run: BatchRun, member: BatchMember, prepared: Prepared | None, *, on: date, now: datetime
    ) -> NewOrder:
        """The row cannot be opened."""
        del unit, run, prepared, now
        return _barred(member, on)


@dataclass(frozen=True, slots=True)
class SealedCases(CasesOfRows):
    """Cases of sealed rows."""

    vault: Vault
    opened: OpenedRows = field(repr=False)

    def prepare(self, session: Session, run: BatchRun, members: Sequence[BatchMember]) -> dict[int, Prepared]:
        """Open and seal what the cases are made of; commits the keys of persons who are not on record."""
        rows = import_rows(session, run, members)
        fields = self.opened(run.tenant, list(rows.values()))
        coming: dict[bytes, str] = {}
        found = {}
        for number, row in rows.items():
            if row.number in fields and (one := self._prepared(session, run, row, fields[row.number], coming)):
                found[number] = one
        return found

    def open(
        self, unit: Unit, run: BatchRun, member: BatchMember, prepared: Prepared | None, *, on: date, now: datetime
    ) -> NewOrder:
        """The person, the case and the start of its workflow, in the transaction of the chunk; made before, it stands.

        Raises:
            SubjectKnown: somebody else has put the person on record meanwhile; the step is repeated.
        """
        if prepared is None:
            return _barred(member, on)
        session = unit.session
        if session.get(InstallmentCase, prepared.token) is None:
            if prepared.new is not None:
                parties.add_subject(session, prepared.new, now=now)
            if prepared.point is not None:
                parties.add_contact_point(
                    session, prepared.point, tenant=run.tenant, subject_id=prepared.subject_id, now=now
                )
            cases.create_case(session, _case(run, prepared), now=now)
            unit.also(
                Deed(
                    tenant=run.tenant,
                    action="case.created",
                    target=prepared.token,
                    actor="workflow",
                    at=now,
                    facts={
                        "subject": prepared.subject_id,
                        "subjectIsNew": prepared.new is not None,
                        "channel": Channel.STAFF.value,
                        "branch": run.branch,
                        "batch": run.token,
                        "line": member.import_line,
                    },
                )
            )
        return NewOrder(
            member=member,
            state=OrderState.ACCEPTED,
            amount_minor=member.amount_minor,
            requested_on=on,
            final_state=FinalState.OPENED,
            case_token=prepared.token,
        )

    def _prepared(
        self, session: Session, run: BatchRun, row: BatchRow, said: Mapping[str, str], coming: dict[bytes, str]
    ) -> Prepared | None:
        try:
            figures = cases.CaseFigures(**{name: int(said[column]) for name, column in _FIGURES.items()})
            hardship, id_type = HardshipCode(said["hardship"]), IdType(said["id-type"])
            number, name = said["id-number"], said["name"]
        except (KeyError, ValueError):  # the layout did not ask for it: no case without
            return None
        indexes = self.vault.blind_indexes(tenant=run.tenant, field=BlindField.ID_NUMBER, value=number)
        known = party_queries.subject_by_id_index(session, tenant=run.tenant, id_indexes=indexes)
        subject_id = known.id if known is not None else coming.get(indexes[0])
        new, key = None, f"{row.import_id}/{row.line}"
        if known is not None:
            address = CellAddress(known.tenant, "subjects", "name_cell", known.id, known.id)
            if not _same(self.vault.open_text(address, known.name_cell), name):
                return None  # two persons must not end up in one file because one digit was mistyped
        if subject_id is None:
            subject_id = coming[indexes[0]] = named_token("sub", f"intake/{key}")
            if not self.vault.subject_key_count(tenant=run.tenant, subject_id=subject_id):
                self.vault.create_subject(tenant=run.tenant, subject_id=subject_id)
            values = {column: said[name] for column, name in _CELLS.items() if said.get(name)}
            new = NewSubject(
                id=subject_id,
                tenant=run.tenant,
                id_type=id_type,
                id_index=indexes[0],
                other_id_indexes=tuple(indexes[1:]),
                cells=self.vault.seal_many(RowAddress(run.tenant, "subjects", subject_id, subject_id), values),
            )
        return Prepared(
            token=f"{run.tenant}.{named_token('case', f'intake/{key}').partition('_')[2]}",
            subject_id=subject_id,
            new=new,
            point=self._mobile(run.tenant, subject_id, key, said.get("mobile")),
            figures=figures,
            hardship=hardship,
        )

    def _mobile(self, tenant: str, subject_id: str, key: str, mobile: str | None) -> NewContactPoint | None:
        if not mobile:
            return None
        point = named_token("cpt", f"intake/{key}")
        return NewContactPoint(
            id=point,
            kind=ContactPointKind.MOBILE,
            cell=self.vault.seal(CellAddress(tenant, "contact_points", "value_cell", point, subject_id), mobile),
            index=self.vault.blind_index(tenant=tenant, field=BlindField.MOBILE, value=mobile),
        )


def _case(run: BatchRun, prepared: Prepared) -> cases.NewCase:
    return cases.NewCase(
        token=prepared.token,
        tenant=run.tenant,
        subject_id=prepared.subject_id,
        branch=run.branch,
        channel=Channel.STAFF,
        figures=prepared.figures,
        hardship=prepared.hardship,
        hardship_note_cell=None,
        willing_to_repay=True,
        created_by=run.created_by,
        created_by_person=run.created_by_person,
    )


def _same(left: str, right: str) -> bool:
    return "".join(left.split()).casefold() == "".join(right.split()).casefold()


def _barred(member: BatchMember, on: date) -> NewOrder:
    return NewOrder(
        member=member,
        state=OrderState.BARRED,
        amount_minor=member.amount_minor,
        requested_on=on,
        reason_code=OrderReason.CANNOT_OPEN.value,
        final_state=FinalState.BARRED,
    )
