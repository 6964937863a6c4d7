"""CBL-29, CBL-73, DDB-DEF, DDB-CHANNEL, DDB-BAN, DDB-PRE: what a debit may rest on, and what is put right (代收).

商业银行法 Arts. 29, 73: savings are debited by law, mandate or a clause that was pointed out; what was debited without
is returned with interest. 银发〔2020〕248号: fixed payees and an agreed rhythm or amount, authorised at the counter,
on the network, by phone or message, not for peer-to-peer financing. A notice before each debit was not seen in it: the
reminder of CCM-67 does that work.
"""

from typing import Final

from compliance.rules.demands import among, demand, if_yes, none_of, rule, yes
from compliance.rules.installments.sources import BANK_LAW, CARD_MEASURES, DIRECT_DEBIT
from compliance.rules.results import Severity, Verified
from models.domain.batches_words import BANNED_PAYEES, DEBIT_BASES, MANDATE_CHANNELS

CBL_29: Final = rule(
    "CBL-29",
    BANK_LAW.article("第二十九条", "Article 29"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="grounded",
    demands=(among("debit_basis", DEBIT_BASES, otherwise="no-ground"),),
    params={
        "bases": (DEBIT_BASES, "商业银行法 Arts. 29, 73"),
    },
)
CBL_73: Final = rule(
    "CBL-73",
    BANK_LAW.article("第七十三条", "Article 73"),
    source=BANK_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("bank_at_fault", otherwise="no-fault"),
    kept="returned",
    demands=(
        yes("refund_paid", otherwise="not-returned"),
        yes("refund_interest_paid", otherwise="no-interest"),
    ),
)
DDB_DEF: Final = rule(
    "DDB-DEF",
    DIRECT_DEBIT.unnumbered(),
    source=DIRECT_DEBIT,
    verified=Verified.QUOTED,
    severity=Severity.BLOCK,
    kept="fixed",
    demands=(
        yes("debit_payee_fixed", otherwise="payee-open"),
        yes("debit_rhythm_agreed", otherwise="rhythm-open"),
    ),
)
DDB_CHANNEL: Final = rule(
    "DDB-CHANNEL",
    DIRECT_DEBIT.unnumbered(),
    source=DIRECT_DEBIT,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    kept="accepted",
    demands=(
        among("mandate_channel", MANDATE_CHANNELS, otherwise="other-channel"),
        yes("mandate_evidence", otherwise="no-proof"),
    ),
    params={
        "channels": (MANDATE_CHANNELS, "银发〔2020〕248号, draft explanation"),
    },
)
DDB_BAN: Final = rule(
    "DDB-BAN",
    DIRECT_DEBIT.unnumbered(),
    source=DIRECT_DEBIT,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    kept="allowed",
    demands=(
        demand("payee_business", holds=lambda seen: seen["payee_business"] not in BANNED_PAYEES, otherwise="banned"),
    ),
    params={
        "banned": (BANNED_PAYEES, "银发〔2020〕248号, draft"),
    },
)
DDB_PRE: Final = rule(
    "DDB-PRE",
    CARD_MEASURES.article("第六十七条", "Article 67"),
    source=CARD_MEASURES,
    verified=Verified.QUOTED,
    severity=Severity.WARN,
    kept="arranged",
    demands=(yes("due_reminder_arranged", otherwise="not-arranged"),),
)
DDB_REVOKE_NOTICE: Final = rule(
    "DDB-REVOKE-NOTICE",
    DIRECT_DEBIT.unnumbered(),
    source=DIRECT_DEBIT,
    verified=Verified.DRAFT,
    severity=Severity.BLOCK,
    kept="told",
    demands=(none_of("debits_not_notified", otherwise="not-told"),),
)
