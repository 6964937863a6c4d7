"""PIPL-8, PIPL-21-CONTRACTOR, PIPL-47-OLD-STORE, NDSR-9 and others: data that move stay right (数据迁移).

个人信息保护法 Art. 8: accurate and complete; no mismatch on key fields. Art. 21: contractors are bound. Art. 47: the
old store is deleted, or locked while a law keeps it. 网络数据安全管理条例 Art. 9: a backup before the first write.
That it can be restored, and that key fields change under four eyes with old and new kept, are rules of the house
resting on the same articles.
"""

from typing import Final

from compliance.rules.demands import all_of, demand, earlier, holds_all, if_yes, no, none_of, rule, yes
from compliance.rules.installments.sources import PERSONAL_DATA_LAW
from compliance.rules.laws import NETWORK_DATA
from compliance.rules.results import Severity, Verified
from models.domain.rule_words import ENTRUSTMENT_TERMS

PIPL_8: Final = rule(
    "PIPL-8",
    PERSONAL_DATA_LAW.article("第八条", "Article 8"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="accurate",
    demands=(
        none_of("key_field_mismatches", otherwise="mismatch"),
        none_of("mismatches_open", otherwise="open"),
    ),
)
PIPL_21_CONTRACTOR: Final = rule(
    "PIPL-21-CONTRACTOR",
    PERSONAL_DATA_LAW.article("第二十一条", "Article 21"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    when=if_yes("contractors_used", otherwise="bank-itself"),
    kept="bound",
    demands=(
        holds_all("contractor_terms", ENTRUSTMENT_TERMS, otherwise="incomplete"),
        no("contractor_passed_on", otherwise="passed-on"),
        yes("contractor_deletion_proof", otherwise="no-deletion-proof"),
    ),
    params={
        "terms": (ENTRUSTMENT_TERMS, "个人信息保护法 Art. 21"),
    },
)
PIPL_47_OLD_STORE: Final = rule(
    "PIPL-47-OLD-STORE",
    PERSONAL_DATA_LAW.article("第四十七条", "Article 47"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="in-order",
    demands=(
        demand(
            "old_store_state",
            "old_store_statutory_until",
            "cutover_on",
            holds=lambda seen: (
                seen["old_store_state"]
                == ("locked" if seen["old_store_statutory_until"] > seen["cutover_on"] else "deleted")
            ),
            otherwise="other-state",
        ),
    ),
)
NDSR_9: Final = rule(
    "NDSR-9",
    NETWORK_DATA.article("第九条", "Article 9"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="backed-up",
    demands=(
        earlier("backup_made_at", than="first_write_at", otherwise="late"),
        yes("backup_encrypted", otherwise="not-encrypted"),
    ),
)
MIG_RESTORE: Final = rule(
    "MIG-RESTORE",
    NETWORK_DATA.article("第九条", "Article 9"),
    source=NETWORK_DATA,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="tested",
    demands=(yes("restore_tested", otherwise="not-tested"),),
)
MIG_DIFF: Final = rule(
    "MIG-DIFF",
    PERSONAL_DATA_LAW.article("第八条", "Article 8"),
    source=PERSONAL_DATA_LAW,
    verified=Verified.TEXT,
    severity=Severity.BLOCK,
    kept="reviewed",
    demands=(
        all_of("key_changes_by_two", of="key_changes", otherwise="one-person"),
        all_of("key_changes_with_diff", of="key_changes", otherwise="no-diff"),
    ),
)
