"""DDB-AUTH, DDB-MATCH, DDB-LIMIT, DDB-REVOKE: a debit follows the customer's mandate (代收授权).

中国人民银行关于规范代收业务的通知 (银发〔2020〕248号). What is asked here was read in the consultation draft
(征求意见稿) and its explanation, so all of it is provisional. The mandate names payee, purpose, account, cycle or
condition and term, and is given before or at the first debit; each order is checked against it and against its
limits; a revoked mandate stops debits to come, and the customer is told of each one that was made.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import DIRECT_DEBIT
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import MANDATE_FIELDS, MandateStatus


def check_mandate(facts: Mapping[str, Any]) -> Finding:
    """Complete, in force, and given in time."""
    if facts["mandate_status"] != MandateStatus.ACTIVE:
        return failed("no-mandate")
    gone = lacking(MANDATE_FIELDS, facts["mandate_fields"])
    if gone:
        return failed("incomplete", count=len(gone), item=gone[0])
    given, first = facts["mandate_given_on"], facts["first_debit_on"]
    if given > first:
        return failed("given-late", given=given.isoformat(), first=first.isoformat())
    return passed("given", given=given.isoformat())


def check_match(facts: Mapping[str, Any]) -> Finding:
    """Same account, same payee, within the term, both ends included."""
    if facts["debit_account"] != facts["mandate_account"]:
        return failed("other-account")
    if facts["debit_payee"] != facts["mandate_payee"]:
        return failed("other-payee")
    day, given, valid_to = facts["debit_on"], facts["mandate_given_on"], facts["mandate_valid_to"]
    if not given <= day <= valid_to:
        return failed("outside-term", day=day.isoformat(), valid_to=valid_to.isoformat())
    return passed("matches")


def check_limit(facts: Mapping[str, Any]) -> Finding:
    """At most the single limit, and at most the day's with what is under way."""
    amount, limit = facts["debit_amount_minor"], facts["mandate_limit_minor"]
    if amount > limit:
        return failed("above-limit", amount_minor=amount, limit_minor=limit)
    total, day_limit = amount + facts["debited_today_minor"], facts["mandate_day_limit_minor"]
    if total > day_limit:
        return failed("above-day-limit", amount_minor=total, limit_minor=day_limit)
    return passed("within-limits", amount_minor=amount)


def check_revoked(facts: Mapping[str, Any]) -> Finding:
    """Not revoked, and nothing kept from the customer."""
    if facts["mandate_status"] != MandateStatus.ACTIVE:
        return failed("revoked")
    count = facts["debits_not_notified"]
    return failed("customer-not-told", count=count) if count > 0 else passed("in-force")


DDB_AUTH: Final = Rule(
    id="DDB-AUTH",
    authority=DIRECT_DEBIT.authority,
    citation=DIRECT_DEBIT.unnumbered(),
    effective_from=DIRECT_DEBIT.since,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    facts=asks("repays_by_debit", "mandate_status", "mandate_fields", "mandate_given_on", "first_debit_on"),
    only_if=Condition(
        facts=("repays_by_debit",), holds=lambda facts: bool(facts["repays_by_debit"]), otherwise="no-debit"
    ),
    reasons=("given", "no-mandate", "incomplete", "given-late", "no-debit"),
    params=(
        Parameter(
            name="mandate_fields", value=MANDATE_FIELDS, source="银发〔2020〕248号, draft", as_of=DIRECT_DEBIT.since
        ),
    ),
    check=check_mandate,
)
DDB_MATCH: Final = Rule(
    id="DDB-MATCH",
    authority=DIRECT_DEBIT.authority,
    citation=DIRECT_DEBIT.unnumbered(),
    effective_from=DIRECT_DEBIT.since,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    facts=asks(
        "debit_account",
        "mandate_account",
        "debit_payee",
        "mandate_payee",
        "debit_on",
        "mandate_given_on",
        "mandate_valid_to",
    ),
    reasons=("matches", "other-account", "other-payee", "outside-term"),
    check=check_match,
)
DDB_LIMIT: Final = Rule(
    id="DDB-LIMIT",
    authority=DIRECT_DEBIT.authority,
    citation=DIRECT_DEBIT.unnumbered(),
    effective_from=DIRECT_DEBIT.since,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    facts=asks("debit_amount_minor", "mandate_limit_minor", "debited_today_minor", "mandate_day_limit_minor"),
    reasons=("within-limits", "above-limit", "above-day-limit"),
    check=check_limit,
)
DDB_REVOKE: Final = Rule(
    id="DDB-REVOKE",
    authority=DIRECT_DEBIT.authority,
    citation=DIRECT_DEBIT.unnumbered(),
    effective_from=DIRECT_DEBIT.since,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    facts=asks("mandate_status", "debits_not_notified"),
    reasons=("in-force", "revoked", "customer-not-told"),
    check=check_revoked,
)
