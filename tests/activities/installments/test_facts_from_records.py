"""What is on record makes the rules about plan, signing and activation block: product, policy, core, text."""

from dataclasses import replace
from typing import Any

import pytest
from sqlmodel import update

from activities.documents.facts import facts_of
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.rules.evaluate import evaluate_rule
from models.domain.application import ConsentPurpose
from models.domain.collection_policy import DEFAULT_POLICY, CollectionPolicy
from models.domain.product import DEFAULT_PRODUCT, InstallmentProduct
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.operations.products import set_terms
from models.tables.agreements import AgreementText, Signature
from models.tables.core import CardBalance
from models.tables.parties import Consent
from tests.activities.documents.contents import agreement, cost_statement
from tests.activities.installments.test_signing_desk import (
    found,
    mandate_of_an_earlier_signature,
    signed,
    subject_of,
    verdicts,
)
from tests.support.clock import FakeClock
from tests.support.signing import TENANT, SigningBench

OWED = {"purchases": 3_000_000, "installments": 200_000}


def set_by_bank(bench: SigningBench, terms: InstallmentProduct | CollectionPolicy) -> None:
    deed = Deed(tenant=TENANT, action="terms.set", target=TENANT, actor="test", at=bench.clock())
    with unit_of_work(bench.database, deed) as unit:
        set_terms(unit.session, terms, tenant=TENANT, by="test", now=bench.clock())


def sold(bench: SigningBench, **changes: Any) -> str:
    """A case whose plan was made under the bank's own version of the product."""
    set_by_bank(bench, replace(DEFAULT_PRODUCT, version="product/own", **changes))
    return bench.case(owed=OWED)


@pytest.mark.parametrize(
    ("gate", "rule", "changes", "verdict"),
    [
        (Gate.NEGOTIATION, "CCN22-REINST", {"kind": "bill"}, "FAIL/twice"),
        (Gate.NEGOTIATION, "CCN22-CASH", {"pays_out": True}, "FAIL/too-long"),
        (Gate.ACTIVATION, "CCN22-FUND", {"pays_out": True}, "UNKNOWN/missing-facts"),
        (Gate.NEGOTIATION, "CCM-57b", {"allocation": "order/of-its-own"}, "UNKNOWN/missing-facts"),
        (Gate.NEGOTIATION, "APR21-3", {"partner_charges": ("guarantee-fee",)}, "FAIL/charge-left-out"),
        (Gate.SIGNING, "CCN22-SEP", {"bundled_with": ("card-insurance",)}, "UNKNOWN/missing-facts"),
        (Gate.SIGNING, "CCN22-MIN", {"minimum_payment": True}, "FAIL/minimum-offered"),
        (Gate.SIGNING, "CCN22-LUMP", {"interest_options": ("lump-sum",)}, "FAIL/only-choice"),
        (
            Gate.SIGNING,
            "CCN22-LUMP",
            {"interest_options": ("lump-sum", "per-row"), "interest_default": "lump-sum"},
            "FAIL/ticked-beforehand",
        ),
        (Gate.SIGNING, "CC-695", {"guarantors": 1}, "FAIL/consent-lacking"),
    ],
)
def test_a_product_that_the_bank_sets_otherwise_is_judged_by_what_it_set(
    sqlite_bench: SigningBench, gate: Gate, rule: str, changes: dict[str, Any], verdict: str
) -> None:
    token = sold(sqlite_bench, **changes)
    assert verdicts(sqlite_bench, token, gate)[rule] == verdict
    # What was made before goes on under its own version.
    set_by_bank(sqlite_bench, replace(DEFAULT_PRODUCT, version="product/mended"))
    assert verdicts(sqlite_bench, token, gate)[rule] == verdict


def test_under_the_default_product_nothing_of_a_plan_is_against_a_rule(sqlite_bench: SigningBench) -> None:
    token = sqlite_bench.case(owed=OWED)
    assert verdicts(sqlite_bench, token, Gate.NEGOTIATION) == {}


@pytest.mark.parametrize(("days", "stands"), [(0, set()), (90, set()), (91, set()), (None, {"CCM-57b"})])
def test_the_order_of_allocation_is_that_of_the_allocator_at_the_age_that_the_core_says(
    sqlite_bench: SigningBench, days: int | None, stands: set[str]
) -> None:
    token = sqlite_bench.case(owed=OWED)
    deed = Deed(tenant=TENANT, action="test.aged", target=token, actor="test", at=sqlite_bench.clock())
    with unit_of_work(sqlite_bench.database, deed) as unit:
        unit.session.execute(update(CardBalance).values(days_past_due=days))
    assert set(verdicts(sqlite_bench, token, Gate.NEGOTIATION)) == stands


