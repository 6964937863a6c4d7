"""COLL-CBA-HOURS, COLL-CBA-DIAL, COLL-GB-CALLS, COLL-GB-WHO, CC-1033: when, how often and whom (催收行为规范).

The banking association's guide (金融机构个人消费类贷款催收工作指引（试行）): nothing from 22:00 to 08:00 without the
debtor's consent, and no more than six attempts a day at one number nobody answers. GB/T 45251-2025: at most three
effective calls a day to one debtor, an AI voice included; a contact person (联系人) only if the debtor is lost, and
only to pass a message on. 民法典 Art. 1033: nobody's peace is disturbed (私人生活安宁).

Guide and standard are no law; the bank raised them from a warning to a stop. Only summaries of both were seen.
"""

from collections.abc import Mapping
from datetime import date, time
from typing import Any, Final

from compliance.rules.installments.facts import asks
from compliance.rules.installments.sources import CIVIL_CODE, COLLECTION_GUIDE, COLLECTION_STANDARD
from compliance.rules.results import Parameter, Severity, Verified
from compliance.rules.rule import Condition, Finding, Rule, failed, passed
from models.domain.application import ContactChannel
from models.domain.rule_words import ContactRole, ContactScript

FIRST_HOUR: Final = time(8)  # 08:00:00 is the first moment allowed
LAST_HOUR: Final = time(22)  # 22:00:00 is the first moment forbidden
MAX_DIALS: Final = 6
MAX_CALLS: Final = 3
_OTHER_CHANNELS: Final = tuple(each.value for each in ContactChannel if each is not ContactChannel.PHONE)
_BY_PHONE: Final = Condition(
    facts=("contact_channel",),
    # A channel nobody knows counts as a call.
    holds=lambda facts: facts["contact_channel"] not in _OTHER_CHANNELS,
    otherwise="no-call",
)


def raised(since: date) -> Parameter:
    """That the bank stops what guide or standard only advise against."""
    return Parameter(
        name="severity",
        value="WARN→BLOCK",
        source="bank policy: self-regulation and recommended standards are raised to a stop",
        as_of=since,
    )


def check_hours(facts: Mapping[str, Any]) -> Finding:
    """08:00:00 to 21:59:59 where the person is, or with consent."""
    told = facts["contact_local_time"].strftime("%H:%M:%S")
    if FIRST_HOUR <= facts["contact_local_time"] < LAST_HOUR:
        return passed("within-hours", time=told)
    return passed("consented", time=told) if facts["contact_hours_consent"] else failed("outside-hours", time=told)


def check_dials(facts: Mapping[str, Any]) -> Finding:
    """Fewer than six attempts so far: this one is at most the sixth."""
    so_far = facts["dials_today"]
    return passed("may-dial", so_far=so_far) if so_far < MAX_DIALS else failed("too-many", most=MAX_DIALS)


def check_calls(facts: Mapping[str, Any]) -> Finding:
    """Fewer than three effective calls so far: this one is at most the third."""
    so_far = facts["effective_calls_today"]
    return passed("may-call", so_far=so_far) if so_far < MAX_CALLS else failed("too-many", most=MAX_CALLS)


def check_person(facts: Mapping[str, Any]) -> Finding:
    """A contact person, for a lost debtor, who did not refuse, to pass a message on."""
    if facts["contact_role"] != ContactRole.CONTACT_PERSON:
        return failed("third-party")
    if not facts["debtor_lost"]:
        return failed("debtor-within-reach")
    if facts["contact_refused"]:
        return failed("refused")
    return passed("relay-only") if facts["contact_script"] == ContactScript.RELAY_ONLY else failed("reveals-debt")


def check_peace(facts: Mapping[str, Any]) -> Finding:
    """The person did not refuse this way of contact."""
    return failed("refused") if facts["contact_refused"] else passed("not-refused")


COLL_CBA_HOURS: Final = Rule(
    id="COLL-CBA-HOURS",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_local_time", "contact_hours_consent"),
    reasons=("within-hours", "consented", "outside-hours"),
    params=(
        Parameter(
            name="hours",
            value=(FIRST_HOUR.isoformat(), LAST_HOUR.isoformat()),
            source="催收工作指引（试行）: first included, last excluded",
            as_of=COLLECTION_GUIDE.since,
        ),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_hours,
)
COLL_CBA_DIAL: Final = Rule(
    id="COLL-CBA-DIAL",
    authority=COLLECTION_GUIDE.authority,
    citation=COLLECTION_GUIDE.unnumbered(),
    effective_from=COLLECTION_GUIDE.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_channel", "dials_today"),
    only_if=_BY_PHONE,
    reasons=("may-dial", "too-many", "no-call"),
    params=(
        Parameter(
            name="max_dials", value=MAX_DIALS, source="催收工作指引（试行）: 不宜超过6次", as_of=COLLECTION_GUIDE.since
        ),
        raised(COLLECTION_GUIDE.since),
    ),
    check=check_dials,
)
COLL_GB_CALLS: Final = Rule(
    id="COLL-GB-CALLS",
    authority=COLLECTION_STANDARD.authority,
    citation=COLLECTION_STANDARD.unnumbered(),
    effective_from=COLLECTION_STANDARD.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_channel", "effective_calls_today"),
    only_if=_BY_PHONE,
    reasons=("may-call", "too-many", "no-call"),
    params=(
        Parameter(name="max_calls", value=MAX_CALLS, source="GB/T 45251-2025", as_of=COLLECTION_STANDARD.since),
        raised(COLLECTION_STANDARD.since),
    ),
    check=check_calls,
)
COLL_GB_WHO: Final = Rule(
    id="COLL-GB-WHO",
    authority=COLLECTION_STANDARD.authority,
    citation=COLLECTION_STANDARD.unnumbered(),
    effective_from=COLLECTION_STANDARD.since,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    facts=asks("contact_role", "debtor_lost", "contact_refused", "contact_script"),
    only_if=Condition(
        facts=("contact_role",),
        holds=lambda facts: facts["contact_role"] not in {ContactRole.DEBTOR, ContactRole.GUARANTOR},
        otherwise="party",
    ),
    reasons=("relay-only", "third-party", "debtor-within-reach", "refused", "reveals-debt", "party"),
    params=(raised(COLLECTION_STANDARD.since),),
    check=check_person,
)
CC_1033: Final = Rule(
    id="CC-1033",
    authority=CIVIL_CODE.authority,
    citation=CIVIL_CODE.article("第一千零三十三条", "Article 1033"),
    effective_from=CIVIL_CODE.since,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    facts=asks("contact_refused"),
    reasons=("not-refused", "refused"),
    check=check_peace,
)
