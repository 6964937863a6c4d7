"""Triggers that make logs, events and postings append-only, for whoever reaches the database by another way.

They stop mistakes and ordinary accounts; against who may drop a trigger the log itself stands (`compliance.audit`).
"""

from typing import Final

from sqlalchemy import Connection

from models.tables.batch_triggers import RULES as BATCHES
from models.tables.refusals import refusals_ddl
from models.tables.transfer_triggers import RULES as TRANSFERS

APPEND_ONLY: Final[dict[str, str]] = {
    "audit_events": "id",
    "audit_leaves": "idx",
    "audit_checkpoints": "size",
    "agreement_events": "id",
    "ledger_entries": "id",
    "text_versions": "id",
    "consent_withdrawals": "id",
    "incident_corrections": "id",
    "rule_drafts": "id",
    "rule_draft_decisions": "draft_id",
    "batch_outcomes": "id",
    "batch_entries": "id",
}

# An INSERT OR REPLACE removes rows without firing a DELETE trigger, hence the third trigger.
_SQLITE: Final = (
    (
        "CREATE TRIGGER IF NOT EXISTS {table}_no_update BEFORE UPDATE ON {table} "
        "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS {table}_no_delete BEFORE DELETE ON {table} "
        "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    ),
    (
        "CREATE TRIGGER IF NOT EXISTS {table}_no_replace BEFORE INSERT ON {table} "
        "WHEN EXISTS (SELECT 1 FROM {table} WHERE {key} = NEW.{key} OR rowid = NEW.rowid) "
        "BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
    ),
)
_POSTGRES_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION casework_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', "
    "ERRCODE = 'restrict_violation'; END $$"
)
_POSTGRES: Final = (
    (
        "CREATE OR REPLACE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION casework_append_only()"
    ),
    (
        "CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION casework_append_only()"
    ),
)


def trigger_ddl(dialect: str) -> tuple[str, ...]:
    """The statements for `sqlite` or `postgresql`; each can be run again."""
    templates = _SQLITE if dialect == "sqlite" else _POSTGRES
    tables = tuple(part.format(table=table, key=key) for table, key in APPEND_ONLY.items() for part in templates)
    functions = () if dialect == "sqlite" else (_POSTGRES_FUNCTION,)
    return (*functions, *tables, *refusals_ddl(dialect, TRANSFERS + BATCHES))


def create_triggers(connection: Connection) -> None:
    """Create what is missing; called by the first migration and by test schemas."""
    for statement in trigger_ddl(connection.dialect.name):
        connection.exec_driver_sql(statement)
