"""What the installment case needs from the outside."""

from abc import ABC, abstractmethod

from temporalio import activity

from models.contracts.installments import (
    AffordabilityAnswer,
    ApplyDecisionInput,
    AssessAffordabilityInput,
    BureauAnswer,
    DecisionApplied,
    QueryBureauInput,
    StoreMendedBureauInput,
)


class InstallmentPort(ABC):
    """Steps of the case itself. All are idempotent under a business key."""

    @activity.defn(name="installments.assess_affordability", no_thread_cancel_exception=True)
    @abstractmethod
    def assess_affordability(self, input: AssessAffordabilityInput) -> AffordabilityAnswer:
        """Work out the repayment capacity and store it with its working (还款能力测算)."""

    @activity.defn(name="installments.store_mended_bureau", no_thread_cancel_exception=True)
    @abstractmethod
    def store_mended_bureau(self, input: StoreMendedBureauInput) -> BureauAnswer:
        """Keep bureau figures entered by hand under four-eyes."""

    @activity.defn(name="installments.apply_decision", no_thread_cancel_exception=True)
    @abstractmethod
    def apply_decision(self, input: ApplyDecisionInput) -> DecisionApplied:
        """Write all that a decision changes, in one transaction; a normal activity, so that acceptance comes first."""


class BureauPort(ABC):
    """The credit bureau (征信)."""

    @activity.defn(name="installments.query_bureau", no_thread_cancel_exception=True)
    @abstractmethod
    def query_bureau(self, input: QueryBureauInput) -> BureauAnswer:
        """Query once per key and store the sealed report."""
