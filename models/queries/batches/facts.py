"""The facts that the gates of a batch's run ask for, read from the records; what is not on record is left out.

What a record can tell is never taken from what somebody has stated (`models.domain.batches.stated`). A fact that nobody
knows blocks. Facts of single rows are read for a chunk at once, by whoever makes orders of them.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from models.domain.batches.stated import stated_of
from models.domain.states import Gate
from models.queries.batches.facts_after import after_facts
from models.queries.batches.facts_cohort import cohort_facts
from models.queries.batches.facts_export import export_facts
from models.queries.batches.facts_rules import rule_facts
from models.tables.batch_runs import BatchRun

# Gates that a whole run passes; `run-row`, `payroll-row`, `mandate` and `dispute` are asked for one record each.
BATCH_GATES: Final = frozenset({Gate.BATCH_COHORT, Gate.BATCH_RULE_SET, Gate.BATCH_AFTER_RUN, Gate.BATCH_EXPORT})
_READ: Final = {
    Gate.BATCH_COHORT: cohort_facts,
    Gate.BATCH_RULE_SET: rule_facts,
    Gate.BATCH_EXPORT: export_facts,
    Gate.BATCH_AFTER_RUN: after_facts,
}
# A run sends its customers no statement: each debit is notified, and the card core's statement shows it (CCM-61).
_UNLESS_STATED: Final[dict[str, object]] = {"statement_issued": False}


def batch_facts(session: Session, *, gate: Gate, run: BatchRun, now: datetime) -> dict[str, object]:
    """The facts for one gate of one run, as they are at `now`."""
    return _UNLESS_STATED | stated_of(run.criteria) | _READ[gate](session, run, now)
