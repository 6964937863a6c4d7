"""The rules of a change (提前结清、部分提前还款), asked before it is booked. All verdicts are kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlmodel import Session

from api.agreements.access import deed_on
from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.audit.unit import unit_of_work
from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from compliance.rules.results import Verdict
from compliance.verdicts import verdict_rows
from models.domain.rule_words import ChangeKind
from models.domain.servicing.components import Component
from models.domain.servicing.settlement import COMPONENT_OF, ItemCode
from models.domain.servicing.settlement import SettlementQuote as Quoted
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.errors import BlockedByRule
from models.queries import agreements
from models.tables.agreements import Agreement

_CHARGES: Final = {Component.INTEREST: "interest", Component.FEE: "interest", Component.PENALTY: "late-interest"}
_INTEREST: Final = frozenset({ItemCode.DUE_INTEREST, ItemCode.LATE_INTEREST, ItemCode.USED_INTEREST})


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """What rules are asked about.

    Attributes:
        key: names this change; its verdicts are kept under it once.
        asked_minor: interest that the customer is asked for.
        now_settles: what would settle on the same day as the books stand: the interest that really ran.
        agreed_by_customer: where the rows to come change, whether the customer's agreement is on record.
    """

    kind: ChangeKind
    key: str
    asked_minor: int
    now_settles: Quoted
    agreed_by_customer: bool = False


class Blocked(Exception):
    """A rule stands against it; the unit is given up, and the verdicts are kept by another."""

    def __init__(self, verdicts: tuple[Verdict, ...], change: Change) -> None:
        """Take the verdicts along."""
        super().__init__(change.key)
        self.verdicts = verdicts
        self.change = change


def interest_in(quoted: Quoted) -> int:
    """Interest in a quote, late interest included; minor units."""
    return sum(item.amount_minor for item in quoted.items if item.code in _INTEREST)


def ask(session: Session, agreement: Agreement, change: Change, *, now: datetime) -> dict[str, str]:
    """Ask the rules in the unit of the change, and keep what they said.

    Returns:
        The results by rule, for the deed.

    Raises:
        Blocked: the unit must not be committed.
    """
    facts, on = _facts(session, agreement, change), shanghai_date(now)
    verdicts = ask_gate(session, agreement.tenant, Gate.CHANGE, facts, as_of=on, evaluated_at=now)
    if any(blocks(result=verdict.result, severity=verdict.severity) for verdict in verdicts):
        raise Blocked(verdicts, change)
    _keep(session, agreement, verdicts, change, now=now)
    return {verdict.rule_id: verdict.result.value for verdict in verdicts}


def keep_blocked(deps: ApiDeps, principal: Principal, agreement: Agreement, blocked: Blocked) -> BlockedByRule:
    """Keep the verdicts of a change that came to nothing; returns the problem that names the first that blocks."""
    now = deps.clock()
    results = {verdict.rule_id: verdict.result.value for verdict in blocked.verdicts}
    deed = deed_on(agreement, "change.blocked", by=principal, at=now, kind=blocked.change.kind.value, results=results)
    with unit_of_work(deps.database, deed) as unit:
        _keep(unit.session, agreement, blocked.verdicts, blocked.change, now=now)
    first = next(one for one in blocked.verdicts if blocks(result=one.result, severity=one.severity))
    return BlockedByRule(detail=agreement.id, params={"rule": first.rule_id, "reason": first.reason})


def _facts(session: Session, agreement: Agreement, change: Change) -> dict[str, object]:
    text = agreements.latest_text(session, case_token=agreement.case_token)
    charged = {COMPONENT_OF[item.code] for item in change.now_settles.items if item.code in COMPONENT_OF}
    facts: dict[str, object] = {
        "change_kind": change.kind.value,
        "interest_asked_minor": change.asked_minor,
        "interest_accrued_minor": interest_in(change.now_settles),
        "early_fee_minor": 0,  # the product has no charge for paying early
        "early_fee_agreed": False,
        "interest_agreed_otherwise": False,
        "agreement_signed_on": shanghai_date(agreement.signed_at),
        "charges_posted": tuple({code: None for component, code in _CHARGES.items() if component in charged}),
        "change_agreed_by_customer": change.agreed_by_customer,
        "change_agreed_by_bank": True,  # the officer books it within the signed agreement
        "change_unambiguous": True,  # it is bound to the hash of every new row
    }
    if text is not None:
        facts["statement_items"] = tuple(text.facts.get("statement_items", ()))
    return facts


def _keep(
    session: Session, agreement: Agreement, verdicts: tuple[Verdict, ...], change: Change, *, now: datetime
) -> None:
    token = agreement.case_token
    session.add_all(verdict_rows(verdicts, gate=Gate.CHANGE, case_token=token, key=change.key, now=now))
    session.flush()
