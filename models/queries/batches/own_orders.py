"""Orders that a batch made itself, and not the daily run (`BatchOrder.debit_order`)."""

from sqlalchemy import ColumnElement

from models.database.hints import unindexed
from models.tables.batch_runs import BatchOrder


def not_of_daily_run() -> ColumnElement[bool]:
    """No row of the daily run takes the money: the order does. Nearly all orders stand under that NULL."""
    return unindexed(BatchOrder.debit_order).is_(None)
