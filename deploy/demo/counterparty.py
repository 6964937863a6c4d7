"""The bank over the months of the demo: it keeps step with our business dates, and its files lie ready each morning."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from activities.gateways.bank.folder import BankFolders
from deploy.demo.customer import account_of
from deploy.demo.lives import Life
from deploy.demo.mock_bank import Entry, MockBank, ScriptedFates, running_mock_bank

# Older than the time for which a file must have lain still: files come into the inbox whole, by a rename.
_LAIN_SECONDS: Final = 60


@dataclass(slots=True)
class Counterparty:
    """The bank and the folders between us."""

    bank: MockBank
    folders: BankFolders

    def morning(self, today: date) -> None:
        """The bank works until the morning of a date; what it says lies in the inbox."""
        self.bank.advance_to(today)
        self._deliver()

    def evening(self) -> bool:
        """The bank reads what we sent; answers whether it has anything to say about debits in the days to come."""
        self.bank.take_files()
        self._deliver()
        return self.bank.is_waiting() or any(self.folders.inbox.iterdir())

    def entries(self) -> list[Entry]:
        """Every debit that the bank read."""
        return self.bank.entries()

    def _deliver(self) -> None:
        for path in self.folders.inbox.iterdir():
            _age(path)


@contextmanager
def counterparty(
    exchange: Path, lives: list[Life], *, tenant: str, today: date, account: str
) -> Iterator[Counterparty]:
    """The bank of an institution, with what it will make of the debits of each life.

    Args:
        exchange: the exchange directory of the stack.
        lives: those with a course; their fates go by the account that is debited.
        tenant: whose bank.
        today: the bank's first date, our open business date.
        account: number of the account that collects.
    """
    folders = BankFolders(exchange / "bank" / tenant)
    fates = ScriptedFates({account_of(life.row.mobile): life.course.fates for life in lives if life.course is not None})
    with running_mock_bank(folders, today=today, fate=fates, collects_on=account) as bank:
        yield Counterparty(bank, folders)


def _age(path: Path) -> None:
    with suppress(FileNotFoundError):  # we have just taken it
        written = path.stat().st_mtime
        os.utime(path, (written - _LAIN_SECONDS, written - _LAIN_SECONDS))
