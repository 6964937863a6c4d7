"""The bank of the demo: it answers in step with our dates, and its files lie ready without waiting."""

from datetime import timedelta
from pathlib import Path

from activities.gateways.bank.folder import BankFolders, FolderBank
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.port import OutboundFile
from activities.gateways.bank.profiles import GENERIC_CNY
from deploy.clock import wall_clock
from deploy.demo.counterparty import Counterparty
from deploy.demo.mock_bank import ScriptedFates, rejected, returned, running_mock_bank
from tests.support.bank_files import TODAY, debit, debit_file

ACCOUNT = "0000000000000000"


def test_it_settles_refuses_and_returns_by_account_and_its_balance_is_what_stayed(tmp_path: Path) -> None:
    kept, refused, back = debit(1), debit(2), debit(3)
    fates = ScriptedFates({refused.debtor_account: [rejected()], back.debtor_account: [returned(days=3)]})
    folders = BankFolders(tmp_path / "bank" / "main")
    with running_mock_bank(folders, today=TODAY, fate=fates) as bank:
        side, port = Counterparty(bank, folders), FolderBank(folders, wall_clock)
        side.morning(TODAY)
        written = write_pain008(debit_file(kept, refused, back), profile=GENERIC_CNY, folder=folders.spool)
        port.send(OutboundFile(name=written.name, path=written.path, digest=written.digest))
        assert side.evening(), "it has to settle"
        assert [open_replies(file.path).kind for file in port.replies()], "files count as complete at once"
        for days in range(1, 8):
            side.morning(TODAY + timedelta(days=days))
        assert not bank.is_waiting()
        entries = {entry.debit.end_to_end_id: (entry.booked, entry.returned) for entry in side.entries()}
        assert entries == {
            kept.end_to_end_id: (True, False),
            refused.end_to_end_id: (False, False),
            back.end_to_end_id: (True, True),
        }
        assert bank.balance_minor() == kept.amount_minor


def test_another_account_may_collect(tmp_path: Path) -> None:
    folders = BankFolders(tmp_path / "bank" / "main")
    with running_mock_bank(folders, today=TODAY, collects_on=ACCOUNT) as bank:
        assert bank.balance_minor() == 0
        assert not bank.is_waiting()
