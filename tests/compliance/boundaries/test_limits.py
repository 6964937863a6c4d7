"""Figures at which an answer turns: each on both sides, with the operator of the law's word (民法典 Art. 1259)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.rules.evaluate import evaluate_rule
from compliance.rules.installments.cite_1 import SUCCESSORS
from compliance.rules.periods import years_after
from tests.compliance.boundaries.asking import FAIL, NOT_APPLICABLE, PASS, ask
from tests.compliance.rules.example import TODAY
from tests.compliance.rules.world import NOON

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
REPORTED = datetime(2026, 11, 25, 2, tzinfo=UTC)
FIRST_WRITE = datetime(2026, 12, 1, 2, tzinfo=UTC)
FOUND = datetime(2026, 11, 18, 1, tzinfo=UTC)
TOLD = datetime(2026, 11, 18, 2, tzinfo=UTC)


@pytest.mark.parametrize(("rule_id", "fact", "last_kept", "first_broken"), [
    ("CCM-70b", "term_months", 60, 61),
    ("CCM-70b", "last_due_on", date(2031, 11, 20), date(2031, 11, 21)),
    ("CCN22-TERM", "term_months", 60, 61),
    ("CCN22-CASH", "principal_cny_minor", 5_000_000, 5_000_001),  # CNY 50,000.00 and 50,000.01
    ("CCN22-CASH", "term_months", 24, 25),
    ("CCN22-RANGE", "principal_minor", 50_000, 49_999),
    ("CCN22-RANGE", "principal_minor", 30_000_000, 30_000_001),
    ("CCN22-APPLY", "approved_at", NOON - SECOND, NOON),
    ("COLL-CBA-HOURS", "contact_local_time", time(8), time(7, 59, 59)),
    ("COLL-CBA-HOURS", "contact_local_time", time(21, 59, 59), time(22)),
    ("COLL-CBA-HOURS", "contact_local_time", time(21, 59, 59, 999_999), time(0)),
    ("COLL-CBA-DIAL", "dials_today", 5, 6),  # the sixth attempt, the seventh
    ("COLL-GB-CALLS", "effective_calls_today", 2, 3),  # the third call, the fourth
    ("CCM-57b", "days_past_due", 90, 91),
    ("CCM-67", "reminder_sent_on", date(2026, 12, 19), date(2026, 12, 20)),
    ("CCM-68c", "recording_retention_months", 24, 23),
    ("CCM-70f-KEEP", "recording_kept_until", date(2029, 11, 20), date(2029, 11, 19)),
    ("AIC26-ONLINE", "statement_read_seconds", 10, 9),
    ("AIC26-ONLINE", "statement_confirmed_at", NOON - SECOND, NOON),
    ("AIC26-FORM", "statement_rate_ppm", 138_518, 138_519),  # 0.01 percentage points
    ("AIC26-FORM", "statement_rate_ppm", 138_318, 138_317),
    ("APR21-3", "rate_shown_ppm", 138_468, 138_469),
    ("SPC-CONTRACT-65", "penalty_rate_ppm", 234_000, 234_001),  # 1.3 times 18 %
    ("CC-670", "principal_received_minor", 5_000_000, 4_999_999),
    ("CC-677", "interest_asked_minor", 4_200, 4_201),
    ("DDB-AUTH", "mandate_given_on", date(2026, 12, 20), date(2026, 12, 21)),
    ("DDB-MATCH", "debit_on", date(2029, 12, 31), date(2030, 1, 1)),
    ("DDB-LIMIT", "debit_amount_minor", 200_000, 200_001),
    ("DDB-LIMIT", "debited_today_minor", 50_000, 50_001),
    ("BATCH-CUT", "due_now_minor", 150_000, 149_999),
    ("AML-34c", "records_kept_until", date(2039, 11, 25), date(2039, 11, 24)),
    ("PIPL-19", "data_kept_until", date(2039, 11, 25), date(2039, 11, 26)),
    ("CRED-15", "adverse_notice_at", REPORTED - SECOND, REPORTED),
    ("CC-188", "limitation_asked_on", date(2028, 12, 1), date(2028, 12, 2)),  # 91 days left, 90 days left
    ("CC-585", "penalty_rate_ppm", 234_000, 234_001),
    ("CC-676", "overdue_rate_ppm", 180_000, 180_001),
    ("CC-680", "contract_rate_ppm", 240_000, 240_001),
    ("COLL-CFC", "collection_record_kept_until", date(2031, 11, 20), date(2031, 11, 19)),
    ("BATCH-RULES", "rule_set_approvers", 2, 1),
    ("BATCH-COMPL", "complaint_answered_on", date(2026, 11, 16), date(2026, 11, 17)),
    ("WAGE-P6", "wage_record_kept_until", date(2028, 11, 20), date(2028, 11, 19)),
    ("WAGE-P7", "wage_paid_on", date(2026, 11, 20), date(2026, 11, 21)),
    ("WAGE-P16", "wage_damages_minor", 160_000, 160_001),  # a fifth of 8,000.00
    ("WAGE-P16", "wage_net_minor", 250_000, 249_999),
    ("WAGE-15", "wage_ledger_kept_until", date(2029, 11, 20), date(2029, 11, 19)),
    ("CRIM-5", "export_rows_grave", 24, 25),
    ("CRIM-5", "export_rows_serious", 249, 250),
    ("CRIM-5", "export_rows_other", 2_499, 2_500),
    ("NDSR-12", "processing_record_kept_until", date(2029, 11, 20), date(2029, 11, 19)),
    ("CO-84", "shares_sold_on", date(2026, 10, 2), date(2026, 10, 1)),
    ("CO-220", "creditors_told_on", date(2026, 9, 11), date(2026, 9, 12)),
    ("CO-220", "announced_on", date(2026, 10, 1), date(2026, 10, 2)),
    ("CO-229", "end_reason_published_on", date(2026, 9, 11), date(2026, 9, 12)),
    ("REG-24", "change_filed_on", date(2026, 10, 1), date(2026, 10, 2)),
    ("TAX-16", "tax_register_changed_on", date(2026, 10, 31), date(2026, 11, 1)),
    ("CC-137", "notice_relied_on_at", TOLD, TOLD - SECOND),
    ("CC-546", "assignee_demand_at", TOLD + SECOND, TOLD),
    ("PIPL-22", "subjects_told", 200_000, 199_999),
    ("PIPL-23", "subjects_consented_apart", 200_000, 199_999),
    ("NDSR-32", "authority_plan_filed_on", date(2026, 11, 30), date(2026, 12, 1)),
    ("NDSR-9", "backup_made_at", FIRST_WRITE - SECOND, FIRST_WRITE),
    ("PIPL-8", "key_field_mismatches", 0, 1),
    ("PIPL-45", "request_answered_on", date(2026, 11, 17), date(2026, 11, 18)),
    ("PIPL-54", "audit_asked_on", date(2027, 3, 1), date(2027, 3, 2)),
    ("PIPL-56", "assessment_kept_until", date(2029, 10, 1), date(2029, 9, 30)),
    ("NDSR-22", "asks_after_refusal", 0, 1),
    ("XB-9", "export_on", date(2028, 6, 1), date(2028, 6, 2)),
    ("NDSR-33", "risk_asked_on", date(2027, 3, 1), date(2027, 3, 2)),
    ("CSL-LOG", "log_retention_days", 180, 179),
    ("CRYPT-38", "crypto_asked_on", date(2027, 3, 1), date(2027, 3, 2)),
    ("CRYPT-38", "system_live_on", date(2025, 3, 2), date(2025, 3, 1)),
    ("AUD-rot", "audits_running", 2, 3),
    ("INC-CAC", "cac_reported_at", FOUND + 4 * HOUR, FOUND + 4 * HOUR + SECOND),
    ("INC-PBOC", "pboc_brief_at", FOUND + HOUR / 2, FOUND + HOUR / 2 + SECOND),
    ("INC-PBOC", "pboc_reported_at", FOUND + 2 * HOUR, FOUND + 2 * HOUR + SECOND),
    ("INC-NFRA", "nfra_brief_at", FOUND + 2 * HOUR, FOUND + 2 * HOUR + SECOND),
    ("INC-NFRA", "nfra_written_at", FOUND + 24 * HOUR, FOUND + 24 * HOUR + SECOND),
    ("INC-NDSR-10", "flaw_reported_at", FOUND + 24 * HOUR, FOUND + 24 * HOUR + SECOND),
    ("INC-PIPL", "persons_told_at", FOUND + 72 * HOUR, FOUND + 72 * HOUR + SECOND),
    ("CRED-16", "bad_record_shown_on", date(2029, 1, 10), date(2029, 1, 11)),
    ("CRED-25", "objection_answered_on", date(2026, 11, 21), date(2026, 11, 22)),
    ("CRED-26", "pboc_complaint_answered_on", date(2026, 12, 1), date(2026, 12, 2)),
    ("AML-34b", "identity_update_working_days", 10, 11),
], ids=str)  # fmt: skip
def test_a_figure_is_kept_up_to_its_limit(rule_id: str, fact: str, last_kept: Any, first_broken: Any) -> None:
    assert ask(rule_id, **{fact: last_kept}) is PASS
    assert ask(rule_id, **{fact: first_broken}) is FAIL


def test_from_the_91st_day_principal_goes_first() -> None:
    assert ask("CCM-57b", days_past_due=91, first_paid="principal") is PASS
    assert ask("CCM-57b", days_past_due=90, first_paid="principal") is FAIL


@pytest.mark.parametrize("rule_id", ["AIC26-FORM", "AIC26-ONLINE", "AIC26-PARTY", "AIC26-SITE"])
def test_the_cost_statement_is_owed_from_august_2026(rule_id: str) -> None:
    nothing_done: dict[str, Any] = {
        "statement_fields": (), "statement_popup_shown": False, "partner_charges": ("fee",), "statement_items": (),
        "statement_confirmed_at": NOON + SECOND,
    }  # fmt: skip
    assert ask(rule_id, as_of=date(2026, 7, 31), **nothing_done) is NOT_APPLICABLE
    assert ask(rule_id, as_of=date(2026, 8, 1), **nothing_done) is FAIL


def test_an_older_agreement_is_not_caught_by_what_is_charged_later() -> None:
    charged: dict[str, Any] = {"charges_posted": ("letter-fee",)}
    assert ask("AIC26-OLD", agreement_signed_on=date(2026, 7, 31), **charged) is NOT_APPLICABLE
    assert ask("AIC26-OLD", agreement_signed_on=date(2026, 8, 1), **charged) is FAIL


def test_the_repealed_contract_law_may_be_cited_for_what_happened_before() -> None:
    assert ask("CITE-1", as_of=date(2020, 12, 31), cited_articles=("合同法/77",)) is NOT_APPLICABLE
    assert ask("CITE-1", as_of=date(2021, 1, 1), cited_articles=("合同法/77",)) is FAIL


@pytest.mark.parametrize("old", SUCCESSORS)
def test_a_repealed_article_is_mapped_to_the_one_in_force(old: int) -> None:
    verdict = evaluate_rule("CITE-1", {"cited_articles": (f"合同法/{old}",)}, as_of=TODAY)
    assert verdict.text_params == {"article": str(old), "successor": SUCCESSORS[old]}


@pytest.mark.parametrize(("as_of", "years"), [(date(2024, 12, 31), 5), (date(2025, 1, 1), 10)])
def test_records_of_relations_ending_from_2025_are_kept_ten_years(as_of: date, years: int) -> None:
    ended = {"relation_ended_on": as_of, "last_transaction_on": as_of - timedelta(days=3)}
    last = years_after(as_of, years)
    assert ask("AML-34c", as_of=as_of, records_kept_until=last, **ended) is PASS
    assert ask("AML-34c", as_of=as_of, records_kept_until=last - timedelta(days=1), **ended) is FAIL


def test_the_later_of_relation_and_transaction_starts_the_clock() -> None:
    late_posting = {"relation_ended_on": date(2029, 11, 20), "last_transaction_on": date(2029, 12, 1)}
    assert ask("AML-34c", records_kept_until=date(2039, 11, 30), **late_posting) is FAIL
    assert ask("AML-34c", records_kept_until=date(2039, 12, 1), **late_posting) is PASS


def test_data_are_deleted_when_neither_law_nor_purpose_keeps_them() -> None:
    over = {"purpose_ends_on": date(2029, 11, 20), "statutory_until": date(2029, 11, 20)}
    assert ask("PIPL-47", data_after_close="deleted", **over) is PASS
    assert ask("PIPL-47", data_after_close="locked", **over) is FAIL


@pytest.mark.parametrize(("day", "years", "expected"), [
    (date(2028, 2, 29), 1, date(2029, 2, 28)),
    (date(2028, 2, 29), 4, date(2032, 2, 29)),
    (date(2026, 8, 31), 5, date(2031, 8, 31)),
])  # fmt: skip
def test_years_end_on_the_corresponding_day_or_the_last_of_the_month(day: date, years: int, expected: date) -> None:
    assert years_after(day, years) == expected


@pytest.mark.parametrize(("rule_id", "changes"), [
    ("AIC26-SITE", {"signing_channel": "kiosk", "statement_confirmed_at": NOON}),
    ("CCM-57a", {"debit_account_kind": "unheard-of", "mandate_status": "none"}),
    ("CCM-67", {"reminder_exemption": "forgotten", "reminder_sent_on": date(2026, 12, 20)}),
    ("CCM-70c", {"interest_charge": "perhaps"}),
    ("CCM-70e", {"agreement_status": "new"}),
    ("CCN22-DISC", {"confirmation_method": "nod"}),
    ("COLL-CBA-DIAL", {"contact_channel": "video", "dials_today": 6}),
    ("COLL-GB-WHO", {"contact_role": "neighbour"}),
    ("DDB-REVOKE", {"mandate_status": "expired"}),
    ("ES-13", {"agreement_form": "fax", "signature_sole_control": False}),
    ("PIPL-21", {"contact_maker": "friend", "sub_entrusted": True}),
    ("COLL-CFC", {"licence": "lender", "banned_words_found": True}),
    ("NBPI-32", {"licence": "wallet", "affiliate_sharing": True, "affiliate_notice_consent": False}),
    ("CC-545", {"claim_assignability": "doubtful"}),
    ("CBL-29", {"debit_basis": "as-always"}),
    ("XB-5", {"export_path": "forgotten", "export_sensitive_persons": 1}),
    ("XB-9", {"export_path": "forgotten", "export_on": date(2030, 1, 1)}),
    ("INC-CAC", {"incident_grade": "small", "cac_reported_at": FOUND + 5 * HOUR}),
    ("NFRA-DS-INC", {"incident_grade": "dire", "nfra_longest_gap_minutes": 121}),
    ("PIPL-18", {"notice_exempt": "inconvenient"}),
    ("PIPL-47-OLD-STORE", {"old_store_state": "forgotten"}),
])  # fmt: skip
def test_a_word_nobody_knows_is_no_exemption(rule_id: str, changes: dict[str, Any]) -> None:
    assert ask(rule_id, **changes) is FAIL


# Properties -----------------------------------------------------------------------------------------------------------

counts = st.integers(0, 400)
days = st.dates(date(2021, 1, 1), date(2060, 12, 31))
instants = st.datetimes(datetime(2021, 1, 1), datetime(2060, 12, 31), timezones=st.just(UTC))


@given(days_past_due=counts, first=st.sampled_from(["interest-and-fees", "principal"]))
def test_for_each_age_exactly_one_order_is_right(days_past_due: int, first: str) -> None:
    other = "principal" if first == "interest-and-fees" else "interest-and-fees"
    answers = [ask("CCM-57b", days_past_due=days_past_due, first_paid=each) for each in (first, other)]
    assert sorted(answers) == [FAIL, PASS]


@given(months=counts, signed=days, due=days)
def test_five_years_by_both_counts(months: int, signed: date, due: date) -> None:
    answer = ask("CCM-70b", term_months=months, agreement_signed_on=signed, last_due_on=due)
    assert (answer is PASS) == (months <= 60 and due <= years_after(signed, 5))


@given(moment=st.times(), consent=st.booleans())
def test_nights_are_quiet_without_consent(moment: time, consent: bool) -> None:
    answer = ask("COLL-CBA-HOURS", contact_local_time=moment, contact_hours_consent=consent)
    assert (answer is PASS) == (consent or moment.hour in range(8, 22))


@given(dials=counts, calls=counts, more=counts)
def test_more_attempts_never_open_a_shut_gate(dials: int, calls: int, more: int) -> None:
    for rule_id, fact, so_far in (
        ("COLL-CBA-DIAL", "dials_today", dials),
        ("COLL-GB-CALLS", "effective_calls_today", calls),
    ):
        before: dict[str, Any] = {fact: so_far}
        after: dict[str, Any] = {fact: so_far + more}
        assert ask(rule_id, **before) is PASS or ask(rule_id, **after) is FAIL


@given(
    amount=st.integers(0, 10**9), due=st.integers(0, 10**9), limit=st.integers(0, 10**9), today=st.integers(0, 10**9)
)
def test_no_debit_above_what_is_due_or_allowed(amount: int, due: int, limit: int, today: int) -> None:
    assert (ask("BATCH-CUT", debit_amount_minor=amount, due_now_minor=due) is PASS) == (amount <= due)
    within = ask(
        "DDB-LIMIT", debit_amount_minor=amount, mandate_limit_minor=limit, mandate_day_limit_minor=limit,
        debited_today_minor=today,
    )  # fmt: skip
    assert (within is PASS) == (amount + today <= limit)


@given(persons=st.integers(0, 3_000_000), sensitive=st.integers(0, 30_000), more=st.integers(0, 2_000_000))
def test_more_persons_never_make_an_export_easier(persons: int, sensitive: int, more: int) -> None:
    for rule_id in ("XB-5", "XB-7", "XB-8"):
        before = ask(rule_id, export_path="exempt", export_persons=persons, export_sensitive_persons=sensitive)
        after = ask(rule_id, export_path="exempt", export_persons=persons + more, export_sensitive_persons=sensitive)
        assert before is PASS or after is FAIL


@given(minutes=st.integers(0, 10_000), more=st.integers(0, 10_000))
def test_a_later_report_is_never_more_in_time(minutes: int, more: int) -> None:
    for rule_id, fact in (
        ("INC-CAC", "cac_reported_at"),
        ("INC-PBOC", "pboc_reported_at"),
        ("INC-NFRA", "nfra_written_at"),
        ("INC-PIPL", "persons_told_at"),
    ):
        before: dict[str, Any] = {fact: FOUND + timedelta(minutes=minutes)}
        after: dict[str, Any] = {fact: FOUND + timedelta(minutes=minutes + more)}
        assert ask(rule_id, **before) is PASS or ask(rule_id, **after) is FAIL


@given(gross=st.integers(0, 10**9), damages=st.integers(1, 10**9))
def test_damages_never_take_more_than_a_fifth_of_the_wage(gross: int, damages: int) -> None:
    answer = ask("WAGE-P16", wage_gross_minor=gross, wage_damages_minor=damages)
    assert (answer is PASS) == (5 * damages <= gross)


@given(paid=instants, told=instants)
def test_each_payment_belongs_to_exactly_one_creditor(paid: datetime, told: datetime) -> None:
    answers = [
        ask("SPC-CONTRACT-48", payment_made_at=paid, assignment_notice_at=told, payment_credited_to=to)
        for to in ("assignor", "assignee")
    ]
    assert answers == ([PASS, FAIL] if paid < told else [FAIL, PASS])
