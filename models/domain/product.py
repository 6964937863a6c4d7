"""The product definition of the personalised installment (产品要素): what the bank sets, as data with a version.

No law fixes these figures; what law bounds (term, cash) is asked by the rules. The version stands on every offer, so an
agreement can be explained by the definition that it was made under.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

from models.domain.application import ConsentPurpose
from models.domain.plans.negotiation import Family
from models.domain.rule_words import InterestCollection
from models.domain.rule_words import Product as ProductKind
from models.domain.servicing.allocation import DEFAULT_ALLOCATION
from models.domain.servicing.terms import Accrual


class TermsKind(StrEnum):
    """What a bank sets in versions."""

    INSTALLMENT = "installment"  # InstallmentProduct
    COLLECTION = "collection"  # models.domain.collection_policy
    NOTICE = "privacy-notice"  # models.domain.privacy_notice
    DATA_SCOPE = "data-scope"  # models.domain.data_scope
    MASKS = "masks"  # models.domain.privacy.masks
    RETENTION = "retention"  # models.domain.privacy.retention


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallmentProduct:
    """What every plan of this bank is worked out with.

    Attributes:
        original_rate: what the card debt costs today, a fraction a year.
        late_rate: late interest (罚息) on what is overdue, a fraction a year.
        minimum_minor, maximum_minor: lowest and highest amount of a plan (CCN22-RANGE).
        offer_days: for how many days a plan that was offered may be signed.
        default_rows: rows missed in a row after which the agreement may be declared broken.
        report_days: for how many days a credit report answers for the case; then the bureau is asked anew.
        consents_needed: the consents that the product depends on (`models.domain.application.ConsentPurpose`). Where
            the notice rests on consent, consent to the processing is needed besides (NFRA-CP-1).
        kind: what is sold (`models.domain.rule_words.Product`).
        pays_out: money is paid out to the customer, who owed nothing of it before.
        bundled_with: contracts that the agreement comes with; a separate one comes with none (CCN22-SEP).
        minimum_payment: a row may be paid with less than its amount (CCN22-MIN).
        interest_options, interest_default: ways in which interest can be paid, and the one ticked beforehand
            (`models.domain.rule_words.InterestCollection`, CCN22-LUMP).
        allocation: version of the order in which money is applied (`models.domain.servicing.allocation`).
        partner_charges: codes of what guarantors, referrers and other partners charge (AIC26-PARTY).
        guarantors: how many an agreement of this product has.
    """

    version: str
    source: str
    original_rate: Decimal
    late_rate: Decimal
    minimum_minor: int
    maximum_minor: int
    offer_days: int
    default_rows: int
    # What came later has a default: records kept before must be read for as long as an agreement rests on them.
    report_days: int = 30
    consents_needed: tuple[str, ...] = (ConsentPurpose.CREDIT_REPORT_QUERY.value,)
    kind: str = ProductKind.PERSONALISED.value
    pays_out: bool = False
    bundled_with: tuple[str, ...] = ()
    minimum_payment: bool = False
    interest_options: tuple[str, ...] = (InterestCollection.PER_ROW.value,)
    interest_default: str = InterestCollection.NONE.value
    allocation: str = DEFAULT_ALLOCATION.version
    partner_charges: tuple[str, ...] = ()
    guarantors: int = 0

    def as_record(self) -> dict[str, Any]:
        """As it is kept: rates spelt as decimal strings."""
        rates = {"original_rate": str(self.original_rate), "late_rate": str(self.late_rate)}
        lists = {name: list(getattr(self, name)) for name in _LISTS}
        return asdict(self) | rates | lists

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "InstallmentProduct":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        rates = {name: Decimal(kept[name]) for name in ("original_rate", "late_rate")}
        lists = {name: tuple(kept[name]) for name in _LISTS if name in kept}
        return cls(**{**kept, **rates, **lists})


_LISTS: Final = ("consents_needed", "bundled_with", "interest_options", "partner_charges")

DEFAULT_PRODUCT: Final = InstallmentProduct(
    version="installment-product/2026-11",
    source="product default, provisional: 0.05 % a day is the usual card rate; the bank sets its own",
    original_rate=Decimal("0.1825"),
    late_rate=Decimal("0.1825"),
    minimum_minor=100_000,
    maximum_minor=2_000_000_000,
    offer_days=15,
    default_rows=3,
)

# A family whose rows carry no interest by rate settles early by the share of the running period.
ACCRUALS: Final = {Family.INTEREST_FREE: Accrual.SHARE}
# Interest that ran in earlier periods and is collected later; an early settlement asks for it.
DEFERRING: Final = frozenset({Family.PRINCIPAL_FIRST})
