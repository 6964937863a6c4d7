"""Orders to the core as steps of a case: one row per key, an event for each change, no card number anywhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from sqlmodel import col, select

from activities.gateways.core import Acknowledgement, Card, CoreOrders, open_card
from activities.gateways.simulated_core import SimulatedCore
from activities.support.failures import as_application_error
from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import RowAddress
from compliance.vault.keyring import Vault
from models.contracts.agreements import CoreOrderInput
from models.database.engine import Database
from models.domain.bank_card import luhn_digit
from models.domain.core_orders import OrderKind, OrderState
from models.domain.tokens import new_case_token, new_token
from models.errors import GatewayRefused, GatewayUnavailable
from models.queries.core import CoreState, core_state, orders_of_case
from models.tables.audit import AuditEvent
from models.tables.core import CoreOrder
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from models.tables.tenants import Tenant
from models.texts.render import LOCALES, has_text
from tests.support.clock import FakeClock

TENANT = "main"
NUMBER = "622999000000123" + luhn_digit("622999000000123")


@dataclass
class Desk:
    """A bank with one case, and the core it orders from."""

    database: Database
    vault: Vault
    core: SimulatedCore
    clock: FakeClock
    orders: CoreOrders
    case: str = ""

    def open_case(self, *, number: str | None = NUMBER) -> str:
        token, subject_id, now = new_case_token(TENANT), new_token("sub"), self.clock()
        self.vault.ensure_tenant(TENANT)
        self.vault.create_subject(tenant=TENANT, subject_id=subject_id)
        row = RowAddress(tenant=TENANT, table="subjects", row=subject_id, subject=subject_id)
        cells = {"name_cell": "某某某", "id_cell": token} | ({} if number is None else {"card_cell": number})
        subject = Subject(
            id=subject_id,
            tenant=TENANT,
            id_type="resident-id",
            id_index=self.vault.blind_index(tenant=TENANT, field="id_number", value=token),
            created_at=now,
            **self.vault.seal_many(row, cells),
        )
        case = InstallmentCase(
            token=token,
            tenant=TENANT,
            subject_id=subject_id,
            branch="sh-01",
            channel="staff",
            stage="activation",
            total_due_minor=5_000_000,
            requested_amount_minor=3_000_000,
            requested_term_months=36,
            monthly_income_minor=800_000,
            essential_expense_minor=350_000,
            other_debt_payment_minor=0,
            dependants=0,
            hardship_code="illness",
            willing_to_repay=True,
            created_by="link",
            created_at=now,
            updated_at=now,
        )
        with unit_of_work(self.database, self._deed(token)) as unit:
            if unit.session.get(Tenant, TENANT) is None:
                unit.session.add(Tenant(code=TENANT, name="-", created_at=now))
                unit.session.flush()
            unit.session.add(subject)
            unit.session.flush()
            unit.session.add(case)
        return token

    def _deed(self, token: str) -> Deed:
        return Deed(tenant=TENANT, action="case.created", target=token, actor="link", at=self.clock())

    def input(self, step: str) -> CoreOrderInput:
        return CoreOrderInput(case_token=self.case, key=f"{step}/{self.case}")

    def block(self) -> None:
        self.orders.block_card(self.input("core.block_card"))

    def recall(self) -> None:
        self.orders.recall_collection(self.input("core.recall_collection"))

    def rows(self) -> list[CoreOrder]:
        with self.database.read() as session:
            return orders_of_case(session, case_token=self.case)

    def state(self) -> CoreState:
        with self.database.read() as session:
            return core_state(session, self.case)

    def events(self) -> list[AuditEvent]:
        with self.database.read() as session:
            wanted = select(AuditEvent).where(col(AuditEvent.action).startswith("core."))
            return list(session.exec(wanted.order_by(col(AuditEvent.id))).all())

    def actions(self) -> list[str]:
        return [event.action for event in self.events()]


@pytest.fixture
def desk(database: Database, vault: Vault, clock: FakeClock) -> Desk:
    core = SimulatedCore()
    made = Desk(database, vault, core, clock, CoreOrders(database, vault, core, clock))
    made.case = made.open_case()
    return made


def test_the_life_of_a_card_leaves_a_row_and_an_event_each(desk: Desk) -> None:
    desk.block()
    desk.recall()
    card = Card(TENANT, NUMBER)
    assert (desk.core.is_blocked(card), desk.core.is_recalled(card)) == (True, True)
    during = desk.state()
    assert (during.blocked, during.released, during.recalled, during.agencies_pending) == (True, False, True, 0)
    assert during.blocked_at == during.recalled_at == desk.clock()
    desk.clock.advance(days=400)
    desk.orders.resume_collection(desk.input("core.resume_collection"))
    desk.orders.release_card(desk.input("core.release_card"))
    assert (desk.core.is_blocked(card), desk.core.is_recalled(card)) == (False, False)
    after = desk.state()
    assert (after.blocked, after.released, after.recalled) == (False, True, False)
    assert after.released_at == after.resumed_at == desk.clock()
    assert after.blocked_at == during.blocked_at
    kinds = {row.kind: (row.state, row.core_ref is not None, row.id[:4]) for row in desk.rows()}
    assert kinds == {kind.value: (OrderState.ACKNOWLEDGED, True, "cor_") for kind in OrderKind}
    assert sorted(desk.actions()) == [
        "core.card-blocked",
        "core.card-released",
        "core.collection-recalled",
        "core.collection-resumed",
    ]


def test_nothing_ordered_is_nothing_confirmed(desk: Desk) -> None:
    assert desk.state() == CoreState()
    assert not desk.state().blocked
    assert not desk.state().released


def test_a_repeated_step_neither_asks_nor_writes_again(desk: Desk) -> None:
    desk.block()
    first = desk.clock()
    desk.core.failures.silent = 1  # whoever asked now would hear nothing
    desk.clock.advance(hours=1)
    desk.block()
    assert desk.core.failures.silent == 1
    assert len(desk.rows()) == len(desk.actions()) == 1
    assert desk.state().blocked_at == first


def test_a_lost_answer_counts_once(desk: Desk) -> None:
    desk.core.failures.lost = 1
    with pytest.raises(GatewayUnavailable) as lost:
        desk.block()
    assert not as_application_error(lost.value).non_retryable
    assert desk.rows() == []
    desk.block()
    assert desk.core.orders() == 1
    assert [row.state for row in desk.rows()] == [OrderState.ACKNOWLEDGED]


def test_a_worker_killed_before_it_stored_the_answer_orders_once(desk: Desk) -> None:
    key = desk.input("core.block_card").key
    told = desk.core.block(Card(TENANT, NUMBER), key=key)
    desk.block()
    assert desk.core.orders() == 1
    assert desk.rows()[0].core_ref == told.reference


def test_two_tries_at_once_leave_one_row_and_one_event(desk: Desk) -> None:
    with ThreadPoolExecutor(max_workers=4) as pool:
        for done in [pool.submit(desk.block) for _ in range(8)]:
            done.result()
    assert desk.core.orders() == 1
    assert len(desk.rows()) == len(desk.actions()) == 1


def test_a_refusal_is_stored_raised_and_mended_under_the_same_key(desk: Desk) -> None:
    desk.core.failures.refusals = ["card-closed", "card-closed"]
    for _ in range(2):
        with pytest.raises(GatewayRefused) as refused:
            desk.block()
        assert as_application_error(refused.value).non_retryable  # an incident opens at once
    (row,) = desk.rows()
    assert (row.state, row.reason_code, row.acknowledged_at) == (OrderState.REFUSED, "card-closed", None)
    assert desk.actions() == ["core.refused"]  # the second refusal said nothing new
    assert not desk.state().blocked
    desk.clock.advance(hours=1)
    desk.block()
    (mended,) = desk.rows()
    assert (mended.id, mended.state, mended.reason_code) == (row.id, OrderState.ACKNOWLEDGED, None)
    assert desk.actions() == ["core.refused", "core.card-blocked"]
    assert desk.state().blocked_at == desk.clock()


def test_words_where_a_reason_code_belongs_are_not_kept(desk: Desk) -> None:
    desk.core.failures.refusals = ["王小明 has died"]
    with pytest.raises(GatewayRefused):
        desk.block()
    assert desk.rows()[0].reason_code == "unspecified"


def test_a_recall_is_open_until_the_last_agency_has_acknowledged(desk: Desk) -> None:
    desk.core.failures.agencies_pending = [3, 3, 1]
    for pending in (3, 3, 1):
        desk.recall()
        state = desk.state()
        assert (state.recalled, state.recalled_at, state.agencies_pending) == (False, None, pending)
        desk.clock.advance(hours=1)
    desk.recall()
    assert (desk.state().recalled, desk.state().agencies_pending) == (True, 0)
    assert desk.core.orders() == len(desk.rows()) == 1
    assert desk.actions() == ["core.recall-sent", "core.recall-sent", "core.collection-recalled"]


def test_a_subject_without_a_card_is_refused_before_the_core_is_asked(desk: Desk) -> None:
    desk.case = desk.open_case(number=None)
    with pytest.raises(GatewayRefused) as refused:
        desk.block()
    assert refused.value.params["reason"] == "no-card"
    assert desk.core.orders() == 0
    assert desk.rows()[0].reason_code == "no-card"


def test_a_key_of_another_case_or_order_is_refused_and_changes_nothing(desk: Desk) -> None:
    desk.block()
    taken, first = desk.input("core.block_card"), desk.case
    with pytest.raises(GatewayRefused, match="has this key"):
        desk.orders.release_card(taken)
    desk.case = desk.open_case()
    with pytest.raises(GatewayRefused, match="has this key"):
        desk.orders.block_card(CoreOrderInput(case_token=desk.case, key=taken.key))
    assert desk.rows() == []
    desk.case = first
    assert desk.state().blocked


@pytest.mark.parametrize("reference", [NUMBER, f"ref-{NUMBER}", "块 1", "", "x" * 65])
def test_a_reference_that_may_not_be_kept_in_clear_is_refused(desk: Desk, reference: str) -> None:
    class Talkative(SimulatedCore):
        def order(self, kind: OrderKind, card: Card, *, key: str) -> Acknowledgement:
            return Acknowledgement(reference=reference)

    desk.orders.core = Talkative()
    with pytest.raises(GatewayRefused) as refused:
        desk.block()
    assert refused.value.params["reason"] == "answer-unreadable"
    assert (desk.rows()[0].state, desk.rows()[0].core_ref) == (OrderState.REFUSED, None)


def test_no_row_and_no_event_holds_the_card(desk: Desk) -> None:
    desk.core.failures.refusals = ["card-closed"]
    with pytest.raises(GatewayRefused):
        desk.block()
    desk.block()
    desk.recall()
    with desk.database.read() as session:
        subject_id = session.get_one(InstallmentCase, desk.case).subject_id
        subject = session.get_one(Subject, subject_id)
    assert open_card(desk.vault, subject).number == NUMBER
    kept = "".join(row.model_dump_json() for row in desk.rows()) + "".join(event.body for event in desk.events())
    assert NUMBER not in kept
    assert NUMBER[-4:] not in kept.replace(desk.case, "")


@pytest.mark.parametrize("locale", LOCALES)
def test_every_event_has_words(desk: Desk, locale: str) -> None:
    desk.core.failures.refusals = ["card-closed"]
    with pytest.raises(GatewayRefused):
        desk.block()
    desk.core.failures.agencies_pending = [1]
    desk.recall()
    for step in (desk.block, desk.recall):
        step()
    desk.orders.resume_collection(desk.input("core.resume_collection"))
    desk.orders.release_card(desk.input("core.release_card"))
    actions = set(desk.actions())
    assert len(actions) == 6
    assert [action for action in actions if not has_text(f"event.{action}", locale)] == []
