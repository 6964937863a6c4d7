"""Credit reporting and customer records: a case that keeps every rule, and every other answer."""

from datetime import date
from typing import Any, Final

from compliance.rules.results import Result
from models.domain.customers_words import CUSTOMER_RECORDS
from tests.compliance.rules.example import Example, of

FAIL, NOT_APPLICABLE = Result.FAIL, Result.NOT_APPLICABLE

WORLD: Final[dict[str, Any]] = {
    "bad_act_ended_on": date(2024, 1, 10),
    "bad_record_shown_on": date(2026, 11, 20),
    "report_used_for": "credit-report-query",
    "report_given_away": False,
    "objection_received_on": date(2026, 11, 1),
    "objection_answered_on": date(2026, 11, 21),
    "objection_marked": True,
    "record_found_wrong": False,
    "record_corrected": True,
    "pboc_complaint_on": date(2026, 11, 1),
    "pboc_complaint_answered_on": date(2026, 12, 1),
    "reported_to_database": True,
    "report_consent_written": True,
    "aml_data_tagged": True,
    "measures_taken": 1,
    "measures_with_reason": 1,
    "basic_services_kept": True,
    "agent_acts": False,
    "agent_power_proven": True,
    "agent_identified": True,
    "record_system": True,
    "identity_update_working_days": 10,
    "records_handed_over": True,
    "records_held": CUSTOMER_RECORDS,
}

# What must be otherwise for a rule to have anything to say, in a way that it is kept.
APPLYING: Final[dict[str, dict[str, Any]]] = {
    "AML-31": {"agent_acts": True},
    "AML-34b": {"transfer_classes": ("A",)},
    "AML-34d": {"transfer_classes": ("F",)},
}

EXAMPLES: Final[list[Example]] = [
    *of(
        "CRED-16",
        "within",
        (FAIL, "over", {"bad_record_shown_on": date(2029, 1, 11)}),
    ),
    *of(
        "CRED-20",
        "as-agreed",
        (FAIL, "other-purpose", {"report_used_for": "marketing"}),
        (FAIL, "given-away", {"report_given_away": True}),
    ),
    *of(
        "CRED-25",
        "in-time",
        (FAIL, "not-marked", {"objection_marked": False}),
        (FAIL, "late", {"objection_answered_on": date(2026, 11, 22)}),
        (FAIL, "not-corrected", {"record_found_wrong": True, "record_corrected": False}),
    ),
    *of(
        "CRED-26",
        "in-time",
        (FAIL, "late", {"pboc_complaint_answered_on": date(2026, 12, 2)}),
    ),
    *of(
        "CRED-28",
        "consented",
        (FAIL, "no-consent", {"report_consent_written": False}),
        (NOT_APPLICABLE, "not-reported", {"reported_to_database": False}),
    ),
    *of(
        "CRED-29",
        "consented",
        (FAIL, "no-consent", {"report_consent_written": False}),
        (NOT_APPLICABLE, "not-reported", {"reported_to_database": False}),
    ),
    *of(
        "AML-7",
        "closed",
        (FAIL, "open", {"aml_data_tagged": False}),
    ),
    *of(
        "AML-30",
        "in-proportion",
        (FAIL, "no-reason", {"measures_with_reason": 0}),
        (FAIL, "services-cut", {"basic_services_kept": False}),
    ),
    *of(
        "AML-31",
        "verified",
        (FAIL, "no-power", {"agent_power_proven": False}),
        (FAIL, "not-identified", {"agent_identified": False}),
        (NOT_APPLICABLE, "no-agent", {"agent_acts": False}),
    ),
    *of(
        "AML-34a",
        "there",
        (FAIL, "none", {"record_system": False}),
    ),
    *of(
        "AML-34b",
        "in-time",
        (FAIL, "late", {"identity_update_working_days": 11}),
        (NOT_APPLICABLE, "other-class", {"transfer_classes": ("E",)}),
    ),
    *of(
        "AML-34d",
        "handed-over",
        (FAIL, "not-handed-over", {"records_handed_over": False}),
        (NOT_APPLICABLE, "other-class", {"transfer_classes": ("E",)}),
    ),
    *of(
        "AML-CDD26",
        "complete",
        (FAIL, "incomplete", {"records_held": ("identity", "contracts")}),
    ),
]
