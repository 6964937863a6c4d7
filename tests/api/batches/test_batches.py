"""Runs of batches over HTTP: listed, read, held, cancelled; another institution's do not exist, and few may act."""

from datetime import date
from typing import Any

import pytest
from sqlmodel import Session, col, select

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.files import FileAddress
from compliance.vault.shelf import file_path
from models.domain.batches.kinds import KindName, MemberSource, Origin
from models.domain.batches.states import RunStage
from models.domain.ids import batch_workflow_id, job_record
from models.domain.roles import Role
from models.domain.tokens import new_case_token
from models.operations.batches.beginning import NewRun, begin_run
from models.operations.batches.daily_mirror import begin_daily_batch
from models.operations.four_eyes import By
from models.tables.audit import AuditEvent
from models.tables.batch_books import BatchPaper, BatchReport
from models.tables.batch_runs import BatchOrder, BatchRun
from models.tables.daily import BusinessDate
from models.tables.staff import Staff
from tests.support.api import Office
from tests.support.applications import FakeDispatcher

ON = date(2026, 3, 10)


@pytest.fixture
def operator(sqlite_office: Office) -> Staff:
    return sqlite_office.staff("operator", Role.BATCH_OPERATOR)


@pytest.fixture
def operator_both(office: Office) -> Staff:
    return office.staff("operator", Role.BATCH_OPERATOR)


def _begun(office: Office, staff: Staff, key: str = "k1") -> str:
    new = NewRun(
        tenant="main",
        branch="sh-01",
        kind=KindName.AUTO_DEBIT,
        origin=Origin.STAFF,
        source=MemberSource.BOOK,
        request_key=key,
        business_date=ON,
        by=By(tenant="main", staff_id=staff.id, person_id=staff.person_id),
    )
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        return begin_run(unit.session, new, now=office.clock())[0].token


def _deed(office: Office) -> Deed:
    return Deed(tenant="main", action="batch.created", target="t", actor="stf_x", at=office.clock(), facts={})


def _order(session: Session, run: str, member: int, office: Office) -> None:
    session.add(
        BatchOrder(
            id=f"bor_{member:026d}",
            tenant="main",
            run=run,
            member=member,
            claim_key=f"row/agr_secretclaim/{member:08d}",
            subject_id="sub_x",
            amount_minor=100 * member,
            state="queued",
            policy_version="-",
            requested_on=ON,
            created_at=office.clock(),
            updated_at=office.clock(),
        )
    )


async def test_a_run_is_begun_once_with_a_key_of_its_own_and_started(
    office: Office, operator_both: Staff, dispatcher: FakeDispatcher
) -> None:
    body = {"kind": "auto-debit", "businessDate": ON.isoformat(), "settings": {"failureBps": 500, "cutOff": "16:30"}}
    async with office.client(operator_both) as client:
        first = await client.post("/v1/batches", json=body, headers={"Idempotency-Key": "k"})
        again = await client.post("/v1/batches", json=body, headers={"Idempotency-Key": "k"})
        other = await client.post(
            "/v1/batches", json=body | {"kind": "loan-deduction"}, headers={"Idempotency-Key": "k"}
        )
        listed = (await client.get("/v1/batches?kind=auto-debit&stage=cohort")).json()["items"]
    assert (first.status_code, first.json()["source"], first.json()["awaitsFile"]) == (201, "book", False)
    assert first.json()["settings"] == {"failureBps": 500, "cutOff": "16:30"}
    assert again.json() == first.json()
    assert other.status_code == 422
    run = first.json()["run"]
    assert [each["run"] for each in listed] == [run]
    assert set(dispatcher.starts) == {batch_workflow_id(run)}
    address = CellAddress("main", "t", "c", "r", job_record(run))
    assert office.deps.vault.seal(address, b"what people say of it")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"criteria": {"filter": {"shoeSize": 1}, "periode": "x"}}, "/criteria/periode"),
        ({"kind": "payroll"}, "/client"),
        ({"kind": "payroll", "source": "book"}, "/criteria"),
        ({"kind": "lottery"}, "/kind"),
        ({"settings": {"failureBps": 10_001}}, "/settings/failureBps"),
    ],
)
async def test_what_does_not_fit_is_named_and_nothing_begins(
    sqlite_office: Office, operator: Staff, changes: dict[str, Any], pointer: str
) -> None:
    body = {"kind": "auto-debit", "businessDate": ON.isoformat()} | changes
    async with sqlite_office.client(operator) as client:
        answer = await client.post("/v1/batches", json=body, headers={"Idempotency-Key": "k"})
        assert (await client.get("/v1/batches")).json()["items"] == []
    assert answer.status_code == 422
    assert pointer in [fault["pointer"] for fault in answer.json()["errors"]]


