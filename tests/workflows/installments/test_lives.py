"""An installment case lives through its stages to each of its ends, and its records say so."""

import pytest
from sqlmodel import Session, select

from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.rules.gates import GATES
from models.domain.roles import Role
from models.domain.states import CaseStage, Gate, NewsKind, Outcome, TaskState, TaskType
from models.errors import FourEyesViolation, StaleVersion
from models.operations.projection import show_document
from models.queries import agreements
from models.tables.agreements import Agreement, PlanOffer, Signature
from models.tables.assessments import ImpactAssessment
from models.tables.installments import AffordabilityAssessment, BureauReport, Proposal, RuleVerdict
from models.tables.tasks import Decision, Task
from tests.support.casework import TERMS, CaseWorld
from tests.workflows.installments import lives


@pytest.mark.parametrize(
    ("life", "outcome", "amount"),
    [
        (lives.declined, "cancelled", 3_000_000),
        (lives.countered, "cancelled", 2_000_000),
        (lives.rejected, "rejected", None),
        (lives.broken, "broken", 3_000_000),
    ],
)
async def test_a_case_reaches_its_end(world: CaseWorld, life, outcome: str, amount: int | None) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await life(world, team, token)
    case = await world.ended(token)
    assert (case.stage, case.outcome, case.granted_amount_minor) == (CaseStage.ENDED, outcome, amount)
    assert all(task.state == TaskState.DONE for task in world.rows(Task, token))
    assert all(decision.state == "APPLIED" for decision in world.rows(Decision, token))


async def test_the_machine_part_leaves_its_working_and_its_verdicts(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await world.task(token, TaskType.ASSESSMENT)
    (working,) = world.rows(AffordabilityAssessment, token)
    assert sum(line["amountMinor"] for line in working.working) == working.capacity_minor
    gates = (Gate.INTAKE, Gate.BUREAU, Gate.DUE_DILIGENCE, Gate.NEEDS)
    asked = {rule_id: "PASS" for gate in gates for rule_id in GATES[gate]}
    assert {verdict.rule_id: verdict.result for verdict in world.rows(RuleVerdict, token)} == asked
    assert task.shown["affordability"]["id"] == working.id
    assert task.shown["bureau"]["reportId"] == world.rows(BureauReport, token)[0].id


async def test_without_written_consent_nobody_is_queried(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, consent=None)
    await world.start(token)
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
    task = await world.task(token, TaskType.DOCUMENTS)
    assert task.task_no == 2
    assert task.return_reason == "blocked-by-rule"
    assert [row["rule"] for row in task.shown["verdicts"] if row["result"] == "UNKNOWN"] == ["CRED-18"]
    assert world.bureau.keys == []
    world.add_consent(token)
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
    await world.task(token, TaskType.ASSESSMENT)
    assert len(world.bureau.keys) == 1


async def test_without_hardship_evidence_no_recommendation_passes(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, evidence=False)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await world.task(token, TaskType.ASSESSMENT)
    assert [(barred["outcome"], barred["rule"]) for barred in task.blocked] == [("recommend", "CCM-70a")]
    answer = await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)
    assert answer.reason == "blocked-by-rule"
    back = await world.task(token, TaskType.ASSESSMENT)
    assert (back.id, back.state, back.return_reason) == (task.id, TaskState.READY, "blocked-by-rule")
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RETURN, reason_code="evidence-missing")
    world.add_evidence(token)
    await lives.to_assessment(world, team, token)
    assert (await world.task(token, TaskType.ASSESSMENT)).blocked == []


async def test_without_a_second_person_the_approval_is_blocked(world: CaseWorld) -> None:
    officer = world.hire()
    token = world.apply(by=officer)
    await world.start(token)
    await world.decide(token, TaskType.DOCUMENTS, officer, Outcome.ACCEPT)
    await world.decide(token, TaskType.ASSESSMENT, officer, Outcome.RECOMMEND, terms=TERMS)
    offers = (await world.task(token, TaskType.NEGOTIATION)).shown["offers"]
    await world.decide(token, TaskType.NEGOTIATION, officer, Outcome.CHOOSE, offer=offers[0]["id"])
    task = await world.task(token, TaskType.APPROVAL)
    assert {(barred["outcome"], barred["rule"]) for barred in task.blocked} == {
        ("approve", "PIPL-24"),
        ("counter", "PIPL-24"),
        ("reject", "PIPL-24"),
    }


