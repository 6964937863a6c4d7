"""Facts about data that go abroad (数据出境). Persons are counted since 1 January of the year."""

from typing import Final

from compliance.rules.fact import Fact
from compliance.rules.rule import FactKind

_CODE: Final = FactKind.CODE
_DATE: Final = FactKind.DATE
_CODES: Final = FactKind.CODES
_COUNT: Final = FactKind.COUNT
_YES_NO: Final = FactKind.YES_NO

FACTS: Final = {
    "export_abroad": Fact(_YES_NO, "data go abroad"),
    "export_path": Fact(_CODE, "what it rests on, `EXPORT_PATHS`"),
    "export_basis": Fact(_CODE, "basis on record, `EXPORT_BASES`"),
    "recipient_level_secured": Fact(_YES_NO, "the recipient abroad reaches the level of protection of the law"),
    "export_notice_items": Fact(_CODES, "what the persons were told, `EXPORT_NOTICE`"),
    "export_consented_apart": Fact(_YES_NO, "they consented separately"),
    "stored_in_china": Fact(_YES_NO, "the data are stored in China"),
    "critical_operator": Fact(_YES_NO, "the institution operates critical infrastructure (CIIO)"),
    "large_handler": Fact(_YES_NO, "it reaches the number of persons that the authority set"),
    "foreign_authority_asks": Fact(_YES_NO, "a foreign court or agency asks for data stored in China"),
    "foreign_request_approval": Fact(_CODE, "number of the approval; empty if there is none"),
    "export_persons": Fact(
        _COUNT, "persons without sensitive data whose data went abroad since 1 January, this export included"
    ),
    "export_sensitive_persons": Fact(
        _COUNT, "persons with sensitive data whose data went abroad since 1 January, this export included"
    ),
    "export_important_data": Fact(_YES_NO, "important data (重要数据) are among them"),
    "own_contract_needs_it": Fact(
        _YES_NO, "the person's own contract needs the export: cross-border payment, remittance, account opening"
    ),
    "assessment_passed_on": Fact(_DATE, "day on which the assessment was passed"),
    "export_on": Fact(_DATE, "day of the export"),
    "extension_asked": Fact(_YES_NO, "an extension of the assessment was asked for"),
    "extension_working_days_before": Fact(_COUNT, "working days before its end on which the extension was asked for"),
}
