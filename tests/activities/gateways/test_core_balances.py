"""What the core says is owed, by kind: asked once per key, kept with its day, and no card number anywhere."""

from datetime import timedelta

import pytest
from sqlmodel import select

from activities.gateways.core import Card, CoreOrders
from activities.gateways.simulated_core import SimulatedCore
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from models.contracts.agreements import ReadBalancesInput
from models.database.engine import Database
from models.domain.shanghai import shanghai_date
from models.errors import GatewayRefused, GatewayUnavailable
from models.operations.agreements import set_first_business_date
from models.queries.core import debt_of, latest_balance
from models.tables.audit import AuditEvent
from models.tables.core import CardBalance
from tests.activities.gateways.test_core_orders import NUMBER, TENANT, Desk
from tests.support.clock import FakeClock

DECLARED = 5_000_000  # what the application of the desk's case says is owed


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock) -> Desk:
    core = SimulatedCore()
    made = Desk(database, vault, core, clock, CoreOrders(database, vault, core, clock))
    made.case = made.open_case()
    return made


def question(desk: Desk, round_no: int = 1) -> ReadBalancesInput:
    return ReadBalancesInput(case_token=desk.case, key=f"balances/{desk.case}/{round_no}")


def balances(desk: Desk) -> list[CardBalance]:
    with desk.database.read() as session:
        return list(session.exec(select(CardBalance)).all())


def test_balances_are_kept_once_by_kind_with_the_day_they_hold_for(desk: Desk) -> None:
    for _ in range(2):
        desk.orders.read_balances(question(desk))
    [kept] = balances(desk)
    assert kept.as_of == shanghai_date(desk.clock()) - timedelta(days=1)  # the last day that is over
    assert debt_of(kept).total_minor == DECLARED
    assert kept.purchases_minor > kept.cash_minor
    with desk.database.read() as session:
        assert latest_balance(session, case_token=desk.case) == kept
        [event] = session.exec(select(AuditEvent).where(AuditEvent.action == "core.balances-read")).all()
    assert NUMBER not in event.body
    assert str(DECLARED) in event.body


def test_the_day_is_the_last_business_date_that_is_over(desk: Desk) -> None:
    deed = Deed(tenant=TENANT, action="tenant.created", target=TENANT, actor="test", at=desk.clock())
    opened = shanghai_date(desk.clock()) + timedelta(days=200)  # a sandbox runs ahead of the clock
    with unit_of_work(desk.database, deed) as unit:
        set_first_business_date(unit.session, tenant=TENANT, today=opened, now=desk.clock())
    desk.orders.read_balances(question(desk))
    assert balances(desk)[0].as_of == opened - timedelta(days=1)


def test_a_silent_core_is_asked_again_and_leaves_nothing(desk: Desk) -> None:
    desk.core.failures.silent = 1
    with pytest.raises(GatewayUnavailable):
        desk.orders.read_balances(question(desk))
    assert balances(desk) == []
    desk.orders.read_balances(question(desk))
    assert len(balances(desk)) == 1


def test_who_has_no_card_has_no_balances(desk: Desk) -> None:
    desk.case = desk.open_case(number=None)
    with pytest.raises(GatewayRefused) as refused:
        desk.orders.read_balances(question(desk))
    assert refused.value.params == {"reason": "no-card"}


def test_the_simulated_core_divides_a_declared_sum_always_in_the_same_way() -> None:
    card, day = Card(TENANT, NUMBER), shanghai_date(FakeClock()())
    first, again = (SimulatedCore().balances(card, as_of=day, declared_minor=DECLARED) for _ in range(2))
    assert first == again
    assert first.total_minor == DECLARED
    assert min(first.amounts) >= 0
    assert first.interest_minor > 0
