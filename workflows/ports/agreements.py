"""What an installment case needs from the outside to agree on a plan, sign it and keep it."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.agreements import (
    Activated,
    ActivateInput,
    AgreementPrepared,
    BreakInput,
    CloseInput,
    CoreOrderInput,
    InviteInput,
    OffersPrepared,
    PrepareAgreementInput,
    PrepareOffersInput,
    ReadBalancesInput,
    SealAgreementInput,
)
from models.contracts.platform import Done


class AgreementPort(ABC):
    """Plans and the agreement in the records. All are idempotent under a business key."""

    @activity.defn(name="installments.prepare_offers", no_thread_cancel_exception=True)
    @abstractmethod
    def prepare_offers(self, input: PrepareOffersInput) -> OffersPrepared:
        """Work out the plan families side by side and freeze each with its hash (方案)."""

    @activity.defn(name="installments.activate", no_thread_cancel_exception=True)
    @abstractmethod
    def activate(self, input: ActivateInput) -> Activated:
        """Bring the signed agreement into force: agreement, rows as signed, first event, postings, one transaction."""

    @activity.defn(name="installments.break_agreement", no_thread_cancel_exception=True)
    @abstractmethod
    def break_agreement(self, input: BreakInput) -> Done:
        """Book the breach and tell the customer (违约)."""

    @activity.defn(name="installments.close_agreement", no_thread_cancel_exception=True)
    @abstractmethod
    def close_agreement(self, input: CloseInput) -> Done:
        """Close what is paid, and start its retention clock (结清)."""


class SigningPort(ABC):
    """Documents and the customer's signature; each may take its time, so none is a local activity."""

    @activity.defn(name="installments.prepare_agreement", no_thread_cancel_exception=True)
    @abstractmethod
    def prepare_agreement(self, input: PrepareAgreementInput) -> AgreementPrepared:
        """Print agreement and cost statement of the approved plan, sealed (协议、综合融资成本明示表)."""

    @activity.defn(name="installments.invite", no_thread_cancel_exception=True)
    @abstractmethod
    def invite(self, input: InviteInput) -> Done:
        """Send the customer the link to read and sign."""

    @activity.defn(name="installments.seal_agreement", no_thread_cancel_exception=True)
    @abstractmethod
    def seal_agreement(self, input: SealAgreementInput) -> Done:
        """Put the bank's seal on the signed agreement and archive it, its hash in the log (用印、归档)."""

    @activity.defn(name="installments.close_letter", no_thread_cancel_exception=True)
    @abstractmethod
    def close_letter(self, input: CloseInput) -> Done:
        """Print, seal and announce the letter that nothing is owed any more (结清证明)."""


class CorePort(ABC):
    """The card core (核心系统). The core de-duplicates by the order's key."""

    @activity.defn(name="core.read_balances", no_thread_cancel_exception=True)
    @abstractmethod
    def read_balances(self, input: ReadBalancesInput) -> Done:
        """Keep what stands on the card by kind of debt (欠款结构)."""

    @activity.defn(name="core.block_card", no_thread_cancel_exception=True)
    @abstractmethod
    def block_card(self, input: CoreOrderInput) -> Done:
        """No new card of this bank while the agreement lasts."""

    @activity.defn(name="core.recall_collection", no_thread_cancel_exception=True)
    @abstractmethod
    def recall_collection(self, input: CoreOrderInput) -> Done:
        """Whoever collects this debt stops, and says so (催收召回)."""

    @activity.defn(name="core.resume_collection", no_thread_cancel_exception=True)
    @abstractmethod
    def resume_collection(self, input: CoreOrderInput) -> Done:
        """The agreement is broken: the debt may be collected again."""

    @activity.defn(name="core.release_card", no_thread_cancel_exception=True)
    @abstractmethod
    def release_card(self, input: CoreOrderInput) -> Done:
        """The block is lifted."""
