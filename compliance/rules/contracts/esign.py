"""ES-3, ES-4, ES-5, ES-6, ES-8: electronic documents as writing, original, record and evidence (电子签名法).

3: the parties agreed to sign electronically; not for marriage, adoption, succession or cutting off utilities. 4: a
data message that can be retrieved is writing. 5: an original, if its integrity since the final form is sure. 6: kept,
if sender, recipient and times can be told. 8: what its weight as evidence depends on.
"""

from typing import Final

from compliance.rules.demands import demand, holds_all, rule, yes
from compliance.rules.installments.sources import ESIGN_LAW
from compliance.rules.results import Severity, Verified
from models.domain.contracts_words import MESSAGE_MARKS

EXCLUDED_MATTERS: Final = ("marriage", "adoption", "succession", "utility-cut-off")

ES_3: Final = rule(
    "ES-3",
    ESIGN_LAW.article("第三条", "Article 3"),
    source=ESIGN_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="agreed",
    demands=(
        yes("esign_agreed", otherwise="not-agreed"),
        demand(
            "document_matter", holds=lambda seen: seen["document_matter"] not in EXCLUDED_MATTERS, otherwise="excluded"
        ),
    ),
    params={
        "excluded": (EXCLUDED_MATTERS, "电子签名法 Art. 3"),
    },
)
ES_4: Final = rule(
    "ES-4",
    ESIGN_LAW.article("第四条", "Article 4"),
    source=ESIGN_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="writing",
    demands=(yes("message_retrievable", otherwise="not-retrievable"),),
)
ES_5: Final = rule(
    "ES-5",
    ESIGN_LAW.article("第五条", "Article 5"),
    source=ESIGN_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="original",
    demands=(
        yes("message_retrievable", otherwise="not-retrievable"),
        yes("hash_chain_whole", otherwise="chain-broken"),
    ),
)
ES_6: Final = rule(
    "ES-6",
    ESIGN_LAW.article("第六条", "Article 6"),
    source=ESIGN_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="kept",
    demands=(
        yes("message_format_faithful", otherwise="other-format"),
        holds_all("message_marks", MESSAGE_MARKS, otherwise="marks-lacking"),
    ),
    params={
        "marks": (MESSAGE_MARKS, "电子签名法 Art. 6"),
    },
)
ES_8: Final = rule(
    "ES-8",
    ESIGN_LAW.article("第八条", "Article 8"),
    source=ESIGN_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="weighty",
    demands=(
        yes("message_way_reliable", otherwise="way-unreliable"),
        yes("message_integrity_method", otherwise="integrity-unproven"),
        yes("message_sender_identified", otherwise="sender-unproven"),
    ),
)
