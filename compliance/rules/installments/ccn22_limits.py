"""CCN22-REINST, -RANGE, -TERM, -CASH, -FUND: how much may be in installments, how long, and where it goes.

关于进一步促进信用卡业务规范健康发展的通知 (银保监规〔2022〕13号). No second installment of what is in installments
already (不得对已办理分期的余额再次分期), except the individual agreement of Art. 70; amounts within the bank's own
limits (起点金额, 最高金额); five years at most; of a cash advance (预借现金) CNY 50,000 and two years at most; money
paid out goes to the customer's own settlement account (本人银行结算账户) and counts as a cash advance.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CARD_NOTICE
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.rule_words import AccountKind, Product

MAX_MONTHS: Final = 60
CASH_MAX_MINOR: Final = 5_000_000
CASH_MAX_MONTHS: Final = 24
_NOTICE: Final = "银保监规〔2022〕13号"


def check_again(facts: Mapping[str, Any]) -> Finding:
    """Nothing twice, unless by Art. 70."""
    if not facts["already_in_installment"]:
        return passed("first-time")
    return passed("article-70") if facts["product"] == Product.PERSONALISED else failed("twice")


def check_range(facts: Mapping[str, Any]) -> Finding:
    """Between the bank's own limits, both included."""
    amount, least, most = facts["principal_minor"], facts["minimum_amount_minor"], facts["maximum_amount_minor"]
    limits = {"amount_minor": amount, "least_minor": least, "most_minor": most}
    return passed("within", **limits) if least <= amount <= most else failed("outside", **limits)


def check_term(facts: Mapping[str, Any]) -> Finding:
    """At most 60 months."""
    months = facts["term_months"]
    return passed("within", months=months) if months <= MAX_MONTHS else failed("too-long", months=months)


def check_cash(facts: Mapping[str, Any]) -> Finding:
    """At most CNY 50,000.00 and 24 months."""
    if facts["principal_cny_minor"] > CASH_MAX_MINOR:
        return failed("too-much", amount_minor=facts["principal_cny_minor"], most_minor=CASH_MAX_MINOR)
    if facts["term_months"] > CASH_MAX_MONTHS:
        return failed("too-long", months=facts["term_months"], most=CASH_MAX_MONTHS)
    return passed("within")


def check_payout(facts: Mapping[str, Any]) -> Finding:
    """The customer's own account, and no card."""
    if not facts["payout_account_own"]:
        return failed("not-own")
    if facts["payout_account_kind"] == AccountKind.CREDIT_CARD:
        return failed("card-account")
    return passed("own-settlement-account")


CCN22_REINST: Final = Rule(
    id="CCN22-REINST",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("already_in_installment", "product"),
    reasons=("first-time", "article-70", "twice"),
    check=check_again,
)
CCN22_RANGE: Final = Rule(
    id="CCN22-RANGE",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("principal_minor", "minimum_amount_minor", "maximum_amount_minor"),
    reasons=("within", "outside"),
    check=check_range,
)
CCN22_TERM: Final = Rule(
    id="CCN22-TERM",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("term_months"),
    reasons=("within", "too-long"),
    params=(Parameter(name="max_term_months", value=MAX_MONTHS, source=_NOTICE, as_of=CARD_NOTICE.since),),
    check=check_term,
)
CCN22_CASH: Final = Rule(
    id="CCN22-CASH",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("product", "pays_out", "principal_cny_minor", "term_months"),
    only_if=Condition(
        facts=("product", "pays_out"),
        holds=lambda facts: facts["product"] == Product.CASH_ADVANCE or facts["pays_out"],
        otherwise="no-cash",
    ),
    reasons=("within", "too-much", "too-long", "no-cash"),
    params=(
        Parameter(name="max_amount_minor", value=CASH_MAX_MINOR, source=_NOTICE, as_of=CARD_NOTICE.since),
        Parameter(name="max_term_months", value=CASH_MAX_MONTHS, source=_NOTICE, as_of=CARD_NOTICE.since),
    ),
    check=check_cash,
)
CCN22_FUND: Final = Rule(
    id="CCN22-FUND",
    authority=CARD_NOTICE.authority,
    citation=CARD_NOTICE.unnumbered(),
    effective_from=CARD_NOTICE.since,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    facts=asks("pays_out", "payout_account_own", "payout_account_kind"),
    only_if=Condition(facts=("pays_out",), holds=lambda facts: bool(facts["pays_out"]), otherwise="no-payout"),
    reasons=("own-settlement-account", "not-own", "card-account", "no-payout"),
    check=check_payout,
)
