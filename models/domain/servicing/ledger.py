"""Double entry (复式记账) derived from states: what an event posts is the difference that it makes to the balances.

Balances follow from a state alone, so the postings of any history add up to them, and a tail that is recomputed posts
only what it changed, on the day on which that became known. Interest and fees become receivable as their row falls due.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

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
    found = dict.fromkeys(Account, 0)
    if state is None:
        return found
    ahead = sum(row.paid_interest_minor + row.paid_fee_minor for row in state.coming_rows)
    found[Account.BANK_CLEARING] = state.received_minor - state.refunded_minor
    found[Account.CUSTOMER_CREDIT] = -state.credit_minor - ahead
    found[Account.SUSPENSE] = state.refund_gap_minor
    if not state.active:
        return found
    due = state.due_rows
    principal = state.unpaid_principal_minor
    interest = sum(row.unpaid_interest_minor for row in due)
    fee = sum(row.unpaid_fee_minor for row in due)
    late = state.late_unpaid_minor
    taken_over = sum(row.principal_minor for row in state.rows) + state.prepaid_minor + state.waived_elsewhere_minor
    found[Account.CARD_RECEIVABLE] = -taken_over
    found[Account.INTEREST_INCOME] = -sum(row.interest_minor for row in due) - state.late_accrued_minor
    found[Account.FEE_INCOME] = -sum(row.fee_minor for row in due)
    found[Account.WAIVER_EXPENSE] = state.waived_minor
    if state.written_off:
        found[Account.WRITE_OFF_EXPENSE] = principal + interest + fee + late
    else:
        found[Account.INSTALLMENT_PRINCIPAL] = principal
        found[Account.INTEREST_RECEIVABLE] = interest
        found[Account.FEE_RECEIVABLE] = fee
        found[Account.LATE_INTEREST_RECEIVABLE] = late
    return found


def postings(before: State | None, after: State, *, business_date: date) -> tuple[Posting, ...]:
    """What is booked as one state takes the place of another; it adds up to zero.

    Args:
        before: the state that is booked so far, on whichever knowledge; None before the first.
        after: the state now.
        business_date: the open day of the journal, not the value date of what changed.
    """
    old, new = balances(before), balances(after)
    return tuple(
        Posting(account=account, amount_minor=new[account] - old[account], business_date=business_date)
        for account in Account
        if new[account] != old[account]
    )


def trial_balance(journal: Iterable[Posting]) -> dict[Account, int]:
    """Sums per account (试算平衡); their sum is zero if the books balance."""
    sums = dict.fromkeys(Account, 0)
    for line in journal:
        sums[line.account] += line.amount_minor
    return sums
