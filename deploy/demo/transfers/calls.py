"""What the people of the transfer demo ask of the API: paths and shapes of bodies stand here alone."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from deploy import transfer_routes as routes
from deploy.demo.office import Actor, Line, Unexpected
from models.domain.tokens import new_token

_FORBIDDEN: Final = 403
_ASSESSMENTS: Final = "/v1/impact-assessments"
_OF_TRANSFER: Final[dict[str, Any]] = {
    "activity": "customer-transfer",
    "triggers": ["provision", "sensitive-data"],
    "necessity": "合并后由存续公司继续为客户提供服务。",
    "risk": "迁移过程中信息泄露、丢失或错误合并。",
    "measures": "加密备份并验证恢复，双人复核，分批更新并可回退。",
}


async def who(actor: Actor) -> str:
    """The id of somebody's account."""
    return str((await actor.call("GET", "/v1/me")).json()["staffId"])


async def plan_template(actor: Actor, *, classes: str, cutover_on: date) -> dict[str, Any]:
    """A plan of a class of legal events, to fill in."""
    query = {"classes": classes, "cutoverOn": cutover_on.isoformat()}
    plan: dict[str, Any] = (await actor.call("GET", routes.PLAN_TEMPLATE, params=query)).json()["plan"]
    return plan


async def begin_job(actor: Actor, body: dict[str, Any]) -> str:
    """A job from the legal event and its plan; returns its token."""
    return str((await actor.call("POST", routes.TRANSFERS, json=body, headers=_key())).json()["job"])


async def replace_plan(actor: Actor, job: str, plan: dict[str, Any]) -> None:
    """Another version of the plan, over the one that stands."""
    etag = (await actor.call("GET", routes.job(job))).headers["ETag"]
    await actor.call("PUT", routes.plan(job), json={"plan": plan}, headers={"If-Match": etag})


async def missing_evidence(actor: Actor, job: str) -> list[str]:
    """What the job's classes ask for and nobody has put on file."""
    missing: list[str] = (await actor.call("GET", routes.evidence(job))).json()["missing"]
    return missing


async def add_evidence(actor: Actor, job: str, kind: str) -> str:
    """A piece of evidence that is kept elsewhere, with its hash; returns its id."""
    body = {"kind": kind, "reference": f"demo/{kind}.pdf", "digest": hashlib.sha256(kind.encode()).hexdigest()}
    return str((await actor.call("POST", routes.evidence_references(job), json=body, headers=_key())).json()["id"])


async def state(actor: Actor, job: str, name: str, value: Any) -> None:
    """A fact that no record tells."""
    await actor.call("PUT", routes.fact(job, name), json={"value": value})


async def train(actor: Actor, job: str, staff: str, *, now: datetime, is_sponsor: bool = False) -> None:
    """Somebody has passed the course, and may open data of the job for a month."""
    body = {
        "staffId": staff,
        "course": "transfer-2026",
        "passedAt": (now - timedelta(days=1)).isoformat(),
        "validUntil": (now + timedelta(days=30)).isoformat(),
        "isSponsor": is_sponsor,
    }
    await actor.call("POST", routes.grants(job), json=body, headers=_key())


async def assess(maker: Actor, checker: Actor, *, valid_until: date, about: Mapping[str, Any] | None = None) -> str:
    """An impact assessment (个人信息保护影响评估), written by one person and approved by another; returns its id.

    Args:
        maker: who writes it.
        checker: who approves it.
        valid_until: its last day.
        about: activity, triggers and what is said of them; a transfer's where it is left out.
    """
    body = {**(about or _OF_TRANSFER), "conclusion": "proceed-with-measures", "validUntil": valid_until.isoformat()}
    drafted = await maker.call("POST", _ASSESSMENTS, json=body, headers=_key())
    path = f"{_ASSESSMENTS}/{drafted.json()['id']}"
    headers = {"If-Match": drafted.headers["ETag"]}
    submitted = (await maker.call("POST", f"{path}/submission", headers=headers)).json()
    await checker.call("POST", f"{path}/approval", json={"shownHash": submitted["shownHash"]})
    return str(submitted["id"])


async def add_source(actor: Actor, job: str, *, place: str, mapping: str) -> None:
    """A file of the exchange folder, with its mapping."""
    body = {"kind": "csv", "place": place, "mapping": mapping}
    await actor.call("POST", routes.sources(job), json=body, headers=_key())


