"""Alembic's entry: runs the scripts of one store on the connection it is given. There is no `alembic.ini`.

`deploy.migrate` puts into `config.attributes`: `connection`, `metadata` (to compare with; None when only running) and
`include` (what a comparison looks at).
"""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import DateTime, String
from sqlmodel.sql.sqltypes import AutoString

from models.database.types import UtcDateTime


def _render(kind: str, item: Any, _autogen: AutogenContext) -> str | Literal[False]:
    """Scripts are frozen: they name SQLAlchemy's own types, not ours, which may change."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AutoString):
        length = item.impl.length if isinstance(item.impl, String) else None
        return "sa.String()" if length is None else f"sa.String(length={length})"
    return False


def _same_type(_context: Any, _inspected_column: Any, _column: Any, inspected: Any, declared: Any) -> bool | None:
    if isinstance(inspected, DateTime) and isinstance(declared, UtcDateTime):
        return False
    return None


attributes = context.config.attributes
connection = attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=attributes.get("metadata"),
    render_item=_render,
    compare_type=_same_type,
    # Our SQLite connections open real transactions, so that a failed script leaves nothing behind on either database.
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
