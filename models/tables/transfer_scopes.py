"""Conditions on a transfer job's rows that queries and operations share."""

from typing import Any

from sqlmodel import col

from models.domain.matching.settling import MATCH_REVIEW
from models.domain.transfers.states import MoveState, RowOutcome
from models.tables.transfers import TransferRow


def in_question() -> tuple[Any, ...]:
    """Conditions on a row that matching may still change."""
    held_here = (col(TransferRow.outcome) == RowOutcome.HELD.value) & (col(TransferRow.reason_code) == MATCH_REVIEW)
    decided = col(TransferRow.outcome).in_((RowOutcome.ACCEPTED.value, RowOutcome.MERGED.value))
    return (decided | held_here, col(TransferRow.move).in_((MoveState.WAITING.value, MoveState.UNDONE.value)))
