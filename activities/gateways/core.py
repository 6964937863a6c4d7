"""The card core (核心系统): the gateway behind which a bank puts its core, and the steps that order once per key."""

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from temporalio import activity

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.contracts.agreements import CoreOrderInput, ReadBalancesInput
from models.contracts.platform import Done
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.core_journal import JournalFile
from models.domain.core_orders import OrderKind, OrderState
from models.domain.rule_words import DueDiligence
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.errors import GatewayRefused
from models.operations.agreements import business_date
from models.operations.core import OrderOutcome, store_outcome
from models.queries.core import balance_by_key, order_by_key
from models.tables.core import CardBalance
from models.tables.installments import InstallmentCase
from models.tables.parties import Subject
from workflows.ports.agreements import CorePort

_CODE: Final = re.compile(r"\A[a-z0-9][a-z0-9-]{0,39}\Z")
_REFERENCE: Final = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
_ACTION: Final = {
    OrderKind.BLOCK_CARD: "core.card-blocked",
    OrderKind.RELEASE_CARD: "core.card-released",
    OrderKind.RECALL_COLLECTION: "core.collection-recalled",
    OrderKind.RESUME_COLLECTION: "core.collection-resumed",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A card of a tenant's core. Lives in memory for the length of one call; its `repr` shows no digit."""

    tenant: str
    number: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CardBalances:
    """What stands on a card by kind, minor units of `currency`; negative where the bank owes the customer.

    Attributes:
        days_past_due: age of what is overdue (逾期天数), 0 if nothing is; None where the core does not say.
        due_diligence: how the due diligence on the holder stands (客户尽职调查); None where the core does not say.
    """

    currency: str
    purchases_minor: int
    cash_minor: int
    fees_minor: int
    interest_minor: int
    running_installments_minor: int
    days_past_due: int | None = field(default=None, kw_only=True)
    due_diligence: DueDiligence | None = field(default=None, kw_only=True)

    @property
    def amounts(self) -> tuple[int, int, int, int, int]:
        """Purchases, cash, fees, interest, running installments."""
        return (
            self.purchases_minor,
            self.cash_minor,
            self.fees_minor,
            self.interest_minor,
            self.running_installments_minor,
        )

    @property
    def total_minor(self) -> int:
        """All kinds together."""
        return sum(self.amounts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledgement:
    """What the core says of an order that it has carried out.

    Attributes:
        reference: the core's own; the same each time the order is repeated.
        agencies_pending: of a recall: how many collection agencies have not acknowledged it yet.
    """

    reference: str
    agencies_pending: int = 0


class CoreGateway(ABC):
    """A bank's card core. Every order carries a key; repeated under it, the core does nothing and says the same.

    Each method raises `GatewayUnavailable` where no answer came, so that the call is repeated under the same key, and
    `GatewayRefused` with the core's reason code in `params.reason` where it is refused for good.
    """

    @abstractmethod
    def balances(self, card: Card, *, as_of: date, declared_minor: int | None = None) -> CardBalances:
        """What stands on the card at the end of a business date, how old it is, and whether its holder is known.

        `declared_minor` is what the customer says is owed; a core that keeps books of its own has no use for it.
        """

    @abstractmethod
    def order(self, kind: OrderKind, card: Card, *, key: str) -> Acknowledgement:
        """Have one thing done with the card. A recall may be asked again until no agency is pending."""

    @abstractmethod
    def journal(self, *, tenant: str, business_date: date) -> JournalFile:
        """The journal of a business date, its control totals checked.

        Raises:
            CoreFileUnreadable: what came cannot be used; nothing of it was taken.
        """

    def block(self, card: Card, *, key: str) -> Acknowledgement:
        """The holder gets no new card of this bank."""
        return self.order(OrderKind.BLOCK_CARD, card, key=key)

    def release(self, card: Card, *, key: str) -> Acknowledgement:
        """The block is lifted."""
        return self.order(OrderKind.RELEASE_CARD, card, key=key)

    def recall(self, card: Card, *, key: str) -> Acknowledgement:
        """Whoever collects the debt stops (催收召回), each agency by acknowledging it."""
        return self.order(OrderKind.RECALL_COLLECTION, card, key=key)

    def resume(self, card: Card, *, key: str) -> Acknowledgement:
        """The debt may be collected again."""
        return self.order(OrderKind.RESUME_COLLECTION, card, key=key)


def open_card(vault: Vault, subject: Subject) -> Card:
    """The subject's card, opened in memory.

    Raises:
        GatewayRefused: no card number is known.
        SubjectShredded: it cannot be read again.
    """
    if subject.card_cell is None:
        raise GatewayRefused(detail=f"core: {subject.id} has no card", params={"reason": "no-card"})
    address = CellAddress(
        tenant=subject.tenant, table="subjects", column="card_cell", row=subject.id, subject=subject.id
    )
    return Card(subject.tenant, vault.open_text(address, subject.card_cell))


@dataclass(slots=True)
class CoreOrders(CorePort):
    """The steps: open the card, order, store what the core said. Repeated, they find what is stored."""

    database: Database
    vault: Vault
    core: CoreGateway
    clock: Clock

    @activity.defn(name="core.read_balances", no_thread_cancel_exception=True)
    def read_balances(self, input: ReadBalancesInput) -> Done:
        """Keep what stood on the card at the end of the last business date that is over."""
        now = self.clock()
        with self.database.read() as session:
            if balance_by_key(session, input.key) is not None:
                return Done()
            case = session.get_one(InstallmentCase, input.case_token)
            subject = session.get_one(Subject, case.subject_id)
            today = business_date(session, tenant=case.tenant) or shanghai_date(now)
        as_of = today - timedelta(days=1)
        answer = self.core.balances(open_card(self.vault, subject), as_of=as_of, declared_minor=case.total_due_minor)
        if answer.currency != case.currency:
            raise GatewayRefused(detail=f"core: balances in {answer.currency}", params={"reason": "other-currency"})
        balance = CardBalance(
            id=new_token("cbl"),
            tenant=case.tenant,
            case_token=case.token,
            business_key=input.key,
            as_of=as_of,
            currency=answer.currency,
            purchases_minor=answer.purchases_minor,
            cash_minor=answer.cash_minor,
            fees_minor=answer.fees_minor,
            interest_minor=answer.interest_minor,
            installments_minor=answer.running_installments_minor,
            days_past_due=answer.days_past_due,
            due_diligence=answer.due_diligence,
            created_at=now,
        )
        facts: dict[str, object] = {
            "balance": balance.id,
            "asOf": as_of.isoformat(),
            "amountMinor": answer.total_minor,
            "daysPastDue": answer.days_past_due,
            "dueDiligence": answer.due_diligence,
        }
        deed = Deed(
            tenant=case.tenant, action="core.balances-read", target=case.token, actor="workflow", at=now, facts=facts
        )
        with unit_of_work(self.database, deed) as unit:
            if balance_by_key(unit.session, input.key) is not None:
                raise Unchanged
            unit.session.add(balance)
        return Done()

    @activity.defn(name="core.block_card", no_thread_cancel_exception=True)
    def block_card(self, input: CoreOrderInput) -> Done:
        """No new card of this bank while the agreement lasts."""
        return self._order(input, OrderKind.BLOCK_CARD)

    @activity.defn(name="core.recall_collection", no_thread_cancel_exception=True)
    def recall_collection(self, input: CoreOrderInput) -> Done:
        """Recall the debt. While an agency is pending the order stays open, and asking again asks the core."""
        return self._order(input, OrderKind.RECALL_COLLECTION)

    @activity.defn(name="core.resume_collection", no_thread_cancel_exception=True)
    def resume_collection(self, input: CoreOrderInput) -> Done:
        """The debt may be collected again."""
        return self._order(input, OrderKind.RESUME_COLLECTION)

    @activity.defn(name="core.release_card", no_thread_cancel_exception=True)
    def release_card(self, input: CoreOrderInput) -> Done:
        """The block is lifted."""
        return self._order(input, OrderKind.RELEASE_CARD)

    def _order(self, input: CoreOrderInput, kind: OrderKind) -> Done:
        with self.database.read() as session:
            known = order_by_key(session, input.key)
            case = session.get_one(InstallmentCase, input.case_token)
            subject = session.get_one(Subject, case.subject_id)
        if known is not None and (known.case_token, known.kind) != (case.token, kind.value):
            raise GatewayRefused(detail=f"core: {known.id} has this key", params={"reason": "key-reused"})
        if known is not None and known.state == OrderState.ACKNOWLEDGED:
            return Done()
        try:
            outcome = self._asked(case, subject, kind, key=input.key)
        except GatewayRefused as refused:
            self._store(_refusal(case, kind, key=input.key, reason=refused.params.get("reason")))
            raise
        self._store(outcome)
        return Done()

    def _asked(self, case: InstallmentCase, subject: Subject, kind: OrderKind, *, key: str) -> OrderOutcome:
        card = open_card(self.vault, subject)
        answer = self.core.order(kind, card, key=key)
        # The reference is kept in clear: it may be neither free text nor the card's number under another name.
        if _REFERENCE.match(answer.reference) is None or card.number in answer.reference:
            raise GatewayRefused(detail=f"core: reference of {kind}", params={"reason": "answer-unreadable"})
        return OrderOutcome(
            tenant=case.tenant,
            case_token=case.token,
            business_key=key,
            kind=kind,
            state=OrderState.SENT if answer.agencies_pending else OrderState.ACKNOWLEDGED,
            core_ref=answer.reference,
            agencies_pending=answer.agencies_pending,
        )

    def _store(self, outcome: OrderOutcome) -> None:
        now = self.clock()
        facts: dict[str, object] = {"kind": outcome.kind.value, "key": outcome.business_key}
        if outcome.state is OrderState.REFUSED:
            action, facts["reason"] = "core.refused", outcome.reason_code
        elif outcome.state is OrderState.SENT:
            action, facts["agenciesPending"] = "core.recall-sent", outcome.agencies_pending
        else:
            action, facts["reference"] = _ACTION[outcome.kind], outcome.core_ref
        deed = Deed(
            tenant=outcome.tenant, action=action, target=outcome.case_token, actor="workflow", at=now, facts=facts
        )
        with unit_of_work(self.database, deed) as unit:
            if not store_outcome(unit.session, outcome, now=now):
                raise Unchanged


def _refusal(case: InstallmentCase, kind: OrderKind, *, key: str, reason: str | int | None) -> OrderOutcome:
    code = str(reason)
    return OrderOutcome(
        tenant=case.tenant,
        case_token=case.token,
        business_key=key,
        kind=kind,
        state=OrderState.REFUSED,
        # What a core writes where a code belongs may be words about a person.
        reason_code=code if _CODE.match(code) else "unspecified",
    )
