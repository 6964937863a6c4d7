"""For each rule every answer it can give, each by the facts that are changed from a case in which it is kept."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any, Final

from compliance.rules.results import Result
from models.domain.rule_words import AGREEMENT_CONTENTS, LETTER_FIELDS, NOTICE_ITEMS, STATEMENT_FIELDS
from tests.compliance.rules.world import NOON, TODAY, kept

PASS, FAIL, NOT_APPLICABLE = Result.PASS, Result.FAIL, Result.NOT_APPLICABLE


@dataclass(frozen=True, kw_only=True)
class Example:
    """A rule, what is different, and what it then says."""

    rule_id: str
    result: Result
    reason: str
    changes: dict[str, Any] = field(default_factory=dict)
    as_of: date = TODAY

    @property
    def facts(self) -> dict[str, Any]:
        return {**kept(self.rule_id), **self.changes}

    def __str__(self) -> str:
        return f"{self.rule_id}-{self.reason}-{'-'.join(self.changes)}"


def _of(rule_id: str, reason: str, *others: tuple[Result, str, dict[str, Any]]) -> list[Example]:
    """The kept case with its reason, then the others."""
    return [
        Example(rule_id=rule_id, result=PASS, reason=reason),
        *(Example(rule_id=rule_id, result=result, reason=code, changes=changes) for result, code, changes in others),
    ]


_CARD_MEASURES: Final = [
    *_of("CCM-57a", "authorised",
        (FAIL, "not-authorised", {"mandate_status": "none"}),
        (FAIL, "not-authorised", {"mandate_status": "revoked"}),
        (FAIL, "other-account", {"debit_account": "acc_2"}),
        (FAIL, "no-procedure", {"offset_procedure_agreed": False}),
        (NOT_APPLICABLE, "card-account", {"debit_account_kind": "credit-card"})),
    *_of("CCM-57b", "right-order",
        (FAIL, "other-order", {"first_paid": "principal"}),
        (FAIL, "other-order", {"first_paid": "fees"}),
        (FAIL, "other-order", {"days_past_due": 91})),
    *_of("CCM-66", "managed",
        (FAIL, "no-policy", {"collection_policy_version": ""}),
        (FAIL, "single-measure", {"collector_measures": ("recovered-amount",)}),
        (FAIL, "single-measure", {"collector_measures": ()})),
    *_of("CCM-67", "reminded",
        (FAIL, "too-late", {"reminder_sent_on": date(2026, 12, 20)}),
        (FAIL, "other-amount", {"reminder_amount_minor": 149_999}),
        (NOT_APPLICABLE, "exempt", {"reminder_exemption": "false-data"}),
        (NOT_APPLICABLE, "exempt", {"reminder_exemption": "contact-changed"})),
    *_of("CCM-68a", "party",
        (PASS, "party", {"contact_role": "guarantor"}),
        (FAIL, "third-party", {"contact_role": "contact-person"}),
        (FAIL, "third-party", {"contact_role": "other"})),
    *_of("CCM-68b", "no-sign",
        (FAIL, "banned-words", {"banned_words_found": True}),
        (FAIL, "complaint-open", {"misconduct_complaint_open": True})),
    *_of("CCM-68c", "recorded",
        (FAIL, "not-recorded", {"contacts_recorded": 3}),
        (FAIL, "kept-too-short", {"recording_retention_months": 23}),
        (NOT_APPLICABLE, "no-contact", {"collection_contacts": 0})),
    *_of("CCM-69a", "complete",
        *((FAIL, "incomplete", {"letter_fields": tuple(set(LETTER_FIELDS) - {gone})}) for gone in LETTER_FIELDS),
        (NOT_APPLICABLE, "no-letter", {"contact_channel": "phone"})),
    *_of("CCM-69b", "no-objection",
        (FAIL, "not-marked", {"objections_open": 1}),
        (FAIL, "being-verified", {"objections_open": 1, "account_disputed": True}),
        (NOT_APPLICABLE, "service-reminder", {"contact_purpose": "service-reminder", "account_disputed": True})),
    *_of("CCM-70a", "debt-exceeds-capacity",
        (FAIL, "hardship-not-recognised", {"hardship_code": "holiday"}),
        (FAIL, "hardship-without-evidence", {"hardship_evidence": False}),
        (FAIL, "debt-within-capacity", {"capacity_minor": 5_000_000}),
        (FAIL, "not-willing-to-repay", {"willing_to_repay": False})),
    *_of("CCM-70b", "within-five-years",
        (FAIL, "term-too-long", {"term_months": 61}),
        (FAIL, "last-row-too-late", {"last_due_on": date(2031, 11, 21)})),
    *_of("CCM-70c", "complete",
        *((FAIL, "content-lacking", {"agreement_contents": tuple(set(AGREEMENT_CONTENTS) - {gone})})
          for gone in AGREEMENT_CONTENTS),
        *((FAIL, "fee-not-said", {fee: ""}) for fee in ("annual_fee_charge", "interest_charge", "other_fees_charge"))),
    *_of("CCM-70d", "blocked", (FAIL, "not-blocked", {"own_card_block_set": False})),
    *_of("CCM-70d-RELEASE", "released", (FAIL, "not-released", {"own_card_block_released": False})),
    *_of("CCM-70e", "may-collect",
        (PASS, "may-collect", {"agreement_status": "none"}),
        *((FAIL, "agreement-kept", {"agreement_status": status}) for status in ("signed", "active", "settled")),
        (NOT_APPLICABLE, "service-reminder", {"contact_purpose": "service-reminder", "agreement_status": "active"})),
    *_of("CCM-70e-RECALL", "recalled", (FAIL, "recall-open", {"agencies_not_recalled": 1})),
    *_of("CCM-70f", "recorded",
        (FAIL, "not-recorded", {"recording_archived": False}),
        (NOT_APPLICABLE, "not-oral", {"agreement_form": "paper"})),
    *_of("CCM-70f-KEEP", "kept",
        (FAIL, "gone-too-early", {"recording_kept_until": date(2029, 11, 19)}),
        (NOT_APPLICABLE, "not-oral", {"agreement_form": "electronic"})),
]  # fmt: skip

_CARD_NOTICE: Final = [
    *_of("CCN22-APPLY", "applied-and-approved",
        (FAIL, "no-application", {"application_recorded": False}),
        (FAIL, "approved-late", {"approved_at": NOON})),
    *_of("CCN22-DISC", "disclosed",
        (PASS, "disclosed", {"confirmation_method": "recorded-call"}),
        (FAIL, "not-disclosed", {"disclosed_items": ("nature", "procedure", "breach-liability")}),
        (FAIL, "not-confirmed", {"confirmation_method": "checkbox"})),
    *_of("CCN22-SEP", "separate",
        (FAIL, "several-installments", {"agreement_installments": 2}),
        (FAIL, "several-installments", {"agreement_installments": 0}),
        (FAIL, "bundled", {"agreement_bundled": True})),
    *_of("CCN22-MIN", "full-rows", (FAIL, "minimum-offered", {"minimum_payment_offered": True})),
    *_of("CCN22-LUMP", "free-choice",
        (PASS, "free-choice", {"interest_options": ("lump-sum", "per-row")}),
        (FAIL, "only-choice", {"interest_options": ("lump-sum",)}),
        (FAIL, "ticked-beforehand", {"interest_options": ("lump-sum", "per-row"), "interest_default": "lump-sum"})),
    *_of("CCN22-INT", "shown-as-interest",
        (PASS, "shown-as-interest", {"funds_cost_shown_as": "none"}),
        (FAIL, "shown-as-fee", {"funds_cost_shown_as": "fee"})),
    *_of("CCN22-FUND", "own-settlement-account",
        (FAIL, "not-own", {"payout_account_own": False}),
        (FAIL, "card-account", {"payout_account_kind": "credit-card"}),
        (NOT_APPLICABLE, "no-payout", {"pays_out": False})),
    *_of("CCN22-REINST", "first-time",
        (PASS, "article-70", {"already_in_installment": True}),
        (FAIL, "twice", {"already_in_installment": True, "product": "bill"})),
    *_of("CCN22-RANGE", "within",
        (FAIL, "outside", {"principal_minor": 49_999}),
        (FAIL, "outside", {"principal_minor": 30_000_001})),
    *_of("CCN22-TERM", "within", (FAIL, "too-long", {"term_months": 61})),
    *_of("CCN22-CASH", "within",
        (FAIL, "too-much", {"principal_cny_minor": 5_000_001}),
        (FAIL, "too-long", {"term_months": 25}),
        (FAIL, "too-long", {"product": "personalised", "pays_out": True, "term_months": 25}),
        (NOT_APPLICABLE, "no-cash", {"product": "personalised"})),
    *_of("CCN22-EARLY", "for-time-used",
        (PASS, "for-time-used", {"early_fee_minor": 1_000, "early_fee_agreed": True}),
        (FAIL, "unexpired-interest", {"interest_asked_minor": 4_201}),
        (FAIL, "fee-not-agreed", {"early_fee_minor": 1}),
        (NOT_APPLICABLE, "not-early", {"change_kind": "due-date"})),
]  # fmt: skip

_PRICE: Final = [
    *_of("APR21-1", "shown",
        (FAIL, "not-in-agreement", {"rate_in_agreement": False}),
        (FAIL, "outshone", {"short_rate_more_conspicuous": True})),
    *_of("APR21-3", "whole-cost",
        (FAIL, "charge-left-out", {"loan_charges": ("interest", "service-fee")}),
        (FAIL, "principal-not-stated", {"principal_stated": False}),
        (FAIL, "other-rate", {"rate_shown_ppm": 72_000})),
    *_of("APR21-4", "method-named",
        (PASS, "method-named", {"rate_method": "simple", "rate_label": "年化利率（单利）"}),
        (FAIL, "unknown-method", {"rate_method": "flat"}),
        (FAIL, "simple-not-said", {"rate_method": "simple", "rate_label": "年化利率"}),
        (FAIL, "compound-called-simple", {"rate_label": "年化利率（单利）"})),
    *_of("AIC26-FORM", "complete",
        *((FAIL, "incomplete", {"statement_fields": tuple(set(STATEMENT_FIELDS) - {gone})})
          for gone in STATEMENT_FIELDS),
        (FAIL, "other-total", {"statement_rate_ppm": 138_519})),
    *_of("AIC26-SITE", "signed-before",
        (PASS, "signed-before", {"signing_channel": "phone"}),
        (FAIL, "signed-late", {"statement_confirmed_at": NOON}),
        (NOT_APPLICABLE, "online", {"signing_channel": "online"})),
    *_of("AIC26-ONLINE", "confirmed-before",
        (FAIL, "not-shown", {"statement_popup_shown": False}),
        (FAIL, "read-too-short", {"statement_read_seconds": 9}),
        (FAIL, "confirmed-late", {"statement_confirmed_at": NOON}),
        (NOT_APPLICABLE, "not-online", {"signing_channel": "on-site"})),
    *_of("AIC26-PARTY", "inside", (FAIL, "outside", {"partner_charges": ("guarantee-fee",)})),
    *_of("AIC26-OLD", "inside",
        (FAIL, "outside", {"charges_posted": ("interest", "letter-fee")}),
        (NOT_APPLICABLE, "old-agreement", {"agreement_signed_on": date(2026, 7, 31)})),
]  # fmt: skip

_CONTRACT: Final = [
    *_of("CC-490", "concluded",
        (FAIL, "not-signed", {"change_agreed_by_customer": False}),
        (FAIL, "not-signed", {"change_agreed_by_bank": False}),
        (FAIL, "not-archived", {"agreement_archived": False}),
        (FAIL, "gate-shut", {"signing_gate_open": False})),
    *_of("CC-496", "pointed-out",
        (FAIL, "not-highlighted", {"highlighted_clauses": ("breach",)}),
        (FAIL, "not-acknowledged", {"acknowledged_clauses": ()}),
        (FAIL, "not-explained", {"explanations_given": 0})),
    *_of("SPC-CONTRACT-10", "proven",
        (FAIL, "no-proof", {"prompt_evidence": ("checkbox", "popup")}),
        (FAIL, "no-proof", {"prompt_evidence": ("popup",)}),
        (FAIL, "no-proof", {"prompt_evidence": ()}),
        (FAIL, "explanation-unproven", {"explanations_given": 0})),
    *_of("CC-543", "agreed",
        (FAIL, "customer-not-agreed", {"change_agreed_by_customer": False}),
        (FAIL, "bank-not-agreed", {"change_agreed_by_bank": False}),
        (NOT_APPLICABLE, "no-change", {"change_kind": "settlement"})),
    *_of("CC-544", "clear",
        (FAIL, "unclear", {"change_unambiguous": False}),
        (NOT_APPLICABLE, "no-change", {"change_kind": "settlement"})),
    *_of("CC-670", "as-received",
        (PASS, "as-received", {"principal_minor": 4_000_000}),
        (FAIL, "more-than-received", {"principal_received_minor": 4_999_999})),
    *_of("CC-677", "for-time-used",
        (PASS, "agreed-otherwise", {"interest_asked_minor": 4_201, "interest_agreed_otherwise": True}),
        (FAIL, "unexpired-interest", {"interest_asked_minor": 4_201}),
        (NOT_APPLICABLE, "not-early", {"change_kind": "re-age"})),
    *_of("CC-695", "consented",
        (FAIL, "consent-lacking", {"guarantors_consented": 1}),
        (NOT_APPLICABLE, "no-added-burden", {"guarantors": 0}),
        (NOT_APPLICABLE, "no-added-burden", {"burden_increased": False})),
    *_of("SPC-CONTRACT-65", "in-proportion", (FAIL, "excessive", {"penalty_rate_ppm": 234_001})),
    *_of("CC-1033", "not-refused", (FAIL, "refused", {"contact_refused": True})),
    *_of("ES-13", "reliable",
        *((FAIL, "mark-lacking", {mark: False}) for mark in (
            "signature_data_exclusive", "signature_sole_control", "signature_change_detectable",
            "text_change_detectable")),
        (FAIL, "mark-lacking", {"agreement_form": "fax", "text_change_detectable": False}),
        (NOT_APPLICABLE, "not-electronic", {"agreement_form": "paper"})),
    *_of("ES-14", "all-reliable",
        (PASS, "all-reliable", {"signed_electronically": ()}),
        (FAIL, "lesser-signature", {"signed_reliably": ("agreement",)})),
    *_of("CITE-1", "law-in-force",
        (FAIL, "repealed-article", {"cited_articles": ("民法典/496", "合同法/77")}),
        (FAIL, "repealed-law", {"cited_articles": ("合同法/1",)}),
        (FAIL, "repealed-law", {"cited_articles": ("合同法",)})),
]  # fmt: skip

_DEBITS: Final = [
    *_of("DDB-AUTH", "given",
        (FAIL, "no-mandate", {"mandate_status": "revoked"}),
        (FAIL, "incomplete", {"mandate_fields": ("payee-name", "purpose", "payer-account", "cycle-or-condition")}),
        (FAIL, "given-late", {"mandate_given_on": date(2026, 12, 21)}),
        (NOT_APPLICABLE, "no-debit", {"repays_by_debit": False})),
    *_of("DDB-MATCH", "matches",
        (FAIL, "other-account", {"debit_account": "acc_2"}),
        (FAIL, "other-payee", {"debit_payee": "agency"}),
        (FAIL, "outside-term", {"debit_on": date(2030, 1, 1)}),
        (FAIL, "outside-term", {"debit_on": date(2026, 11, 19)})),
    *_of("DDB-LIMIT", "within-limits",
        (FAIL, "above-limit", {"debit_amount_minor": 200_001}),
        (FAIL, "above-day-limit", {"debited_today_minor": 50_001})),
    *_of("DDB-REVOKE", "in-force",
        (FAIL, "revoked", {"mandate_status": "revoked"}),
        (FAIL, "customer-not-told", {"debits_not_notified": 1})),
    *_of("BATCH-ONCE", "only-order",
        (FAIL, "settled-before", {"orders_settled": 1}),
        (FAIL, "answer-open", {"orders_open": 1})),
    *_of("BATCH-CUT", "due",
        *((FAIL, "not-running", {"agreement_status": status}) for status in ("none", "signed", "settled")),
        (FAIL, "disputed", {"account_disputed": True}),
        (FAIL, "row-paid", {"row_paid": True}),
        (FAIL, "more-than-due", {"due_now_minor": 149_999})),
    *_of("WAGE-33", "other-account", (FAIL, "wage-account", {"debit_account_kind": "wage-special"})),
]  # fmt: skip

_COLLECTION: Final = [
    *_of("COLL-CBA-HOURS", "within-hours",
        (PASS, "consented", {"contact_local_time": time(22), "contact_hours_consent": True}),
        (FAIL, "outside-hours", {"contact_local_time": time(22)})),
    *_of("COLL-CBA-DIAL", "may-dial",
        (FAIL, "too-many", {"dials_today": 6}),
        (FAIL, "too-many", {"dials_today": 6, "contact_channel": "video"}),
        (NOT_APPLICABLE, "no-call", {"contact_channel": "message"})),
    *_of("COLL-GB-CALLS", "may-call",
        (FAIL, "too-many", {"effective_calls_today": 3}),
        (NOT_APPLICABLE, "no-call", {"contact_channel": "letter"})),
    *_of("COLL-GB-WHO", "relay-only",
        (FAIL, "third-party", {"contact_role": "other"}),
        (FAIL, "debtor-within-reach", {"debtor_lost": False}),
        (FAIL, "refused", {"contact_refused": True}),
        (FAIL, "reveals-debt", {"contact_script": "full"}),
        (NOT_APPLICABLE, "party", {"contact_role": "debtor"})),
]  # fmt: skip

_INTAKE: Final = [
    *_of("PIPL-13", "on-record",
        (PASS, "on-record", {"processing_basis": "consent"}),
        (FAIL, "no-basis", {"processing_basis": "public-interest"}),
        (FAIL, "not-on-record", {"processing_basis": "consent", "basis_on_record": False})),
    *_of("PIPL-17", "told",
        *((FAIL, "incomplete", {"notice_items": tuple(set(NOTICE_ITEMS) - {gone})}) for gone in NOTICE_ITEMS),
        (FAIL, "incomplete", {"notice_items": ()}),
        (FAIL, "only-spoken", {"notice_form": "ORAL"})),
    *_of("PIPL-28", "named",
        (PASS, "named", {"sensitive_data": ("medical",)}),
        (FAIL, "not-named", {"sensitive_data_noticed": ("financial-account",)}),
        (NOT_APPLICABLE, "none-held", {"sensitive_data": ()})),
    *_of("PIPL-30", "told",
        (PASS, "told", {"processing_basis": "consent", "separate_consent": True}),
        (FAIL, "incomplete", {"notice_items": (*NOTICE_ITEMS, "necessity")}),
        (FAIL, "incomplete", {"notice_items": (*NOTICE_ITEMS, "effect")}),
        (FAIL, "no-separate-consent", {"processing_basis": "consent"}),
        (NOT_APPLICABLE, "none-held", {"sensitive_data": ()})),
    *_of("PIPL-6", "as-needed", (FAIL, "more-than-needed", {"data_held": ("identity", "employer", "other")})),
    *_of("NFRA-CP-1", "as-needed",
        (PASS, "as-needed", {"consents_asked": ()}),
        (FAIL, "not-needed", {"consents_asked": ("credit-report-query", "contact-hours")})),
    *_of("AML-28", "identified",
        (PASS, "identified", {"due_diligence": "overdue"}),
        (FAIL, "unidentified", {"due_diligence": "unidentified"}),
        (FAIL, "unidentified", {"due_diligence": "fine"})),
    *_of("AML-29", "current",
        *((FAIL, "not-current", {"due_diligence": said}) for said in ("overdue", "doubted", "unidentified"))),
]  # fmt: skip

_RECORDS: Final = [
    *_of("PIPL-19", "as-needed", (FAIL, "longer-than-needed", {"data_kept_until": date(2039, 11, 26)})),
    *_of("PIPL-21", "bound",
        (FAIL, "contract-incomplete", {"entrustment_terms": ("purpose", "term")}),
        (FAIL, "passed-on", {"sub_entrusted": True}),
        (NOT_APPLICABLE, "bank-itself", {"contact_maker": "bank"})),
    *_of("PIPL-24", "explained-and-reviewed",
        (FAIL, "no-explanation", {"explanation_available": False}),
        (FAIL, "no-human-review", {"human_review_route": False})),
    *_of("PIPL-47", "in-order",
        (FAIL, "other-state", {"data_after_close": "open"}),
        (FAIL, "other-state", {"data_after_close": "deleted"})),
    *_of("PIPL-55", "assessed-before",
        (FAIL, "assessed-late", {"pia_approved_at": datetime(2026, 11, 2, 2, tzinfo=UTC)})),
    *_of("CRED-15", "told-before",
        (FAIL, "told-late", {"adverse_notice_at": datetime(2026, 11, 25, 2, tzinfo=UTC)}),
        (NOT_APPLICABLE, "nothing-to-report", {"adverse_report_planned": False})),
    *_of("CRED-18", "written-consent",
        (PASS, "signed-electronically", {"consent_form": "ELECTRONIC_SIGNATURE"}),
        (FAIL, "consent-withdrawn", {"consent_withdrawn": True}),
        (FAIL, "consent-not-written", {"consent_form": "ORAL"}),
        (FAIL, "other-purpose", {"query_purpose": "marketing"})),
    *_of("AML-34c", "kept", (FAIL, "kept-too-short", {"records_kept_until": date(2039, 11, 24)})),
    Example(
        rule_id="AML-34c", result=FAIL, reason="kept-too-short", as_of=date(2024, 12, 31),
        changes={"records_kept_until": date(2034, 11, 24)},
    ),
    Example(
        rule_id="AML-34c", result=PASS, reason="kept", as_of=date(2024, 12, 31),
        changes={"records_kept_until": date(2034, 11, 25)},
    ),
]  # fmt: skip

EXAMPLES: Final[list[Example]] = [
    *_CARD_MEASURES, *_CARD_NOTICE, *_PRICE, *_CONTRACT, *_DEBITS, *_COLLECTION, *_INTAKE, *_RECORDS,
]  # fmt: skip
