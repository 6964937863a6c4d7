"""Several statements that must see one moment."""

from sqlmodel import Session


def one_snapshot(session: Session) -> None:
    """Page and facets are two statements: on PostgreSQL they must not see two moments. SQLite readers never do."""
    if session.get_bind().dialect.name == "postgresql" and not session.in_transaction():
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
