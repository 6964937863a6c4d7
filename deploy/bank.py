"""The bank of each tenant: a folder of its own in the exchange directory, the account that collects, a calendar."""

from collections.abc import Callable, Iterable
from datetime import date
from functools import partial

import chinese_calendar

from activities.daily.filed_lines import filed_lines
from activities.exchange.accounts import account_index
from activities.exchange.bank import BankConnection, BankOf
from activities.gateways.bank.folder import BankFolders, FolderBank
from activities.gateways.bank.orders import Creditor
from activities.gateways.bank.profiles import GENERIC_CNY
from compliance.vault.keyring import Vault
from deploy.values import Settings
from models.database.engine import Database
from models.domain.bank_calendar import days_of_year
from models.domain.clock import Clock
from models.domain.reconciliation.records import FiledLine
from models.queries.bank_days import bank_days_of
from models.tables.tenants import Tenant


def banks(settings: Settings, database: Database, clock: Clock) -> BankOf:
    """The connection of a tenant, read anew each time: an account or a calendar that was set yesterday counts today."""

    def bank_of(tenant: str) -> BankConnection:
        with database.read() as session:
            row = session.get_one(Tenant, tenant)
            days = bank_days_of(session, tenant, otherwise=is_bank_day)
        folders = BankFolders(settings.exchange / "bank" / tenant)
        creditors = {}
        if row.collection_account is not None and row.collection_bank is not None:
            creditors[GENERIC_CNY.name] = Creditor(
                name=row.name, account=row.collection_account, bank=row.collection_bank
            )
        return BankConnection(
            port=FolderBank(folders, clock), spool=folders.spool, creditors=creditors, is_bank_day=days
        )

    return bank_of


def files_of(bank_of: BankOf, vault: Vault) -> Callable[[str], Iterable[FiledLine]]:
    """A tenant's booked entries as the files of its bank have them, for the reconciliation."""
    return lambda tenant: filed_lines(
        bank_of(tenant), tenant=tenant, account_index=partial(account_index, vault, tenant)
    )


def is_bank_day(day: date) -> bool:
    """Whether banks in the mainland work on a day (银行工作日), make-up Saturdays counted, by the built-in table.

    Raises:
        LookupError: the calendar of that year is not announced yet.
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError:
        raise LookupError(f"no calendar for {day.year}") from None


def built_in_days(year: int) -> list[dict[str, str]]:
    """A year of the built-in table as rows of a calendar: date, open or closed, and the holiday's name.

    Raises:
        LookupError: the table does not know the year.
    """
    return [
        {"date": day.isoformat(), "state": "open" if is_bank_day(day) else "closed", "reason": _reason(day)}
        for day in days_of_year(year)
    ]


def _reason(day: date) -> str:
    is_holiday, name = chinese_calendar.get_holiday_detail(day)
    if name is None:
        return ""
    known = str(chinese_calendar.Holiday(name).chinese)
    return known if is_holiday else f"{known}调休"
