"""What the criteria of a cohort find in the book or in an import, in a fixed order by keyset; nothing is screened."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, String, and_, cast, func, literal, null, select, tuple_
from sqlmodel import Session, col
from sqlmodel import select as rows_of

from models.database.hints import unindexed
from models.domain.batches.classes import amount_class
from models.domain.batches.cohort_filter import AccountField, Criteria, ImportField, RowField
from models.domain.batches.cohorts import Candidate
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import RowState
from models.domain.servicing.state import ENDED
from models.queries.batches.refunds import next_refunds, refunds
from models.queries.batches.screening import row_claim, unpaid
from models.queries.filtering import condition
from models.tables.agreements import Agreement, AgreementRow, Mandate, PlanOffer
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchRun
from models.tables.installments import InstallmentCase

_AGREEMENTS: Final = 500  # looked through at once
_ENDED: Final = [status.value for status in ENDED]
_ROW_COLUMNS: Final[dict[RowField, Any]] = {
    RowField.DUE: col(AgreementRow.due),
    RowField.AMOUNT: unpaid(),
    RowField.OVERDUE: col(Agreement.days_past_due),
    RowField.STATUS: col(Agreement.status),
    RowField.FAMILY: col(PlanOffer.family),
    RowField.BRANCH: col(InstallmentCase.branch),
    RowField.NUMBER: col(AgreementRow.no),
    RowField.PURPOSE: col(Mandate.purpose),
    RowField.PROFILE: col(Mandate.profile),
    RowField.ACCOUNT_KIND: col(Mandate.account_kind),
}
_ACCOUNT_COLUMNS: Final[dict[AccountField, Any]] = {
    AccountField.BRANCH: col(InstallmentCase.branch),
    AccountField.PURPOSE: col(Mandate.purpose),
    AccountField.PROFILE: col(Mandate.profile),
    AccountField.ACCOUNT_KIND: col(Mandate.account_kind),
    AccountField.SIGNED: col(Mandate.signed_on),
    AccountField.LIMIT: col(Mandate.limit_minor),
}
_IMPORT_COLUMNS: Final[dict[ImportField, Any]] = {
    ImportField.AMOUNT: col(BatchRow.amount_minor),
    ImportField.LINE: col(BatchRow.line),
}


# Rows of an import → the mandate that each names, by the row's number; those that name none are left out.
MandatesOfRows = Callable[[Session, Sequence[BatchRow]], Mapping[int, str]]


def no_mandates(session: Session, rows: Sequence[BatchRow]) -> Mapping[int, str]:
    """What is asked where nobody can open rows: none names a mandate, and each is excluded for that reason."""
    del session, rows
    return {}


def book_query(tenant: str, criteria: Criteria, *, on: date) -> Select[Any]:
    """All that the criteria find in the book, with the columns of a candidate but its amount band; in no order.

    Args:
        tenant: whose book.
        criteria: of a run whose rows come from the book.
        on: business date: what is due later is never in.
    """
    if criteria.fee is not None:
        return _accounts(tenant, criteria)
    if criteria.kind is KindName.REFUND:
        return refunds(tenant, criteria)
    return _due_rows(criteria, col(AgreementRow.tenant) == tenant, on=on)


def next_of_book(
    session: Session, tenant: str, criteria: Criteria, *, on: date, last: BatchMember | None, limit: int
) -> list[Candidate]:
    """The next candidates behind the last member, in the order of agreement and row, of mandates, or of disputes."""
    if criteria.kind is KindName.REFUND:
        return [_candidate(each, criteria) for each in next_refunds(session, tenant, criteria, last=last, limit=limit)]
    if criteria.fee is None:
        return _next_rows(session, tenant, criteria, on=on, last=last, limit=limit)
    query = _accounts(tenant, criteria)
    if last is not None:
        query = query.where(col(Mandate.id) > last.mandate_id)
    found = session.execute(query.order_by(col(Mandate.id)).limit(limit)).mappings()
    return [_candidate(each, criteria) for each in found]


def _next_rows(
    session: Session, tenant: str, criteria: Criteria, *, on: date, last: BatchMember | None, limit: int
) -> list[Candidate]:
    """Agreement after agreement by their key, so that each part costs the same however large the book is."""
    place = (col(AgreementRow.agreement_id), col(AgreementRow.no))
    first = last.agreement_id if last is not None and last.agreement_id is not None else ""
    while True:
        of_tenant = rows_of(Agreement.id).where(unindexed(Agreement.tenant) == tenant, col(Agreement.id) >= first)
        ids = session.exec(of_tenant.order_by(col(Agreement.id)).limit(_AGREEMENTS)).all()
        query = _due_rows(criteria, col(AgreementRow.agreement_id).in_(ids), on=on)
        if last is not None:
            query = query.where(tuple_(*place) > tuple_(last.agreement_id, last.row_no))
        found = [_candidate(each, criteria) for each in session.execute(query.order_by(*place).limit(limit)).mappings()]
        if found or len(ids) < _AGREEMENTS:
            return found
        first = ids[-1]


def next_of_import(
    session: Session,
    run: BatchRun,
    criteria: Criteria,
    *,
    last: BatchMember | None,
    limit: int,
    mandates_of: MandatesOfRows,
) -> list[Candidate]:
    """The next accepted rows of the run's import behind the last member, by line."""
    batch_import = session.exec(rows_of(BatchImport).where(col(BatchImport.run) == run.token)).one_or_none()
    if batch_import is None:
        return []
    query = rows_of(BatchRow).where(
        col(BatchRow.import_id) == batch_import.id,
        col(BatchRow.state) == RowState.ACCEPTED.value,
        *(condition(_IMPORT_COLUMNS[ImportField(test.field)], test) for test in criteria.tests),
    )
    if last is not None:
        query = query.where(col(BatchRow.line) > last.import_line)
    rows = session.exec(query.order_by(col(BatchRow.line)).limit(limit)).all()
    mandates = mandates_of(session, rows) if KINDS[criteria.kind].needs_mandate else {}
    return [_of_row(run, criteria, row, mandates.get(row.number)) for row in rows]


