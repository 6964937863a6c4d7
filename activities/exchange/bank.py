"""What the daily run needs to know of a tenant's bank: the port, where files are written, and who collects."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from activities.gateways.bank.orders import Creditor
from activities.gateways.bank.port import BankPort


@dataclass(frozen=True, kw_only=True, slots=True)
class BankConnection:
    """One tenant's bank.

    Attributes:
        port: how files go and come.
        spool: where a file is written and checked before it goes out; outside the data directory.
        creditors: who collects, by the name of the bank profile.
        is_bank_day: the bank's calendar. For a date without a calendar it raises `LookupError`: debits of such a date
            are not moved.
    """

    port: BankPort
    spool: Path
    creditors: Mapping[str, Creditor]
    is_bank_day: Callable[[date], bool]


BankOf = Callable[[str], BankConnection]
"""The bank of a tenant, by its code."""
