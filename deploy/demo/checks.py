"""What must hold when the demo is over. Each check reads what an auditor would read."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.demo.canary import files_below, needles, search
from deploy.demo.lives import BRANCH, Life, application
from deploy.demo.months import Months
from deploy.demo.office import Office
from deploy.demo.plans import IN_SERVICE
from deploy.values import DataDir
from models.database.engine import open_database
from models.domain.schedules.rows import Row
from models.domain.servicing.events import EventKind
from models.domain.servicing.stored import rows_from_json
from models.domain.states import TaskType
from models.domain.tokens import new_token
from models.queries import agreements
from models.tables.agreements import AgreementEvent, AgreementRow

_CASES: Final = "/v1/installment-cases"
_TIMES: Final = 5  # as often the same request is sent
_HITS_SHOWN: Final = 3
_BLOCKING: Final = ("FAIL", "UNKNOWN")
Due = tuple[date, int, int, int]
"""When which principal, interest and fee is due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check and what it saw."""

    name: str
    holds: bool
    seen: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Where the checks look."""

    office: Office
    lives: list[Life]
    data: Path
    book: Path
    months: Months | None = None


async def every_end_as_planned(evidence: Evidence) -> Check:
    """Each case came to the end its plan names."""
    astray = [life.token for life in evidence.lives if life.outcome != life.end]
    ends = Counter(str(life.outcome) for life in evidence.lives)
    return Check(name="every case came to its planned end", holds=not astray, seen=_counts(ends))


async def every_decision_counted_once(evidence: Evidence) -> Check:
    """Each acknowledged decision stands once in its case, applied; and no case has any other."""
    acknowledged = {decision for life in evidence.lives for _, decision in life.decisions}
    stored: Counter[str] = Counter()
    for life in evidence.lives:
        case = (await evidence.office.auditor.call("GET", f"{_CASES}/{life.token}")).json()
        stored.update(row["id"] for row in case["decisions"] if row["state"] == "APPLIED")
    holds = set(stored) == acknowledged and set(stored.values()) <= {1}
    seen = f"{len(acknowledged)} acknowledged, {stored.total()} applied"
    return Check(name="every acknowledged decision is counted exactly once", holds=holds, seen=seen)


async def inbox_is_empty(evidence: Evidence) -> Check:
    """No open task is left; the count is the inbox's own exact facet."""
    page = (await evidence.office.auditor.call("POST", "/v1/tasks/search", json={"limit": 1})).json()
    return Check(name="the inbox is empty", holds=page["total"] == 0, seen=f"{page['total']} open tasks")


async def four_eyes_hold(evidence: Evidence) -> Check:
    """Makers' own approvals were tried while the cases ran; all were refused."""
    tried = sum(life.seen["own-approval-tried"] for life in evidence.lives)
    refused = sum(life.seen["own-approval-refused"] for life in evidence.lives)
    return Check(
        name="whoever made a proposal cannot approve it",
        holds=0 < tried == refused,
        seen=f"{refused} of {tried} refused",
    )


async def only_customers_sign(evidence: Evidence) -> Check:
    """Officers tried to sign for customers, and customers mistyped their codes; nothing came of either."""
    tried = sum(life.seen["signing-for-tried"] for life in evidence.lives)
    refused = sum(life.seen["signing-for-refused"] for life in evidence.lives)
    customers = [life.customer for life in evidence.lives if life.customer is not None]
    mistyped = sum(customer.seen["mistyped"] for customer in customers)
    caught = sum(customer.seen["mistyped-refused"] for customer in customers)
    return Check(
        name="only the customer signs, with the code that was sent",
        holds=0 < tried == refused and 0 < mistyped == caught,
        seen=f"{refused} of {tried} staff and {caught} of {mistyped} wrong codes refused",
    )


async def serviced_as_signed(evidence: Evidence) -> Check:
    """Each agreement has the rows of the plan that was chosen and signed, and its sealed document.

    Where the customer changed rows later, those that were due stand as signed, and the others as agreed then.
    """
    signed = [life for life in evidence.lives if life.outcome == IN_SERVICE or life.course is not None]
    database = open_database(f"sqlite:///{DataDir(evidence.data).database}")
    rows, families, astray, revised = 0, set(), [], 0
    try:
        with database.read() as session:
            for life in signed:
                agreement = agreements.agreement_of_case(session, case_token=life.token)
                signature = agreements.signature_of_case(session, case_token=life.token)
                offer = agreements.offer_by_id(session, agreement.offer_id) if agreement is not None else None
                if agreement is None or signature is None or offer is None:
                    astray.append(life.token)
                    continue
                served = [_figures(row) for row in agreements.rows_of_agreement(session, agreement.id)]
                wanted = [_figures(row) for row in rows_from_json(offer.rows)]
                for event in agreements.events_of_agreement(session, agreement.id):
                    changed = _changed(wanted, event, served)
                    revised += changed != wanted
                    wanted = changed
                hashes = {agreement.plan_hash, signature.plan_hash, offer.plan_hash, life.chosen}
                if served != wanted or len(hashes) != 1 or signature.sealed_document_id is None:
                    astray.append(life.token)
                rows += len(served)
                families.add(offer.family)
    finally:
        database.dispose()
    counts = f"{len(families)} families, {rows} rows, {revised} changes, {len(astray)} astray"
    return Check(
        name="serviced rows are the rows that were chosen and signed",
        holds=bool(signed) and not astray,
        seen=f"{len(signed)} agreements of {counts}",
    )


