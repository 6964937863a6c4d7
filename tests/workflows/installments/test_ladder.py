"""The daily runs and a real case together: a ladder that is climbed to its end, and an end that is taken back."""

from datetime import date, timedelta

from sqlmodel import Session

from activities.daily.steps import SqlDailyRun
from activities.duties.relay import Relay
from models.contracts.daily import DayStepInput
from models.domain.states import CaseOutcome, CaseStage, NewsKind, Outcome, TaskState, TaskType
from models.operations.agreements import set_first_business_date
from models.tables.agreements import Agreement
from models.tables.daily import BusinessDate
from models.tables.installments import InstallmentCase
from models.tables.tasks import Task
from tests.support.casework import TENANT, CaseWorld
from tests.workflows.installments import lives


async def in_service(world: CaseWorld) -> tuple[lives.Team, str, Agreement]:
    team = lives.hire_team(world)
    token = world.apply(by=team.officer)
    await world.start(token)
    await lives.to_service(world, team, token)
    (agreement,) = world.rows(Agreement, token)
    return team, token, agreement


async def arrears_on(world: CaseWorld, day: date) -> None:
    """The arrears step of one date, as if nothing had happened on the dates before; its news reach their cases."""

    def open_date(session: Session) -> None:
        row = session.get(BusinessDate, TENANT)
        if row is None:
            set_first_business_date(session, tenant=TENANT, today=day, now=world.clock())
        else:
            row.today = day

    with world.database.write() as session:
        open_date(session)
    steps = SqlDailyRun(world.database, world.vault, _no_bank, world.clock)
    for step in (steps.begin, steps.arrears):
        step(DayStepInput(tenant=TENANT, business_date=day.isoformat()))
    await Relay(world.database, world.dispatcher, world.clock).tell_cases(world.clock())


def _no_bank(_tenant: str):
    raise AssertionError("nobody asks the bank here")


async def test_a_ladder_that_is_climbed_asks_for_the_default_and_its_end_closes_everything(world: CaseWorld) -> None:
    team, token, agreement = await in_service(world)
    first = agreement.next_due
    assert first is not None
    await arrears_on(world, first + timedelta(days=1))
    missed = await world.task(token, TaskType.MISSED)
    await arrears_on(world, first + timedelta(days=91))
    await world.task(token, TaskType.DEFAULT)
    await world.decide(token, TaskType.DEFAULT, team.approver, Outcome.DECLARE)
    case = await world.ended(token)
    assert (case.stage, case.outcome) == (CaseStage.ENDED, CaseOutcome.BROKEN)
    assert {task.id: task.state for task in world.rows(Task, token)}[missed.id] == TaskState.CANCELLED
    assert [task for task in world.rows(Task, token) if task.state in ("READY", "CLAIMED", "DECIDING")] == []
    (agreement,) = world.rows(Agreement, token)
    assert agreement.status == "defaulted"
    await arrears_on(world, first + timedelta(days=120))  # an ended case is told nothing more
    assert [row.type for row in world.rows(Task, token)].count(TaskType.DEFAULT) == 1


async def test_news_of_a_return_bring_a_case_back_from_its_close(world: CaseWorld) -> None:
    team, token, _ = await in_service(world)
    await world.tell(token, NewsKind.SETTLED)  # but the books do not say so: the close is refused
    incident = await world.task(token, TaskType.INCIDENT)
    assert incident.shown["incident"]["step"] == "installments.close_agreement"
    await world.tell(token, NewsKind.REOPENED)
    await world.decide(token, TaskType.INCIDENT, team.operator, Outcome.RETRY)
    await world.decide(token, TaskType.INCIDENT_CONFIRM, team.second_operator, Outcome.CONFIRM)

    def back(session: Session) -> InstallmentCase | None:
        case = session.get_one(InstallmentCase, token)
        return case if case.stage == CaseStage.SERVICING else None

    await world.until(back)
    await world.tell(token, NewsKind.MISSED)
    await world.task(token, TaskType.MISSED)
