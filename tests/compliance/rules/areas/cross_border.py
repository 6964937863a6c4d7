"""Data that go abroad: a case that keeps every rule, and every other answer."""

from datetime import date
from typing import Any, Final

from compliance.rules.results import Result
from models.domain.cross_border_words import EXPORT_NOTICE
from tests.compliance.rules.example import Example, of

FAIL, NOT_APPLICABLE, PASS = Result.FAIL, Result.NOT_APPLICABLE, Result.PASS

WORLD: Final[dict[str, Any]] = {
    "export_abroad": False,
    "export_path": "standard-contract",
    "export_basis": "standard-contract",
    "recipient_level_secured": True,
    "export_notice_items": EXPORT_NOTICE,
    "export_consented_apart": True,
    "stored_in_china": True,
    "critical_operator": False,
    "large_handler": False,
    "foreign_authority_asks": False,
    "foreign_request_approval": "",
    "export_persons": 0,
    "export_sensitive_persons": 9999,
    "export_important_data": False,
    "own_contract_needs_it": False,
    "assessment_passed_on": date(2025, 6, 1),
    "export_on": date(2026, 12, 1),
    "extension_asked": False,
    "extension_working_days_before": 60,
}

# What must be otherwise for a rule to have anything to say, in a way that it is kept.
APPLYING: Final[dict[str, dict[str, Any]]] = {
    "PIPL-38": {"export_abroad": True},
    "PIPL-39": {"export_abroad": True},
    "PIPL-41": {"foreign_authority_asks": True, "foreign_request_approval": "AP-1"},
    "DSL-36": {"foreign_authority_asks": True, "foreign_request_approval": "AP-1"},
    "NDSR-35": {"export_abroad": True},
    "XB-5": {
        "export_path": "exempt",
        "export_sensitive_persons": 0,
        "export_persons": 99999,
        "own_contract_needs_it": False,
        "export_abroad": True,
    },
    "XB-5-1": {"export_abroad": True, "export_basis": "contract-necessity", "own_contract_needs_it": True},
    "XB-7": {"export_abroad": True},
    "XB-8": {"export_abroad": True},
    "XB-9": {"export_abroad": True, "export_path": "assessment"},
}

EXAMPLES: Final[list[Example]] = [
    *of(
        "PIPL-38",
        "secured",
        (FAIL, "no-path", {"export_path": "none"}),
        (FAIL, "below-level", {"recipient_level_secured": False}),
        (NOT_APPLICABLE, "no-export", {"export_abroad": False}),
    ),
    *of(
        "PIPL-39",
        "consented",
        (FAIL, "incomplete", {"export_notice_items": ("recipient-name", "purpose")}),
        (FAIL, "no-consent", {"export_consented_apart": False}),
        (NOT_APPLICABLE, "no-export", {"export_abroad": False}),
    ),
    *of(
        "PIPL-40",
        "stored",
        (FAIL, "stored-abroad", {"critical_operator": True, "stored_in_china": False, "export_path": "assessment"}),
        (FAIL, "stored-abroad", {"large_handler": True, "stored_in_china": False}),
        (FAIL, "not-assessed", {"critical_operator": True, "export_abroad": True}),
        (PASS, "stored", {"critical_operator": True, "export_abroad": True, "export_path": "assessment"}),
    ),
    *of(
        "PIPL-41",
        "approved",
        (FAIL, "no-approval", {"foreign_request_approval": ""}),
        (NOT_APPLICABLE, "not-asked", {"foreign_authority_asks": False}),
    ),
    *of(
        "DSL-36",
        "approved",
        (FAIL, "no-approval", {"foreign_request_approval": ""}),
        (NOT_APPLICABLE, "not-asked", {"foreign_authority_asks": False}),
    ),
    *of(
        "NDSR-35",
        "on-record",
        (FAIL, "no-basis", {"export_basis": "habit"}),
        (NOT_APPLICABLE, "no-export", {"export_abroad": False}),
        (PASS, "on-record", {"export_basis": "contract-necessity"}),
    ),
    *of(
        "XB-5",
        "exempt",
        (FAIL, "not-exempt", {"export_persons": 100000}),
        (FAIL, "not-exempt", {"export_sensitive_persons": 1}),
        (FAIL, "not-exempt", {"critical_operator": True}),
        (NOT_APPLICABLE, "other-path", {"export_path": "standard-contract"}),
        (NOT_APPLICABLE, "other-path", {"export_abroad": False}),
        (FAIL, "not-exempt", {"export_path": "none", "export_sensitive_persons": 1}),
    ),
    *of(
        "XB-5-1",
        "needed",
        (FAIL, "not-needed", {"own_contract_needs_it": False}),
        (NOT_APPLICABLE, "other-basis", {"export_basis": "standard-contract"}),
        (NOT_APPLICABLE, "other-basis", {"export_abroad": False}),
    ),
    *of(
        "XB-7",
        "right-path",
        (FAIL, "not-assessed", {"export_persons": 1000000}),
        (FAIL, "not-assessed", {"export_sensitive_persons": 10000}),
        (FAIL, "not-assessed", {"critical_operator": True}),
        (FAIL, "not-assessed", {"export_important_data": True}),
        (NOT_APPLICABLE, "no-export", {"export_abroad": False}),
        (PASS, "right-path", {"export_persons": 1000000, "export_path": "assessment"}),
        (PASS, "right-path", {"export_persons": 999999}),
    ),
    *of(
        "XB-8",
        "right-path",
        (FAIL, "no-contract", {"export_path": "exempt", "export_sensitive_persons": 1}),
        (FAIL, "no-contract", {"export_path": "none", "export_sensitive_persons": 0, "export_persons": 100000}),
        (NOT_APPLICABLE, "no-export", {"export_abroad": False}),
        (PASS, "right-path", {"export_path": "exempt", "export_sensitive_persons": 0, "export_persons": 99999}),
        (PASS, "right-path", {"export_path": "exempt", "own_contract_needs_it": True}),
        (PASS, "right-path", {"export_path": "certification"}),
    ),
    *of(
        "XB-9",
        "valid",
        (FAIL, "over", {"export_on": date(2028, 6, 2)}),
        (FAIL, "extension-late", {"extension_asked": True, "extension_working_days_before": 59}),
        (NOT_APPLICABLE, "other-path", {"export_path": "standard-contract"}),
        (PASS, "valid", {"extension_asked": True}),
        (NOT_APPLICABLE, "other-path", {"export_abroad": False}),
    ),
]
