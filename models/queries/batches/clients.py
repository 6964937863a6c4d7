"""Reads of corporate clients (委托单位): a tenant's own, with their accounts and who acts for them."""

from sqlmodel import Session, col, select

from models.tables.batch_clients import BatchClient, BatchClientUser, FundingAccount


def client_for(session: Session, client: str, *, tenant: str) -> BatchClient | None:
    """The client, if it is the tenant's."""
    return session.exec(
        select(BatchClient).where(col(BatchClient.id) == client, col(BatchClient.tenant) == tenant)
    ).first()


def clients_of(session: Session, tenant: str) -> list[BatchClient]:
    """Every client of a tenant, by code."""
    return list(session.exec(select(BatchClient).where(col(BatchClient.tenant) == tenant).order_by(BatchClient.code)))


def accounts_of(session: Session, client: str) -> list[FundingAccount]:
    """A client's accounts, by number."""
    found = select(FundingAccount).where(col(FundingAccount.client) == client)
    return list(session.exec(found.order_by(col(FundingAccount.number))))


def users_of(session: Session, client: str) -> list[BatchClientUser]:
    """Who acts for a client now."""
    found = select(BatchClientUser).where(
        col(BatchClientUser.client) == client, col(BatchClientUser.removed_at).is_(None)
    )
    return list(session.exec(found.order_by(col(BatchClientUser.staff_id))))