async def test_the_run_of_a_dates_debits_is_told_with_its_origin_and_held_by_nobody(
    sqlite_office: Office, operator: Staff
) -> None:
    with unit_of_work(sqlite_office.deps.database, _deed(sqlite_office)) as unit:
        token = begin_daily_batch(
            unit.session, "main", ON, token=new_case_token("main"), now=sqlite_office.clock()
        ).token
    path = f"/v1/batches/{token}"
    async with sqlite_office.client(operator) as client:
        (item,) = (await client.get("/v1/batches?kind=auto-debit")).json()["items"]
        assert (item["run"], item["origin"], item["businessDate"]) == (token, "daily", ON.isoformat())
        told = (await client.get(path)).json()
        assert {name: permit["allowed"] for name, permit in told["allowedActions"].items()} == {
            "pause": False, "resume": False, "add-file": False, "cancel": False,
        }  # fmt: skip
        assert "nobody holds or ends" in told["allowedActions"]["pause"]["becauseText"]
        assert (await client.get(f"{path}/progress")).json()["stages"] == 4
        for act, body in (("pause", None), ("resumption", None), ("cancellation", {"reasonCode": "batch-called-off"})):
            refused = await client.post(f"{path}/{act}", json=body)
            assert (refused.status_code, refused.json()["params"]) == (409, {"state": "daily-run"}), act


async def test_a_run_of_a_file_waits_for_it_and_takes_the_same_bytes_once(
    office: Office, operator_both: Staff, dispatcher: FakeDispatcher
) -> None:
    body = {"kind": "auto-debit", "source": "file", "businessDate": ON.isoformat()}
    content = "序号,姓名\n1,欧阳晓雯\n".encode()
    form = {"layout": "auto-debit-csv", "controlCount": "1", "controlMinor": "700"}
    async with office.client(operator_both) as client:
        begun = [await client.post("/v1/batches", json=body, headers={"Idempotency-Key": key}) for key in ("a", "b")]
        paths = [f"/v1/batches/{each.json()['run']}" for each in begun]
        waits = (await client.get(paths[0])).json()
        assert (waits["awaitsFile"], waits["paused"]) == (True, True)
        assert waits["allowedActions"]["resume"]["because"] == "wrong-state"
        assert (await client.post(f"{paths[0]}/resumption")).json()["params"]["state"] == "file-awaited"

        async def send(path: str, key: str, **fields: str) -> Any:
            sent = {"file": ("wages.csv", content, "text/csv")}
            return await client.post(f"{path}/file", data=form | fields, files=sent, headers={"Idempotency-Key": key})

        for fields, pointer in (({"layout": "wages"}, None), ({"controlCount": "one"}, "/controlCount")):
            refused = await send(paths[0], "f" + str(pointer), **fields)
            assert refused.status_code == 422
            assert [fault["pointer"] for fault in refused.json().get("errors", [])] == ([pointer] if pointer else [])
        assert (await send(paths[0], "c", layout="payroll-csv")).json()["type"].endswith("layout-unknown")
        taken, again = await send(paths[0], "d"), await send(paths[0], "d")
        assert taken.status_code == 201
        assert again.json() == taken.json()
        assert (taken.json()["controlCount"], taken.json()["layoutVersion"]) == (1, "ready")
        assert (await send(paths[0], "e")).status_code == 409  # it has its file
        known = await send(paths[1], "f")
        assert (known.status_code, known.json()["params"]["run"]) == (409, paths[0].rpartition("/")[2])
        goes_on = (await client.get(paths[0])).json()
        assert (goes_on["awaitsFile"], goes_on["paused"]) == (False, False)
    assert dispatcher.nudged == [batch_workflow_id(goes_on["run"])] * 2
    sealed = [each.read_bytes() for each in office.deps.files_root.rglob("*") if each.is_file()]
    assert len(sealed) == 1
    assert "欧阳晓雯".encode() not in sealed[0]
    assert (
        b"".join(
            office.deps.vault.open_file(
                FileAddress("main", job_record(goes_on["run"]), taken.json()["id"]),
                file_path(office.deps.files_root, tenant="main", document_id=taken.json()["id"]),
            )
        )
        == content
    )


