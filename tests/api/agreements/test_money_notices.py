"""The customer hears of money that staff record, and of money that they take back."""

from datetime import timedelta

from sqlmodel import col, select

from models.tables.notices import Notice
from tests.support.servicing import START, Served

FIRST_DUE = START + timedelta(days=30)


def told(served: Served) -> list[Notice]:
    with served.office.deps.database.read() as session:
        kinds = ("payment-received", "payment-reversed")
        return list(session.exec(select(Notice).where(col(Notice.kind).in_(kinds)).order_by(col(Notice.kind))).all())


async def test_a_payment_by_hand_and_its_reversal_are_told_once_each(sqlite_served: Served) -> None:
    served = sqlite_served
    served.day(FIRST_DUE)
    whole = (await served.get(f"installment-cases/{served.case}/agreement")).json()
    row = whole["rows"][0]["totalMinor"]
    paid = await served.pay(row, FIRST_DUE, ref="C-1")
    again = await served.pay(row, FIRST_DUE, ref="C-1")
    assert (paid.status_code, again.status_code) == (201, 409)
    (received,) = told(served)
    total = sum(each["totalMinor"] for each in whole["rows"])
    assert received.params == {
        "case": served.case[-6:], "amount": row, "date": FIRST_DUE.isoformat(), "left": total - row, "mandate": "none",
    }  # fmt: skip

    body = {"eventId": paid.json()["eventId"], "reasonCode": "wrong-agreement"}
    reversal = (await served.send(f"agreements/{served.agreement_id}/reversals", body)).json()
    assert len(told(served)) == 1  # nothing is taken back before another person confirms
    path = f"reversals/{reversal['id']}/confirmation"
    await served.send(path, {"shownHash": reversal["shownHash"]}, by=served.approver)
    _, reversed_ = told(served)
    assert reversed_.params == {
        "case": served.case[-6:], "amount": row, "date": FIRST_DUE.isoformat(), "left": total, "due": row,
    }  # fmt: skip
    assert reversed_.case_token == served.case
