"""Breakers (熔断): a run stops by itself, and after a person has had it go on its figures are counted anew.

Functions over a session; they never commit.
"""

from datetime import datetime
from typing import Final

from sqlmodel import Session

from models.domain.batches.breakers import Figures, breaks
from models.domain.batches.settings import read_settings
from models.tables.batch_runs import BatchRun

_LOOKED: Final = "looked"  # in `BatchRun.counts`: the figures that the person saw, by scope


def trips(run: BatchRun, *, scope: str, answered: int, failed: int, amount_minor: int) -> str | None:
    """By which code the run stops on these figures, less those that a person has looked at.

    Args:
        run: with its settings, and what was looked at.
        scope: whose figures: `orders` or `answers`.
        answered: rows that have an outcome so far; of `answers`, those that have left.
        failed: of these, without the effect wanted.
        amount_minor: of the orders made so far, and of those that are about to be.
    """
    seen = run.counts.get(_LOOKED, {}).get(scope, {})
    new_failed = max(0, failed - seen.get("failed", 0))
    stop = breaks(
        read_settings(run.settings).breaker,
        Figures(
            # A row that had settled and came back has failed since, and was answered before.
            answered=max(new_failed, answered - seen.get("answered", 0)),
            failed=new_failed,
            run_minor=max(0, amount_minor - seen.get("amountMinor", 0)),
        ),
    )
    return stop.code if stop is not None else None


def trip(
    session: Session,
    run: BatchRun,
    code: str,
    *,
    scope: str,
    answered: int,
    failed: int,
    amount_minor: int,
    now: datetime,
) -> None:
    """Stop the run; when a person has it go on, these figures are those that were looked at. The run is locked."""
    looked = {"answered": answered, "failed": failed, "amountMinor": amount_minor}
    run.tripped = code
    run.counts = run.counts | {_LOOKED: run.counts.get(_LOOKED, {}) | {scope: looked}}
    run.version += 1
    run.updated_at = now
    session.add(run)
    session.flush()
