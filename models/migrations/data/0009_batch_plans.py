"""Standing plans of batches take the place of a table that nothing has ever written to."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    op.drop_table("batch_schedules")
    op.create_table(
        "batch_plans",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("branch", sa.String(length=40), nullable=False),
        sa.Column("criteria", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("settings", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("rule_set", sa.String(length=40), nullable=True),
        sa.Column("rhythm", sa.String(length=12), nullable=False),
        sa.Column("month_day", sa.Integer(), nullable=True),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("overlap", sa.String(length=12), nullable=False),
        sa.Column("catch_up_hours", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("paused", sa.Boolean(), nullable=False),
        sa.Column("shown_hash", sa.String(length=64), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("made_by_person", sa.String(length=40), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("decided_by_person", sa.String(length=40), nullable=True),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_batch_plans_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_plans")),
    )
    op.create_index(
        "uq_batch_plans_name",
        "batch_plans",
        ["tenant", "name"],
        unique=True,
        sqlite_where=sa.text("state IN ('proposed', 'active')"),
        postgresql_where=sa.text("state IN ('proposed', 'active')"),
    )
    op.create_table(
        "batch_backfills",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("first_date", sa.Date(), nullable=False),
        sa.Column("last_date", sa.Date(), nullable=False),
        sa.Column("asked_by", sa.String(length=40), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["batch_plans.id"], name=op.f("fk_batch_backfills_plan_batch_plans")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_batch_backfills_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_backfills")),
    )
    op.create_index("ix_batch_backfills_plan", "batch_backfills", ["plan"], unique=False)
