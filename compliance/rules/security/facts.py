"""Facts about data security (数据安全), cryptography, audits and incidents."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_INSTANT: Final = FactKind.INSTANT
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "data_grade": Fact(_CODE, "grade on record, `DATA_GRADES`"),
    "process_controls": Fact(_CODES, "controls in place over the whole process, `PROCESS_CONTROLS`"),
    "important_data_held": Fact(_YES_NO, "the institution holds important data (重要数据)"),
    "data_officer": Fact(_YES_NO, "an officer and a body answer for the security of important data"),
    "risks_open": Fact(_COUNT, "data risks found that are not remedied"),
    "risk_assessed_on": Fact(_DATE, "day of the last risk assessment that was reported"),
    "risk_asked_on": Fact(_DATE, "day on which that is looked at"),
    "transfer_assessed": Fact(_YES_NO, "the security assessment of the transfer is approved"),
    "pboc_data_registered": Fact(_YES_NO, "data of the central bank's business fields are in the register"),
    "log_retention_days": Fact(_COUNT, "days for which network logs are kept"),
    "network_law_cited": Fact(_CODES, "articles of the Cybersecurity Law cited, `网络安全法/42`"),
    "crypto_required": Fact(_YES_NO, "the system has to use commercial cryptography"),
    "crypto_assessment_valid": Fact(_YES_NO, "an assessment (密评) is passed and in force"),
    "crypto_assessed_on": Fact(_DATE, "day of the last assessment passed"),
    "crypto_first_passed_on": Fact(_DATE, "day on which the first assessment of the system was passed"),
    "crypto_asked_on": Fact(_DATE, "day on which that is looked at"),
    "system_live_on": Fact(_DATE, "day on which the system went or goes live"),
    "crypto_planned_together": Fact(_YES_NO, "cryptography is planned, built and run together with the system"),
    "crypto_products": Fact(_COUNT, "cryptographic products in use"),
    "crypto_products_certified": Fact(_COUNT, "of these, certified"),
    "protection_grade_followed": Fact(_YES_NO, "cryptography follows the grade of protection (等级保护)"),
    "crypto_aims_met": Fact(_CODES, "aims that the level asks for and that are met, `CRYPTO_AIMS`"),
    "algorithms_used": Fact(_CODES, "algorithms in use"),
    "algorithms_by_policy": Fact(_CODES, "further algorithms that the bank's policy allows"),
    "audit_mode": Fact(_CODE, "who audits: `own` body or `professional` firm"),
    "audit_ordered": Fact(_YES_NO, "the authority ordered an audit by a professional body"),
    "audit_officer": Fact(_YES_NO, "the protection officer answers for the audit"),
    "audits_running": Fact(_COUNT, "audits of the same professional body running, the next one included"),
    "audit_points": Fact(_CODES, "points that the audit covers, `AUDIT_POINTS`"),
    "incident_grade": Fact(_CODE, "`general`, `larger` (较大), `major` (重大) or `extraordinary` (特别重大)"),
    "incident_discovered_at": Fact(_INSTANT, "when the incident was discovered"),
    "cac_reported_at": Fact(_INSTANT, "report to the protection department or the provincial office"),
    "pboc_brief_at": Fact(_INSTANT, "brief report to the central bank"),
    "pboc_reported_at": Fact(_INSTANT, "report to the central bank"),
    "nfra_brief_at": Fact(_INSTANT, "first report to the financial regulator"),
    "nfra_written_at": Fact(_INSTANT, "written report to the financial regulator"),
    "nfra_longest_gap_minutes": Fact(_COUNT, "longest time between two updates to it"),
    "flaw_endangers_public": Fact(
        _YES_NO, "a flaw of a product or service touches national security or the public interest"
    ),
    "flaw_found_at": Fact(_INSTANT, "when the flaw was found"),
    "flaw_reported_at": Fact(_INSTANT, "report of the flaw to the authority"),
    "persons_told_at": Fact(_INSTANT, "when the persons were told, or the exemption was recorded"),
    "authority_told_at": Fact(_INSTANT, "when the authority for personal data was told"),
    "c3_shown": Fact(_YES_NO, "authentication data are shown, logged or exported somewhere"),
    "c2_masked": Fact(_YES_NO, "C2 data are masked on display"),
    "c2_encrypted": Fact(_YES_NO, "C2 data are stored encrypted"),
    "auxiliary_with_account": Fact(_YES_NO, "auxiliary authentication data stand together with the account"),
    "auxiliary_class": Fact(_CODE, "class that they have: `C2` or `C3`"),
    "c1_outside": Fact(_YES_NO, "C1 data are open outside the institution"),
    "joined_sets": Fact(_COUNT, "joined data sets"),
    "joined_sets_classed": Fact(_COUNT, "of these, classed anew"),
    "channel_encrypted": Fact(_YES_NO, "the channel or the payload is encrypted"),
    "c3_stored_encrypted": Fact(
        _YES_NO, "C3 data are stored encrypted, none of other institutions without authorisation"
    ),
    "log_scan_hits": Fact(_COUNT, "hits of the log scanner for C3 data"),
    "unmasked_views": Fact(_COUNT, "full views of masked fields"),
    "unmasked_views_approved": Fact(_COUNT, "of these, with need, approval and audit trail"),
    "c3_shared": Fact(_YES_NO, "C3 data or auxiliary C2 data are shared, transferred or entrusted"),
    "real_data_in_test": Fact(_YES_NO, "real personal data are in development or test"),
}
