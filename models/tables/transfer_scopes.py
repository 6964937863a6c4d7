"""Conditions on a transfer job's rows that queries and operations share."""

from typing import Any

from sqlalchemy import exists
from sqlmodel import col

from models.domain.matching.settling import MATCH_REVIEW
from models.domain.transfers.states import MoveState, RowOutcome
from models.tables.transfer_departures import TransferDeparture
from models.tables.transfers import TransferRow


def in_question() -> tuple[Any, ...]:
    """Conditions on a row that matching may still change."""
    held_here = (col(TransferRow.outcome) == RowOutcome.HELD.value) & (col(TransferRow.reason_code) == MATCH_REVIEW)
    decided = col(TransferRow.outcome).in_((RowOutcome.ACCEPTED.value, RowOutcome.MERGED.value))
    return (decided | held_here, col(TransferRow.move).in_((MoveState.WAITING.value, MoveState.UNDONE.value)))


def not_departed(job: str) -> tuple[Any, ...]:
    """Conditions on a job's rows that have moved and whose record at the giving company is not looked at yet."""
    noted = exists().where(
        col(TransferDeparture.job) == col(TransferRow.job),
        col(TransferDeparture.row_number) == col(TransferRow.number),
        col(TransferDeparture.back_at).is_(None),
    )
    return (col(TransferRow.job) == job, col(TransferRow.move) == MoveState.MOVED.value, ~noted)
