"""AIC26-FORM, -SITE, -ONLINE, -PARTY, -OLD: the statement of the all-in financing cost (综合融资成本明示表).

个人贷款业务明示综合融资成本规定 (金规〔2026〕2号), in force from 2026-08-01. Before the contract, or before the
installment is processed, the borrower gets and signs or confirms a statement of every charge, who takes it, its
yearly rate and the total; partners' charges belong into it, and nothing outside it may be charged later. Agreements
signed before that day are not caught (新老划断). Whether an individual agreement under Art. 70 is an installment in
its sense was not seen; the parameter `covers_article_70` says that the bank takes it to be one.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.apr_21 import basis_points
from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import COST_STATEMENT
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, lacking, passed
from models.domain.rule_words import STATEMENT_FIELDS, SigningChannel

TOLERANCE_PPM: Final = 100  # 0.01 percentage points
READING_SECONDS: Final = 10
_NUMBER: Final = "金规〔2026〕2号"

_NEW: Final = Condition(
    facts=("agreement_signed_on",),
    holds=lambda facts: facts["agreement_signed_on"] >= COST_STATEMENT.since,
    otherwise="old-agreement",
)
_ONLINE: Final = Condition(
    facts=("signing_channel",),
    holds=lambda facts: facts["signing_channel"] == SigningChannel.ONLINE,
    otherwise="not-online",
)
# Whatever is not online needs a signature beforehand: an unknown channel is no way around it.
_ON_SITE: Final = Condition(
    facts=("signing_channel",),
    holds=lambda facts: facts["signing_channel"] != SigningChannel.ONLINE,
    otherwise="online",
)
_SCOPE: Final = Parameter(
    name="covers_article_70",
    value="yes",
    source="bank policy: whether agreements under Art. 70 of the card measures are covered was not seen",
    as_of=COST_STATEMENT.since,
)


def check_form(facts: Mapping[str, Any]) -> Finding:
    """Every field, and the total that the flows give."""
    gone = lacking(STATEMENT_FIELDS, facts["statement_fields"])
    if gone:
        return failed("incomplete", count=len(gone), item=gone[0])
    stated, found = facts["statement_rate_ppm"], facts["rate_from_flows_ppm"]
    rates = {"stated_bps": basis_points(stated), "found_bps": basis_points(found)}
    return failed("other-total", **rates) if abs(stated - found) > TOLERANCE_PPM else passed("complete", **rates)


def check_on_site(facts: Mapping[str, Any]) -> Finding:
    """Signed before the agreement."""
    early = facts["statement_confirmed_at"] < facts["signing_at"]
    return passed("signed-before") if early else failed("signed-late")


def check_online(facts: Mapping[str, Any]) -> Finding:
    """Shown by itself, long enough to be read, confirmed before the agreement."""
    if not facts["statement_popup_shown"]:
        return failed("not-shown")
    seconds = facts["statement_read_seconds"]
    if seconds < READING_SECONDS:
        return failed("read-too-short", seconds=seconds, least=READING_SECONDS)
    early = facts["statement_confirmed_at"] < facts["signing_at"]
    return passed("confirmed-before", seconds=seconds) if early else failed("confirmed-late")


def check_partners(facts: Mapping[str, Any]) -> Finding:
    """Partners' charges are in it."""
    outside = lacking(facts["partner_charges"], facts["statement_items"])
    return failed("outside", count=len(outside), item=outside[0]) if outside else passed("inside")


def check_posted(facts: Mapping[str, Any]) -> Finding:
    """What is charged was stated."""
    outside = lacking(facts["charges_posted"], facts["statement_items"])
    return failed("outside", count=len(outside), item=outside[0]) if outside else passed("inside")


AIC26_FORM: Final = Rule(
    id="AIC26-FORM",
    authority=COST_STATEMENT.authority,
    citation=COST_STATEMENT.unnumbered(),
    effective_from=COST_STATEMENT.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("statement_fields", "statement_rate_ppm", "rate_from_flows_ppm"),
    reasons=("complete", "incomplete", "other-total"),
    params=(
        Parameter(name="fields", value=STATEMENT_FIELDS, source=_NUMBER, as_of=COST_STATEMENT.since),
        Parameter(
            name="tolerance_ppm",
            value=TOLERANCE_PPM,
            source="bank policy: 0.01 percentage points, inclusive",
            as_of=COST_STATEMENT.since,
        ),
        _SCOPE,
    ),
    check=check_form,
)
AIC26_SITE: Final = Rule(
    id="AIC26-SITE",
    authority=COST_STATEMENT.authority,
    citation=COST_STATEMENT.unnumbered(),
    effective_from=COST_STATEMENT.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("signing_channel", "statement_confirmed_at", "signing_at"),
    only_if=_ON_SITE,
    reasons=("signed-before", "signed-late", "online"),
    params=(_SCOPE,),
    check=check_on_site,
)
AIC26_ONLINE: Final = Rule(
    id="AIC26-ONLINE",
    authority=COST_STATEMENT.authority,
    citation=COST_STATEMENT.unnumbered(),
    effective_from=COST_STATEMENT.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks(
        "signing_channel", "statement_popup_shown", "statement_read_seconds", "statement_confirmed_at", "signing_at"
    ),
    only_if=_ONLINE,
    reasons=("confirmed-before", "not-shown", "read-too-short", "confirmed-late", "not-online"),
    params=(
        Parameter(
            name="reading_seconds",
            value=READING_SECONDS,
            source=f"bank policy: {_NUMBER} demands a forced reading time; no figure was seen",
            as_of=COST_STATEMENT.since,
        ),
        _SCOPE,
    ),
    check=check_online,
)
AIC26_PARTY: Final = Rule(
    id="AIC26-PARTY",
    authority=COST_STATEMENT.authority,
    citation=COST_STATEMENT.unnumbered(),
    effective_from=COST_STATEMENT.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("partner_charges", "statement_items"),
    reasons=("inside", "outside"),
    params=(_SCOPE,),
    check=check_partners,
)
AIC26_OLD: Final = Rule(
    id="AIC26-OLD",
    authority=COST_STATEMENT.authority,
    citation=COST_STATEMENT.unnumbered(),
    effective_from=COST_STATEMENT.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("agreement_signed_on", "charges_posted", "statement_items"),
    only_if=_NEW,
    reasons=("inside", "outside", "old-agreement"),
    params=(_SCOPE,),
    check=check_posted,
)
