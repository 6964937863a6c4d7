"""The gates of a migration after a company transfer (公司转让后的客户信息变更), from its class to the audit."""

from typing import Final

from compliance.rules.gate_order import ordered
from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    # Nothing else of a migration is asked before this gate is open.
    Gate.TRANSFER_CLASSIFY: ordered(
        classification=("MIG-CLASS",),
        basis=("CO-3", "CO-4", "CO-218", "CO-84"),
        limits=("REG-24", "TAX-16", "TAXR-14", "TAX-48", "CO-220", "CO-222", "CO-229", "CO-236"),
        evidence=(
            "MIG-A", "MIG-B", "MIG-C", "MIG-D", "MIG-E", "MIG-F", "MIG-G",
            "CO-32", "CO-34", "CO-86", "CO-87", "CO-239",
        ),
    ),
    Gate.TRANSFER_PLAN: ordered(
        classification=("DSL-21",),
        basis=("PIPL-55", "PIPL-56", "NFRA-DS-1", "PIPL-21-CONTRACTOR"),
        disclosure=("NDSR-28", "NDSR-32"),
        evidence=("CRYPT-38",),
    ),
    Gate.TRANSFER_BACKUP: ordered(evidence=("NDSR-9", "JRT171-STORE", "MIG-RESTORE")),
    Gate.TRANSFER_NOTIFY: ordered(
        disclosure=("PIPL-22", "PIPL-23", "CC-546", "CC-696", "GB35273-9.3", "JRT171-MA"),
        consent=("CC-555", "NDSR-22"),
        limits=("AML-34b",),
        evidence=("CC-137",),
    ),
    # Before claims, debts or contracts are booked to the recipient.
    Gate.TRANSFER_CLAIMS: ordered(
        basis=("CC-67", "CO-221", "CO-223", "CC-545"),
        disclosure=("CC-529", "CC-552"),
        consent=("CC-551", "CC-697"),
        limits=("SPC-CONTRACT-48", "WAGE-21"),
        evidence=("CC-547", "CC-548", "CC-549", "CC-556"),
    ),
    Gate.TRANSFER_UPDATE: ordered(basis=("AML-29", "AML-31"), limits=("PIPL-8", "PIPL-46"), evidence=("MIG-DIFF",)),
    Gate.TRANSFER_CROSS_BORDER: ordered(
        basis=("PIPL-38", "PIPL-41", "DSL-36", "NDSR-35"),
        consent=("PIPL-39",),
        limits=("PIPL-40", "XB-5", "XB-5-1", "XB-7", "XB-8"),
        evidence=("XB-9",),
    ),
    Gate.TRANSFER_AFTER_CUT_OVER: ordered(consent=("NDSR-14",), evidence=("PIPL-47-OLD-STORE", "AML-34d")),
    Gate.TRANSFER_AUDIT: ordered(
        limits=("AUD-4", "PIPL-54"), evidence=("AUD-12", "AUD-guide", "PIPL-56", "NDSR-12")
    ),
    Gate.INCIDENT: ordered(
        disclosure=("PIPL-57", "NDSR-11", "DSL-29"),
        limits=("INC-PBOC", "INC-NFRA", "NFRA-DS-INC", "INC-CAC", "INC-NDSR-10", "INC-PIPL"),
    ),
}  # fmt: skip
