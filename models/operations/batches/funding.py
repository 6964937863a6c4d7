"""Funding of payroll (代发资金): paid in, held for a run, used order by order, and let go. Functions over a session.

`0 <= held <= balance` holds at every moment: each write is one statement that asks for it, and the table has the
constraint. Amounts are minor units. The balance of an account is what was paid in, less what was used, plus what came
back.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, update

from models.domain.batches.payroll import source_fault
from models.domain.batches.postings import BatchAccount, pair
from models.errors import FieldFault, FormInvalid, FundingShort, NotFound, WrongState
from models.operations.batches.entries import post_entries
from models.tables.batch_clients import BatchClient, FundingAccount, FundingHold
from models.tables.batch_runs import BatchRun

HELD: Final = "held"
RELEASED: Final = "released"


def pay_in(
    session: Session, account: FundingAccount, *, amount_minor: int, key: str, value_date: date, now: datetime
) -> bool:
    """The client has paid in: the money counts once under the bank's reference of it. False: it is booked already."""
    booked = post_entries(
        session,
        f"funded/{account.id}/{key}",
        pair(BatchAccount.CLEARING, BatchAccount.FUNDING, amount_minor),
        tenant=account.tenant,
        run=None,
        order_id=None,
        value_date=value_date,
        now=now,
    )
    if not booked:
        return False
    _move(session, account.id, balance=amount_minor, held=0, now=now)
    return True


def hold_funding(session: Session, run: BatchRun, *, amount_minor: int, now: datetime) -> None:
    """Hold what a run needs of its account; repeated, it stays, and after a new cohort it becomes the new amount.

    Raises:
        FundingShort: less is free.
        FormInvalid: the run names no account of its client, or one from which these wages may not come.
        WrongState: the run has let its funding go.
    """
    account = _account_of(session, run)
    hold = session.get(FundingHold, run.token, with_for_update=True, populate_existing=True)
    if hold is not None and hold.state != HELD:
        raise WrongState(detail=run.token, params={"state": hold.state})
    more = amount_minor - (hold.amount_minor if hold is not None else 0)
    if more and not _move(session, account.id, balance=0, held=more, now=now):
        found = session.get_one(FundingAccount, account.id, populate_existing=True)
        free = found.balance_minor - found.held_minor + (hold.amount_minor if hold is not None else 0)
        raise FundingShort(detail=account.id, params={"availableMinor": free, "neededMinor": amount_minor})
    if hold is None:
        hold = FundingHold(
            run=run.token, tenant=run.tenant, account=account.id, amount_minor=amount_minor, state=HELD, held_at=now
        )
    hold.amount_minor = amount_minor
    session.add(hold)
    session.flush()


def use(session: Session, run: str, *, amount_minor: int, now: datetime) -> None:
    """One order's money has left: out of what is held, and out of the balance.

    Raises:
        FundingShort: the run holds less than that; nothing may leave beyond its control total.
    """
    hold = _hold(session, run)
    used = _change(session, run, amount_minor, col(FundingHold.state) == HELD)
    if not used or not _move(session, hold.account, balance=-amount_minor, held=-amount_minor, now=now):
        free = hold.amount_minor - hold.used_minor if hold.state == HELD else 0
        raise FundingShort(detail=run, params={"availableMinor": free, "neededMinor": amount_minor})


def give_back(session: Session, run: str, *, amount_minor: int, now: datetime) -> None:
    """One order's money has come back: onto the balance, and to what is held as long as the run holds anything."""
    hold = _hold(session, run)
    if not _change(session, run, -amount_minor):
        raise WrongState(detail=run, params={"state": "not-used"})
    held = amount_minor if hold.state == HELD else 0
    if not _move(session, hold.account, balance=amount_minor, held=held, now=now):
        raise WrongState(detail=run, params={"state": hold.state})


def release(session: Session, run: str, *, now: datetime) -> int | None:
    """Let go of what a run holds and did not use; from then on what comes back to it is free.

    Returns:
        How much, 0 where all was used; None: it held nothing, or has let it go before.
    """
    hold = session.get(FundingHold, run, with_for_update=True, populate_existing=True)
    if hold is None or hold.state != HELD:
        return None
    rest = hold.amount_minor - hold.used_minor
    if not _move(session, hold.account, balance=0, held=-rest, now=now):
        raise WrongState(detail=run, params={"state": hold.state})
    hold.state, hold.released_at = RELEASED, now
    session.add(hold)
    session.flush()
    return rest


def _account_of(session: Session, run: BatchRun) -> FundingAccount:
    account = session.get(FundingAccount, run.funding_account or "", populate_existing=True)
    client = session.get(BatchClient, run.client or "")
    if account is None or client is None or account.client != client.id or account.tenant != run.tenant:
        raise FormInvalid(faults=(FieldFault(pointer="/fundingAccount", code="not-known"),))
    fault = source_fault(account.account_kind, wage_project=client.wage_project)
    if fault is not None:
        raise FormInvalid(faults=(FieldFault(pointer="/fundingAccount", code=f"funding-{fault}"),))
    return account


def _hold(session: Session, run: str) -> FundingHold:
    hold = session.get(FundingHold, run, with_for_update=True, populate_existing=True)
    if hold is None:
        raise NotFound(detail=run)
    return hold


def _change(session: Session, run: str, amount_minor: int, *where: ColumnElement[bool]) -> bool:
    used = col(FundingHold.used_minor) + amount_minor
    changed = session.exec(
        update(FundingHold)
        .where(col(FundingHold.run) == run, used >= 0, used <= col(FundingHold.amount_minor), *where)
        .values(used_minor=used)
        .execution_options(synchronize_session=False)
    ).rowcount
    return bool(changed)


def _move(session: Session, account: str, *, balance: int, held: int, now: datetime) -> bool:
    """Change both figures at once, if the account stays covered; False: it would not, and nothing has changed."""
    now_there, now_held = col(FundingAccount.balance_minor) + balance, col(FundingAccount.held_minor) + held
    moved = session.exec(
        update(FundingAccount)
        .where(col(FundingAccount.id) == account, now_held >= 0, now_held <= now_there)
        .values(balance_minor=now_there, held_minor=now_held, version=FundingAccount.version + 1, updated_at=now)
        .execution_options(synchronize_session=False)
    ).rowcount
    return bool(moved)