async def rules_were_cited(evidence: Evidence) -> Check:
    """The planned blocks happened, each with its citation in the verdicts of the case."""
    wanted = [life for life in evidence.lives if life.plan.by_link or life.plan.evidence_late or not life.plan.willing]
    cited: Counter[str] = Counter()
    for life in wanted:
        case = (await evidence.office.auditor.call("GET", f"{_CASES}/{life.token}")).json()
        blocking = {row["rule"] for row in case["verdicts"] if row["result"] in _BLOCKING and row["citation"]}
        cited.update(blocking)
    expected = sum(1 for life in wanted if life.plan.by_link), sum(1 for life in wanted if not life.plan.by_link)
    holds = (cited["CRED-18"], cited["CCM-70a"]) == expected
    return Check(name="rules blocked where they must, with their citation", holds=holds, seen=_counts(cited))


async def incidents_were_mended(evidence: Evidence) -> Check:
    """What the bureau refused was mended by one person and confirmed by another."""
    mended = sum(life.seen[TaskType.INCIDENT_CONFIRM] for life in evidence.lives)
    return Check(name="bureau incidents went through two persons", holds=mended > 0, seen=f"{mended} confirmed")


async def one_key_one_case(evidence: Evidence) -> Check:
    """The same request again and again, at once, is one case and one answer; another body under its key is refused."""
    officer = evidence.office.officer
    life = evidence.lives[0]
    headers = {"Idempotency-Key": new_token("demo")}
    body = application(life.row) | {"branch": BRANCH, "consents": []}
    answers = [await officer.call("POST", _CASES, json=body, headers=headers, expect=(201, 409)) for _ in range(_TIMES)]
    other = body | {"willingToRepay": not body["willingToRepay"]}
    refused = await officer.call("POST", _CASES, json=other, headers=headers, expect=(201, 422))
    tokens = {answer.json().get("token") for answer in answers}
    token = next(iter(tokens))
    key = {"Idempotency-Key": new_token("demo")}
    path = f"{_CASES}/{token}/withdrawal"
    await officer.call("POST", path, json={"reasonCode": "opened-by-mistake"}, headers=key)
    holds = len(tokens) == 1 and refused.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    seen = f"{_TIMES} requests, {len(tokens)} case, other body {refused.status_code}"
    return Check(name="one key is one case", holds=holds, seen=seen)


async def audit_log_verifies(evidence: Evidence) -> Check:
    """The log proves itself, by the operator's command, beside the running installation."""
    return verify_log(evidence.data)


def verify_log(data: Path) -> Check:
    """The same of any data directory."""
    command = [sys.executable, "-m", "deploy.commands", "audit", "verify", "--json", "--data", str(data)]
    done = subprocess.run(command, capture_output=True, check=False, text=True)  # noqa: S603 - our own command
    try:
        report: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return Check(name="the audit log verifies", holds=False, seen=f"exit {done.returncode}")
    seen = f"{report['leaves']} events, {report['checkpoints']} signed checkpoints"
    return Check(name="the audit log verifies", holds=report["ok"] and done.returncode == 0, seen=seen)


async def nobody_stands_in_clear(evidence: Evidence) -> Check:
    """No name, ID, mobile, e-mail, address, employer or card of the book in data directory, logs, traces or errors."""
    rows = [life.row for life in evidence.lives]
    beside = evidence.data.with_name(f"{evidence.data.name}.anchor")
    texts = [*files_below(evidence.data, beside), *((f"problem {n}", text) for n, text in _problems(evidence))]
    hits = search(texts, rows)
    size = sum(len(content) for _, content in texts)
    where = "; ".join(f"{hit.field} of row {hit.row} in {hit.where}" for hit in hits[:_HITS_SHOWN])
    seen = where or f"{len(texts)} files and errors, {size // 1_000_000} MB, 0 hits"
    return Check(name="nobody of the book stands in clear", holds=not hits, seen=seen)


async def the_canary_can_sing(evidence: Evidence) -> Check:
    """The same search over the book itself must find everybody: a search that finds nothing anywhere proves nothing."""
    rows = [life.row for life in evidence.lives]
    wanted = {(row, field) for row, field, _, _ in needles(rows)}
    found = {(hit.row, hit.field) for hit in search(files_below(evidence.book), rows)}
    seen = f"{len(found)} values found in the book itself"
    return Check(name="the canary finds what is there", holds=found == wanted, seen=seen)


CHECKS: Final[tuple[Callable[[Evidence], Awaitable[Check]], ...]] = (
    every_end_as_planned,
    every_decision_counted_once,
    four_eyes_hold,
    only_customers_sign,
    serviced_as_signed,
    rules_were_cited,
    incidents_were_mended,
    one_key_one_case,
    inbox_is_empty,
    audit_log_verifies,
    the_canary_can_sing,
    nobody_stands_in_clear,
)


def _changed(rows: list[Due], event: AgreementEvent, served: list[Due]) -> list[Due]:
    """What is to be served after an event: new rows in the place of those to come, or one that settles them all."""
    kept = [row for row in rows if row[0] <= event.value_date]
    if event.params.get("rows"):
        return kept + [_figures(row) for row in rows_from_json(event.params["rows"])]
    if event.kind != EventKind.SETTLEMENT:
        return rows
    principal = sum(row[1] for row in rows if row[0] > event.value_date)
    # Interest and fee of the last row are those of the days used: the quote's business, not the plan's.
    return kept + [row for row in served if row[:2] == (event.value_date, principal)]


def _figures(row: Row | AgreementRow) -> Due:
    """What is due when: numbers of rows change where later rows are put in the place of others."""
    return row.due, row.principal_minor, row.interest_minor, row.fee_minor


def _problems(evidence: Evidence) -> list[tuple[int, bytes]]:
    return list(enumerate(evidence.office.line.problems))


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
