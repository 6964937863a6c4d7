"""Rows of a cohort are found by mandate, and suspense by order, as each chunk of a run asks for them."""

from collections.abc import Sequence

from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    op.create_index("ix_batch_members_mandate", "batch_members", ["cohort", "mandate_id"], unique=False)
    op.create_index("ix_batch_suspense_order_id", "batch_suspense", ["order_id"], unique=False)
