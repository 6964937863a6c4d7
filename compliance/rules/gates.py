"""Which rules stand at which gate, in the order: basis, disclosure, consent, limits, evidence."""

from typing import Final

from models.domain.states import Gate

GATES: Final[dict[Gate, tuple[str, ...]]] = {
    Gate.INTAKE: ("PIPL-13", "PIPL-17", "PIPL-28", "PIPL-30", "PIPL-6", "NFRA-CP-1"),
    Gate.BUREAU: ("CRED-18",),
    Gate.DUE_DILIGENCE: ("AML-28", "AML-29"),
    Gate.NEEDS: ("CCM-70a",),
    Gate.DECISION: ("PIPL-24",),
    # For one version of a plan, before the customer may choose it.
    Gate.NEGOTIATION: (
        "PIPL-55", "CC-670", "APR21-3", "APR21-4", "CCN22-REINST", "CCM-70b", "CCN22-TERM", "CCN22-CASH", "CCN22-RANGE",
        "CCM-57b", "SPC-CONTRACT-65",
    ),
    # When all have signed, before the agreement is taken as concluded. The day of signing is the legal fact.
    Gate.SIGNING: (
        "CCN22-APPLY", "CCM-70c", "CCN22-SEP", "CCN22-MIN", "CCN22-LUMP", "CCN22-INT", "APR21-1", "CCN22-DISC",
        "AIC26-FORM", "AIC26-PARTY", "AIC26-SITE", "AIC26-ONLINE", "CC-496", "SPC-CONTRACT-10", "CC-543", "CC-544",
        "CC-695", "ES-13", "ES-14", "CCM-70f", "CITE-1",
    ),
    Gate.ACTIVATION: ("CC-490", "CCN22-FUND", "DDB-AUTH", "CCM-70d", "CCM-70e-RECALL", "CRED-15"),
    # For one order, when the run begins.
    Gate.DEBIT: (
        "CCM-57a", "WAGE-33", "CCM-67", "DDB-REVOKE", "DDB-MATCH", "DDB-LIMIT", "BATCH-CUT", "BATCH-ONCE", "CCM-57b",
    ),
    Gate.CHANGE: ("AIC26-OLD", "CC-543", "CC-544", "CCN22-EARLY", "CC-677"),
    # For one contact, before it is made.
    Gate.CONTACT: (
        "CCM-70e", "CCM-69b", "CCM-66", "PIPL-21", "CCM-68a", "COLL-GB-WHO", "CC-1033", "COLL-CBA-HOURS",
        "COLL-CBA-DIAL", "COLL-GB-CALLS", "COLL-CBA-3P", "COLL-CBA-SRC", "COLL-AGY", "COLL-CBA-BAN", "CCM-68b",
        "CCM-69a", "CCM-68c", "COLL-CBA-REC",
    ),
    Gate.CLOSE: ("CCM-70d-RELEASE", "CCM-68c", "CCM-70f-KEEP", "AML-34c", "PIPL-19", "PIPL-47"),
}  # fmt: skip
