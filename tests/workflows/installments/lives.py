"""Lives of a case as tests play them: who decides what, in order."""

from dataclasses import dataclass

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from models.domain.roles import Role
from models.domain.servicing.events import EventKind, PaymentChannel
from models.domain.states import CaseStage, NewsKind, Outcome, TaskType
from models.operations.agreements import named
from models.operations.booking import book
from models.queries import agreements
from models.tables.staff import Staff
from tests.support.casework import TENANT, TERMS, CaseWorld


@dataclass
class Team:
    """Two officers and two approvers: enough for four eyes, and for a second try."""

    officer: Staff
    approver: Staff
    second_approver: Staff
    operator: Staff
    second_operator: Staff


def hire_team(world: CaseWorld) -> Team:
    return Team(
        officer=world.hire(Role.CASE_OFFICER),
        approver=world.hire(Role.APPROVER),
        second_approver=world.hire(Role.APPROVER),
        operator=world.hire(Role.OPERATOR),
        second_operator=world.hire(Role.OPERATOR),
    )


async def to_assessment(world: CaseWorld, team: Team, token: str) -> None:
    await world.decide(token, TaskType.DOCUMENTS, team.officer, Outcome.ACCEPT)


async def to_negotiation(world: CaseWorld, team: Team, token: str) -> None:
    await to_assessment(world, team, token)
    await world.decide(token, TaskType.ASSESSMENT, team.officer, Outcome.RECOMMEND, terms=TERMS)


async def choose(world: CaseWorld, team: Team, token: str, family: str = "fixed-term") -> None:
    """The customer and the officer agree on one of the plans on the table."""
    task = await world.task(token, TaskType.NEGOTIATION)
    offer = next(offer for offer in task.shown["offers"] if offer["family"] == family)
    await world.decide(token, TaskType.NEGOTIATION, team.officer, Outcome.CHOOSE, offer=offer["id"])


async def to_approval(world: CaseWorld, team: Team, token: str) -> None:
    await to_negotiation(world, team, token)
    await choose(world, team, token)


async def to_signing(world: CaseWorld, team: Team, token: str) -> None:
    await to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.APPROVE)


async def to_service(world: CaseWorld, team: Team, token: str) -> None:
    """Signed by the customer, and in force."""
    await to_signing(world, team, token)
    await world.sign(token)
    await world.reached(token, CaseStage.SERVICING)


async def cured(world: CaseWorld, token: str) -> None:
    """A payment is missed and comes in before anybody has called."""
    await world.tell(token, NewsKind.MISSED)
    await world.task(token, TaskType.MISSED)
    await world.tell(token, NewsKind.CURED)


async def paid_off(world: CaseWorld, token: str) -> None:
    """Everything is paid, and the daily run says so."""
    pay_everything(world, token)
    await world.tell(token, NewsKind.SETTLED)


def pay_everything(world: CaseWorld, token: str) -> None:
    """All rows at the counter; booked on the last due date, as the daily runs would have come to it."""
    now = world.clock()
    deed = Deed(tenant=TENANT, action="payment.booked", target=token, actor="test", at=now)
    with unit_of_work(world.database, deed) as unit:
        agreement = agreements.agreement_of_case(unit.session, case_token=token)
        assert agreement is not None
        rows = agreements.rows_of_agreement(unit.session, agreement.id)
        total = sum(row.principal_minor + row.interest_minor + row.fee_minor for row in rows)
        assert agreement.folded_to is not None
        paid = named(
            EventKind.PAYMENT,
            business_key=f"counter/{token}",
            on=agreement.folded_to,
            now=now,
            amount_minor=total,
            channel=PaymentChannel.COUNTER,
        )
        book(unit.session, [(agreement, [paid])], as_of=rows[-1].due, now=now)


async def completed(world: CaseWorld, team: Team, token: str) -> None:
    """Paid to the last row."""
    await to_service(world, team, token)
    await paid_off(world, token)


async def broken(world: CaseWorld, team: Team, token: str) -> None:
    """Not paid, talked about, and declared broken."""
    await to_service(world, team, token)
    await world.tell(token, NewsKind.MISSED)
    await world.decide(token, TaskType.MISSED, team.officer, Outcome.CONTACTED, reason_code="no-answer")
    await world.tell(token, NewsKind.DEFAULT_DUE)
    await world.decide(token, TaskType.DEFAULT, team.approver, Outcome.DECLARE)


async def declined(world: CaseWorld, team: Team, token: str) -> None:
    """Approved, but the customer will not sign: the shortest life that comes to an approval."""
    await to_signing(world, team, token)
    await world.decide(token, TaskType.SIGNING, team.officer, Outcome.DECLINE, reason_code="prefers-other-plan")


async def countered(world: CaseWorld, team: Team, token: str) -> None:
    """The approver offers less; the customer takes it, and another plan is chosen."""
    await to_approval(world, team, token)
    lower = TERMS | {"amount_minor": 2_000_000}
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.COUNTER, terms=lower)
    await world.decide(token, TaskType.COUNTER_OFFER, team.officer, Outcome.ACCEPT)
    await choose(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.second_approver, Outcome.APPROVE)
    await world.decide(token, TaskType.SIGNING, team.officer, Outcome.DECLINE, reason_code="prefers-other-plan")


async def rejected(world: CaseWorld, team: Team, token: str) -> None:
    await to_approval(world, team, token)
    await world.decide(token, TaskType.APPROVAL, team.approver, Outcome.REJECT, reason_code="capacity-insufficient")