async def test_a_run_is_paused_once_and_goes_on(sqlite_office: Office, operator: Staff) -> None:
    path = f"/v1/batches/{_begun(sqlite_office, operator)}"
    async with sqlite_office.client(operator) as client:
        read = await client.get(path)
        assert (read.json()["stage"], read.json()["paused"]) == ("cohort", False)
        unchanged = await client.get(path, headers={"If-None-Match": read.headers["ETag"]})
        assert unchanged.status_code == 304
        assert (await client.post(f"{path}/pause")).json()["paused"] is True
        again = await client.post(f"{path}/pause")
        assert (again.status_code, again.json()["params"]["state"]) == (409, "paused")
        assert (await client.get(path)).json()["allowedActions"]["pause"]["because"] == "wrong-state"
        assert (await client.post(f"{path}/resumption")).json()["paused"] is False


async def test_criteria_are_amended_in_the_version_that_was_read(sqlite_office: Office, operator: Staff) -> None:
    path = f"/v1/batches/{_begun(sqlite_office, operator)}"
    body = {"criteria": {"amountBands": [100, 200]}}
    async with sqlite_office.client(operator) as client:
        read = await client.get(path)
        assert (await client.put(f"{path}/criteria", json=body)).status_code == 428
        tag = {"If-Match": read.headers["ETag"]}
        wrong = await client.put(f"{path}/criteria", json={"criteria": {"amountBands": [2, 1]}}, headers=tag)
        assert wrong.json()["errors"][0]["pointer"] == "/criteria/amountBands"
        amended = await client.put(f"{path}/criteria", json=body, headers=tag)
        assert (amended.status_code, amended.json()["criteria"]) == (200, body["criteria"])
        assert (await client.put(f"{path}/criteria", json=body, headers=tag)).status_code == 412
        with unit_of_work(sqlite_office.deps.database, _deed(sqlite_office)) as unit:
            unit.session.get_one(BatchRun, amended.json()["run"]).stage = RunStage.APPROVING.value
        now = {"If-Match": amended.headers["ETag"]}
        assert (await client.put(f"{path}/criteria", json=body, headers=now)).status_code == 409


async def test_a_run_that_is_reconciled_is_not_cancelled(sqlite_office: Office, operator: Staff) -> None:
    first, late = _begun(sqlite_office, operator), _begun(sqlite_office, operator, "k2")
    with unit_of_work(sqlite_office.deps.database, _deed(sqlite_office)) as unit:
        unit.session.get_one(BatchRun, late).stage = RunStage.RECONCILING.value
    async with sqlite_office.client(operator) as client:
        body = {"reasonCode": "batch-called-off"}
        done = await client.post(f"/v1/batches/{first}/cancellation", json=body)
        assert (done.status_code, done.json()["cancelAsked"]) == (200, True)
        assert (await client.post(f"/v1/batches/{late}/cancellation", json=body)).status_code == 409
        unknown = await client.post(f"/v1/batches/{first}/cancellation", json={"reasonCode": "mood"})
        assert unknown.status_code == 422


async def test_orders_come_page_by_page_and_tell_no_claim(office: Office, operator_both: Staff) -> None:
    run = _begun(office, operator_both)
    with unit_of_work(office.deps.database, _deed(office)) as unit:
        for member in (1, 2, 3):
            _order(unit.session, run, member, office)
    async with office.client(operator_both) as client:
        first = await client.get(f"/v1/batches/{run}/orders?limit=2")
        rest = await client.get(f"/v1/batches/{run}/orders?limit=2&after={first.json()['endCursor']}")
        assert [each["member"] for each in first.json()["items"] + rest.json()["items"]] == [1, 2, 3]
        assert rest.json()["endCursor"] is None
        assert "agr_secretclaim" not in first.text
        progress = (await client.get(f"/v1/batches/{run}/progress")).json()
        assert progress["orders"] == {"queued": {"count": 3, "amountMinor": 600}}


