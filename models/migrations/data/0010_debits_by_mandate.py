"""Debits are found by mandate and day, as each chunk of a batch asks for them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    op.create_index("ix_debit_orders_mandate", "debit_orders", ["mandate_id", "requested_on"], unique=False)