def test_printed_text_bundled_papers_and_charges_of_partners_are_judged_as_they_are(
    sqlite_bench: SigningBench, clock: FakeClock
) -> None:
    token = sold(sqlite_bench, partner_charges=("guarantee-fee",), bundled_with=("card-insurance",))
    sqlite_bench.print(token)
    assert verdicts(sqlite_bench, token)["AIC26-PARTY"] == "FAIL/outside"
    assert verdicts(sqlite_bench, token)["CCN22-SEP"] == "FAIL/bundled"
    (text,) = found(sqlite_bench, AgreementText, token)
    assert text.facts["cited_articles"] == ["商业银行信用卡业务监督管理办法/70"]
    clock.advance(minutes=5)
    signed(sqlite_bench, token)
    assert "CC-544" not in verdicts(sqlite_bench, token)
    another = text.model_dump() | {"id": new_token("txt"), "business_key": f"text/{token}/2", "plan_hash": "0" * 64}
    sqlite_bench.write(AgreementText(**another | {"created_at": clock.advance(minutes=5)}))
    # One paper for two plans, and not the one that was signed.
    assert verdicts(sqlite_bench, token)["CCN22-SEP"] == "FAIL/several-installments"
    assert verdicts(sqlite_bench, token)["CC-544"] == "FAIL/unclear"
    assert len(found(sqlite_bench, Signature, token)) == 1


def test_a_repealed_law_is_found_in_the_words_that_are_printed() -> None:
    clause = "逾期责任依据《中华人民共和国合同法》第七十七条、第一百零七条和民法典第577条确定。"
    printed = replace(agreement(), other_terms=(clause,))
    facts = facts_of(printed, cost_statement())
    assert facts["cited_articles"] == [
        "商业银行信用卡业务监督管理办法/70",
        "合同法/77",
        "合同法/107",
        "民法典/577",
    ]
    verdict = evaluate_rule("CITE-1", {"cited_articles": tuple(facts["cited_articles"])}, as_of=printed.heading.made_on)
    assert (verdict.result, verdict.reason) == ("FAIL", "repealed-law")


def test_a_bank_that_reports_bad_status_tells_the_customer_before_the_first_row(
    sqlite_bench: SigningBench, clock: FakeClock
) -> None:
    token = sqlite_bench.case(owed=OWED)
    assert "CRED-15" not in verdicts(sqlite_bench, token, Gate.ACTIVATION)
    set_by_bank(sqlite_bench, replace(DEFAULT_POLICY, version="policy/reports", reports_bad_status=True))
    assert verdicts(sqlite_bench, token, Gate.ACTIVATION)["CRED-15"] == "UNKNOWN/missing-facts"
    signed_on = clock()
    clock.advance(days=400)  # after the first row
    sqlite_bench.write(_told(sqlite_bench, token))
    assert verdicts(sqlite_bench, token, Gate.ACTIVATION)["CRED-15"] == "FAIL/told-late"
    clock.set(signed_on)
    sqlite_bench.write(_told(sqlite_bench, token))
    assert "CRED-15" not in verdicts(sqlite_bench, token, Gate.ACTIVATION)


@pytest.mark.parametrize(
    ("purpose", "verdict"), [("", "FAIL/incomplete"), ("installment-agreement", None)], ids=["blank", "named"]
)
def test_a_mandate_is_judged_by_what_it_states(sqlite_bench: SigningBench, purpose: str, verdict: str | None) -> None:
    token = sqlite_bench.case(owed=OWED)
    mandate = mandate_of_an_earlier_signature(sqlite_bench, token)
    mandate.purpose = purpose
    sqlite_bench.write(mandate)
    assert verdicts(sqlite_bench, token, Gate.ACTIVATION).get("DDB-AUTH") == verdict


def _told(bench: SigningBench, token: str) -> Consent:
    return Consent(
        id=new_token("cns"),
        tenant=TENANT,
        subject_id=subject_of(bench, token),
        purpose=ConsentPurpose.ADVERSE_REPORT_NOTICE,
        form="WRITTEN",
        text_version="adverse/1",
        given_at=bench.clock(),
    )
