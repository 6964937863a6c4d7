"""Reads of the daily run: what is to be done on a business date, and how far the runs have come."""

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from sqlalchemy import String, and_, cast, or_
from sqlmodel import Session, col, func, select

from models.domain.daily import ANSWER_DAYS, OPEN_ORDERS, ExceptionState, OrderState, ReplyState
from models.domain.servicing.state import ENDED, Status
from models.queries.batches.replies import of_batches
from models.tables.agreements import Agreement, AgreementRow, LedgerEntry, Mandate
from models.tables.daily import BankFile, BankReply, BusinessDate, DailyException, DailyRun, DebitOrder
from models.tables.notices import Notice

_OVER = [status.value for status in ENDED]
NOT_COLLECTED = [*_OVER, Status.PENDING.value, Status.DEFAULTED.value, Status.WRITTEN_OFF.value]


def new_replies(session: Session, *, tenant: str, status: str) -> list[str]:
    """Ids of the lines of this status that nothing has followed from yet; those of batches are posted there."""
    return list(
        session.exec(
            select(BankReply.id)
            .where(
                col(BankReply.tenant) == tenant,
                col(BankReply.state) == ReplyState.NEW,
                col(BankReply.status) == status,
                ~of_batches(),
            )
            .order_by(col(BankReply.id))
        ).all()
    )


def touched_agreements(session: Session, *, tenant: str, on: date) -> list[str]:
    """Agreements that this date concerns: a row falls due, fell due the day before, is overdue, or was booked on."""
    of_tenant = col(Agreement.tenant) == tenant
    due = session.exec(select(Agreement.id).where(of_tenant, col(Agreement.next_due) <= on)).all()
    # On its due date a row is not overdue yet; the day after it is, unless it was paid.
    after_due = session.exec(
        select(AgreementRow.agreement_id).where(
            col(AgreementRow.tenant) == tenant, col(AgreementRow.due) == on - timedelta(days=1)
        )
    ).all()
    overdue = session.exec(select(Agreement.id).where(of_tenant, col(Agreement.oldest_unpaid_due).is_not(None))).all()
    booked = session.exec(
        select(LedgerEntry.agreement_id)
        .where(
            col(LedgerEntry.tenant) == tenant,
            col(LedgerEntry.booked_on) == on,
            col(LedgerEntry.agreement_id).is_not(None),
        )
        .distinct()
    ).all()
    return sorted({*due, *after_due, *overdue, *(each for each in booked if each is not None)})


def with_fresh_orders(session: Session, agreement_ids: Collection[str], *, on: date) -> set[str]:
    """Which of these wait for the bank's answer: an open order that is not too old to be answered."""
    return set(
        session.exec(
            select(DebitOrder.agreement_id).where(
                col(DebitOrder.agreement_id).in_(agreement_ids),
                col(DebitOrder.state).in_(OPEN_ORDERS),
                col(DebitOrder.requested_on) > on - timedelta(days=ANSWER_DAYS),
            )
        ).all()
    )


def mandates_ended(session: Session, mandate_ids: Collection[str], *, on: date) -> set[str]:
    """Which of these mandates were revoked, or had run out before a date."""
    return set(
        session.exec(
            select(Mandate.id).where(
                col(Mandate.id).in_(mandate_ids), or_(col(Mandate.revoked_at).is_not(None), col(Mandate.valid_to) < on)
            )
        ).all()
    )


def open_order_sums(session: Session, agreement_ids: Collection[str]) -> dict[str, int]:
    """Minor units that open orders already ask for, by agreement."""
    rows = session.exec(
        select(DebitOrder.agreement_id, func.sum(DebitOrder.amount_minor))
        .where(col(DebitOrder.agreement_id).in_(agreement_ids), col(DebitOrder.state).in_(OPEN_ORDERS))
        .group_by(col(DebitOrder.agreement_id))
    ).all()
    return {agreement_id: int(total) for agreement_id, total in rows}


