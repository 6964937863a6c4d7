"""The adapters of a batch's bulk steps (批量业务): the one place where they are constructed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from activities.batches.bank_steps import SqlBatchBank
from activities.batches.clean_steps import SqlClean
from activities.batches.cohort_steps import SqlCohort
from activities.batches.execute_steps import SqlExecute
from activities.batches.intake import SealedCases
from activities.batches.judging import Judge
from activities.batches.policies import bound_policy
from activities.batches.row_cells import SealedRows, named_mandates
from activities.batches.rules_steps import SqlRules
from activities.batches.settle_steps import SqlSettle
from compliance.vault.keyring import Vault
from deploy.bank import banks, is_bank_day
from deploy.values import Settings
from models.database.engine import Database
from models.domain.clock import Clock
from models.operations.batches.funding import hold_funding


@dataclass(frozen=True, slots=True)
class BatchParts:
    """What an adapter may be made of."""

    settings: Settings
    database: Database
    vault: Vault
    clock: Clock


def _judge(parts: BatchParts) -> Judge:
    """One judge for the dry run and the live run, which opens the rows of files."""
    return Judge(is_bank_day, SealedRows(parts.vault))


# One line for each adapter whose every step works. What only answers `NotImplementedError` stays out: a worker that
# took such a step would try it for ever. `tests/contracts/test_ports.py` names the ports that have none yet.
_MAKERS: Final[tuple[Callable[[BatchParts], object], ...]] = (
    lambda parts: SqlCohort(parts.database, parts.clock, mandates_of=named_mandates(SealedRows(parts.vault))),
    lambda parts: SqlClean(parts.database, parts.clock, parts.vault, parts.settings.data.files),
    lambda parts: SqlRules(parts.database, parts.clock, _judge(parts), hold_funding),
    lambda parts: SqlExecute(
        parts.database,
        parts.clock,
        _judge(parts),
        cases=SealedCases(parts.vault, SealedRows(parts.vault)),
        policy_of=bound_policy,
    ),
    lambda parts: SqlBatchBank(
        parts.database, parts.clock, parts.vault, banks(parts.settings, parts.database, parts.clock)
    ),
    lambda parts: SqlSettle(parts.database, parts.vault, parts.clock, is_bank_day),
)


def batch_adapters(parts: BatchParts) -> tuple[object, ...]:
    """Every adapter of the queue of bulk work."""
    return tuple(make(parts) for make in _MAKERS)
