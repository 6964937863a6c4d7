"""The ledger as sums: trial balance of a date, and whether the books say what the states of the agreements say."""

from datetime import date

from sqlmodel import Session, col, func, select

from models.domain.servicing.ledger import Account, balances
from models.domain.servicing.snapshot import state_from
from models.tables.agreements import Agreement, LedgerEntry


def trial_balance(session: Session, *, tenant: str, on: date) -> dict[Account, int]:
    """Balance of every account at the end of a business date, minor units, debit positive (试算平衡表).

    The balances add up to zero if the books balance.
    """
    return _sums(session, tenant, col(LedgerEntry.booked_on) <= on)


def day_totals(session: Session, *, tenant: str, on: date) -> dict[Account, int]:
    """What was booked on one business date, by account; it adds up to zero if every journal of the date did."""
    return _sums(session, tenant, col(LedgerEntry.booked_on) == on)


def differences(session: Session, *, tenant: str, on: date) -> dict[str, int]:
    """Where the ledger and the states of the agreements disagree: minor units by `<agreement>/<account>`; empty if not.

    Reads every agreement: for the check of a night, not of a step.
    """
    booked = {
        (agreement_id, account): int(total)
        for agreement_id, account, total in session.exec(
            select(LedgerEntry.agreement_id, LedgerEntry.account, func.sum(LedgerEntry.amount_minor))
            .where(
                col(LedgerEntry.tenant) == tenant,
                col(LedgerEntry.booked_on) <= on,
                col(LedgerEntry.agreement_id).is_not(None),
            )
            .group_by(col(LedgerEntry.agreement_id), col(LedgerEntry.account))
        ).all()
    }
    found = {}
    heads = session.exec(select(Agreement.id, Agreement.snapshot).where(col(Agreement.tenant) == tenant)).all()
    for agreement_id, snapshot in heads:
        wanted = balances(state_from(snapshot) if snapshot is not None else None)
        for account, amount in wanted.items():
            gap = booked.pop((agreement_id, account.value), 0) - amount
            if gap:
                found[f"{agreement_id}/{account}"] = gap
    found |= {f"{agreement_id}/{account}": amount for (agreement_id, account), amount in booked.items() if amount}
    return found


def _sums(session: Session, tenant: str, condition: object) -> dict[Account, int]:
    sums = dict.fromkeys(Account, 0)
    rows = session.exec(
        select(LedgerEntry.account, func.sum(LedgerEntry.amount_minor))
        .where(col(LedgerEntry.tenant) == tenant, condition)  # type: ignore[arg-type]
        .group_by(col(LedgerEntry.account))
    ).all()
    return sums | {Account(account): int(total) for account, total in rows}
