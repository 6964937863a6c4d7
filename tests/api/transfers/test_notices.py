"""A job's notices for staff: figures that add up, nobody's name, and no close while anybody is untold."""

from typing import Any

from models.contracts.transfers import JobStep
from models.domain.roles import Role
from models.domain.transfers.notice_facts import ITEMS, NoticeKind
from models.queries.transfers.notices import gate_facts
from tests.support.api import Office
from tests.support.telling import Telling, customer


async def told(office: Office, path: str, *, status: int = 200, tenant: str = "main") -> Any:
    auditor = office.staff(f"auditor{len(path)}{tenant}{status}", Role.AUDITOR, tenant=tenant)
    async with office.client(auditor) as client:
        answer = await client.get(path)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_figures_proof_and_the_public_notice(office: Office, telling: Telling) -> None:
    telling.open(customer(1), customer(2, mobile=None, email=None, address=None))
    telling.plan()
    telling.send()
    async with office.client() as client:
        assert (await client.get(f"{telling.link_of('+8613800000001')}/transfer")).status_code == 200
    base = f"/v1/transfers/{telling.job}/notices"
    figures = await told(office, base)
    assert (figures["customers"], figures["told"], figures["left"]) == (2, 1, 1)
    assert {(each["state"], each["channel"]) for each in figures["byState"]} == {
        ("delivered", "sms"),
        ("pending", "public"),
    }
    untold = await told(office, f"{base}/untold")
    assert [each["row"] for each in untold["items"]] == [2]
    proof = await told(office, f"{base}/1")
    texts = (await told(office, f"{base}/texts"))["items"]
    sms = next(each for each in texts if (each["channel"], each["language"]) == ("sms", "zh-CN"))
    assert proof["textHash"] == sms["textHash"]
    assert [each["state"] for each in proof["tries"]] == ["delivered"]
    assert "客户1" not in repr(proof)

    with telling.database.read() as session:
        facts = gate_facts(session, telling.job, items=ITEMS[NoticeKind.RECIPIENT])
    assert (facts["subjects"], facts["subjects_told"]) == (2, 1)

    telling.notices.publish_notice(JobStep(job=telling.job))
    figures = await told(office, f"{base}?")
    assert (figures["told"], figures["left"]) == (2, 0)
    public = next(each for each in texts if (each["channel"], each["language"]) == ("public", "en"))
    with telling.database.read() as session:
        from models.queries.transfers.notices import texts_of_job

        text_id = texts_of_job(session, telling.job)["en", "public"].id
    async with office.client() as client:
        page = await client.get(f"/v1/public-notices/{text_id}")
    assert page.status_code == 200
    assert public["textHash"] in page.text
    assert "Bank B" in page.text


async def test_another_institution_sees_nothing_and_a_text_that_is_not_out_is_not_there(
    office: Office, telling: Telling
) -> None:
    telling.open(customer(1))
    telling.plan()
    office.tenant("other")
    await told(office, f"/v1/transfers/{telling.job}/notices", status=404, tenant="other")
    await told(office, f"/v1/transfers/{telling.job}/notices/9", status=404)
    with telling.database.read() as session:
        from models.queries.transfers.notices import texts_of_job

        text_id = texts_of_job(session, telling.job)["en", "public"].id
    async with office.client() as client:
        assert (await client.get(f"/v1/public-notices/{text_id}")).status_code == 404