async def test_an_approver_sends_it_back_and_sees_it_again(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.RETURN, reason_code="terms-unsuitable")
    await world.decide(token, TaskType.NEGOTIATION, team.officer, Outcome.REOFFER, terms=TERMS | {"term_months": 24})
    await lives.choose(world, team, token)
    approval = await world.task(token, TaskType.APPROVAL)
    assert approval.shown["plan"]["figures"]["term"] == 24
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)
    await world.task(token, TaskType.SIGNING)
    kinds = [row.kind for row in sorted(world.rows(Proposal, token), key=lambda row: row.version)]
    assert kinds == ["recommendation", "chosen-plan", "counter-offer", "chosen-plan"]


@pytest.mark.parametrize("stage", ["documents", "assessment", "approval"])
async def test_the_customer_may_withdraw_at_any_point(world: CaseWorld, stage: str) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    if stage == "assessment":
        await lives.to_assessment(world, team, token)
    if stage == "approval":
        await lives.to_approval(world, team, token)
    await world.task(token, TaskType(f"installments.{stage}"))
    await world.withdraw(token)
    case = await world.ended(token)
    assert (case.outcome, case.reason_code) == ("withdrawn", "customer-withdrew")
    assert all(task.state in (TaskState.DONE, TaskState.CANCELLED) for task in world.rows(Task, token))


async def test_a_refusing_bureau_opens_an_incident_for_two_persons(world: CaseWorld) -> None:
    world.bureau.refusals = 1
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    incident = await world.task(token, TaskType.INCIDENT)
    assert incident.shown["incident"] == {"step": "installments.query_bureau", "code": "gateway-refused"}
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.RETRY)
    answer = await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)
    assert answer.fate == "applied"
    await world.task(token, TaskType.ASSESSMENT)
    assert len(world.bureau.keys) == 2
    assert len(set(world.bureau.keys)) == 1  # the same query to the bureau


async def test_figures_entered_by_hand_stand_for_the_bureau(world: CaseWorld) -> None:
    world.bureau.refusals = 1
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    figures = {"open_accounts": 4, "monthly_obligation_minor": 120_000, "worst_days_past_due": 65}
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.MEND, mended=figures)
    confirm = await world.task(token, TaskType.INCIDENT_CONFIRM)
    assert confirm.shown["incident"]["figures"] == figures
    await world.send(world.take(confirm, team.second_operator, Outcome.CONFIRM))
    await world.task(token, TaskType.ASSESSMENT)
    (report,) = world.rows(BureauReport, token)
    assert (report.source, report.monthly_obligation_minor) == ("mended", 120_000)


async def test_an_incident_given_up_by_two_ends_the_case_with_its_reason(world: CaseWorld) -> None:
    world.bureau.refusals = 9
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.GIVE_UP)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.REJECT)  # not so fast
    await world.decide(token, TaskType.INCIDENT, team.second_operator, Outcome.GIVE_UP)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.operator, Outcome.CONFIRM)
    case = await world.ended(token)
    assert (case.outcome, case.reason_code) == ("rejected", "incident-given-up")


async def test_withdrawal_does_not_wait_for_a_silent_bureau(world: CaseWorld) -> None:
    world.bureau.refusals = 9
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    await world.task(token, TaskType.INCIDENT)
    await world.withdraw(token)
    assert (await world.ended(token)).outcome == "withdrawn"


async def test_evidence_that_comes_late_is_shown_on_the_open_task(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer, evidence=False)
    await world.start(token)
    before = await world.task(token, TaskType.DOCUMENTS)
    entry = {"id": "doc_1", "kind": "hardship-evidence", "digest": "0" * 64}
    deed = Deed(tenant="main", action="document.added", target=token, actor="test", at=world.clock())
    with unit_of_work(world.database, deed) as unit:
        show_document(unit.session, case_token=token, entry=entry, rehash=shown_hash, now=world.clock())
    after = await world.task(token, TaskType.DOCUMENTS)
    assert after.shown["documents"] == [entry]
    assert after.shown_hash == shown_hash(after.shown)
    with pytest.raises(StaleVersion):  # whoever still looks at the old page must look again
        world.take(before, team.officer, Outcome.ACCEPT)
    assert (await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)).fate == "applied"


