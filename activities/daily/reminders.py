"""Step 4: who has to pay in three days is reminded, once for each row (还款提醒)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from activities.daily import customer_news
from activities.daily.chunks import DayWork
from compliance.audit.unit import Unchanged, Unit
from models.domain.daily import REMIND_DAYS
from models.domain.notices import NoticeKind
from models.queries.daily import rows_due
from models.tables.agreements import Agreement, AgreementRow
from models.tables.notices import Notice

RowKey = tuple[str, int]


def remind(work: DayWork) -> None:
    """Queue the reminders of rows that fall due in three days."""
    ahead = work.day.on + timedelta(days=REMIND_DAYS)
    with work.database.read() as session:
        rows = rows_due(session, tenant=work.day.tenant, on=ahead)
    work.in_chunks(rows, lambda unit, keys, now: _queue(unit, work, keys, now), name=row_name)
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
    count = 0
    counts = _rows_of(session, {agreement_id for agreement_id, _ in keys})
    for business_key, (agreement_id, no) in wanted.items():
        if business_key in known:
            continue
        row, agreement = session.get_one(AgreementRow, (agreement_id, no)), session.get_one(Agreement, agreement_id)
        unpaid = unpaid_minor(row)
        if unpaid == 0:
            continue
        customer_news.queue(
            session,
            agreement,
            NoticeKind.DUE_REMINDER,
            key=business_key,
            now=now,
            amount=unpaid,
            due=row.due.isoformat(),
            row=no,
            rows=counts[agreement_id],
        )
        count += 1
    if not count:
        raise Unchanged
    return {"reminded": count}


def unpaid_minor(row: AgreementRow) -> int:
    """What a row still lacks, in minor units."""
    asked = row.principal_minor + row.interest_minor + row.fee_minor
    paid = row.paid_principal_minor + row.paid_interest_minor + row.paid_fee_minor
    return asked - paid - row.waived_principal_minor - row.waived_interest_minor - row.waived_fee_minor


def _rows_of(session: Session, agreement_ids: set[str]) -> dict[str, int]:
    found = session.exec(
        select(AgreementRow.agreement_id, func.count())
        .where(col(AgreementRow.agreement_id).in_(agreement_ids))
        .group_by(col(AgreementRow.agreement_id))
    ).all()
    return dict(found)