def _due_rows(criteria: Criteria, within: ColumnElement[bool], *, on: date) -> Select[Any]:
    """Rows due and unpaid; `within` says of which agreements, and is the one condition that an index serves."""
    mandate = and_(col(Mandate.id) == col(Agreement.mandate_id), col(Mandate.tenant) == col(Agreement.tenant))
    columns: tuple[Any, ...] = (
        row_claim().label("claim_key"),
        col(Agreement.subject_id).label("subject_id"),
        col(Mandate.id).label("mandate_id"),
        col(AgreementRow.agreement_id).label("agreement_id"),
        col(AgreementRow.no).label("row_no"),
        unpaid().label("amount_minor"),
        col(Agreement.currency).label("currency"),
        col(PlanOffer.family).label("type_class"),
        func.substr(cast(col(AgreementRow.due), String), 1, 7).label("cycle_class"),
    )
    return (
        select(*columns)
        .join(Agreement, col(Agreement.id) == col(AgreementRow.agreement_id))
        .join(InstallmentCase, col(InstallmentCase.token) == col(Agreement.case_token))
        .join(PlanOffer, col(PlanOffer.id) == col(Agreement.offer_id))
        .outerjoin(Mandate, mandate)
        .where(
            within,
            col(AgreementRow.due) <= on,
            unpaid() > 0,
            col(Agreement.status).not_in(_ENDED),
            *(condition(_ROW_COLUMNS[RowField(test.field)], test) for test in criteria.tests),
        )
    )


def _accounts(tenant: str, criteria: Criteria) -> Select[Any]:
    assert criteria.fee is not None
    # The mandate stands for the account: its id is the account's token, and tells nothing of the number.
    claim = literal(f"fee/{criteria.fee.code}/") + col(Mandate.id) + literal(f"/{criteria.period}")
    columns: tuple[Any, ...] = (
        claim.label("claim_key"),
        col(Mandate.subject_id).label("subject_id"),
        col(Mandate.id).label("mandate_id"),
        cast(null(), String).label("agreement_id"),
        cast(null(), AgreementRow.__table__.c.no.type).label("row_no"),  # type: ignore[attr-defined]
        literal(criteria.fee.amount_minor).label("amount_minor"),
        col(InstallmentCase.currency).label("currency"),
        literal(criteria.fee.code).label("type_class"),
        literal(criteria.period).label("cycle_class"),
    )
    return (
        select(*columns)
        .select_from(Mandate)
        .join(InstallmentCase, col(InstallmentCase.token) == col(Mandate.case_token))
        .where(
            col(Mandate.tenant) == tenant,
            *(condition(_ACCOUNT_COLUMNS[AccountField(test.field)], test) for test in criteria.tests),
        )
    )


def _candidate(found: Any, criteria: Criteria) -> Candidate:
    return Candidate(**found, import_line=None, amount_class=amount_class(int(found["amount_minor"]), criteria.bands))


def _of_row(run: BatchRun, criteria: Criteria, row: BatchRow, mandate: str | None) -> Candidate:
    amount = row.amount_minor or 0
    return Candidate(
        claim_key=_claim_of_row(run, criteria, row, mandate),
        subject_id=row.subject_id,
        mandate_id=mandate,
        agreement_id=None,
        row_no=None,
        import_line=row.line,
        amount_minor=amount,
        currency="CNY",
        type_class=_TYPE_OF_ROW.get(criteria.kind, criteria.kind.value),
        amount_class=amount_class(amount, criteria.bands),
        cycle_class=criteria.period,
    )


_TYPE_OF_ROW: Final = {KindName.PAYROLL: "wage", KindName.INTAKE: "application"}


def _claim_of_row(run: BatchRun, criteria: Criteria, row: BatchRow, mandate: str | None) -> str:
    """Of a wage: client, period and person, who stands there by the keyed hash of what names them in the file."""
    if criteria.kind is KindName.PAYROLL and row.natural_key is not None:
        return f"wage/{run.client}/{criteria.period}/{bytes(row.natural_key).hex()[:32]}"
    if mandate is not None:
        return f"card/{mandate}/{criteria.period}"
    return f"file/{row.import_id}/{row.line}"
