"""The boundaries that the rules have to get right, each under the sentence that says it."""

from datetime import date, time
from typing import Any

import pytest

from compliance.rules.results import Result
from tests.compliance.boundaries.asking import FAIL, NOT_APPLICABLE, PASS, ask
from tests.compliance.rules.world import NOON

EXEMPT: dict[str, Any] = {"export_path": "exempt", "export_sensitive_persons": 0, "own_contract_needs_it": False}
CONTRACT: dict[str, Any] = {**EXEMPT, "export_path": "standard-contract"}
ASSESSED: dict[str, Any] = {**EXEMPT, "export_path": "assessment"}
CITED: dict[str, Any] = {"cited_articles": ("合同法/77",)}
NOTHING_STATED: dict[str, Any] = {
    "statement_fields": (),
    "statement_popup_shown": False,
    "partner_charges": ("fee",),
    "statement_confirmed_at": NOON,
}
ENDED_2025: dict[str, Any] = {"relation_ended_on": date(2025, 1, 1), "last_transaction_on": date(2025, 1, 1)}


@pytest.mark.parametrize(("rule_id", "changes", "expected"), [
    pytest.param("CCM-70b", {"term_months": 60}, PASS, id="60 months pass"),
    pytest.param("CCM-70b", {"term_months": 61}, FAIL, id="61 months fail"),
    pytest.param("CCN22-TERM", {"term_months": 60}, PASS, id="installment of 60 months passes"),
    pytest.param("CCN22-TERM", {"term_months": 61}, FAIL, id="installment of 61 months fails"),
    pytest.param("CCN22-CASH", {"principal_cny_minor": 5_000_000}, PASS, id="cash installment of 50,000.00 passes"),
    pytest.param("CCN22-CASH", {"principal_cny_minor": 5_000_001}, FAIL, id="cash installment of 50,000.01 fails"),
    pytest.param("CCN22-CASH", {"term_months": 24}, PASS, id="cash installment of 24 months passes"),
    pytest.param("CCN22-CASH", {"term_months": 25}, FAIL, id="cash installment of 25 months fails"),
    pytest.param("COLL-CBA-HOURS", {"contact_local_time": time(8)}, PASS, id="contact at 08:00:00 passes"),
    pytest.param("COLL-CBA-HOURS", {"contact_local_time": time(21, 59, 59)}, PASS, id="contact at 21:59:59 passes"),
    pytest.param("COLL-CBA-HOURS", {"contact_local_time": time(22)}, FAIL, id="contact at 22:00:00 fails"),
    pytest.param("COLL-CBA-HOURS", {"contact_local_time": time(7, 59, 59)}, FAIL, id="contact at 07:59:59 fails"),
    pytest.param("COLL-CBA-DIAL", {"dials_today": 5}, PASS, id="sixth dial passes"),
    pytest.param("COLL-CBA-DIAL", {"dials_today": 6}, FAIL, id="seventh dial fails"),
    pytest.param("COLL-GB-CALLS", {"effective_calls_today": 2}, PASS, id="third effective call passes"),
    pytest.param("COLL-GB-CALLS", {"effective_calls_today": 3}, FAIL, id="fourth effective call fails"),
    pytest.param("CCM-57b", {"days_past_due": 90}, PASS, id="90 days past due: interest first"),
    pytest.param("CCM-57b", {"days_past_due": 91}, FAIL, id="91 days past due: interest no longer first"),
    pytest.param(
        "CCM-57b", {"days_past_due": 91, "first_paid": "principal"}, PASS, id="91 days past due: principal first"
    ),
    pytest.param(
        "CCM-57b", {"days_past_due": 90, "first_paid": "principal"}, FAIL, id="90 days past due: principal not yet"
    ),
    pytest.param(
        "XB-8", {**EXEMPT, "export_sensitive_persons": 1}, FAIL,
        id="export of 1 sensitive person needs a contract or certificate",
    ),
    pytest.param(
        "XB-8", {**CONTRACT, "export_sensitive_persons": 1}, PASS,
        id="export of 1 sensitive person with a standard contract passes",
    ),
    pytest.param(
        "XB-5", {**EXEMPT, "export_sensitive_persons": 1}, FAIL, id="export of 1 sensitive person is not exempt"
    ),
    pytest.param("XB-5", {**EXEMPT, "export_persons": 99_999}, PASS, id="99,999 non-sensitive persons are exempt"),
    pytest.param(
        "XB-8", {**EXEMPT, "export_persons": 99_999}, PASS, id="99,999 non-sensitive persons need no contract"
    ),
    pytest.param(
        "XB-5", {**EXEMPT, "export_persons": 100_000}, FAIL, id="100,000 non-sensitive persons are not exempt"
    ),
    pytest.param(
        "XB-8", {**EXEMPT, "export_persons": 100_000}, FAIL, id="100,000 non-sensitive persons need a contract"
    ),
    pytest.param(
        "XB-7", {**CONTRACT, "export_persons": 999_999}, PASS, id="999,999 non-sensitive persons need no assessment"
    ),
    pytest.param(
        "XB-7", {**CONTRACT, "export_persons": 1_000_000}, FAIL, id="1,000,000 non-sensitive persons need an assessment"
    ),
    pytest.param(
        "XB-7", {**ASSESSED, "export_persons": 1_000_000}, PASS, id="1,000,000 persons with an assessment pass"
    ),
    pytest.param(
        "XB-7", {**CONTRACT, "export_sensitive_persons": 9_999}, PASS, id="9,999 sensitive persons need no assessment"
    ),
    pytest.param(
        "XB-7", {**CONTRACT, "export_sensitive_persons": 10_000}, FAIL, id="10,000 sensitive persons need an assessment"
    ),
    pytest.param("AUD-4", {"subjects": 10_000_000}, NOT_APPLICABLE, id="AUD-4 is not triggered at 10,000,000 persons"),
    pytest.param("AUD-4", {"subjects": 10_000_001}, PASS, id="AUD-4 is triggered at 10,000,001 persons"),
    pytest.param("NDSR-28", {"subjects": 10_000_000}, PASS, id="NDSR-28 is triggered at 10,000,000 persons"),
    pytest.param(
        "NDSR-28", {"subjects": 9_999_999}, NOT_APPLICABLE, id="NDSR-28 is not triggered at 9,999,999 persons"
    ),
    pytest.param("NDSR-32", {"subjects": 10_000_000}, PASS, id="NDSR-32 is triggered at 10,000,000 persons"),
    pytest.param("CRED-25", {"objection_answered_on": date(2026, 11, 21)}, PASS, id="credit objection: day 20 passes"),
    pytest.param("CRED-25", {"objection_answered_on": date(2026, 11, 22)}, FAIL, id="credit objection: day 21 fails"),
    pytest.param(
        "AIC26-OLD", {"agreement_signed_on": date(2026, 7, 31)}, NOT_APPLICABLE,
        id="contract dated 2026-07-31 skips the cost statement",
    ),
    pytest.param(
        "AIC26-OLD", {"agreement_signed_on": date(2026, 8, 1)}, PASS,
        id="contract dated 2026-08-01 does not skip the cost statement",
    ),
    pytest.param(
        "AML-34c", {**ENDED_2025, "records_kept_until": date(2035, 1, 1)}, PASS,
        id="AML retention: 10 years for a relation that ends on 2025-01-01 pass",
    ),
    pytest.param(
        "AML-34c", {**ENDED_2025, "records_kept_until": date(2034, 12, 31)}, FAIL,
        id="AML retention: a day less than 10 years fails",
    ),
])  # fmt: skip
def test_boundary(rule_id: str, changes: dict[str, Any], expected: Result) -> None:
    assert ask(rule_id, **changes) is expected


@pytest.mark.parametrize(("rule_id", "changes", "as_of", "expected"), [
    pytest.param("CITE-1", CITED, date(2020, 12, 31), NOT_APPLICABLE, id="2020-12-31: Contract Law may be cited"),
    pytest.param("CITE-1", CITED, date(2021, 1, 1), FAIL, id="2021-01-01: Contract Law may not be cited"),
    *(
        pytest.param(
            rule_id, NOTHING_STATED, date(2026, 7, 31), NOT_APPLICABLE,
            id=f"{rule_id}: contract dated 2026-07-31 skips it",
        )
        for rule_id in ("AIC26-FORM", "AIC26-ONLINE", "AIC26-PARTY", "AIC26-SITE")
    ),
    *(
        pytest.param(
            rule_id, NOTHING_STATED, date(2026, 8, 1), FAIL,
            id=f"{rule_id}: contract dated 2026-08-01 does not skip it",
        )
        for rule_id in ("AIC26-FORM", "AIC26-ONLINE", "AIC26-PARTY", "AIC26-SITE")
    ),
])  # fmt: skip
def test_boundary_in_time(rule_id: str, changes: dict[str, Any], as_of: date, expected: Result) -> None:
    assert ask(rule_id, as_of=as_of, **changes) is expected
