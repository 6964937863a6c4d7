"""CRED-16, CRED-20, CRED-25, CRED-26, CRED-28, CRED-29: what is reported, for how long, and objections (征信).

征信业管理条例. 16: bad records for five years from the end of what was bad. 20: only for the agreed purpose. 25: an
objection is marked, checked and answered in writing within twenty days. 26: a complaint to the central bank within
thirty. 28, 29: reported to the state database with prior written consent.
"""

from typing import Final

from compliance.rules.demands import demand, equal, if_yes, no, rule, within_days, within_years, yes
from compliance.rules.installments.sources import CREDIT_REPORTING
from compliance.rules.results import Severity, Verified

YEARS: Final = 5
OBJECTION_DAYS: Final = 20  # inclusive
COMPLAINT_DAYS: Final = 30  # inclusive

CRED_16: Final = rule(
    "CRED-16",
    CREDIT_REPORTING.article("第十六条", "Article 16"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="within",
    demands=(within_years("bad_record_shown_on", since="bad_act_ended_on", years=YEARS, otherwise="over"),),
    params={
        "years": (YEARS, "征信业管理条例 Art. 16"),
    },
)
CRED_20: Final = rule(
    "CRED-20",
    CREDIT_REPORTING.article("第二十条", "Article 20"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="as-agreed",
    demands=(
        equal("report_used_for", "consent_purpose", otherwise="other-purpose"),
        no("report_given_away", otherwise="given-away"),
    ),
)
CRED_25: Final = rule(
    "CRED-25",
    CREDIT_REPORTING.article("第二十五条", "Article 25"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        yes("objection_marked", otherwise="not-marked"),
        within_days("objection_answered_on", since="objection_received_on", days=OBJECTION_DAYS, otherwise="late"),
        demand(
            "record_found_wrong",
            "record_corrected",
            holds=lambda seen: not seen["record_found_wrong"] or seen["record_corrected"],
            otherwise="not-corrected",
        ),
    ),
    params={
        "days": (OBJECTION_DAYS, "征信业管理条例 Art. 25: inclusive"),
    },
)
CRED_26: Final = rule(
    "CRED-26",
    CREDIT_REPORTING.article("第二十六条", "Article 26"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-time",
    demands=(
        within_days("pboc_complaint_answered_on", since="pboc_complaint_on", days=COMPLAINT_DAYS, otherwise="late"),
    ),
    params={
        "days": (COMPLAINT_DAYS, "征信业管理条例 Art. 26: inclusive"),
    },
)
CRED_28: Final = rule(
    "CRED-28",
    CREDIT_REPORTING.article("第二十八条", "Article 28"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("reported_to_database", otherwise="not-reported"),
    kept="consented",
    demands=(yes("report_consent_written", otherwise="no-consent"),),
)
CRED_29: Final = rule(
    "CRED-29",
    CREDIT_REPORTING.article("第二十九条", "Article 29"),
    source=CREDIT_REPORTING,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("reported_to_database", otherwise="not-reported"),
    kept="consented",
    demands=(yes("report_consent_written", otherwise="no-consent"),),
)
