"""COLL-CBA-3P, -SRC, -REC, -BAN, COLL-AGY: third persons, where contact data come from, how, and by whom.

The banking association's guide (金融机构个人消费类贷款催收工作指引（试行）) tells third persons who share the debt from
those who do not; the others are asked to pass a message on, and only if the debtor is lost in one of three ways.
Contact data have six lawful sources. Calls are recorded; visits are made by two, who show who they are and are let
in. Eight bans: nothing in public, no threats, no privacy spread, no new borrowing pushed, no posing as an authority.
Agencies stand on a published list and are evaluated every year, as GB/T 45251-2025 wants too.

Guide and standard are no law; the bank raised them from a warning to a stop. Only summaries were seen, so the strict
reading is taken: who is not known to share the debt does not; a visit is recorded too, and needs consent wherever it is
made; a year since the evaluation ends with its anniversary.
"""

from collections.abc import Mapping
from typing import Any, Final

from compliance.rules.installments.collection import raised
from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import COLLECTION_GUIDE
from compliance.rules.periods import years_after
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.application import ContactChannel
from models.domain.rule_words import (
    ContactMaker,
    ContactPurpose,
    ContactRole,
    ContactScript,
    ContactSource,
    LostBy,
    ThirdParty,
)

VISITORS: Final = 2
YEARS_BETWEEN_EVALUATIONS: Final = 1
SOURCES: Final = tuple(each.value for each in ContactSource)
LOST: Final = tuple(each.value for each in LostBy if each is not LostBy.NOT_LOST)
CHANNELS: Final = tuple(each.value for each in ContactChannel)
_PARTIES: Final = (ContactRole.DEBTOR, ContactRole.GUARANTOR)
_WRITTEN: Final = (ContactChannel.MESSAGE, ContactChannel.LETTER)


def _collects(facts: Mapping[str, Any]) -> bool:
    """A purpose nobody knows counts as collection."""
    return bool(facts["contact_purpose"] != ContactPurpose.SERVICE_REMINDER)


def check_third_party(facts: Mapping[str, Any]) -> Finding:
    """Somebody who shares the debt; anybody else to pass a message on to a debtor who is lost."""
    if facts["third_party_kind"] == ThirdParty.RELATED:
        return passed("shares-debt")
    if facts["lost_by"] not in LOST:
        return failed("debtor-within-reach")
    return passed("relay-only") if facts["contact_script"] == ContactScript.RELAY_ONLY else failed("reveals-debt")


def check_source(facts: Mapping[str, Any]) -> Finding:
    """One of the six."""
    return passed("lawful") if facts["contact_source"] in SOURCES else failed("other-source")


def check_record(facts: Mapping[str, Any]) -> Finding:
    """Recorded; a visit by two who show who they are and are let in."""
    if not facts["contact_recorded"]:
        return failed("not-recorded")
    if facts["contact_channel"] != ContactChannel.VISIT:
        return passed("recorded")
    if facts["visit_staff"] < VISITORS:
        return failed("alone", least=VISITORS)
    if not facts["visit_id_shown"]:
        return failed("identity-not-shown")
    return passed("recorded") if facts["visit_entry_consent"] else failed("not-let-in")


def check_bans(facts: Mapping[str, Any]) -> Finding:
    """To the person alone, in words that are not banned."""
    if facts["contact_channel"] not in CHANNELS:
        return failed("in-public")
    return failed("banned-words") if facts["banned_words_found"] else passed("clean")


def check_agency(facts: Mapping[str, Any]) -> Finding:
    """On the list, and evaluated within the year before the contact."""
    if not facts["agency_listed"]:
        return failed("not-listed")
    evaluated, on = facts["agency_evaluated_on"], facts["contact_on"]
    if evaluated <= on <= years_after(evaluated, YEARS_BETWEEN_EVALUATIONS):
        return passed("evaluated", on=evaluated.isoformat())
    return failed("not-evaluated", on=evaluated.isoformat())


COLL_CBA_3P: Final = Rule(
    id="COLL-CBA-3P",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_purpose", "contact_role", "third_party_kind", "lost_by", "contact_script"),
    only_if=Condition(
        facts=("contact_purpose", "contact_role"),
        holds=lambda facts: _collects(facts) and facts["contact_role"] not in _PARTIES,
        otherwise="no-third-party",
    ),
    reasons=("shares-debt", "relay-only", "debtor-within-reach", "reveals-debt", "no-third-party"),
    params=(
        Parameter(name="lost_by", value=LOST, source="催收工作指引（试行）", as_of=COLLECTION_GUIDE.since),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_third_party,
)
COLL_CBA_SRC: Final = Rule(
    id="COLL-CBA-SRC",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_purpose", "contact_source"),
    only_if=Condition(facts=("contact_purpose",), holds=_collects, otherwise="no-collection"),
    reasons=("lawful", "other-source", "no-collection"),
    params=(
        Parameter(name="sources", value=SOURCES, source="催收工作指引（试行）", as_of=COLLECTION_GUIDE.since),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_source,
)
COLL_CBA_REC: Final = Rule(
    id="COLL-CBA-REC",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks(
        "contact_purpose",
        "contact_channel",
        "contact_recorded",
        "visit_staff",
        "visit_id_shown",
        "visit_entry_consent",
    ),
    only_if=Condition(
        facts=("contact_purpose", "contact_channel"),
        holds=lambda facts: _collects(facts) and facts["contact_channel"] not in _WRITTEN,
        otherwise="nothing-said",
    ),
    reasons=("recorded", "not-recorded", "alone", "identity-not-shown", "not-let-in", "nothing-said"),
    params=(
        Parameter(name="visitors", value=VISITORS, source="催收工作指引（试行）", as_of=COLLECTION_GUIDE.since),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_record,
)
COLL_CBA_BAN: Final = Rule(
    id="COLL-CBA-BAN",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_channel", "banned_words_found"),
    reasons=("clean", "in-public", "banned-words"),
    params=(
        Parameter(name="channels", value=CHANNELS, source="催收工作指引（试行）", as_of=COLLECTION_GUIDE.since),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_bans,
)
COLL_AGY: Final = Rule(
    id="COLL-AGY",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_maker", "agency_listed", "agency_evaluated_on", "contact_on"),
    only_if=Condition(
        facts=("contact_maker",),
        holds=lambda facts: facts["contact_maker"] != ContactMaker.BANK,
        otherwise="bank-itself",
    ),
    reasons=("evaluated", "not-listed", "not-evaluated", "bank-itself"),
    params=(
        Parameter(
            name="years",
            value=YEARS_BETWEEN_EVALUATIONS,
            source="催收工作指引（试行）; GB/T 45251-2025",
            as_of=COLLECTION_GUIDE.since,
        ),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_agency,
)
