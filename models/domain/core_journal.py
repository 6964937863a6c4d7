"""The core's journal of a day (核心流水) with its control totals, and how it differs from our ledger.

Amounts are minor units with the sign of our ledger: debits are positive, credits negative.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalLine:
    """One entry that the core booked; `reference` is the core's own and names no person."""

    reference: str
    account: str
    amount_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlTotals:
    """What a journal says about itself: number of lines, sum of debits, sum of credits (positive)."""

    count: int
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JournalFile:
    """The journal of one tenant and business date (会计日期). Its control totals have been checked."""

    tenant: str
    business_date: date
    currency: str
    lines: tuple[JournalLine, ...]
    control: ControlTotals


@dataclass(frozen=True, kw_only=True, slots=True)
class AccountTotals:
    """The debits and the credits of one account in one day, both positive minor units."""

    debit_minor: int = 0
    credit_minor: int = 0

    def plus(self, amount_minor: int) -> "AccountTotals":
        """With one more entry, debit positive."""
        if amount_minor >= 0:
            return AccountTotals(debit_minor=self.debit_minor + amount_minor, credit_minor=self.credit_minor)
        return AccountTotals(debit_minor=self.debit_minor, credit_minor=self.credit_minor - amount_minor)


class DifferenceKind(StrEnum):
    """On which side an account stands that does not agree."""

    CORE_ONLY = "core-only"
    OURS_ONLY = "ours-only"
    AMOUNT = "amount"


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """An account on which the core and our ledger do not agree (对账差异)."""

    account: str
    kind: DifferenceKind
    core: AccountTotals
    ours: AccountTotals

    @property
    def net_minor(self) -> int:
        """The core's balance movement less ours, debit positive. Zero if only the gross sums differ."""
        return (self.core.debit_minor - self.core.credit_minor) - (self.ours.debit_minor - self.ours.credit_minor)


NOTHING: Final = AccountTotals()


def control_totals(lines: Iterable[JournalLine]) -> ControlTotals:
    """Count and sums of these lines."""
    count, sums = 0, NOTHING
    for line in lines:
        count, sums = count + 1, sums.plus(line.amount_minor)
    return ControlTotals(count=count, debit_minor=sums.debit_minor, credit_minor=sums.credit_minor)


def totals_by_account(entries: Iterable[tuple[str, int]]) -> dict[str, AccountTotals]:
    """Totals of `(account, amount in minor units, debit positive)`: entries of our ledger or of a journal."""
    totals: dict[str, AccountTotals] = {}
    for account, amount_minor in entries:
        totals[account] = totals.get(account, NOTHING).plus(amount_minor)
    return totals


def differences(journal: JournalFile, *, ours: Mapping[str, AccountTotals]) -> tuple[Difference, ...]:
    """Where the core's journal and our ledger of the same business date do not agree, by account.

    Debits and credits are compared apart: a booking that the core reversed and we did not, or the other way round,
    leaves the balance alone and is a difference all the same. Nothing found is the day reconciled.

    Args:
        journal: the core's journal of the day.
        ours: our ledger's totals of the day; an account without movement may be left out.
    """
    core = totals_by_account((line.account, line.amount_minor) for line in journal.lines)
    return tuple(
        Difference(
            account=account,
            kind=_kind(in_core=account in core, in_ours=account in ours),
            core=core.get(account, NOTHING),
            ours=ours.get(account, NOTHING),
        )
        for account in sorted(core.keys() | ours.keys())
        if core.get(account, NOTHING) != ours.get(account, NOTHING)
    )


def _kind(*, in_core: bool, in_ours: bool) -> DifferenceKind:
    if in_core and in_ours:
        return DifferenceKind.AMOUNT
    return DifferenceKind.CORE_ONLY if in_core else DifferenceKind.OURS_ONLY
