"""Facts that rules read from the records: what the card core says of the age of a debt and of its holder."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    op.add_column("card_balances", sa.Column("days_past_due", sa.Integer(), nullable=True))
    op.add_column("card_balances", sa.Column("due_diligence", sa.String(length=16), nullable=True))
