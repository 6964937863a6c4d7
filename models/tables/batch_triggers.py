"""One end for each order, kept by the database itself (一单一果), for whoever reaches it by another way.

- The final state of an order is written once, and an order is never deleted.
- A run does not close while an order of it has no final state, or a row of its import has none.
- An order that accounts for a debit of the daily run says what that debit says.
- A frozen cohort does not change, and a row that was read is never deleted.
"""

from typing import Final

_CLOSES: Final = "NEW.stage = 'ended' AND OLD.stage <> 'ended'"
_OPEN_ORDERS: Final = "EXISTS (SELECT 1 FROM batch_orders WHERE run = NEW.token AND final_state IS NULL)"
_OPEN_ROWS: Final = (
    "EXISTS (SELECT 1 FROM batch_rows r JOIN batch_imports i ON i.id = r.import_id "
    "WHERE i.run = NEW.token AND (r.state IS NULL OR r.state = 'held'))"
)
_OF_DEBIT: Final = (
    "NEW.debit_order IS NOT NULL AND NOT EXISTS (SELECT 1 FROM debit_orders d WHERE d.id = NEW.debit_order "
    "AND d.tenant = NEW.tenant AND d.amount_minor = NEW.amount_minor AND lower(d.state) = NEW.state)"
)
_FROZEN: Final = "(SELECT frozen_at FROM batch_cohorts WHERE id = {row}.cohort) IS NOT NULL"
# Name, event, table, when it is refused, and what is said then.
RULES: Final = (
    ("batch_orders_kept", "DELETE", "batch_orders", "TRUE", "an order is never deleted"),
    (
        "batch_orders_end_once",
        "UPDATE",
        "batch_orders",
        (
            "OLD.final_state IS NOT NULL AND (NEW.final_state IS NULL OR NEW.final_state <> OLD.final_state "
            "OR NEW.amount_minor <> OLD.amount_minor)"
        ),
        "the final state of an order is written once",
    ),
    (
        "batch_orders_of_debit",
        "INSERT",
        "batch_orders",
        _OF_DEBIT,
        "an order of the daily run is what its debit is",
    ),
    (
        "batch_orders_with_debit",
        "UPDATE",
        "batch_orders",
        f"NEW.state <> OLD.state AND {_OF_DEBIT}",
        "an order of the daily run moves with its debit",
    ),
    (
        "batch_runs_close",
        "UPDATE",
        "batch_runs",
        f"{_CLOSES} AND {_OPEN_ORDERS}",
        "a run ends when every order has its final state",
    ),
    (
        "batch_runs_conserve",
        "UPDATE",
        "batch_runs",
        f"{_CLOSES} AND NEW.outcome = 'completed' AND {_OPEN_ROWS}",
        "read = accepted + held + rejected + replaced, and nothing is held at the end",
    ),
    ("batch_rows_kept", "DELETE", "batch_rows", "TRUE", "a row that was read is never deleted"),
    (
        "batch_rows_decided",
        "UPDATE",
        "batch_rows",
        "OLD.state IS NOT NULL AND NEW.state IS NULL",
        "a row that has an outcome keeps one",
    ),
    (
        "batch_cohorts_frozen",
        "UPDATE",
        "batch_cohorts",
        (
            "OLD.frozen_at IS NOT NULL AND (NEW.frozen_at IS NULL OR NEW.cohort_hash IS NULL "
            "OR NEW.cohort_hash <> OLD.cohort_hash)"
        ),
        "a frozen cohort does not change",
    ),
    (
        "batch_members_added",
        "INSERT",
        "batch_members",
        _FROZEN.format(row="NEW"),
        "nobody joins a frozen cohort",
    ),
    (
        "batch_members_kept",
        "DELETE",
        "batch_members",
        _FROZEN.format(row="OLD"),
        "nobody leaves a frozen cohort",
    ),
    (
        "batch_members_frozen",
        "UPDATE",
        "batch_members",
        (
            f"{_FROZEN.format(row='OLD')} AND (NEW.state <> OLD.state OR NEW.amount_minor <> OLD.amount_minor "
            "OR NEW.claim_key <> OLD.claim_key)"
        ),
        "a frozen cohort does not change",
    ),
)
