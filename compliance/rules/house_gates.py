"""Gates that belong to no one case: terms before they are published, requests of persons, controls, reporting."""

from typing import Final

from compliance.rules.gate_order import ordered
from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    # Before a card or loan contract, or a version of its terms, is put to customers.
    Gate.CONTRACT_TERMS: ordered(
        basis=("CC-668", "CBL-37"),
        disclosure=("CCN22-MAXAPR", "CCN22-PAGE1", "CONS-26", "CONS-28", "SPC-CARD-2", "CRED-19"),
        consent=("CONS-29",),
        limits=("CC-497", "CC-498", "CC-680"),
    ),
    # Before interest, a penalty, a set-off or an extension is booked.
    Gate.CONTRACT_PERFORMANCE: ordered(consent=("CC-678", "CC-568"), limits=("CC-561", "CC-676", "CC-585")),
    Gate.COLLECTION_REVIEW: ordered(
        basis=("CC-1032", "CONV-5"), limits=("CC-188",), evidence=("SPC-CARD-3", "CC-195", "COLL-CFC")
    ),
    # Before a document is relied on.
    Gate.DOCUMENT_EVIDENCE: ordered(
        basis=("CC-469", "CC-491", "CC-137"), consent=("ES-3",), evidence=("ES-4", "ES-5", "ES-6", "ES-8", "PIPL-69")
    ),
    # Before data are used for something new.
    Gate.DATA_PROCESSING: ordered(
        classification=("CC-1034", "GB45574"),
        basis=("PIPL-9", "CCM-3", "CC-1035", "PIPL-20", "NBPI-32"),
        disclosure=("PIPL-18", "NDSR-21"),
        consent=("PIPL-14", "PIPL-15", "PIPL-16", "PIPL-29", "PIPL-31", "NDSR-22"),
        limits=("CC-1036", "CC-1038"),
    ),
    # When a request of a person about their data is answered.
    Gate.DATA_RIGHTS: ordered(
        basis=("PIPL-49",),
        disclosure=("PIPL-48", "PIPL-50"),
        limits=(
            "PIPL-45", "NDSR-23", "PIPL-44", "PIPL-46", "NDSR-24", "NDSR-25", "CC-1037", "CC-1029",
        ),
    ),
    # Looked through at regular times.
    Gate.SECURITY_CONTROLS: ordered(
        classification=("PBOC-DS",),
        basis=("PIPL-51", "PIPL-52", "DSL-27"),
        limits=("DSL-30", "NDSR-33", "NDSR-27", "CSL-LOG"),
        evidence=(
            "AUD-3", "AUD-5", "AUD-rot", "CRYPT-27", "CRYPT-39", "CRYPT-41", "CRYPT-39786", "CRYPT-ALG", "JRT171-TEST",
            "CSL-42",
        ),
    ),
    Gate.CREDIT_REPORTING: ordered(consent=("CRED-28", "CRED-29"), limits=("CRED-20", "CRED-16", "CRED-26")),
    Gate.CUSTOMER_RECORDS: ordered(limits=("AML-7", "AML-30"), evidence=("AML-34a", "AML-CDD26")),
}  # fmt: skip
