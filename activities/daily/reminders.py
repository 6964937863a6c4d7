"""Step 4: who has to pay in three days is reminded, once for each row (还款提醒)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, func, select

from activities.daily.chunks import DayWork
from activities.daily.customer_news import notice_of
from activities.daily.second_tries import SecondTries
from compliance.audit.unit import Unchanged, Unit
from compliance.policy import policy_on
from models.domain.daily import REMIND_DAYS
from models.domain.notices import NoticeKind
from models.operations.notices import queue_notices
from models.queries.daily import rows_to_remind
from models.tables.agreements import Agreement, AgreementRow
from models.tables.notices import Notice

RowKey = tuple[str, int]


def remind(work: DayWork) -> None:
    """Queue the reminders of rows that fall due in three days, or sooner and nobody was reminded of them yet.

    The bank may have settled to remind earlier (`reminder_lead_days`).
    """
    with work.database.read() as session:
        days = policy_on(session, work.day.tenant, on=work.day.on).figure("reminder_lead_days", REMIND_DAYS)
        ahead = work.day.on + timedelta(days=days)
        rows = rows_to_remind(session, tenant=work.day.tenant, on=work.day.on, until=ahead)
        again = SecondTries.of(session, work)
    work.in_chunks(
        rows,
        lambda unit, keys, now: again.ended(unit, map(row_name, keys), _queue(unit, work, keys, now), now),
        name=row_name,
    )
    work.finish()


def row_name(key: RowKey) -> str:
    """A row as it stands in the exception queue."""
    return f"{key[0]}/{key[1]}"


def _queue(unit: Unit, work: DayWork, keys: Sequence[RowKey], now: datetime) -> Mapping[str, int]:
    session = unit.session
    wanted = {f"remind/{row_name(key)}": key for key in keys}
    known = session.exec(
        select(Notice.business_key).where(
            col(Notice.tenant) == work.day.tenant, col(Notice.business_key).in_(wanted.keys())
        )
    ).all()
    fresh = {business_key: key for business_key, key in wanted.items() if business_key not in known}
    ids = sorted({agreement_id for agreement_id, _ in fresh.values()})
    agreements = {each.id: each for each in session.exec(select(Agreement).where(col(Agreement.id).in_(ids))).all()}
    rows, counts = _rows(session, ids, {no for _, no in fresh.values()}), _row_counts(session, ids)
    notices = [
        notice_of(
            agreements[agreement_id],
            NoticeKind.DUE_REMINDER,
            key=business_key,
            amount=unpaid_minor(rows[agreement_id, no]),
            due=rows[agreement_id, no].due.isoformat(),
            row=no,
            rows=counts[agreement_id],
        )
        for business_key, (agreement_id, no) in fresh.items()
        if unpaid_minor(rows[agreement_id, no])
    ]
    if not notices:
        raise Unchanged
    queue_notices(session, notices, now=now)
    return {"reminded": len(notices)}


def _rows(session: Session, agreement_ids: Sequence[str], numbers: Collection[int]) -> dict[RowKey, AgreementRow]:
    found = session.exec(
        select(AgreementRow).where(col(AgreementRow.agreement_id).in_(agreement_ids), col(AgreementRow.no).in_(numbers))
    ).all()
    return {(row.agreement_id, row.no): row for row in found}


def _row_counts(session: Session, agreement_ids: Sequence[str]) -> dict[str, int]:
    found = session.exec(
        select(AgreementRow.agreement_id, func.count())
        .where(col(AgreementRow.agreement_id).in_(agreement_ids))
        .group_by(col(AgreementRow.agreement_id))
    ).all()
    return dict(found)


def unpaid_minor(row: AgreementRow | Row[Any]) -> int:
    """What a row still lacks, in minor units; it may have been read as plain columns."""
    asked = row.principal_minor + row.interest_minor + row.fee_minor
    paid = row.paid_principal_minor + row.paid_interest_minor + row.paid_fee_minor
    return asked - paid - row.waived_principal_minor - row.waived_interest_minor - row.waived_fee_minor
