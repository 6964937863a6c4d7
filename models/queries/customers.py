"""Reads of a tenant's book of customers: by number through a blind index, and page by page in the order of ids."""

from collections.abc import Sequence
from typing import Final

from sqlmodel import Session, col, func, select

from models.domain.customers.showing import CustomerField
from models.tables.customers import CustomerRecord
from models.tables.transfers import TransferRow

INDEXES: Final = {
    CustomerField.CUSTOMER_NO: col(CustomerRecord.customer_no_index),
    CustomerField.ID_NUMBER: col(CustomerRecord.id_index),
    CustomerField.MOBILE: col(CustomerRecord.mobile_index),
    CustomerField.ACCOUNT: col(CustomerRecord.account_index),
}


def customer_by_id(session: Session, customer_id: str, *, tenant: str) -> CustomerRecord | None:
    """A record of the tenant's book; another tenant's is the same None."""
    return session.exec(
        select(CustomerRecord).where(col(CustomerRecord.id) == customer_id, col(CustomerRecord.tenant) == tenant)
    ).one_or_none()


def customers_page(
    session: Session,
    *,
    tenant: str,
    by: tuple[CustomerField, Sequence[bytes]] | None = None,
    origin: str | None = None,
    after: str | None = None,
    limit: int,
) -> Sequence[CustomerRecord]:
    """Records in the order of their ids.

    Args:
        session: the session.
        tenant: whose book.
        by: only those that have one of these tokens in the index of a field.
        origin: only those that this job brought.
        after: the id behind which the page begins.
        limit: so many at most.
    """
    conditions = [col(CustomerRecord.tenant) == tenant]
    if by is not None:
        conditions.append(INDEXES[by[0]].in_(by[1]))
    if origin is not None:
        conditions.append(col(CustomerRecord.origin) == origin)
    if after is not None:
        conditions.append(col(CustomerRecord.id) > after)
    return session.exec(select(CustomerRecord).where(*conditions).order_by(col(CustomerRecord.id)).limit(limit)).all()


def known_numbers(session: Session, *, tenant: str, tokens: Sequence[bytes]) -> set[bytes]:
    """Which of these tokens of customer numbers the tenant's book has already; at most some hundreds."""
    return set(ids_by_number(session, tenant=tenant, tokens=tokens))


def ids_by_number(session: Session, *, tenant: str, tokens: Sequence[bytes]) -> dict[bytes, str]:
    """The records of the tenant's book under these tokens of customer numbers; at most some hundreds."""
    found = session.exec(
        select(CustomerRecord.customer_no_index, CustomerRecord.id).where(
            col(CustomerRecord.tenant) == tenant, col(CustomerRecord.customer_no_index).in_(tokens)
        )
    )
    return {bytes(token): record for token, record in found.all()}


def count_customers(session: Session, *, tenant: str) -> int:
    """How many records the tenant's book has."""
    return session.exec(
        select(func.count()).select_from(CustomerRecord).where(col(CustomerRecord.tenant) == tenant)
    ).one()


def subjects_of_customer(session: Session, record: CustomerRecord) -> list[str]:
    """Under whose keys something of this record lies: its own, and those of the rows that became it."""
    rows = session.exec(
        select(TransferRow.subject_id).where(
            col(TransferRow.tenant) == record.tenant, col(TransferRow.target_record) == record.id
        )
    )
    return sorted({record.subject_id, *rows.all()})
