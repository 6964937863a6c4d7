"""Who of a cohort should not be in it (客群排除), as conditions over its rows.

Asked when they are chosen, by the preview, and again at the gate: one place, so that all three answer alike.
"""

from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, String, and_, cast, exists, false, func, or_
from sqlmodel import col

from models.domain.aftercare.clocks import TicketKind
from models.domain.batches.exclusions import Exclusion
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import DisputeState, FinalState
from models.domain.daily import OPEN_ORDERS
from models.domain.rule_words import AccountKind
from models.domain.servicing.state import ENDED, Status
from models.domain.states import TicketState
from models.tables.agreements import Agreement, AgreementRow, Mandate
from models.tables.batch_books import BatchDispute
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_runs import BatchOrder
from models.tables.daily import DebitOrder, Ticket
from models.tables.parties import Subject

_OVER: Final = [status.value for status in ENDED]
_NOT_COLLECTED: Final = [Status.PENDING.value, Status.DEFAULTED.value, Status.WRITTEN_OFF.value]
_MEMBERS: Final = BatchMember.__table__  # type: ignore[attr-defined]
_OPEN: Final = [state.value for state in OPEN_ORDERS]


def row_claim() -> ColumnElement[str]:
    """The claim of a row of an agreement: `row/<agreement>/<no>`."""
    spelt: ColumnElement[str] = "row/" + col(AgreementRow.agreement_id) + "/" + cast(col(AgreementRow.no), String)
    return spelt


def unpaid() -> ColumnElement[int]:
    """What a row of an agreement lacks, in minor units."""
    lacks: ColumnElement[int] = (
        (col(AgreementRow.principal_minor) + col(AgreementRow.interest_minor) + col(AgreementRow.fee_minor))
        - (col(AgreementRow.paid_principal_minor) + col(AgreementRow.paid_interest_minor))
        - col(AgreementRow.paid_fee_minor)
        - (col(AgreementRow.waived_principal_minor) + col(AgreementRow.waived_interest_minor))
        - col(AgreementRow.waived_fee_minor)
    )
    return lacks


def screens(row: Any, *, tenant: str, kind: KindName, on: date) -> dict[Exclusion, ColumnElement[bool]]:
    """Each reason with its condition, in the order in which they are looked for.

    Args:
        row: columns of the rows that are asked about: `claim_key, subject_id, mandate_id, agreement_id, row_no,
            amount_minor`, of a table or of a subquery.
        tenant: whose.
        kind: one that rests on no mandate is not asked for one.
        on: business date.
    """
    found: dict[Exclusion, ColumnElement[bool]] = {}
    if KINDS[kind].needs_mandate:
        found |= _mandate_screens(row, on=on)
        found[Exclusion.DISPUTED] = _disputed(row, tenant=tenant)
        found |= _agreement_screens(row)
    found[Exclusion.PAID_ALREADY] = exists().where(  # what a row of an agreement lacks says so itself
        row.agreement_id.is_(None),
        col(BatchOrder.tenant) == tenant,
        col(BatchOrder.claim_key) == row.claim_key,
        col(BatchOrder.final_state).in_([FinalState.SETTLED.value, FinalState.OPENED.value]),
    )
    found[Exclusion.ORDER_OPEN] = _under_way(row, tenant=tenant)
    if KINDS[kind].needs_mandate:
        found[Exclusion.ABOVE_LIMIT] = _of_mandate(row, col(Mandate.limit_minor) < row.amount_minor)
        found[Exclusion.DATA_ERASED] = exists().where(
            col(Subject.id) == row.subject_id, col(Subject.erased_at).is_not(None)
        )
    return found


def screens_of_members(*, tenant: str, kind: KindName, on: date) -> dict[Exclusion, ColumnElement[bool]]:
    """The same over the members on record."""
    return screens(_MEMBERS.c, tenant=tenant, kind=kind, on=on)


def any_of(screened: dict[Exclusion, ColumnElement[bool]], reasons: frozenset[Exclusion]) -> ColumnElement[bool]:
    """One of these reasons holds."""
    return or_(false(), *(holds for reason, holds in screened.items() if reason in reasons))


def _of_mandate(row: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(Mandate.id) == row.mandate_id, *conditions)


def _mandate_screens(row: Any, *, on: date) -> dict[Exclusion, ColumnElement[bool]]:
    return {
        Exclusion.NO_MANDATE: row.mandate_id.is_(None),
        Exclusion.MANDATE_REVOKED: _of_mandate(row, col(Mandate.revoked_at).is_not(None)),
        Exclusion.MANDATE_OVER: _of_mandate(row, col(Mandate.valid_to) < on),
        Exclusion.WAGE_ACCOUNT: _of_mandate(row, col(Mandate.account_kind) == AccountKind.WAGE_SPECIAL.value),
    }


def _agreement_screens(row: Any) -> dict[Exclusion, ColumnElement[bool]]:
    of_agreement = col(Agreement.id) == row.agreement_id
    of_row = and_(col(AgreementRow.agreement_id) == row.agreement_id, col(AgreementRow.no) == row.row_no)
    return {
        Exclusion.NOTHING_DUE: or_(
            exists().where(of_row, unpaid() <= 0),
            exists().where(of_agreement, col(Agreement.status).in_(_OVER)),
        ),
        Exclusion.NOT_COLLECTED: exists().where(of_agreement, col(Agreement.status).in_(_NOT_COLLECTED)),
    }


def _disputed(row: Any, *, tenant: str) -> ColumnElement[bool]:
    """By a ticket of the case, or by an open dispute of an order under the same mandate or of the same person."""
    ticket = and_(
        col(Ticket.tenant) == tenant,
        col(Ticket.state) == TicketState.OPEN.value,
        func.lower(col(Ticket.kind)) == TicketKind.DISPUTE.value,
    )
    dispute = and_(col(BatchDispute.tenant) == tenant, col(BatchDispute.state) == DisputeState.OPEN.value)
    return or_(
        exists().where(col(Mandate.id) == row.mandate_id, col(Ticket.case_token) == col(Mandate.case_token), ticket),
        exists().where(
            col(Agreement.id) == row.agreement_id, col(Ticket.case_token) == col(Agreement.case_token), ticket
        ),
        exists().where(dispute, col(BatchDispute.mandate_id) == row.mandate_id),
        exists().where(dispute, col(BatchDispute.subject_id) == row.subject_id),
    )


def _under_way(row: Any, *, tenant: str) -> ColumnElement[bool]:
    """An order of any batch for the same claim, or one of the daily run for the same row."""
    return or_(
        exists().where(
            col(BatchOrder.tenant) == tenant,
            col(BatchOrder.claim_key) == row.claim_key,
            col(BatchOrder.final_state).is_(None),
        ),
        exists().where(
            col(DebitOrder.agreement_id) == row.agreement_id,
            col(DebitOrder.row_no) == row.row_no,
            col(DebitOrder.state).in_(_OPEN),
        ),
    )
