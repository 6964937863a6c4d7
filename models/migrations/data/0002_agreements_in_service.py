"""Agreements in service: offers, texts, signatures, mandates, rows, events, ledger, notices, core and bank files."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    op.create_table(
        "bank_files",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("direction", sa.String(length=4), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("message_id", sa.String(length=35), nullable=True),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("items", sa.Integer(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_bank_files_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_files")),
        sa.UniqueConstraint("tenant", "direction", "name", name=op.f("uq_bank_files_tenant_direction_name")),
    )
    op.create_index(op.f("ix_bank_files_message_id"), "bank_files", ["message_id"], unique=False)
    op.create_table(
        "business_dates",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("today", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_business_dates_tenant_tenants")),
        sa.PrimaryKeyConstraint("tenant", name=op.f("pk_business_dates")),
    )
    op.create_table(
        "daily_exceptions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("step", sa.String(length=40), nullable=False),
        sa.Column("target", sa.String(length=64), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.String(length=24), nullable=True),
        sa.Column("gate_key", sa.String(length=120), nullable=True),
        sa.Column("handled_by", sa.String(length=40), nullable=True),
        sa.Column("close_code", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_daily_exceptions_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_daily_exceptions")),
        sa.UniqueConstraint(
            "tenant",
            "business_date",
            "step",
            "target",
            name=op.f("uq_daily_exceptions_tenant_business_date_step_target"),
        ),
    )
    op.create_index("ix_daily_exceptions_state", "daily_exceptions", ["tenant", "state", "business_date"], unique=False)
    op.create_index("ix_daily_exceptions_target", "daily_exceptions", ["tenant", "target"], unique=False)
    op.create_table(
        "daily_runs",
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_daily_runs_tenant_tenants")),
        sa.PrimaryKeyConstraint("tenant", "business_date", name=op.f("pk_daily_runs")),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(length=40), nullable=True),
        sa.Column("journal", sa.String(length=120), nullable=False),
        sa.Column("account", sa.String(length=32), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_ledger_entries_not_zero")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_ledger_entries_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entries")),
    )
    op.create_index("ix_ledger_entries_agreement", "ledger_entries", ["agreement_id"], unique=False)
    op.create_index("ix_ledger_entries_balance", "ledger_entries", ["tenant", "booked_on", "account"], unique=False)
    op.create_table(
        "products",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("definition", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_products_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("tenant", "kind", "version", name=op.f("uq_products_tenant_kind_version")),
    )
    op.create_table(
        "bank_replies",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(length=160), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=True),
        sa.Column("original_message_id", sa.String(length=35), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason_code", sa.String(length=16), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=True),
        sa.Column("credit", sa.Boolean(), nullable=True),
        sa.Column("account_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("order_id", sa.String(length=40), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["file_id"], ["bank_files.id"], name=op.f("fk_bank_replies_file_id_bank_files")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_bank_replies_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_replies")),
        sa.UniqueConstraint("business_key", name=op.f("uq_bank_replies_business_key")),
    )
    op.create_index(op.f("ix_bank_replies_file_id"), "bank_replies", ["file_id"], unique=False)
    op.create_index(op.f("ix_bank_replies_order_id"), "bank_replies", ["order_id"], unique=False)
    op.create_index("ix_bank_replies_state", "bank_replies", ["tenant", "state"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(length=64), nullable=True),
        sa.Column("business_key", sa.String(length=160), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("template_version", sa.String(length=16), nullable=False),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("secrets_cell", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("provider_ref", sa.String(length=120), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("send_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_notices_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_notices_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("tenant", "business_key", name=op.f("uq_notices_tenant_business_key")),
    )
    op.create_index(op.f("ix_notices_case_token"), "notices", ["case_token"], unique=False)
    op.create_index("ix_notices_state_send_after", "notices", ["state", "send_after"], unique=False)
    op.create_index(op.f("ix_notices_subject_id"), "notices", ["subject_id"], unique=False)
    op.create_table(
        "one_time_codes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(length=24), nullable=False),
        sa.Column("bound_to", sa.String(length=64), nullable=False),
        sa.Column("code_mac", sa.LargeBinary(length=32), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tries >= 0 AND tries <= 5", name=op.f("ck_one_time_codes_tries")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_one_time_codes_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_one_time_codes_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_one_time_codes")),
        sa.UniqueConstraint("subject_id", "serial", name=op.f("uq_one_time_codes_subject_id_serial")),
    )
    op.create_table(
        "card_balances",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("purchases_minor", sa.BigInteger(), nullable=False),
        sa.Column("cash_minor", sa.BigInteger(), nullable=False),
        sa.Column("fees_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("installments_minor", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_card_balances_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_card_balances_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_balances")),
        sa.UniqueConstraint("business_key", name=op.f("uq_card_balances_business_key")),
    )
    op.create_index(op.f("ix_card_balances_case_token"), "card_balances", ["case_token"], unique=False)
    op.create_table(
        "core_orders",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("core_ref", sa.String(length=64), nullable=True),
        sa.Column("agencies_pending", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_core_orders_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_core_orders_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_orders")),
        sa.UniqueConstraint("business_key", name=op.f("uq_core_orders_business_key")),
    )
    op.create_index(op.f("ix_core_orders_case_token"), "core_orders", ["case_token"], unique=False)
    op.create_table(
        "mandates",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("account_cell", sa.LargeBinary(), nullable=False),
        sa.Column("holder_cell", sa.LargeBinary(), nullable=False),
        sa.Column("bank_code", sa.String(length=35), nullable=True),
        sa.Column("profile", sa.String(length=24), nullable=False),
        sa.Column("purpose", sa.String(length=40), nullable=False),
        sa.Column("account_kind", sa.String(length=16), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("signed_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_mandates_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_mandates_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_mandates_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mandates")),
    )
    op.create_index(op.f("ix_mandates_case_token"), "mandates", ["case_token"], unique=False)
    op.create_index(op.f("ix_mandates_subject_id"), "mandates", ["subject_id"], unique=False)
    op.create_table(
        "plan_offers",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("family", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("convention", sa.String(length=64), nullable=True),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("rows", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=True),
        sa.Column("made_by_person", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_plan_offers_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_plan_offers_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_offers")),
        sa.UniqueConstraint("case_token", "version", "family", name=op.f("uq_plan_offers_case_token_version_family")),
    )
    op.create_table(
        "tickets",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("contact_id", sa.String(length=40), nullable=True),
        sa.Column("channel", sa.String(length=8), nullable=False),
        sa.Column("text_cell", sa.LargeBinary(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("clock_version", sa.String(length=16), nullable=False),
        sa.Column("extensions", sa.Integer(), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("answer_decision_id", sa.String(length=40), nullable=True),
        sa.Column("opened_by", sa.String(length=40), nullable=False),
        sa.Column("opened_by_person", sa.String(length=40), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_tickets_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_tickets_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_case_token"), "tickets", ["case_token"], unique=False)
    op.create_index("ix_tickets_created", "tickets", ["tenant", "created_at", "id"], unique=False)
    op.create_index("ix_tickets_open", "tickets", ["tenant", "state", "due_at"], unique=False)
    op.create_table(
        "agreement_texts",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("agreement_document_id", sa.String(), nullable=False),
        sa.Column("cost_document_id", sa.String(), nullable=False),
        sa.Column("paper_agreement_document_id", sa.String(), nullable=True),
        sa.Column("paper_cost_document_id", sa.String(), nullable=True),
        sa.Column("wording_version", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_document_id"],
            ["case_documents.id"],
            name=op.f("fk_agreement_texts_agreement_document_id_case_documents"),
        ),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_agreement_texts_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(
            ["cost_document_id"], ["case_documents.id"], name=op.f("fk_agreement_texts_cost_document_id_case_documents")
        ),
        sa.ForeignKeyConstraint(
            ["paper_agreement_document_id"],
            ["case_documents.id"],
            name=op.f("fk_agreement_texts_paper_agreement_document_id_case_documents"),
        ),
        sa.ForeignKeyConstraint(
            ["paper_cost_document_id"],
            ["case_documents.id"],
            name=op.f("fk_agreement_texts_paper_cost_document_id_case_documents"),
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_agreement_texts_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_texts")),
        sa.UniqueConstraint("business_key", name=op.f("uq_agreement_texts_business_key")),
    )
    op.create_index(op.f("ix_agreement_texts_case_token"), "agreement_texts", ["case_token"], unique=False)
    op.create_table(
        "agreements",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("offer_id", sa.String(), nullable=False),
        sa.Column("mandate_id", sa.String(), nullable=True),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("start", sa.Date(), nullable=False),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("activated_on", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.Column("oldest_unpaid_due", sa.Date(), nullable=True),
        sa.Column("days_past_due", sa.Integer(), nullable=False),
        sa.Column("owed_minor", sa.BigInteger(), nullable=False),
        sa.Column("late_minor", sa.BigInteger(), nullable=False),
        sa.Column("principal_left_minor", sa.BigInteger(), nullable=False),
        sa.Column("credit_minor", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=True),
        sa.Column("checkpoint", sa.String(), nullable=True),
        sa.Column("folded_to", sa.Date(), nullable=True),
        sa.Column("told_days", sa.Integer(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("kept_until", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_agreements_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandates.id"], name=op.f("fk_agreements_mandate_id_mandates")),
        sa.ForeignKeyConstraint(["offer_id"], ["plan_offers.id"], name=op.f("fk_agreements_offer_id_plan_offers")),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_agreements_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_agreements_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreements")),
        sa.UniqueConstraint("case_token", name=op.f("uq_agreements_case_token")),
    )
    op.create_index("ix_agreements_activated", "agreements", ["tenant", "activated_on"], unique=False)
    op.create_index("ix_agreements_closed", "agreements", ["tenant", "closed_on"], unique=False)
    op.create_index("ix_agreements_next_due", "agreements", ["tenant", "next_due"], unique=False)
    op.create_index("ix_agreements_oldest_due", "agreements", ["tenant", "oldest_unpaid_due"], unique=False)
    op.create_index(op.f("ix_agreements_subject_id"), "agreements", ["subject_id"], unique=False)
    op.create_table(
        "agreement_events",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("target", sa.String(length=40), nullable=True),
        sa.Column("params", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_events_agreement_id_agreements")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_agreement_events_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agreement_events")),
        sa.UniqueConstraint("agreement_id", "seq", name=op.f("uq_agreement_events_agreement_id_seq")),
        sa.UniqueConstraint("business_key", name=op.f("uq_agreement_events_business_key")),
    )
    op.create_table(
        "agreement_rows",
        sa.Column("agreement_id", sa.String(length=40), nullable=False),
        sa.Column("no", sa.Integer(), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("paid_fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("waived_principal_minor", sa.BigInteger(), nullable=False),
        sa.Column("waived_interest_minor", sa.BigInteger(), nullable=False),
        sa.Column("waived_fee_minor", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_agreement_rows_agreement_id_agreements")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_agreement_rows_tenant_tenants")),
        sa.PrimaryKeyConstraint("agreement_id", "no", name=op.f("pk_agreement_rows")),
    )
    op.create_index("ix_agreement_rows_due", "agreement_rows", ["tenant", "due"], unique=False)
    op.create_table(
        "debit_orders",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("mandate_id", sa.String(), nullable=False),
        sa.Column("row_no", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("end_to_end_id", sa.String(length=35), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("requested_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("reason_code", sa.String(length=16), nullable=True),
        sa.Column("file_id", sa.String(), nullable=True),
        sa.Column("policy_version", sa.String(length=40), nullable=False),
        sa.Column("next_try_on", sa.Date(), nullable=True),
        sa.Column("event_id", sa.String(length=40), nullable=True),
        sa.Column("account_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_debit_orders_agreement_id_agreements")
        ),
        sa.ForeignKeyConstraint(["file_id"], ["bank_files.id"], name=op.f("fk_debit_orders_file_id_bank_files")),
        sa.ForeignKeyConstraint(["mandate_id"], ["mandates.id"], name=op.f("fk_debit_orders_mandate_id_mandates")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_debit_orders_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debit_orders")),
        sa.UniqueConstraint(
            "agreement_id", "row_no", "attempt", name=op.f("uq_debit_orders_agreement_id_row_no_attempt")
        ),
        sa.UniqueConstraint("end_to_end_id", name=op.f("uq_debit_orders_end_to_end_id")),
    )
    op.create_index(op.f("ix_debit_orders_file_id"), "debit_orders", ["file_id"], unique=False)
    op.create_index("ix_debit_orders_state", "debit_orders", ["tenant", "state", "requested_on"], unique=False)
    op.create_table(
        "document_readings",
        sa.Column("text_id", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"], ["case_documents.id"], name=op.f("fk_document_readings_document_id_case_documents")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_document_readings_tenant_tenants")),
        sa.ForeignKeyConstraint(
            ["text_id"], ["agreement_texts.id"], name=op.f("fk_document_readings_text_id_agreement_texts")
        ),
        sa.PrimaryKeyConstraint("text_id", "document_id", name=op.f("pk_document_readings")),
    )
    op.create_table(
        "follow_ups",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("business_key", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("anchor", sa.Date(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("schedule_version", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("contact_id", sa.String(length=40), nullable=True),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_follow_ups_agreement_id_agreements")
        ),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_follow_ups_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_follow_ups_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_ups")),
        sa.UniqueConstraint("business_key", name=op.f("uq_follow_ups_business_key")),
    )
    op.create_index("ix_follow_ups_agreement", "follow_ups", ["agreement_id", "kind", "anchor"], unique=False)
    op.create_index(op.f("ix_follow_ups_case_token"), "follow_ups", ["case_token"], unique=False)
    op.create_index("ix_follow_ups_planned", "follow_ups", ["tenant", "state", "due_on"], unique=False)
    op.create_table(
        "settlement_quotes",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("total_minor", sa.BigInteger(), nullable=False),
        sa.Column("items", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("quote_hash", sa.String(length=64), nullable=False),
        sa.Column("agreement_version", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_by_event", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreements.id"], name=op.f("fk_settlement_quotes_agreement_id_agreements")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_settlement_quotes_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_settlement_quotes")),
    )
    op.create_index(op.f("ix_settlement_quotes_agreement_id"), "settlement_quotes", ["agreement_id"], unique=False)
    op.create_table(
        "signatures",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("case_token", sa.String(), nullable=False),
        sa.Column("subject_id", sa.String(), nullable=False),
        sa.Column("method", sa.String(length=16), nullable=False),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("text_id", sa.String(), nullable=True),
        sa.Column("paper_document_id", sa.String(length=40), nullable=True),
        sa.Column("reading_seconds", sa.Integer(), nullable=True),
        sa.Column("cost_confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_id", sa.String(length=40), nullable=True),
        sa.Column("decision_id", sa.String(length=40), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_document_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_token"], ["installment_cases.token"], name=op.f("fk_signatures_case_token_installment_cases")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["subjects.id"], name=op.f("fk_signatures_subject_id_subjects")),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_signatures_tenant_tenants")),
        sa.ForeignKeyConstraint(
            ["text_id"], ["agreement_texts.id"], name=op.f("fk_signatures_text_id_agreement_texts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signatures")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_signatures_decision_id")),
    )
    op.create_index(op.f("ix_signatures_case_token"), "signatures", ["case_token"], unique=False)
    op.create_table(
        "reversals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("tenant", sa.String(), nullable=False),
        sa.Column("agreement_id", sa.String(), nullable=False),
        sa.Column("event_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=False),
        sa.Column("shown_hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("proposed_by", sa.String(length=40), nullable=False),
        sa.Column("decided_by", sa.String(length=40), nullable=True),
        sa.Column("booked_event_id", sa.String(length=40), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["agreement_id"], ["agreements.id"], name=op.f("fk_reversals_agreement_id_agreements")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["agreement_events.id"], name=op.f("fk_reversals_event_id_agreement_events")
        ),
        sa.ForeignKeyConstraint(["tenant"], ["tenants.code"], name=op.f("fk_reversals_tenant_tenants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reversals")),
    )
    op.create_index(op.f("ix_reversals_agreement_id"), "reversals", ["agreement_id"], unique=False)
    op.create_index(op.f("ix_reversals_event_id"), "reversals", ["event_id"], unique=False)
    op.add_column("proposals", sa.Column("offer_id", sa.String(length=40), nullable=True))
    op.add_column("tenants", sa.Column("address", sa.String(length=300), nullable=True))
    op.add_column("tenants", sa.Column("hotline", sa.String(length=100), nullable=True))
    op.add_column("tenants", sa.Column("complaints", sa.String(length=200), nullable=True))
    op.add_column("tenants", sa.Column("collection_account", sa.String(length=34), nullable=True))
    op.add_column("tenants", sa.Column("collection_bank", sa.String(length=12), nullable=True))
    op.add_column("tenants", sa.Column("model_assessed_on", sa.Date(), nullable=True))
    with op.batch_alter_table("case_contacts") as contacts:
        # Contacts from before were talks with the debtor, no collection; from now on whoever writes one says so.
        contacts.add_column(sa.Column("is_collection", sa.Boolean(), nullable=False, server_default=sa.false()))
        contacts.add_column(sa.Column("role", sa.String(length=16), nullable=False, server_default="debtor"))
        contacts.add_column(sa.Column("purpose", sa.String(length=24), nullable=True))
        contacts.add_column(sa.Column("recording_ref", sa.String(length=120), nullable=True))
    with op.batch_alter_table("case_contacts") as contacts:
        contacts.alter_column("is_collection", server_default=None)
        contacts.alter_column("role", server_default=None)
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER IF NOT EXISTS agreement_events_no_update BEFORE UPDATE ON agreement_events BEGIN SELECT RAISE(ABORT, 'agreement_events is append-only'); END""",
        """CREATE TRIGGER IF NOT EXISTS agreement_events_no_delete BEFORE DELETE ON agreement_events BEGIN SELECT RAISE(ABORT, 'agreement_events is append-only'); END""",
        """CREATE TRIGGER IF NOT EXISTS agreement_events_no_replace BEFORE INSERT ON agreement_events WHEN EXISTS (SELECT 1 FROM agreement_events WHERE id = NEW.id OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'agreement_events is append-only'); END""",
        """CREATE TRIGGER IF NOT EXISTS ledger_entries_no_update BEFORE UPDATE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END""",
        """CREATE TRIGGER IF NOT EXISTS ledger_entries_no_delete BEFORE DELETE ON ledger_entries BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END""",
        """CREATE TRIGGER IF NOT EXISTS ledger_entries_no_replace BEFORE INSERT ON ledger_entries WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE id = NEW.id OR rowid = NEW.rowid) BEGIN SELECT RAISE(ABORT, 'ledger_entries is append-only'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE TRIGGER agreement_events_no_change BEFORE UPDATE OR DELETE ON agreement_events FOR EACH ROW EXECUTE FUNCTION casework_append_only()""",
        """CREATE OR REPLACE TRIGGER agreement_events_no_truncate BEFORE TRUNCATE ON agreement_events FOR EACH STATEMENT EXECUTE FUNCTION casework_append_only()""",
        """CREATE OR REPLACE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION casework_append_only()""",
        """CREATE OR REPLACE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION casework_append_only()""",
    ),
}
