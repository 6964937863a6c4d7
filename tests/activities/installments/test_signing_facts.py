"""What an agreement rests on: the debt as the card core has it, and what was explained before it was signed."""

from datetime import date, datetime, timedelta

import pytest

from compliance.rules.evaluate import evaluate_gate
from models.contracts.agreements import SealAgreementInput
from models.domain.aftercare.clocks import TicketKind
from models.domain.states import Gate
from models.domain.tokens import new_token
from models.queries.agreement_facts import agreement_facts
from models.tables.daily import Ticket
from models.tables.installments import CaseDocument, InstallmentCase
from tests.activities.installments.test_signing_desk import content, found, signed, verdicts, words
from tests.support.clock import FakeClock
from tests.support.signing import TENANT, SigningBench


def test_the_debt_is_printed_by_kind_as_the_core_has_it(sqlite_bench: SigningBench) -> None:
    owed = {"purchases": 2_400_000, "cash": 900_000, "installments": 300_000, "interest": 300_000, "fees": 100_000}
    token = sqlite_bench.case(owed=owed)  # of 40,000.00 the plan takes in 30,000.00
    sqlite_bench.print(token)
    [row] = [row for row in found(sqlite_bench, CaseDocument, token) if row.kind == "agreement"]
    said = words(content(sqlite_bench, row))
    for kind, amount in (
        ("消费透支本金", "18,000.00"),
        ("预借现金本金", "6,750.00"),
        ("未到期分期本金", "2,250.00"),
        ("利息", "2,250.00"),
        ("其他费用", "750.00"),
    ):
        assert f"{kind}{amount}" in said.replace(" ", "").replace("\n", "")
    assert "截至2026年11月22日" in said.replace(" ", "")


def test_more_than_the_core_says_is_owed_cannot_be_agreed(sqlite_bench: SigningBench) -> None:
    token = sqlite_bench.case(owed={"purchases": 2_999_999})
    with sqlite_bench.database.read() as session:
        case = session.get_one(InstallmentCase, token)
        facts = agreement_facts(session, gate=Gate.NEGOTIATION, case=case)
    failed = {
        one.rule_id for one in evaluate_gate(Gate.NEGOTIATION, facts, as_of=date(2026, 11, 23)) if one.result == "FAIL"
    }
    assert "CC-670" in failed


@pytest.mark.parametrize(("state", "stands"), [("OPEN", {"CC-496", "SPC-CONTRACT-10"}), ("DONE", set())])
def test_what_was_asked_before_signing_is_explained_before_the_agreement_takes_effect(
    sqlite_bench: SigningBench, clock: FakeClock, state: str, stands: set[str]
) -> None:
    token = sqlite_bench.case()
    sqlite_bench.invited(token)
    sqlite_bench.write(_explanation(token, state, clock.advance(minutes=5)))
    decision_id = signed(sqlite_bench, token)
    sqlite_bench.write(_explanation(token, "OPEN", clock.advance(minutes=5)))  # after signing: about something else
    sqlite_bench.desk.seal_agreement(SealAgreementInput(case_token=token, decision_id=decision_id))
    assert set(verdicts(sqlite_bench, token)) == stands


def _explanation(token: str, state: str, at: datetime) -> Ticket:
    return Ticket(
        id=new_token("tkt"),
        tenant=TENANT,
        case_token=token,
        kind=TicketKind.EXPLANATION,
        state=state,
        due_at=at + timedelta(days=15),
        opened_by="link",
        created_at=at,
    )
