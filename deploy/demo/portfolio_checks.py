"""What must hold when the portfolio has been played: its own checks, and those of the demo that fit it."""

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from deploy.demo.checks import (
    Check,
    Evidence,
    audit_log_verifies,
    every_decision_counted_once,
    inbox_is_empty,
    nobody_stands_in_clear,
    serviced_as_signed,
    the_canary_can_sing,
)
from deploy.demo.lives import Life
from deploy.demo.plans import IN_SERVICE
from deploy.demo.portfolio_case import NOT_TAKEN, STUCK, ClientCase
from deploy.values import DataDir
from models.database.engine import open_database
from models.queries import agreements

_REFUSED: Final = ("rejected", NOT_TAKEN)
_CASES: Final = "/v1/installment-cases"
_PAGE: Final = 100


async def every_client_one_end(evidence: Evidence) -> Check:
    """As many cases as clients whose application was taken, and each with one end: in service, or refused."""
    ends = Counter(str(case.outcome) for case in evidence.lives)
    tokens = [case.token for case in evidence.lives if case.token]
    stored = await _stored(evidence)
    known = ends[IN_SERVICE] + ends["rejected"] + ends[NOT_TAKEN]
    holds = (
        known == len(evidence.lives)
        and stored == set(tokens)
        and len(tokens) == len(set(tokens)) == known - ends[NOT_TAKEN]
    )
    stuck = sorted({str(case.reason) for case in _cases(evidence) if case.outcome == STUCK})
    seen = ", ".join(f"{end} {count}" for end, count in sorted(ends.items())) + "".join(f"; {text}" for text in stuck)
    return Check(name="every client came to exactly one end", holds=holds, seen=seen)


async def every_refusal_has_its_reason(evidence: Evidence) -> Check:
    """Each refusal names a reason; where a rule stands behind it, with its place in the law."""
    refused = [case for case in _cases(evidence) if case.outcome in _REFUSED]
    without = sum(not case.reason for case in refused)
    by_rule = [case for case in refused if case.outcome == "rejected" and case.refusals]
    uncited = sum(not refusal.citation for case in by_rule for refusal in case.refusals)
    seen = f"{len(refused)} refusals, {without} without a reason; {len(by_rule)} by rules, {uncited} uncited"
    return Check(name="every refusal has its reason", holds=not without and not uncited, seen=seen)


async def authority_holds(evidence: Evidence) -> Check:
    """What lay above the first approver's authority was refused to them and went to the senior."""
    tried = sum(case.seen["beyond-authority-tried"] for case in evidence.lives)
    refused = sum(case.seen["beyond-authority-refused"] for case in evidence.lives)
    return Check(
        name="nobody approves above their authority", holds=tried == refused, seen=f"{refused} of {tried} refused"
    )


async def refused_is_not_serviced(evidence: Evidence) -> Check:
    """No refused client has an agreement; every client in service has one, over what was granted."""
    database = open_database(f"sqlite:///{DataDir(evidence.data).database}")
    astray, principal = 0, 0
    try:
        with database.read() as session:
            for case in _cases(evidence):
                agreement = agreements.agreement_of_case(session, case_token=case.token) if case.token else None
                amount = agreement.principal_minor if agreement is not None else 0
                astray += amount != case.granted_minor or (agreement is not None) != (case.outcome == IN_SERVICE)
                principal += amount
    finally:
        database.dispose()
    seen = f"{principal / 100:,.2f} in agreements, {astray} astray"
    return Check(name="who was refused has no agreement", holds=not astray, seen=seen)


CHECKS: Final[tuple[Callable[[Evidence], Awaitable[Check]], ...]] = (
    every_client_one_end,
    every_refusal_has_its_reason,
    authority_holds,
    refused_is_not_serviced,
    every_decision_counted_once,
    serviced_as_signed,
    inbox_is_empty,
    audit_log_verifies,
    the_canary_can_sing,
    nobody_stands_in_clear,
)
_NEED_A_CASE: Final = (every_decision_counted_once, serviced_as_signed)


async def checked(evidence: Evidence) -> list[Check]:
    """Every check; whose application was not taken has no case to look into."""
    taken: list[Life] = [life for life in evidence.lives if life.token]
    with_cases = replace(evidence, lives=taken)
    return [await check(with_cases if check in _NEED_A_CASE else evidence) for check in CHECKS]


def _cases(evidence: Evidence) -> list[ClientCase]:
    return [life for life in evidence.lives if isinstance(life, ClientCase)]


async def _stored(evidence: Evidence) -> set[str]:
    """Tokens of all cases of the installation, page by page."""
    tokens: set[str] = set()
    after: str | None = None
    while True:
        body = {"limit": _PAGE} | ({"after": after} if after else {})
        page = (await evidence.office.auditor.call("POST", f"{_CASES}/search", json=body)).json()
        tokens.update(item["token"] for item in page["items"])
        after = page["endCursor"]
        if after is None:
            return tokens
