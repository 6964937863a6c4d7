"""The bank reconciliation of a small bank, over its records or over the files of its bank."""

from datetime import date, timedelta

from activities.daily.filed_lines import filed_lines
from activities.exchange.accounts import account_index
from activities.gateways.bank.folder import FolderBank
from models.domain.reconciliation.compare import reconcile
from models.domain.reconciliation.differences import Reconciliation
from models.queries.reconciliation import Period, accounts_of, not_kept
from tests.support.daybook import TENANT, Daybook


def reconciled(book: Daybook, first: date, last: date, *, files: bool = False) -> Reconciliation:
    """Books against bank over a period, as of the day before the open date."""
    period = Period(tenant=TENANT, first=first, last=last, as_of=book.today() - timedelta(days=1))
    with book.database.read() as session:
        accounts = accounts_of(session, period, unknown=not_kept(session, _filed(book) if files else ()))
    return reconcile(accounts, is_bank_day=book.is_bank_day)


def _filed(book: Daybook):
    bank = book.connection(FolderBank(book.folders, book.clock))
    return filed_lines(bank, tenant=TENANT, account_index=lambda account: account_index(book.vault, TENANT, account))
