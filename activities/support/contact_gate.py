"""The contact gate (催收联系) about a care call: asked before one is put into the inbox, and about each on record."""

from datetime import datetime

from sqlmodel import Session

from compliance.policy import ask_gate
from compliance.rules.evaluate import blocks
from compliance.rules.results import Verdict
from compliance.verdicts import verdict_rows
from models.domain.application import ContactChannel
from models.domain.rule_words import ContactPurpose, ContactRole, ContactScript
from models.domain.shanghai import shanghai_date
from models.domain.states import Gate
from models.queries.contact_facts import PlannedContact, contact_facts
from models.tables.installments import InstallmentCase, RuleVerdict


def verdicts_on_call(
    session: Session, case: InstallmentCase, *, at: datetime, words: str | None = None
) -> tuple[Verdict, ...]:
    """What the rules say of a care call to the customer at an instant; `words` are looked through, not kept.

    It is a service contact: collection is stopped while an agreement lasts (CCM-70e), and asking how somebody is doing
    is none.
    """
    call = PlannedContact(
        at=at,
        channel=ContactChannel.PHONE,
        purpose=ContactPurpose.SERVICE_REMINDER,
        role=ContactRole.DEBTOR,
        script=ContactScript.FULL,
        recorded=False,
        words=words,
    )
    facts = contact_facts(session, case, call)
    return ask_gate(session, case.tenant, Gate.CONTACT, facts, as_of=shanghai_date(at))


def against(verdicts: tuple[Verdict, ...]) -> list[str]:
    """The rules that stand against it."""
    return sorted(each.rule_id for each in verdicts if blocks(result=each.result, severity=each.severity))


def kept(verdicts: tuple[Verdict, ...], case: InstallmentCase, *, key: str, now: datetime) -> list[RuleVerdict]:
    """The verdicts as rows, under the key of what they are about."""
    return verdict_rows(verdicts, gate=Gate.CONTACT, case_token=case.token, key=key, now=now)