async def test_the_report_is_handed_out_as_it_was_written_and_reading_it_is_an_event(
    sqlite_office: Office, operator: Staff
) -> None:
    run, deps, content = _begun(sqlite_office, operator), sqlite_office.deps, "<h1>代发报告</h1>".encode()
    deps.vault.create_subject(tenant="main", subject_id="brp_1")
    address = CellAddress("main", "batch_papers", "content_cell", "bpp_1", "brp_1")
    report = BatchReport(
        id="brp_1", tenant="main", run=run, fingerprint="0" * 64, body={}, made_at=sqlite_office.clock()
    )
    paper = BatchPaper(
        id="bpp_1",
        tenant="main",
        report="brp_1",
        locale="en",
        form="html",
        content_cell=deps.vault.seal(address, content),
        digest="0" * 64,
    )
    with unit_of_work(deps.database, _deed(sqlite_office)) as unit:
        unit.session.add(report)
        unit.session.flush()
        unit.session.add(paper)
    async with sqlite_office.client(operator) as client:
        read = await client.get(f"/v1/batches/{run}/report?format=html")
        assert (read.status_code, read.content) == (200, content)
        assert read.headers["Content-Disposition"] == 'attachment; filename="batch-report.en.html"'
        assert (await client.get(f"/v1/batches/{run}/report?format=html&language=zh-CN")).status_code == 404
    with deps.database.read() as session:
        told = session.exec(select(AuditEvent).where(col(AuditEvent.action) == "batch.report-read")).all()
    assert [(each.target, each.actor) for each in told] == [(run, operator.id)]


async def test_progress_comes_as_events_until_a_person_pauses(sqlite_office: Office, operator: Staff) -> None:
    path = f"/v1/batches/{_begun(sqlite_office, operator)}"
    async with sqlite_office.client(operator) as client:
        await client.post(f"{path}/pause")
        events = await client.get(f"{path}/progress/events")
        assert events.headers["Content-Type"].startswith("text/event-stream")
        assert '"stage":"cohort"' in events.text.replace(" ", "")
        assert (await client.get("/v1/batches/main.00000000000000000000000000/progress/events")).status_code == 404


async def test_a_preview_counts_and_keeps_nothing(sqlite_office: Office, operator: Staff) -> None:
    async with sqlite_office.client(operator) as client:
        none = await client.post("/v1/batches/preview", json={"kind": "auto-debit"})
        assert none.status_code == 404  # the books have no date yet
        with sqlite_office.deps.database.write() as session:
            session.add(BusinessDate(tenant="main", today=ON, updated_at=sqlite_office.clock()))
        seen = (await client.post("/v1/batches/preview", json={"kind": "auto-debit"})).json()
        assert (seen["businessDate"], seen["members"], seen["sample"]) == (ON.isoformat(), 0, [])
        wages = await client.post("/v1/batches/preview", json={"kind": "payroll"})
        assert wages.json()["errors"][0]["pointer"] == "/criteria"
        assert (await client.get("/v1/batches")).json()["items"] == []


async def test_who_may_not_act_reads_and_others_find_nothing(sqlite_office: Office, operator: Staff) -> None:
    run = _begun(sqlite_office, operator)
    sqlite_office.tenant("other")
    reader = sqlite_office.staff("reader", Role.AUDITOR)
    stranger = sqlite_office.staff("stranger", Role.BATCH_OPERATOR, tenant="other")
    async with sqlite_office.client(reader) as client:
        assert [each["run"] for each in (await client.get("/v1/batches?open=true")).json()["items"]] == [run]
        assert (await client.post(f"/v1/batches/{run}/pause")).status_code == 403
        assert (await client.get(f"/v1/batches/{run}/report")).status_code == 404  # none is written yet
    async with sqlite_office.client(stranger) as client:
        assert (await client.get("/v1/batches")).json()["items"] == []
        for route in ("", "/orders", "/progress", "/report"):
            assert (await client.get(f"/v1/batches/{run}{route}")).status_code == 404
        assert (await client.post(f"/v1/batches/{run}/pause")).status_code == 404
