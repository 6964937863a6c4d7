"""What the lead of the demo's transfer states where a rule asks for a fact that no record tells: a lawful merger.

A gate that is not open names the facts it misses; each is stated as it stands here, dates as days from today.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Days:
    """So many days from today; before it, if negative."""

    count: int


STATED: Final[dict[str, Any]] = {
    "agent_acts": False,
    "agent_identified": True,
    "agent_power_proven": True,
    "announced_on": Days(-50),
    "articles_updated": True,
    "asks_after_refusal": 0,
    "audit_made_on": Days(-629),
    "audit_points": [
        "basis",
        "rules",
        "notice",
        "joint-entrusted-provided",
        "automated",
        "sensitive",
        "minors",
        "export",
        "rights",
        "measures",
        "system",
    ],
    "authority_plan_filed_on": Days(-19),
    "change_decided_on": Days(-80),
    "change_filed_on": Days(-50),
    "change_relied_on_before_register": False,
    "children_involved": False,
    "contract_party_rewritten": False,
    "contracts_move": False,
    "counterparty_consented": True,
    "creditors_told_on": Days(-70),
    "crypto_asked_on": Days(0),
    "crypto_assessed_on": Days(-264),
    "crypto_assessment_valid": True,
    "crypto_first_passed_on": Days(-629),
    "crypto_planned_together": True,
    "crypto_required": True,
    "data_deleted_without_successor": False,
    "data_given_to_shareholder": False,
    "deregistered": True,
    "due_diligence": "current",
    "end_reason_on": Days(-80),
    "end_reason_published_on": Days(-70),
    "guarantors_of_claims": 0,
    "guarantors_told": 0,
    "guardian_consented": True,
    "has_successor": True,
    "identity_update_working_days": 10,
    "inside_consent": True,
    "liquidation_report_confirmed": True,
    "log_scan_hits": 0,
    "members_register_updated": True,
    "merger_kind": "absorption",
    "new_business_in_liquidation": False,
    "notice_only_opinion": "",
    "notice_revoked_alone": False,
    "old_store_state": "locked",
    "old_store_statutory_until": Days(3664),
    "processing_record_kept_until": Days(1138),
    "processing_record_made_on": Days(0),
    "protective_measures": True,
    "recipient_supervised": True,
    "records_handed_over": True,
    "register_changed_on": Days(-50),
    "registered_items_changed": ["shareholders"],
    "registered_items_filed": ["shareholders"],
    "resolution_on": Days(-80),
    "sensitive_involved": True,
    "separate_consent_shareholder": False,
    "shareholders_all_waived": False,
    "shareholders_told_on": Days(-80),
    "shares_sold_on": Days(-46),
    "system_live_on": Days(-598),
    "tax_event_reported": True,
    "tax_register_changed_on": Days(-20),
    "taxes_settled": True,
}


def stated(name: str, *, today: date) -> Any:
    """The value of a fact as the API takes it, or None if nobody of the demo knows it."""
    value = STATED.get(name)
    return (today + timedelta(days=value.count)).isoformat() if isinstance(value, Days) else value
