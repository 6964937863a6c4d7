"""All plans of a case side by side, with what changed between rounds, and as a picture."""

from xml.etree import ElementTree as ET

from models.domain.plans.negotiation import Family
from tests.support.applications import PERSON, another_id, application
from tests.support.servicing import DEBT, Served


async def test_rounds_stand_newest_first_with_every_family_in_order(served: Served) -> None:
    told = (await served.get(f"installment-cases/{served.case}/plans")).json()
    assert [one["version"] for one in told["rounds"]] == [2, 1]
    for one in told["rounds"]:
        assert [plan["family"] for plan in one["plans"]] == list(Family)
        assert all(plan["intact"] for plan in one["plans"])
        for plan in one["plans"]:
            assert (plan["hash"] is None) == (plan["figures"] is None) == (plan["rows"] == [])
            assert plan["hash"] is None or sum(row["principalMinor"] for row in plan["rows"]) == DEBT
            assert all(note["text"] != note["code"] for note in plan["notes"])


async def test_a_counter_offer_is_shown_with_what_it_changed(served: Served) -> None:
    newest, first = (await served.get(f"installment-cases/{served.case}/plans")).json()["rounds"]
    assert all(plan["changes"] is None for plan in first["plans"])
    changed = {change["path"]: change for change in newest["plans"][0]["changes"]}
    assert changed["/figures/term"] == {"path": "/figures/term", "old": 18, "new": 12}
    assert changed["/rows/17/due"]["new"] is None


async def test_notes_are_in_the_readers_language(sqlite_served: Served) -> None:
    path = f"installment-cases/{sqlite_served.case}/plans"
    english = (await sqlite_served.get(path)).json()["rounds"][0]["plans"][0]
    chinese = (await sqlite_served.get(path, locale="zh-CN")).json()["rounds"][0]["plans"][0]
    assert (english["familyText"], chinese["familyText"]) == ("Fixed term", "固定期限")
    assert english["notes"][0]["text"].isascii()
    assert not chinese["notes"][0]["text"].isascii()


async def test_the_picture_is_svg_that_runs_nothing(served: Served) -> None:
    path = f"installment-cases/{served.case}/plans/picture.svg"
    answer = await served.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    root = ET.fromstring(answer.text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "Repayment plans side by side" in answer.text
    older = await served.get(f"{path}?round=1")
    assert older.status_code == 200
    assert older.text != answer.text
    assert (await served.get(f"{path}?round=3")).status_code == 404


async def test_a_case_without_plans_has_no_rounds_and_no_agreement(sqlite_served: Served) -> None:
    body = application(applicant=PERSON | {"idNumber": another_id(7)})
    async with sqlite_served.office.client(sqlite_served.officer) as client:
        made = await client.post("/v1/installment-cases", json=body, headers=sqlite_served.key())
    case = made.json()["token"]
    assert (await sqlite_served.get(f"installment-cases/{case}/plans")).json()["rounds"] == []
    for path in ("agreement", "plans/picture.svg"):
        assert (await sqlite_served.get(f"installment-cases/{case}/{path}")).status_code == 404
