"""Double entry (复式记账) derived from states: what an event posts is the difference that it makes to the balances.

Balances follow from a state alone, so the postings of any history add up to them, and a tail that is recomputed posts
only what it changed, on the day on which that became known. Interest and fees become receivable as their row falls due.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, NamedTuple

from models.domain.servicing.state import State


class Account(StrEnum):
    """Accounts of the sub-ledger. Amounts are debit positive."""

    CARD_RECEIVABLE = "card-receivable"  # the card debt that was given over into the agreement
    INSTALLMENT_PRINCIPAL = "installment-principal"  # 分期本金
    INTEREST_RECEIVABLE = "interest-receivable"  # 应收利息
    FEE_RECEIVABLE = "fee-receivable"  # 应收费用
    LATE_INTEREST_RECEIVABLE = "late-interest-receivable"  # 应收罚息
    INTEREST_INCOME = "interest-income"  # 利息收入, late interest included
    FEE_INCOME = "fee-income"  # 手续费收入
    BANK_CLEARING = "bank-clearing"  # 待清算
    CUSTOMER_CREDIT = "customer-credit"  # 溢缴款 and what was paid ahead of its due date
    SUSPENSE = "suspense"  # refunds whose payment was taken back
    WAIVER_EXPENSE = "waiver-expense"  # 减免支出
    WRITE_OFF_EXPENSE = "write-off-expense"  # 核销损失, less recoveries


_ZERO: Final = dict.fromkeys(Account, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Posting:
    """One line of the journal: minor units, debit above zero, credit below."""

    account: Account
    amount_minor: int
    business_date: date


def balances(state: State | None) -> dict[Account, int]:
    """The balance of every account for one agreement; all zero for None, before anything was booked.

    The balances of a state add up to zero.
    """
    found = dict(_ZERO)
    if state is None:
        return found
    sums = _sums(state)
    found[Account.BANK_CLEARING] = state.received_minor - state.refunded_minor
    found[Account.CUSTOMER_CREDIT] = -state.credit_minor - sums.paid_ahead
    found[Account.SUSPENSE] = state.refund_gap_minor
    if not state.active:
        return found
    late = state.late_unpaid_minor
    found[Account.CARD_RECEIVABLE] = -(sums.principal + state.prepaid_minor + state.waived_elsewhere_minor)
    found[Account.INTEREST_INCOME] = -sums.due_interest - state.late_accrued_minor
    found[Account.FEE_INCOME] = -sums.due_fee
    found[Account.WAIVER_EXPENSE] = sums.waived + state.waived_elsewhere_minor + state.late_waived_minor
    if state.written_off:
        found[Account.WRITE_OFF_EXPENSE] = sums.unpaid_principal + sums.unpaid_due_interest + sums.unpaid_due_fee + late
    else:
        found[Account.INSTALLMENT_PRINCIPAL] = sums.unpaid_principal
        found[Account.INTEREST_RECEIVABLE] = sums.unpaid_due_interest
        found[Account.FEE_RECEIVABLE] = sums.unpaid_due_fee
        found[Account.LATE_INTEREST_RECEIVABLE] = late
    return found


class _Sums(NamedTuple):
    principal: int
    unpaid_principal: int
    waived: int
    paid_ahead: int
    due_interest: int
    due_fee: int
    unpaid_due_interest: int
    unpaid_due_fee: int


def _sums(state: State) -> _Sums:
    """One pass over the rows: this runs twice for every agreement that is booked on."""
    principal = unpaid = waived = ahead = 0
    due_interest = due_fee = unpaid_interest = unpaid_fee = 0
    for index, (_, _, p, i, f, pp, pi, pf, wp, wi, wf) in enumerate(state.rows):
        principal += p
        unpaid += p - pp - wp
        waived += wp + wi + wf
        if index < state.due_count:
            due_interest += i
            due_fee += f
            unpaid_interest += i - pi - wi
            unpaid_fee += f - pf - wf
        else:
            ahead += pi + pf
    return _Sums(principal, unpaid, waived, ahead, due_interest, due_fee, unpaid_interest, unpaid_fee)


def postings(before: State | None, after: State, *, business_date: date) -> tuple[Posting, ...]:
    """What is booked as one state takes the place of another; it adds up to zero.

    Args:
        before: the state that is booked so far, on whichever knowledge; None before the first.
        after: the state now.
        business_date: the open day of the journal, not the value date of what changed.
    """
    old, new = balances(before), balances(after)
    return tuple(
        Posting(account=account, amount_minor=balance - old[account], business_date=business_date)
        for account, balance in new.items()
        if balance != old[account]
    )


def trial_balance(journal: Iterable[Posting]) -> dict[Account, int]:
    """Sums per account (试算平衡); their sum is zero if the books balance."""
    sums = dict.fromkeys(Account, 0)
    for line in journal:
        sums[line.account] += line.amount_minor
    return sums
