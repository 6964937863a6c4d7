"""BATCH-DISP, BATCH-COMPL: a contested row is left alone and proven, a complaint answered in time (争议、投诉).

BATCH-DISP rests on 银行卡民事纠纷规定 Arts. 4, 5 (proof is on the issuer). BATCH-COMPL:
银行业保险业消费投诉处理管理办法, fifteen days, thirty for complex ones and thirty more if they are extended; recalled
only.
"""

from typing import Final

from compliance.rules.demands import all_of, demand, rule, yes
from compliance.rules.laws import CARD_INTERPRETATION, COMPLAINT_MEASURES
from compliance.rules.results import Severity, Verified

ORDINARY_DAYS: Final = 15
COMPLEX_DAYS: Final = 30
EXTENDED_DAYS: Final = 60
COMPLAINT_DAYS: Final = {"complex": COMPLEX_DAYS, "extended": EXTENDED_DAYS}

BATCH_DISP: Final = rule(
    "BATCH-DISP",
    CARD_INTERPRETATION.article("第四条、第五条", "Articles 4, 5"),
    source=CARD_INTERPRETATION,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="handled",
    demands=(
        all_of("contested_rows_excluded", of="contested_rows", otherwise="still-debited"),
        yes("dispute_evidence_kept", otherwise="no-evidence"),
    ),
)
BATCH_COMPL: Final = rule(
    "BATCH-COMPL",
    COMPLAINT_MEASURES.unnumbered(),
    source=COMPLAINT_MEASURES,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="in-time",
    demands=(
        demand(
            "complaint_received_on",
            "complaint_answered_on",
            "complaint_kind",
            holds=lambda seen: (
                (seen["complaint_answered_on"] - seen["complaint_received_on"]).days
                <= COMPLAINT_DAYS.get(seen["complaint_kind"], ORDINARY_DAYS)
            ),
            otherwise="late",
        ),
    ),
    params={
        "ordinary_days": (ORDINARY_DAYS, "银行业保险业消费投诉处理管理办法, from memory"),
        "complex_days": (COMPLEX_DAYS, "银行业保险业消费投诉处理管理办法, from memory"),
        "extended_days": (EXTENDED_DAYS, "银行业保险业消费投诉处理管理办法, from memory"),
    },
)
