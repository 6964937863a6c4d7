"""CC-188, CC-195, SPC-CARD-3: limitation, what interrupts it, and that each interruption is on record (诉讼时效).

民法典 Arts. 188, 195: three years from the last interruption. 银行卡民事纠纷规定 Art. 3: an agreed debit, a message,
letter or e-mail to the contacts that the holder left, or a report to the police interrupts it. The warning ninety days
before is the bank's.
"""

from typing import Final

from compliance.rules.demands import all_of, among, days_left, rule, within_years
from compliance.rules.installments.sources import CIVIL_CODE
from compliance.rules.laws import CARD_INTERPRETATION
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import INTERRUPTIONS

YEARS: Final = 3
WARN_DAYS: Final = 90  # before the end; the bank's choice

CC_188: Final = rule(
    "CC-188",
    CIVIL_CODE.article("第一百八十八条", "Article 188"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="running",
    demands=(
        within_years("limitation_asked_on", since="limitation_last_event_on", years=YEARS, otherwise="expired"),
        days_left(
            "limitation_asked_on", since="limitation_last_event_on", years=YEARS, warn=WARN_DAYS, otherwise="ends-soon"
        ),
    ),
    params={
        "years": (YEARS, "民法典 Art. 188"),
        "warn_days": (WARN_DAYS, "bank policy"),
    },
)
CC_195: Final = rule(
    "CC-195",
    CIVIL_CODE.article("第一百九十五条", "Article 195"),
    source=CIVIL_CODE,
    verified=Verified.TEXT,
    severity=Severity.WARN,
    kept="interrupts",
    demands=(among("limitation_interrupted_by", INTERRUPTIONS, otherwise="no-interruption"),),
    params={
        "interruptions": (INTERRUPTIONS, "民法典 Art. 195; 银行卡民事纠纷规定 Art. 3"),
    },
)
SPC_CARD_3: Final = rule(
    "SPC-CARD-3",
    CARD_INTERPRETATION.article("第三条", "Article 3"),
    source=CARD_INTERPRETATION,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="recorded",
    demands=(all_of("interruptions_recorded", of="interruptions_made", otherwise="not-recorded"),),
)
