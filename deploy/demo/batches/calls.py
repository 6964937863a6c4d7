"""What the people of the batch demo ask of the API: shapes of bodies stand here alone."""

from datetime import date
from typing import Any, Final

from deploy import batch_routes as routes
from deploy import transfer_routes
from deploy.demo.batches.files import LAYOUTS, BatchFile
from deploy.demo.office import Actor
from models.domain.assessments import BATCH_ACTIVITY
from models.domain.tokens import new_token

_DATES: Final = "/v1/business-dates"
ASSESSMENT: Final[dict[str, Any]] = {
    "activity": BATCH_ACTIVITY,
    "triggers": ["sensitive-data"],
    "necessity": "按客户授权批量扣款，按委托单位指令代发工资。",
    "risk": "账户与金额泄露、错误扣款或重复扣款。",
    "measures": "字段加密，双人复核，逐笔核对授权，每笔一个终态。",
}
# What no record can tell; part of what the second person approves.
_STATED: Final[dict[str, Any]] = {
    "parties_screened": True,
    "listed_parties": 0,
    "abnormal_accounts": 0,
    "abnormal_accounts_checked": 0,
    "fraud_data_elsewhere": False,
    "recipient_contract": True,
    "recipient_supervised": True,
    "channel_encrypted": True,
    "backup_encrypted": True,
    "log_scan_hits": 0,
}
# Long before the end of any day: the demo is played at any hour. More fails than a bank would bear.
_SETTINGS: Final[dict[str, Any]] = {"cutOff": "23:59", "failureBps": 5_000, "returnDays": 2, "chunkRows": 250}


async def add_layouts(actor: Actor) -> None:
    """How the files are read."""
    for each in LAYOUTS:
        await actor.call("POST", routes.LAYOUTS, json={"toml": each}, headers=key())


async def approve_rules(maker: Actor, checker: Actor, *, name: str, kind: str, since: date) -> None:
    """A rule set, tried on a sample, proposed by one person and approved by another."""
    source = "演示机构内部决定"
    rules = {"source": source, "validFrom": since.isoformat(), "repayment": [{"id": "all-due", "source": source}]}
    draft = {"name": name, "kind": kind, "rules": rules}
    number = (await maker.call("POST", routes.RULE_SETS, json=draft, headers=key())).json()["number"]
    sample = {"rows": [{"row": "r1", "principalMinor": 500}], "expected": {"all-due": 1}}
    await maker.call("POST", routes.rule_version(name, number, "test"), json=sample)
    proposed = (await maker.call("POST", routes.rule_version(name, number, "proposal"))).json()
    word = {"outcome": "approve", "shownHash": proposed["shownHash"]}
    await checker.call("POST", routes.rule_version(name, number, "decision"), json=word)


async def take_on_client(
    maker: Actor, checker: Actor, *, account: str, since: date, paid_minor: int
) -> tuple[str, str]:
    """A client with an account, and what it has paid in for its wages; the ids of both."""
    body = {"code": "demo-works", "name": "示例制造有限公司", "agreementFrom": since.isoformat(), "agreedDay": 31}
    client = str((await maker.call("POST", routes.CLIENTS, json=body, headers=key())).json()["id"])
    opened = await maker.call("POST", routes.accounts(client), json={"number": account}, headers=key())
    account_id = str(opened.json()["id"])
    payment = {"amountMinor": paid_minor, "reference": "DEMO-WAGES-1", "valueDate": since.isoformat()}
    await checker.call("POST", routes.payments(client, account_id), json=payment, headers=key())
    return client, account_id


async def begin_run(actor: Actor, kind: str, file: BatchFile, **of_kind: str) -> str:
    """A run with its file; returns its token."""
    body = {"kind": kind, "source": "file", "criteria": {"stated": _STATED}, "settings": _SETTINGS, **of_kind}
    run = str((await actor.call("POST", routes.BATCHES, json=body, headers=key())).json()["run"])
    fields = {"layout": file.layout, "controlCount": str(file.count), "controlMinor": str(file.total_minor)}
    sent = {"file": (file.path.name, file.path.read_bytes(), "text/csv")}
    await actor.call("POST", routes.file(run), data=fields, files=sent, headers=key())
    return run


async def told(actor: Actor, run: str) -> dict[str, Any]:
    """The run as it stands."""
    answer: dict[str, Any] = (await actor.call("GET", routes.run(run))).json()
    return answer


async def look_again(actor: Actor, run: str) -> None:
    """Hold a run and let it go on: so it looks at once, and not when it next would by itself."""
    for path in (routes.pause(run), routes.resumption(run)):
        await actor.call("POST", path, expect=(200, 409))


async def open_tasks(actor: Actor, wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """Open tasks that fit a filter; what somebody is deciding already is left out."""
    body = {"filter": wanted | {"state": "open"}, "limit": 100, "facets": False}
    page = (await actor.call("POST", transfer_routes.TASK_SEARCH, json=body)).json()
    return [task for task in page["items"] if task["state"] != "DECIDING"]


async def report(actor: Actor, run: str, *, form: str, language: str) -> bytes:
    """The report as a file."""
    return (await actor.call("GET", routes.report(run, form=form, language=language))).content


async def business_date(actor: Actor) -> date:
    """The open one."""
    return date.fromisoformat((await actor.call("GET", _DATES)).json()["today"])


async def run_until(actor: Actor, until: date) -> None:
    """Have dates run; the answer does not wait."""
    await actor.call("POST", _DATES, json={"until": until.isoformat()}, headers=key())


def key() -> dict[str, str]:
    """A fresh idempotency key."""
    return {"Idempotency-Key": new_token("demo")}