async def test_a_signed_paper_takes_two_persons(world: CaseWorld) -> None:
    team, token = await _to_signing(world)
    await world.decide(token, TaskType.SIGNING, team.officer, Outcome.PAPER, document="doc_scan")
    check = await world.task(token, TaskType.PAPER_CHECK)
    with pytest.raises(FourEyesViolation):
        world.take(check, world.hire(Role.APPROVER, person=team.officer.person_id), Outcome.CONFIRM)
    await world.send(world.take(check, team.approver, Outcome.RETURN, reason_code="page-missing"))
    again = await world.task(token, TaskType.SIGNING)
    assert again.return_reason == "page-missing"
    await world.send(world.take(again, team.officer, Outcome.PAPER, document="doc_scan"))
    await world.decide(token, TaskType.PAPER_CHECK, team.approver, Outcome.CONFIRM)
    await world.reached(token, CaseStage.SERVICING)
    (signature,) = world.rows(Signature, token)
    assert (signature.method, signature.paper_document_id) == ("paper", "doc_scan")


async def test_nobody_of_the_bank_signs_for_the_customer(world: CaseWorld) -> None:
    team, token = await _to_signing(world)
    task = await world.task(token, TaskType.SIGNING)
    answer = await world.send(world.take(task, team.officer, Outcome.SIGN))
    assert (answer.fate, answer.reason) == ("refused", "customer-only")
    assert (await world.sign(token)).fate == "applied"  # and the customer is not held up by it


async def test_collection_that_was_not_recalled_keeps_the_agreement_out_of_force(world: CaseWorld) -> None:
    world.core.failures.agencies_pending = [1]
    team, token = await _to_signing(world)
    await world.sign(token)
    task = await world.task(token, TaskType.ACTIVATION)
    blocking = [row["rule"] for row in task.shown["verdicts"] if row["result"] == "FAIL"]
    assert blocking == ["CCM-70e-RECALL"]
    assert world.rows(Agreement, token) == []
    await world.decide(token, TaskType.ACTIVATION, team.officer, Outcome.RETRY)  # the agency has answered meanwhile
    await world.reached(token, CaseStage.SERVICING)
    assert [agreement.status for agreement in world.rows(Agreement, token)] == ["active"]


async def test_an_agreement_in_force_cannot_be_withdrawn(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_service(world, team, token)
    answer = await world.withdraw(token)
    assert (answer.fate, answer.reason) == ("refused", "wrong-state")


async def test_without_an_impact_assessment_of_the_model_no_plan_is_approved(world: CaseWorld) -> None:
    deed = Deed(tenant="main", action="test", target="main", actor="test", at=world.clock())
    with unit_of_work(world.database, deed) as unit:
        unit.session.delete(unit.session.exec(select(ImpactAssessment)).one())
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_approval(world, team, token)
    task = await world.task(token, TaskType.APPROVAL)
    assert [(barred["outcome"], barred["rule"]) for barred in task.blocked] == [("approve", "PIPL-55")]


async def test_a_signature_counts_once_the_case_has_taken_it(world: CaseWorld) -> None:
    _, token = await _to_signing(world)
    decision_id = await world.put_signature(token)
    with world.database.read() as session:
        assert agreements.signature_of_case(session, case_token=token) is None
    await world.send(decision_id)
    with world.database.read() as session:
        assert agreements.signature_of_case(session, case_token=token) is not None


async def test_what_is_serviced_is_what_was_chosen_and_signed(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_service(world, team, token)
    (agreement,) = world.rows(Agreement, token)
    with world.database.read() as session:
        chosen = session.get_one(PlanOffer, agreement.offer_id)
        served = agreements.rows_of_agreement(session, agreement.id)
    assert agreement.plan_hash == chosen.plan_hash
    assert [
        [row.no, row.due.isoformat(), row.principal_minor, row.interest_minor, row.fee_minor] for row in served
    ] == chosen.rows


async def test_the_same_news_twice_asks_once(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_service(world, team, token)
    await world.tell(token, NewsKind.MISSED)
    task = await world.task(token, TaskType.MISSED)
    await world.tell(token, NewsKind.MISSED)
    await world.tell(token, NewsKind.CURED)

    def closed(session: Session) -> Task | None:
        row = session.get_one(Task, task.id)
        return row if row.state == TaskState.CANCELLED else None

    await world.until(closed)
    assert [row.type for row in world.rows(Task, token)].count(TaskType.MISSED) == 1


async def _to_signing(world: CaseWorld) -> tuple[lives.Team, str]:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_signing(world, team, token)
    return team, token
