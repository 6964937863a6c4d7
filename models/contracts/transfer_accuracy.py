"""Payloads of the periodic check of moved records (信息准确性定期核对). Tokens, dates and counts."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AccuracyInput:
    """Check a sample of what transfers have brought into a tenant's book, as of a date (ISO)."""

    tenant: str
    on: str


@dataclass(frozen=True, kw_only=True, slots=True)
class AccuracyDone:
    """How many records were looked at, and for how many a person is asked."""

    checked: int
    findings: int
