"""What a case needs before it is assessed: the card, and what the card core says is owed."""

from sqlmodel import Session, col, select, update

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.states import Outcome, TaskType
from models.queries.core import debt_of, latest_balance
from models.tables.agreements import PlanOffer
from models.tables.core import CardBalance
from models.tables.parties import Subject
from models.tables.tasks import Decision
from tests.support.casework import TENANT, TERMS, CaseWorld
from tests.workflows.installments import lives


def set_card(world: CaseWorld, token: str, cell: bytes | None) -> bytes | None:
    """Put a sealed card on the customer's record, or take it away; what was there before."""
    subject_id = world.case(token).subject_id
    deed = Deed(tenant=TENANT, action="test.card", target=token, actor="test", at=world.clock())
    with unit_of_work(world.database, deed) as unit:
        before = unit.session.get_one(Subject, subject_id).card_cell
        unit.session.execute(update(Subject).where(col(Subject.id) == subject_id).values(card_cell=cell))
    return before


def balances(world: CaseWorld, token: str) -> list[CardBalance]:
    with world.database.read() as session:
        return list(session.exec(select(CardBalance).where(col(CardBalance.case_token) == token)).all())


async def test_documents_are_not_complete_without_the_card_whose_debt_is_meant(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    cell = set_card(world, token, None)
    await world.start(token)
    task = await world.task(token, TaskType.DOCUMENTS)
    assert task.shown["missing"] == ["card-number"]
    answer = await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)
    assert (answer.fate, answer.reason) == ("refused", "form-invalid")
    set_card(world, token, cell)
    await lives.to_assessment(world, team, token)
    await world.task(token, TaskType.ASSESSMENT)


async def test_a_silent_core_is_an_incident_and_a_retry_reads_on(world: CaseWorld) -> None:
    world.core.failures.refusals_of_balances.append("card-unknown")
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    incident = await world.task(token, TaskType.INCIDENT)
    assert incident.shown["incident"] == {"step": "core.read_balances", "code": "gateway-refused"}
    assert balances(world, token) == []
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.RETRY)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)
    task = await world.task(token, TaskType.ASSESSMENT)
    assert task.shown["balances"]["totalMinor"] == task.shown["totalDueMinor"]


async def test_plans_divide_the_debt_as_the_core_has_it(world: CaseWorld) -> None:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    task = await world.task(token, TaskType.ASSESSMENT)
    with world.database.read() as session:
        balance = latest_balance(session, case_token=token)
    assert balance is not None
    shown = task.shown["balances"]
    assert (shown["id"], shown["asOf"]) == (balance.id, balance.as_of.isoformat())
    assert shown["interestMinor"] == balance.interest_minor > 0
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)
    await world.task(token, TaskType.NEGOTIATION)
    wanted = debt_of(balance).part(TERMS["amount_minor"])
    offers = await world.until(lambda session: _offers(session, token))
    assert {str(offer.terms["debt"]) for offer in offers} == {str(wanted.as_record())}
    assert {offer.terms["debtAsOf"] for offer in offers} == {balance.as_of.isoformat()}
    assert all(sum(row[2] for row in offer.rows) == TERMS["amount_minor"] for offer in offers if offer.plan_hash)


async def test_nobody_waits_for_a_core_whose_case_was_withdrawn(world: CaseWorld) -> None:
    world.core.failures.silent = 100
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_assessment(world, team, token)
    await world.until(lambda session: _accepted(session, token))
    await world.withdraw(token)
    assert (await world.ended(token)).outcome == "withdrawn"


def _offers(session: Session, token: str) -> list[PlanOffer]:
    return list(session.exec(select(PlanOffer).where(col(PlanOffer.case_token) == token)).all())


def _accepted(session: Session, token: str) -> Decision | None:
    return session.exec(
        select(Decision).where(col(Decision.case_token) == token, col(Decision.state) == "APPLIED")
    ).first()
