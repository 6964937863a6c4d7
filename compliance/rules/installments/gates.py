"""The gates of a personalised installment (个性化分期), from intake to close."""

from typing import Final

from compliance.rules.gate_order import ordered
from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    Gate.INTAKE: ordered(
        basis=("PIPL-13",),
        disclosure=("PIPL-17", "PIPL-28", "PIPL-30"),
        limits=("PIPL-6", "NFRA-CP-1"),
    ),
    Gate.BUREAU: ordered(consent=("CRED-18",)),
    Gate.DUE_DILIGENCE: ordered(basis=("AML-28", "AML-29")),
    Gate.NEEDS: ordered(basis=("CCM-70a",)),
    Gate.DECISION: ordered(evidence=("PIPL-24",)),
    # For one version of a plan, before the customer may choose it.
    Gate.NEGOTIATION: ordered(
        basis=("PIPL-55", "CC-670"),
        disclosure=("APR21-3", "APR21-4"),
        limits=(
            "CCN22-REINST", "CCM-70b", "CCN22-TERM", "CCN22-CASH", "CCN22-RANGE", "CCM-57b", "SPC-CONTRACT-65",
        ),
    ),
    # When all have signed, before the agreement is taken as concluded. The day of signing is the legal fact.
    Gate.SIGNING: ordered(
        basis=("CCN22-APPLY", "CCM-70c", "CCN22-SEP"),
        disclosure=(
            "CCN22-MIN", "CCN22-LUMP", "CCN22-INT", "APR21-1", "CCN22-DISC", "AIC26-FORM", "AIC26-PARTY", "AIC26-SITE",
            "AIC26-ONLINE", "CC-496", "SPC-CONTRACT-10",
        ),
        consent=("CC-543", "CC-544", "CC-695"),
        evidence=("ES-13", "ES-14", "CCM-70f", "CITE-1"),
    ),
    Gate.ACTIVATION: ordered(
        basis=("CC-490", "CCN22-FUND"),
        consent=("DDB-AUTH",),
        limits=("CCM-70d", "CCM-70e-RECALL"),
        evidence=("CRED-15",),
    ),
    # For one order, when the run begins. What it interrupts (SPC-CARD-3) follows from the order itself, afterwards.
    Gate.DEBIT: ordered(
        basis=("CCM-57a", "WAGE-33"),
        disclosure=("CCM-67",),
        consent=("DDB-REVOKE", "DDB-MATCH"),
        limits=("DDB-LIMIT", "BATCH-CUT", "BATCH-ONCE", "CCM-57b"),
    ),
    Gate.CHANGE: ordered(basis=("AIC26-OLD",), consent=("CC-543", "CC-544"), limits=("CCN22-EARLY", "CC-677")),
    # For one contact, before it is made.
    Gate.CONTACT: ordered(
        basis=("CCM-70e", "CCM-69b", "CCM-66", "PIPL-21", "CCM-68a", "COLL-GB-WHO"),
        consent=("CC-1033",),
        limits=(
            "COLL-CBA-HOURS", "COLL-CBA-DIAL", "COLL-GB-CALLS", "COLL-CBA-3P", "COLL-CBA-SRC", "COLL-AGY",
            "COLL-CBA-BAN", "CCM-68b",
        ),
        evidence=("CCM-69a", "CCM-68c", "COLL-CBA-REC"),
    ),
    Gate.CLOSE: ordered(
        basis=("CCM-70d-RELEASE",), evidence=("CCM-68c", "CCM-70f-KEEP", "AML-34c", "PIPL-19", "PIPL-47")
    ),
}  # fmt: skip
