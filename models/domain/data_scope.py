"""Which data and documents an application may hold (最小必要), as data with a version: by cause of hardship.

PIPL-6 (个人信息保护法 Art. 6): what is collected stays within the smallest scope that the purpose needs. The purpose is
one: to examine, conclude and perform the agreement; what it needs besides the usual differs with the hardship.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from models.domain.application import DocumentKind, HardshipCode


class DataKind(StrEnum):
    """Kinds of data on the record of a case, beside its documents (个人信息种类)."""

    IDENTITY = "identity"  # name and identity document
    MOBILE = "mobile"
    EMAIL = "email"
    ADDRESS = "address"
    EMPLOYER = "employer"
    CARD = "card"  # number of the card whose debt is meant, and what is owed on it
    FINANCES = "finances"  # income, living cost, other debts, dependants
    HARDSHIP_NOTE = "hardship-note"  # the customer's own words
    CREDIT_REPORT = "credit-report"


@dataclass(frozen=True, kw_only=True, slots=True)
class DataScope:
    """One version of the list.

    Attributes:
        always: kinds (`DataKind`, `DocumentKind`) that every application may hold.
        by_hardship: what one may hold besides, by `HardshipCode`.
    """

    version: str
    source: str
    always: tuple[str, ...]
    by_hardship: Mapping[str, tuple[str, ...]]

    def allowed_for(self, hardship_code: str) -> tuple[str, ...]:
        """Every kind that an application on this ground may hold; a ground that is not listed adds none."""
        return (*self.always, *self.by_hardship.get(hardship_code, ()))

    def as_record(self) -> dict[str, Any]:
        """As it is kept."""
        by_hardship = {code: list(kinds) for code, kinds in self.by_hardship.items()}
        return asdict(self) | {"always": list(self.always), "by_hardship": by_hardship}

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> "DataScope":
        """What was kept.

        Raises:
            TypeError: a field is missing, or is one too many.
        """
        by_hardship = {code: tuple(kinds) for code, kinds in kept["by_hardship"].items()}
        return cls(**{**kept, "always": tuple(kept["always"]), "by_hardship": by_hardship})


_WORK: Final = (DataKind.EMPLOYER.value,)

DEFAULT_SCOPE: Final = DataScope(
    version="data-scope/2026-11",
    source="product default, provisional: the bank sets its own; a paper without a stated kind is never needed",
    always=(
        *(kind.value for kind in DataKind if kind is not DataKind.EMPLOYER),
        DocumentKind.HARDSHIP_EVIDENCE.value,
        DocumentKind.BUREAU_CONSENT.value,
        DocumentKind.INCOME_PROOF.value,
        DocumentKind.SIGNED_PAPER.value,
    ),
    # Whether somebody works, and for whom, says nothing about an illness or a disaster.
    by_hardship={
        HardshipCode.UNEMPLOYMENT.value: _WORK,
        HardshipCode.BUSINESS_FAILURE.value: _WORK,
        HardshipCode.OTHER.value: _WORK,
    },
)
