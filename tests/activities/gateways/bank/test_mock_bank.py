"""Against an independent bank: our files are taken, its answers are read, and each of its failures has its scenario."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from activities.gateways.bank.checks import check_pain008
from activities.gateways.bank.folder import BankFolders, FolderBank
from activities.gateways.bank.incoming import open_replies
from activities.gateways.bank.matching import NoMatch, SentOrder, index_orders, match
from activities.gateways.bank.orders import DebitOrder
from activities.gateways.bank.pain008 import write_pain008
from activities.gateways.bank.port import OutboundFile
from activities.gateways.bank.profiles import GENERIC_CNY, SEPA, BankProfile
from activities.gateways.bank.replies import ReplyItem, ReplyStatus
from deploy.demo.mock_bank import (
    ACCOUNT_CLOSED,
    INSUFFICIENT_FUNDS,
    MANDATE_GONE,
    Collected,
    MockBank,
    ScriptedFates,
    all_settle,
    demo_iban,
    rejected,
    returned,
    running_mock_bank,
    seeded_fates,
)
from tests.support.bank_files import TODAY, debit, debit_file, euro_debit, every_weekday, schema_of
from tests.support.clock import FakeClock

FRIDAY = TODAY + timedelta(days=4)


class Exchange:
    """Both sides of the folders, and what we sent."""

    def __init__(self, folders: BankFolders, port: FolderBank, bank: MockBank, profile: BankProfile) -> None:
        self.folders, self.port, self.bank, self.profile = folders, port, bank, profile
        self.orders: list[SentOrder] = []
        self.kinds: Counter[str] = Counter()

    def send(self, *debits: DebitOrder, number: int = 1, on: date = TODAY) -> OutboundFile:
        file = debit_file(*debits, profile=self.profile, number=number, on=on)
        written = write_pain008(file, profile=self.profile, folder=self.folders.spool)
        check_pain008(
            written.path,
            profile=self.profile,
            as_of=TODAY,
            is_bank_day=every_weekday,
            schema=schema_of(self.profile.pain008),
        ).require_ok()
        outbound = OutboundFile(name=written.name, path=written.path, digest=written.digest)
        self.port.send(outbound)
        self.orders += [
            SentOrder(
                order_id=each.instruction_id,
                message_id=file.message_id,
                batch_id=file.batches[0].batch_id,
                instruction_id=each.instruction_id,
                end_to_end_id=each.end_to_end_id,
                amount_minor=each.amount_minor,
                currency=each.currency,
            )
            for each in debits
        ]
        return outbound

    def answers(self) -> list[ReplyItem]:
        items: list[ReplyItem] = []
        for file in self.port.replies():
            replies = open_replies(file.path)
            assert replies.faults == ()
            self.kinds[replies.kind] += 1
            if replies.kind != "camt.053":
                items += replies
            self.port.settle(file)
        return items

    def told(self) -> list[tuple[str, ReplyStatus, str | None]]:
        """What the answers say of each order."""
        sent = index_orders(self.orders)
        return [
            (order.end_to_end_id, item.status, item.reason_code)
            for item in self.answers()
            for order in match(item, sent=sent).orders
        ]


@contextmanager
def _exchange(tmp_path: Path, profile: BankProfile, fate: object = all_settle) -> Iterator[Exchange]:
    folders = BankFolders(tmp_path / "exchange")
    port = FolderBank(folders, FakeClock(), settle_for=timedelta(days=-36500))  # the mock renames what is complete
    with running_mock_bank(folders, today=TODAY, currency=profile.currency, fate=fate) as bank:  # type: ignore[arg-type]
        yield Exchange(folders, port, bank, profile)


@pytest.mark.parametrize("profile", [pytest.param(GENERIC_CNY, id="generic-cny"), pytest.param(SEPA, id="sepa")])
def test_debits_are_accepted_then_settled_to_the_cent(tmp_path: Path, profile: BankProfile) -> None:
    make = euro_debit if profile is SEPA else debit
    with _exchange(tmp_path, profile) as exchange:
        exchange.send(make(1), make(2))
        (taken,) = exchange.bank.take_files()
        assert (taken["status"], taken["accepted"], taken["findings"]) == ("ACCP", 2, [])
        # The report speaks of the file, of each order and of the batch.
        assert Counter(exchange.told()) == {
            ("CW00000001", ReplyStatus.ACCEPTED, None): 3,
            ("CW00000002", ReplyStatus.ACCEPTED, None): 3,
        }
        exchange.bank.advance_to(TODAY + timedelta(days=1))
        booked = exchange.answers()
        assert [(item.end_to_end_id, item.status, item.amount_minor) for item in booked] == [
            ("CW00000001", ReplyStatus.SETTLED, 100_01),
            ("CW00000002", ReplyStatus.SETTLED, 100_02),
        ]
        assert {item.value_date for item in booked} == {TODAY + timedelta(days=1)}


@pytest.mark.parametrize("reason", [INSUFFICIENT_FUNDS, ACCOUNT_CLOSED, MANDATE_GONE])
def test_a_debit_is_rejected_before_it_settles(tmp_path: Path, reason: str) -> None:
    fates = ScriptedFates({"mdt-000001": [rejected(reason)]})
    with _exchange(tmp_path, GENERIC_CNY, fates) as exchange:
        exchange.send(debit(1), debit(2))
        exchange.bank.take_files()
        assert exchange.told()[-1] == ("CW00000001", ReplyStatus.REJECTED, reason)
        exchange.bank.advance_to(FRIDAY)
        assert exchange.told() == [("CW00000002", ReplyStatus.SETTLED, None)]


def test_a_debit_comes_back_days_after_it_settled(tmp_path: Path) -> None:
    fates = ScriptedFates({"mdt-000001": [returned(INSUFFICIENT_FUNDS, days=3)]})
    with _exchange(tmp_path, GENERIC_CNY, fates) as exchange:
        exchange.send(debit(1))
        exchange.bank.take_files()
        exchange.bank.advance_to(TODAY + timedelta(days=1))
        assert exchange.told()[-1] == ("CW00000001", ReplyStatus.SETTLED, None)
        exchange.bank.advance_to(TODAY + timedelta(days=3))
        assert exchange.told() == []
        exchange.bank.advance_to(TODAY + timedelta(days=4))
        assert exchange.told() == [("CW00000001", ReplyStatus.RETURNED, INSUFFICIENT_FUNDS)]
        assert exchange.kinds["pacs.004"] == 1


def test_the_same_mandate_fails_then_succeeds(tmp_path: Path) -> None:
    fates = ScriptedFates({"mdt-000001": [rejected()]})
    with _exchange(tmp_path, GENERIC_CNY, fates) as exchange:
        exchange.send(debit(1))
        exchange.bank.take_files()
        exchange.bank.advance_to(TODAY + timedelta(days=1))
        exchange.answers()
        exchange.send(
            debit(1, end_to_end_id="CW-second", instruction_id="dbo-second"), number=2, on=TODAY + timedelta(days=1)
        )
        exchange.bank.take_files()
        exchange.bank.advance_to(FRIDAY)
        assert exchange.told()[-1] == ("CW-second", ReplyStatus.SETTLED, None)


def test_a_file_sent_twice_is_a_duplicate_notice_and_no_rejection(tmp_path: Path) -> None:
    with _exchange(tmp_path, GENERIC_CNY) as exchange:
        file = exchange.send(debit(1))
        exchange.bank.take_files()
        exchange.answers()
        (exchange.folders.outbox / file.name).write_bytes(file.path.read_bytes())  # as after the worst crash
        exchange.bank.take_files()
        (notice,) = exchange.answers()
        assert notice.is_duplicate_notice
        assert match(notice, sent=index_orders(exchange.orders)).reason is NoMatch.DUPLICATE_NOTICE
        exchange.bank.advance_to(FRIDAY)
        assert exchange.told() == [("CW00000001", ReplyStatus.SETTLED, None)]


def test_a_file_refused_whole_rejects_every_order(tmp_path: Path) -> None:
    with _exchange(tmp_path, GENERIC_CNY) as exchange:
        exchange.bank.sender_behaves("reject-file")
        exchange.send(debit(1), debit(2))
        exchange.bank.take_files()
        assert exchange.told() == [
            ("CW00000001", ReplyStatus.REJECTED, "FF01"),
            ("CW00000002", ReplyStatus.REJECTED, "FF01"),
        ]


def test_a_bank_that_sends_no_status_report_still_tells_of_money(tmp_path: Path) -> None:
    with _exchange(tmp_path, GENERIC_CNY) as exchange:
        exchange.bank.sender_behaves("silent")
        exchange.send(debit(1))
        exchange.bank.take_files()
        assert exchange.answers() == []
        exchange.bank.advance_to(FRIDAY)
        assert exchange.told() == [("CW00000001", ReplyStatus.SETTLED, None)]


def test_an_entry_missing_from_the_statement_is_seen_by_its_key(tmp_path: Path) -> None:
    with _exchange(tmp_path, GENERIC_CNY) as exchange:
        exchange.bank.sender_behaves("statement-gap")
        exchange.send(debit(1), debit(2))
        exchange.bank.take_files()
        exchange.bank.advance_to(FRIDAY)
        notified, stated = set(), set()
        for file in exchange.port.replies():
            replies = open_replies(file.path)
            keys = {item.key for item in replies}
            if replies.kind == "camt.053":
                stated |= keys
            elif replies.kind == "camt.054":
                notified |= keys
        assert stated < notified
        assert len(notified - stated) == 1


@pytest.mark.parametrize(
    ("behaviour", "fields", "told"),
    [
        ("insufficient-funds", {"balance": 100}, [("CW00000001", ReplyStatus.REJECTED, "AM04")]),
        ("closed-account", {}, [("CW00000001", ReplyStatus.REJECTED, "AC04")]),
        (
            "return-later",
            {"parameters": {"days": 2, "reason": "MD01"}},
            [("CW00000001", ReplyStatus.SETTLED, None), ("CW00000001", ReplyStatus.RETURNED, "MD01")],
        ),
    ],
)
def test_a_debtor_at_the_same_bank_decides_by_the_state_of_the_account(
    tmp_path: Path, behaviour: str, fields: dict[str, object], told: list[tuple[str, ReplyStatus, str | None]]
) -> None:
    with _exchange(tmp_path, SEPA) as exchange:
        exchange.bank.customer("DEBTOR", account=demo_iban(f"{1:010d}"), behaviour=behaviour, **fields)
        exchange.send(euro_debit(1), euro_debit(2))
        exchange.bank.take_files()
        exchange.bank.advance_to(FRIDAY)
        mine = [each for each in exchange.told() if each[0] == "CW00000001" and each[1] is not ReplyStatus.ACCEPTED]
        assert mine == told


def test_a_file_asked_for_a_holiday_settles_on_the_next_bank_day(tmp_path: Path) -> None:
    folders = BankFolders(tmp_path / "exchange")
    port = FolderBank(folders, FakeClock(), settle_for=timedelta(days=-36500))
    closed = [TODAY + timedelta(days=1), TODAY + timedelta(days=2)]
    with running_mock_bank(folders, today=TODAY, holidays=closed) as bank:
        exchange = Exchange(folders, port, bank, GENERIC_CNY)
        exchange.send(debit(1))
        bank.take_files()
        bank.advance_to(FRIDAY)
        (booked,) = [item for item in exchange.answers() if item.status is ReplyStatus.SETTLED]
        assert booked.value_date == TODAY + timedelta(days=3)


def test_luck_by_seed_repeats_itself_and_strikes_at_its_rate() -> None:
    debits = [
        Collected(end_to_end_id=f"E{number}", mandate_id="m", account="a", amount_minor=1) for number in range(5_000)
    ]
    first = [seeded_fates(7, rejected_rate=0.1, returned_rate=0.05)(each) for each in debits]
    again = [seeded_fates(7, rejected_rate=0.1, returned_rate=0.05)(each) for each in reversed(debits)]
    assert first == again[::-1]
    assert first != [seeded_fates(8, rejected_rate=0.1, returned_rate=0.05)(each) for each in debits]
    struck = Counter("settled" if fate.reason is None else "back" if fate.days else "rejected" for fate in first)
    assert 400 < struck["rejected"] < 600
    assert 180 < struck["back"] < 320
