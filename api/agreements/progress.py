"""The progress of a repayment (还款进度) with its bar: the same for staff and through the customer's link."""

from typing import Final

from sqlmodel import Session

from api.agreements.answers import RepaymentAnswer
from api.wording import worded
from models.queries.agreements import rows_of_agreement
from models.tables.agreements import Agreement, AgreementRow

SIGNS: Final = 20
_DONE: Final = "█"
_LEFT: Final = "░"


def unpaid_of(row: AgreementRow) -> int:
    """What is still to be paid of a row, minor units."""
    return row_total(row) - row_paid(row) - row_waived(row)


def row_total(row: AgreementRow) -> int:
    """What a row asks for in all, minor units."""
    return row.principal_minor + row.interest_minor + row.fee_minor


def row_paid(row: AgreementRow) -> int:
    """What was paid of a row, minor units."""
    return row.paid_principal_minor + row.paid_interest_minor + row.paid_fee_minor


def row_waived(row: AgreementRow) -> int:
    """What was waived of a row, minor units."""
    return row.waived_principal_minor + row.waived_interest_minor + row.waived_fee_minor


def read_progress(session: Session, agreement: Agreement, *, locale: str) -> RepaymentAnswer:
    """The progress as the books have it."""
    return progress_of(agreement, rows_of_agreement(session, agreement.id), locale=locale)


def progress_of(agreement: Agreement, rows: list[AgreementRow], *, locale: str) -> RepaymentAnswer:
    """Rows paid, share of the principal repaid, and what comes next."""
    paid = sum(1 for row in rows if unpaid_of(row) == 0)
    repaid = agreement.principal_minor - agreement.principal_left_minor
    percent = repaid * 100 // agreement.principal_minor  # down: all but one fen is not all
    coming = next((row for row in rows if row.due == agreement.next_due), None)
    amount = unpaid_of(coming) if coming is not None else None
    words: dict[str, str | int] = {"paid": paid, "rows": len(rows), "percent": percent}
    next_text = None
    if coming is not None and amount is not None:
        told = {"due": coming.due.isoformat(), "amount": amount, "currency": agreement.currency}
        next_text = worded("repayment.next", locale, told)
    return RepaymentAnswer(
        paid_rows=paid,
        rows=len(rows),
        percent=percent,
        bar=_DONE * (percent * SIGNS // 100) + _LEFT * (SIGNS - percent * SIGNS // 100),
        text=worded("repayment.progress", locale, words),
        next_due=coming.due if coming is not None else None,
        next_amount_minor=amount,
        next_text=next_text,
        owed_minor=agreement.owed_minor,
        days_past_due=agreement.days_past_due,
        status=agreement.status,
        status_text=worded(f"agreement-status.{agreement.status}", locale),
    )
