"""What a customer does through their progress link beside looking: tickets, and education for their situation."""

from datetime import date

from sqlmodel import select, update

from models.tables.agreements import Agreement
from models.tables.audit import AuditEvent
from models.tables.daily import Ticket
from tests.api.aftercare.care_desk import SAID, open_care_desk
from tests.support.api import Office
from tests.support.applications import FakeDispatcher
from tests.support.servicing import serve


async def test_a_customer_complains_and_learns_until_when_they_are_answered(
    office: Office, dispatcher: FakeDispatcher
) -> None:
    desk = await open_care_desk(office)
    link = await desk.link()
    answer = await desk.post(f"{link}/tickets", {"kind": "conduct", "text": SAID})
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["kindText"], told["stateText"], told["dueAt"]) == (
        "complaint about conduct",
        "being handled",
        "2026-12-08T16:00:00Z",
    )
    assert SAID not in answer.text
    assert dispatcher.starts[-1].endswith(told["id"])
    with office.deps.database.read() as session:
        row = session.get_one(Ticket, told["id"])
        actor = session.exec(select(AuditEvent.actor).where(AuditEvent.action == "ticket.opened")).one()
    assert (row.channel, row.opened_by, row.opened_by_person) == ("link", actor, None)
    seen = (await desk.get(f"{link}/tickets")).json()
    assert [item["id"] for item in seen["items"]] == [told["id"]]
    assert "sealed" in seen["notice"]
    # Staff see it with the case.
    [item] = (await desk.get(f"/v1/installment-cases/{desk.case}/tickets", by=desk.officer)).json()["items"]
    assert (item["id"], item["channelText"]) == (told["id"], "through the customer's link")


async def test_a_customer_has_only_so_many_open_at_once(office: Office) -> None:
    desk = await open_care_desk(office)
    link = await desk.link()
    await desk.open("question")  # what staff take in does not count
    answers = [await desk.post(f"{link}/tickets", {"kind": "question", "text": SAID}) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [201] * 5 + [409]
    assert (answers[5].json()["code"], answers[5].json()["detail"][:1]) == ("too-many-tickets", "5")


async def test_only_a_progress_link_does_this(sqlite_office: Office) -> None:
    desk = await open_care_desk(sqlite_office)
    made = await desk.post("/v1/customer-links", {"purpose": "application"}, by=desk.officer)
    other = made.json()["path"]
    assert (await desk.get(f"{other}/tickets")).status_code == 404
    assert (await desk.get(f"{other}/education")).status_code == 404
    assert (await desk.post(f"{other}/tickets", {"kind": "question", "text": SAID})).status_code == 404


async def test_education_follows_the_situation_of_the_agreement(office: Office) -> None:
    served = await serve(office)
    made = await served.send("customer-links", {"purpose": "progress", "caseToken": served.case})
    path = made.json()["path"].removeprefix("/v1/") + "/education"

    async def situation() -> tuple[str, list[str]]:
        told = (await served.get(path, by=None)).json()
        return told["situation"], [topic["topic"] for topic in told["topics"]]

    name, topics = await situation()
    assert (name, topics[0], topics[-1]) == ("in-time", "keep-on-time", "illness")  # and advice for the hardship
    await served.quote(date(2026, 11, 23))
    assert (await situation())[0] == "prepaying"
    served.day(date(2027, 1, 10))
    assert (await situation())[0] == "missed"
    with office.deps.database.write() as session:
        session.exec(update(Agreement).values(status="paid-off", days_past_due=0))
    assert (await situation()) == ("closing", ["after-close", "credit-record", "sound-borrowing", "fraud"])


async def test_staff_read_the_same_in_either_language(sqlite_office: Office) -> None:
    desk = await open_care_desk(sqlite_office)
    english = (await desk.get("/v1/education?situation=missed", by=desk.officer)).json()
    chinese = (await desk.get("/v1/education?situation=missed&locale=zh-CN", by=desk.officer)).json()
    assert [topic["topic"] for topic in english["topics"]] == [topic["topic"] for topic in chinese["topics"]]
    assert (english["locale"], chinese["locale"], chinese["situationText"]) == ("en", "zh-CN", "出现逾期")
    assert english["topics"][0]["title"] == "Talk to us early"
    unknown = await desk.get("/v1/education?situation=rich", by=desk.officer)
    assert unknown.status_code in {400, 422}
