"""Our credit transfers at an independent bank: taken, decided by the state of the payee's account, told to the cent."""

from datetime import timedelta
from pathlib import Path

import pytest

from activities.gateways.bank.folder import BankFolders, FolderBank
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.pain001 import write_pain001
from activities.gateways.bank.port import OutboundFile
from activities.gateways.bank.profiles import GENERIC_CNY, SEPA, BankProfile
from activities.gateways.bank.replies import ReplyItem, ReplyStatus
from deploy.demo.mock_bank import demo_iban, running_mock_bank
from tests.support.bank_files import TODAY, euro_transfer, transfer, transfer_file
from tests.support.clock import FakeClock

PROFILES = [pytest.param(GENERIC_CNY, id="generic-cny"), pytest.param(SEPA, id="sepa")]


def _paid(folder: Path, profile: BankProfile, behaviour: str = "accept") -> list[ReplyItem]:
    """What the bank says of two wages, the first of them into an account of its own with this behaviour."""
    folders, make = BankFolders(folder / "exchange"), euro_transfer if profile is SEPA else transfer
    port = FolderBank(folders, FakeClock(), settle_for=timedelta(days=-36500))
    items: list[ReplyItem] = []
    with running_mock_bank(folders, today=TODAY, currency=profile.currency) as bank:
        if profile is SEPA:
            bank.customer("WORKER", account=demo_iban(f"{1:010d}"), behaviour=behaviour)
        written = write_pain001(transfer_file(make(1), make(2), profile=profile), profile=profile, folder=folders.spool)
        port.send(OutboundFile(name=written.name, path=written.path, digest=written.digest))
        (taken,) = bank.take_files()
        assert taken["findings"] == []
        bank.advance_to(TODAY + timedelta(days=1))
        for file in port.replies():
            replies = open_replies(file.path)
            assert replies.faults == ()
            if replies.kind != "camt.053":
                items += [item for item in replies if item.end_to_end_id is not None]
    return items


@pytest.mark.parametrize("profile", PROFILES)
def test_transfers_are_accepted_then_leave_to_the_cent(tmp_path: Path, profile: BankProfile) -> None:
    items = _paid(tmp_path, profile)
    money = {item.end_to_end_id: (item.amount_minor, item.credit) for item in items if item.amount_minor}
    assert money.pop("CT00000001") == (200_01, False)
    assert money == {"CT00000002": (200_02, False)}
    assert {item.status for item in items if not item.amount_minor} == {ReplyStatus.ACCEPTED}


@pytest.mark.parametrize(("behaviour", "reason"), [("closed-account", "AC04"), ("bad-bank-id", "RC01")])
def test_a_payee_s_account_that_fails_refuses_its_transfer_alone(tmp_path: Path, behaviour: str, reason: str) -> None:
    items = _paid(tmp_path, SEPA, behaviour)
    refused = [(item.end_to_end_id, item.reason_code) for item in items if item.status is ReplyStatus.REJECTED]
    assert refused == [("CT00000001", reason)]
    assert [item.end_to_end_id for item in items if item.status is ReplyStatus.SETTLED] == ["CT00000002"]