async def preview(actor: Actor, job: str, *, place: str, mapping: str) -> dict[str, Any]:
    """The first rows under a mapping, masked."""
    body = {"kind": "csv", "place": place, "mapping": mapping, "rows": 5}
    answer: dict[str, Any] = (await actor.call("POST", routes.preview(job), json=body)).json()
    return answer


async def refused_untrained(actor: Actor, job: str, *, place: str, mapping: str) -> None:
    """Nobody is shown a row of a job whose course they have not passed.

    Raises:
        Unexpected: they were, or were refused for another reason.
    """
    body = {"kind": "csv", "place": place, "mapping": mapping, "rows": 5}
    answer = await actor.call("POST", routes.preview(job), json=body, expect=(_FORBIDDEN,))
    if answer.json()["code"] != "training-missing":
        raise Unexpected(f"a preview without training: {answer.json()['code']}")


async def told(actor: Actor, job: str) -> dict[str, Any]:
    """The job as it is."""
    answer: dict[str, Any] = (await actor.call("GET", routes.job(job))).json()
    return answer


async def open_tasks(actor: Actor, wanted: dict[str, Any], *, limit: int = 100) -> list[dict[str, Any]]:
    """Open tasks of the actor's company that fit a filter; what somebody is deciding already is left out."""
    body = {"filter": wanted | {"state": "open"}, "limit": limit, "facets": False}
    page = (await actor.call("POST", routes.TASK_SEARCH, json=body)).json()
    return [task for task in page["items"] if task["state"] != "DECIDING"]


async def task(actor: Actor, task_id: str) -> dict[str, Any]:
    """A task with what it shows."""
    answer: dict[str, Any] = (await actor.call("GET", f"{routes.TASKS}/{task_id}")).json()
    return answer


async def correct(actor: Actor, job: str, row: int, values: dict[str, str], *, etag: str) -> dict[str, Any]:
    """What a quarantined row should say; the row with its corrections, the newest one last."""
    body = {"values": {_camel(name): value for name, value in values.items()}}
    headers = _key() | {"If-Match": etag}
    answer: dict[str, Any] = (await actor.call("POST", routes.corrections(job, row), json=body, headers=headers)).json()
    return answer


async def confirm_correction(
    actor: Actor, job: str, row: int, correction: dict[str, Any], *, expect: Sequence[int] = (200,)
) -> int:
    """The second person's word on a correction of a key field; returns the status."""
    path = f"{routes.corrections(job, row)}/{correction['id']}/confirmation"
    body = {"shownHash": correction["shownHash"]}
    answer = await actor.call("POST", path, json=body, expect=tuple(expect))
    return answer.status_code


async def row_as_shown(actor: Actor, job: str, row: int) -> tuple[str, bytes]:
    """A row as people see it, masked: its version, and the answer, in which nobody may stand in clear."""
    answer = await actor.call("GET", f"{routes.rows(job)}/{row}")
    return answer.headers["ETag"], answer.content


async def pair_as_shown(actor: Actor, job: str, pair: str) -> bytes:
    """Two records that may be one person, masked: the answer, in which nobody may stand in clear."""
    return (await actor.call("GET", f"{routes.pairs(job)}/{pair}")).content


async def waves(actor: Actor, job: str) -> list[dict[str, Any]]:
    """A job's waves, with their roots."""
    found: list[dict[str, Any]] = (await actor.call("GET", routes.waves(job))).json()["items"]
    return found


async def object_to(line: Line, link: str) -> None:
    """A customer objects under the link of their notice; nobody is logged in."""
    path = f"{routes.customer_link(link)}/requests"
    body = {"kind": "objection", "text": "我不同意将我的信息转给新的公司。"}
    answer = await line.request("POST", path, json=body, headers=_key())
    if answer.is_error:
        raise Unexpected(f"an objection: {answer.status_code}")


async def ask_rollback(actor: Actor, job: str, *, wave: int) -> dict[str, Any]:
    """A wave shall be rolled back; a second person has to agree."""
    body = {"wave": wave, "reasonCode": "wrong-mapping"}
    answer: dict[str, Any] = (await actor.call("POST", routes.rollbacks(job), json=body, headers=_key())).json()
    return answer


async def report(actor: Actor, job: str, *, form: str, language: str) -> bytes:
    """The audit report as a file."""
    path = f"{routes.report(job)}?format={form}&language={language}"
    return (await actor.call("GET", path)).content


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _key() -> dict[str, str]:
    return {"Idempotency-Key": new_token("demo")}
