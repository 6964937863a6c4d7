"""An order that accounts for a debit of the daily run says what that debit says, kept by the database itself."""

from collections.abc import Sequence

from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """To this revision. There is no way back: a restore of the copy taken before is the way back."""
    for statement in TRIGGERS[op.get_bind().dialect.name]:
        op.execute(statement)


TRIGGERS: dict[str, tuple[str, ...]] = {
    "sqlite": (
        """CREATE TRIGGER IF NOT EXISTS batch_orders_of_debit BEFORE INSERT ON batch_orders WHEN NEW.debit_order IS NOT NULL AND NOT EXISTS (SELECT 1 FROM debit_orders d WHERE d.id = NEW.debit_order AND d.tenant = NEW.tenant AND d.amount_minor = NEW.amount_minor AND lower(d.state) = NEW.state) BEGIN SELECT RAISE(ABORT, 'an order of the daily run is what its debit is'); END""",
        """CREATE TRIGGER IF NOT EXISTS batch_orders_with_debit BEFORE UPDATE ON batch_orders WHEN NEW.state <> OLD.state AND NEW.debit_order IS NOT NULL AND NOT EXISTS (SELECT 1 FROM debit_orders d WHERE d.id = NEW.debit_order AND d.tenant = NEW.tenant AND d.amount_minor = NEW.amount_minor AND lower(d.state) = NEW.state) BEGIN SELECT RAISE(ABORT, 'an order of the daily run moves with its debit'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION casework_batch_orders_of_debit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.debit_order IS NOT NULL AND NOT EXISTS (SELECT 1 FROM debit_orders d WHERE d.id = NEW.debit_order AND d.tenant = NEW.tenant AND d.amount_minor = NEW.amount_minor AND lower(d.state) = NEW.state) THEN RAISE EXCEPTION USING MESSAGE = 'an order of the daily run is what its debit is', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$""",
        """CREATE OR REPLACE TRIGGER batch_orders_of_debit BEFORE INSERT ON batch_orders FOR EACH ROW EXECUTE FUNCTION casework_batch_orders_of_debit()""",
        """CREATE OR REPLACE FUNCTION casework_batch_orders_with_debit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.state <> OLD.state AND NEW.debit_order IS NOT NULL AND NOT EXISTS (SELECT 1 FROM debit_orders d WHERE d.id = NEW.debit_order AND d.tenant = NEW.tenant AND d.amount_minor = NEW.amount_minor AND lower(d.state) = NEW.state) THEN RAISE EXCEPTION USING MESSAGE = 'an order of the daily run moves with its debit', ERRCODE = 'restrict_violation'; END IF; RETURN NEW; END $$""",
        """CREATE OR REPLACE TRIGGER batch_orders_with_debit BEFORE UPDATE ON batch_orders FOR EACH ROW EXECUTE FUNCTION casework_batch_orders_with_debit()""",
    ),
}
