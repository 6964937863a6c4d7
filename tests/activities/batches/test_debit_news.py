"""Each debit of a batch is told to its customer once: that it came in, or that it did not, and why."""

from pathlib import Path

from sqlmodel import Session, col

from activities.batches.debit_news import tell_debits
from models.tables.agreements import Mandate
from models.tables.batch_runs import BatchOrder
from models.tables.notices import Notice
from tests.support.batch_executing import ExecuteOffice
from tests.support.daybook import ONE_DAY, START


def test_each_debit_is_told_once(database, vault, clock, tmp_path: Path) -> None:
    office = ExecuteOffice(database, vault, clock, tmp_path)
    agreement = office.book.agree()
    token = office.run(office.claims([agreement], 4))
    office.execute(token)
    states = (("settled", None), ("rejected", "AM04"), ("returned", "AC04"))

    def answer(session: Session) -> None:
        orders = [session.get_one(BatchOrder, each.id) for each in office.orders(token)]
        for order, (state, reason) in zip(orders, states, strict=False):
            order.state, order.reason_code = state, reason
            session.add(order)
        orders[1].next_try_on = START + 3 * ONE_DAY
        mandate = session.get_one(Mandate, agreement.mandate_id)
        mandate.revoked_at = office.clock()
        session.add(mandate)
        session.flush()
        assert tell_debits(session, orders, on=START, now=office.clock()) == 3
        assert tell_debits(session, orders, on=START, now=office.clock()) == 3

    office.book.change(answer)
    ids = [each.id for each in office.orders(token)]
    notices = {each.business_key: each for each in office.book.all(Notice, col(Notice.case_token).is_not(None))}
    assert set(notices) == {f"paid/{ids[0]}", f"failed/{ids[1]}/rejected", f"failed/{ids[2]}/returned"}
    paid, short = notices[f"paid/{ids[0]}"], notices[f"failed/{ids[1]}/rejected"]
    assert (paid.kind, paid.subject_id) == ("payment-received", agreement.subject_id)
    assert paid.params["amount"] == office.orders(token)[0].amount_minor
    assert paid.params["left"] == 12 * 101_000
    assert paid.params["mandate"] == "ended"
    assert (short.params["reason"], short.params["until"]) == ("insufficient-funds", "2026-11-26")
    assert notices[f"failed/{ids[2]}/returned"].params["reason"] == "account"
