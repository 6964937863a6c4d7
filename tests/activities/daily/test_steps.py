"""Each step by itself: repeated, interrupted, poisoned, refused; nothing is lost and nothing doubles."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from activities.daily import arrears, bank_file, post_money
from deploy.demo.mock_bank import rejected
from models.domain.servicing.events import Event, EventKind, PaymentChannel
from models.domain.servicing.ledger import Account
from models.domain.tokens import new_token
from models.errors import WrongState
from models.operations.booking import NewEvent
from models.operations.booking import book as book_events
from models.tables.agreements import Agreement, Mandate
from models.tables.daily import BankFile, BankReply, DailyException, DebitOrder, Ticket
from models.tables.notices import Notice
from models.tables.tenants import Tenant
from tests.support.daybook import ONE_DAY, START, STEPS, TENANT, Daybook, daybook, fate_of
from tests.support.daybook import level_rows as rows_from

FIRST_DUE = date(2026, 11, 26)


def level_rows(count: int):
    return rows_from(count, start=date(2026, 10, 26))


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def book(database, vault, clock, tmp_path: Path):
    with daybook(database, vault, clock, tmp_path) as opened:
        yield opened


def _to_first_due(book: Daybook) -> None:
    book.run_until(FIRST_DUE - ONE_DAY, check=False)


def test_every_step_twice_is_every_step_once(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(1))
    _to_first_due(book)
    for day in (FIRST_DUE, FIRST_DUE + ONE_DAY):
        book.run_day(day, twice=True)
    assert [(order.attempt, order.state) for order in book.orders(agreement)] == [(1, "SETTLED")]
    assert book.events(agreement) == ["activated", "payment"]
    assert len(book.news(agreement)) == 1
    assert book.check_books(FIRST_DUE + ONE_DAY)[Account.BANK_CLEARING] == 101_000
    kinds = sorted(notice.kind for notice in book.all(Notice))
    assert kinds == ["due-reminder", "payment-received"]


@pytest.mark.parametrize("where", ["write_pain008", "check_pain008"])
def test_a_file_that_was_being_written_when_the_process_died_goes_out_once_and_unchanged(
    book: Daybook, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    agreement = book.agree(rows=level_rows(1))
    _to_first_due(book)
    for step in STEPS[:-2]:
        book.run_step(step, FIRST_DUE)
    with monkeypatch.context() as patched:
        patched.setattr(bank_file, where, _die)
        with pytest.raises(Killed):
            book.run_step("send_file", FIRST_DUE)
    book.clock.advance(hours=3)
    book.run_step("send_file", FIRST_DUE)
    (file,) = book.all(BankFile, col(BankFile.direction) == "out")
    content = (book.folders.outbox / file.name).read_bytes()
    assert b"2026-11-25T10:00:00" in content  # when it was reserved, not when it was written
    assert (file.state, file.items, file.total_minor) == ("SENT", 1, 101_000)
    assert [order.state for order in book.orders(agreement)] == ["SENT"]


def test_a_file_written_again_has_the_same_bytes_and_does_not_go_out_again(book: Daybook, monkeypatch) -> None:
    for _ in range(3):
        book.agree(rows=level_rows(1))
    _to_first_due(book)
    for step in STEPS[:-2]:
        book.run_step(step, FIRST_DUE)
    with monkeypatch.context() as patched:
        patched.setattr(bank_file.FileSender, "_mark_sent", _die)  # handed over, and then nobody wrote it down
        with pytest.raises(Killed):
            book.run_step("send_file", FIRST_DUE)
    (file,) = book.all(BankFile, col(BankFile.direction) == "out")
    first = (book.folders.outbox / file.name).read_bytes()
    (book.folders.outbox / file.name).unlink()  # the bank has taken it
    copies = []
    book.clock.advance(hours=5)
    monkeypatch.setattr(bank_file, "check_pain008", lambda path, **_: copies.append(path.read_bytes()) or _Fine())
    book.run_step("send_file", FIRST_DUE)
    assert copies == [first]
    assert not (book.folders.outbox / file.name).exists()
    assert {order.state for order in book.orders()} == {"SENT"}
    assert list(book.folders.spool.iterdir()) == []  # it names people


@pytest.mark.parametrize("module", [post_money, arrears], ids=["post", "arrears"])
def test_a_chunk_that_dies_half_way_leaves_nothing_and_is_done_again(book: Daybook, monkeypatch, module) -> None:
    agreements = [book.agree(rows=level_rows(1)) for _ in range(3)]
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    day = FIRST_DUE + ONE_DAY
    book.bank.advance_to(day)
    real = module.book

    def dies_after(*args, **keywords):
        real(*args, **keywords)
        raise Killed

    for step in STEPS:
        with monkeypatch.context() as patched:
            patched.setattr(module, "book", dies_after)
            try:
                book.run_step(step, day)
            except Killed:
                patched.undo()
                book.run_step(step, day)
    assert all(book.events(each) == ["activated", "payment"] for each in agreements)
    assert book.check_books(day)[Account.BANK_CLEARING] == 303_000


def test_one_bad_agreement_is_set_apart_and_the_others_go_on(book: Daybook) -> None:
    good = [book.agree(rows=level_rows(1)) for _ in range(8)]
    bad = book.agree(rows=level_rows(1))
    book.change(lambda session: _spoil(session, bad.id))
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    assert {order.agreement_id for order in book.orders()} == {each.id for each in good}
    assert {step for step, _ in book.exceptions()} == {"arrears", "debit-orders"}
    assert {each.target.partition("/")[0] for each in book.all(DailyException)} == {bad.id}
    assert book.run_of(FIRST_DUE).state == "DONE"


def test_a_broken_file_goes_into_quarantine_and_the_rest_is_taken(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(1))
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    (book.folders.inbox / "aa-broken.xml").write_bytes(b"<Document><half")
    book.run_day(FIRST_DUE + ONE_DAY)
    assert book.exceptions() == [("take-replies", "file-unreadable")]
    assert [file.state for file in book.all(BankFile, col(BankFile.kind) == "unknown")] == ["QUARANTINED"]
    assert [order.state for order in book.orders(agreement)] == ["SETTLED"]


def test_a_file_that_came_twice_is_booked_once(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(2))
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    book.run_day(FIRST_DUE + ONE_DAY)
    for kept in book.folders.done.iterdir():
        shutil.copy(kept, book.folders.inbox / f"again-{kept.name[-60:]}")
    book.run_day(FIRST_DUE + 2 * ONE_DAY)
    assert book.events(agreement) == ["activated", "payment"]
    assert book.check_books(FIRST_DUE + 2 * ONE_DAY)[Account.BANK_CLEARING] == 101_000


def test_money_that_matches_no_order_waits_in_suspense(book: Daybook) -> None:
    book.agree(rows=level_rows(1))
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    book.change(_rename)  # the bank will speak of an order that we do not know
    book.run_day(FIRST_DUE + ONE_DAY)
    balance = book.check_books(FIRST_DUE + ONE_DAY)
    assert (balance[Account.BANK_CLEARING], balance[Account.SUSPENSE]) == (101_000, -101_000)
    assert [reply.state for reply in book.all(BankReply, col(BankReply.status) == "SETTLED")] == ["SUSPENSE"]
    assert ("take-replies", "unknown-id") in book.exceptions()


@pytest.mark.parametrize("obstacle", ["mandate-revoked", "mandate-over", "no-mandate", "dispute", "paid"])
def test_what_stands_against_a_debit(book: Daybook, obstacle: str) -> None:
    agreement = book.agree(rows=level_rows(2), mandate=obstacle != "no-mandate")
    _to_first_due(book)
    book.change(lambda session: _stand_against(session, agreement, obstacle, book))
    book.run_day(FIRST_DUE)
    assert book.orders(agreement) == []
    assert book.run_of(FIRST_DUE).state == "DONE"


def test_an_order_asks_for_no_more_than_the_mandate_allows(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(2), limit_minor=60_000)
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    assert [order.amount_minor for order in book.orders(agreement)] == [60_000]


def test_an_order_that_the_bank_could_not_read_stays_out_of_the_file_alone(book: Daybook) -> None:
    bad = book.agree(rows=level_rows(1), account="not-an-account")
    good = book.agree(rows=level_rows(1))
    _to_first_due(book)
    book.run_day(FIRST_DUE)
    assert [order.state for order in book.orders(bad)] == ["WITHDRAWN"]
    assert [order.state for order in book.orders(good)] == ["SENT"]
    assert book.exceptions() == [("send-file", "bank-account")]


def test_dates_are_run_in_order_and_never_ahead_of_the_clock(book: Daybook) -> None:
    with pytest.raises(WrongState, match="wrong-state") as early:
        book.run_step("begin", START + ONE_DAY)
    assert early.value.params == {"state": "earlier-date-open"}
    assert book.run_step("begin", START - ONE_DAY).is_open is False
    book.change(_no_sandbox)
    book.run_day(START)
    with pytest.raises(WrongState) as ahead:
        book.run_step("begin", START + ONE_DAY)
    assert ahead.value.params == {"state": "ahead-of-clock"}


def test_an_order_that_nobody_answers_is_noticed_and_the_row_is_missed(book: Daybook) -> None:
    agreement = book.agree(rows=level_rows(2))
    _to_first_due(book)
    book.bank.sender_behaves("silent")
    bank, book.bank = book.bank, None  # the bank takes no file any more
    book.run_until(FIRST_DUE + timedelta(days=11), check=False)
    book.bank = bank
    assert ("send-file", "unanswered") in book.exceptions()
    assert book.news(agreement) == [f"missed {FIRST_DUE + timedelta(days=10)}"]


def test_figures_tell_what_a_day_did(book: Daybook) -> None:
    paid, refused = book.agree(rows=level_rows(2)), book.agree(rows=level_rows(2))
    fate_of(book, refused, rejected())
    book.run_until(FIRST_DUE + ONE_DAY, check=False)
    due, after = book.run_of(FIRST_DUE).figures, book.run_of(FIRST_DUE + ONE_DAY).figures
    assert (due["debit-orders"]["orders"], due["debit-orders"]["ordersMinor"]) == (2, 202_000)
    assert due["send-file"]["sent"] == 2
    assert after["post"] | {"paid": 1, "paidMinor": 101_000, "rejected": 1} == after["post"]
    assert after["arrears"]["told-missed"] == 1
    assert after["roll"]["outOfBalanceMinor"] == 0
    assert paid.id


class _Fine:
    def require_ok(self) -> None:
        return


def _die(*_args, **_keywords):
    raise Killed


def _spoil(session, agreement_id: str) -> None:
    agreement = session.get_one(Agreement, agreement_id)
    agreement.terms = {"rows": "lost"}
    agreement.snapshot = None
    session.add(agreement)


def _rename(session) -> None:
    order = session.exec(select(DebitOrder)).one()
    order.end_to_end_id = "somebody-elses"
    session.add(order)


def _no_sandbox(session) -> None:
    tenant = session.get_one(Tenant, TENANT)
    tenant.sandbox = False
    session.add(tenant)


def _stand_against(session, agreement: Agreement, obstacle: str, book: Daybook) -> None:
    head = session.get_one(Agreement, agreement.id)
    if obstacle == "dispute":
        session.add(
            Ticket(
                id=new_token("tkt"), tenant=TENANT, case_token=head.case_token, kind="dispute", state="OPEN",
                due_at=book.clock(), opened_by="test", created_at=book.clock(),
            )
        )  # fmt: skip
    elif obstacle == "paid":
        event = Event(
            id="paid-by-hand", kind=EventKind.PAYMENT, value_date=FIRST_DUE - ONE_DAY, amount_minor=101_000,
            channel=PaymentChannel.COUNTER,
        )  # fmt: skip
        new = NewEvent(event=event, business_key="counter/1")
        book_events(session, [(head, [new])], as_of=FIRST_DUE, now=book.clock())
    elif obstacle != "no-mandate":
        mandate = session.get_one(Mandate, head.mandate_id)
        mandate.revoked_at = book.clock() if obstacle == "mandate-revoked" else None
        mandate.valid_to = FIRST_DUE - ONE_DAY
        session.add(mandate)