def rows_due(session: Session, *, tenant: str, on: date) -> list[tuple[str, int]]:
    """Agreement and number of every row that falls due on a date, of agreements that are being repaid."""
    return list(
        session.exec(
            select(AgreementRow.agreement_id, AgreementRow.no)
            .join(Agreement, col(Agreement.id) == col(AgreementRow.agreement_id))
            .where(
                col(AgreementRow.tenant) == tenant,
                col(AgreementRow.due) == on,
                col(Agreement.status).not_in(NOT_COLLECTED),
            )
            .order_by(col(AgreementRow.agreement_id), col(AgreementRow.no))
        ).all()
    )


def rows_to_remind(session: Session, *, tenant: str, on: date, until: date) -> list[tuple[str, int]]:
    """Rows that fall due after a date and until another, of which nobody was reminded yet."""
    key = "remind/" + col(AgreementRow.agreement_id) + "/" + cast(col(AgreementRow.no), String)
    reminded = and_(col(Notice.tenant) == tenant, col(Notice.business_key) == key)
    return list(
        session.exec(
            select(AgreementRow.agreement_id, AgreementRow.no)
            .join(Agreement, col(Agreement.id) == col(AgreementRow.agreement_id))
            .outerjoin(Notice, reminded)
            .where(
                col(AgreementRow.tenant) == tenant,
                col(AgreementRow.due) > on,
                col(AgreementRow.due) <= until,
                col(Agreement.status).not_in(NOT_COLLECTED),
                col(Notice.id).is_(None),
            )
            .order_by(col(AgreementRow.agreement_id), col(AgreementRow.no))
        ).all()
    )


def retries_due(session: Session, *, tenant: str, on: date) -> list[tuple[str, int]]:
    """Agreement and row of every failed order whose next try has come."""
    return list(
        session.exec(
            select(DebitOrder.agreement_id, DebitOrder.row_no)
            .where(
                col(DebitOrder.tenant) == tenant,
                col(DebitOrder.state).in_((OrderState.REJECTED, OrderState.RETURNED)),
                col(DebitOrder.next_try_on) <= on,
            )
            .order_by(col(DebitOrder.agreement_id), col(DebitOrder.row_no))
        ).all()
    )


def queued_orders(session: Session, *, tenant: str) -> list[str]:
    """Ids of orders that stand in no file yet."""
    return list(
        session.exec(
            select(DebitOrder.id)
            .where(
                col(DebitOrder.tenant) == tenant,
                col(DebitOrder.state) == OrderState.QUEUED,
                col(DebitOrder.file_id).is_(None),
            )
            .order_by(col(DebitOrder.end_to_end_id))
        ).all()
    )


def files_out(session: Session, *, tenant: str, on: date) -> list[BankFile]:
    """The files that go out on a business date."""
    return list(
        session.exec(
            select(BankFile)
            .where(col(BankFile.tenant) == tenant, col(BankFile.direction) == "out", col(BankFile.business_date) == on)
            .order_by(col(BankFile.name))
        ).all()
    )


def unanswered_orders(session: Session, *, tenant: str, on: date) -> list[str]:
    """Orders for which the bank's answer is overdue."""
    return list(
        session.exec(
            select(DebitOrder.id).where(
                col(DebitOrder.tenant) == tenant,
                col(DebitOrder.state).in_((OrderState.SENT, OrderState.ACCEPTED)),
                col(DebitOrder.requested_on) <= on - timedelta(days=ANSWER_DAYS),
            )
        ).all()
    )


def business_date_row(session: Session, *, tenant: str) -> BusinessDate | None:
    """The tenant's open date; None before its books were opened."""
    return session.get(BusinessDate, tenant)


def latest_runs(session: Session, *, tenant: str, limit: int) -> Sequence[DailyRun]:
    """The newest runs first."""
    return session.exec(
        select(DailyRun).where(col(DailyRun.tenant) == tenant).order_by(col(DailyRun.business_date).desc()).limit(limit)
    ).all()


def open_exceptions(session: Session, *, tenant: str) -> int:
    """How much lies in the exception queue."""
    return session.exec(
        select(func.count())
        .select_from(DailyException)
        .where(col(DailyException.tenant) == tenant, col(DailyException.state) == ExceptionState.OPEN)
    ).one()
