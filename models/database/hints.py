"""Conditions that no index answers: SQLite keeps no statistics of ours, and takes what looks like few rows for few.

A column that nearly all rows share (the institution, a NULL) then wins over the list of keys that was really asked for,
and every chunk of a long run reads the whole table.
"""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col


def unindexed(column: Any) -> ColumnElement[str]:
    """A text column, spelt so that a condition on it looks at rows which another condition has found."""
    spelt: ColumnElement[str] = col(column) + ""
    return spelt
