"""JRT171-C1 to JRT171-TEST: classes of personal financial data (个人金融信息).

JR/T 0171-2020, a recommended standard. C3 authenticates (never shown, logged or exported), C2 identifies (masked and
encrypted), C1 is internal. Auxiliary data together with the account count as C3; joined data are classed anew. Clauses
were not seen; the classes and encrypted transport were reported, the rest is recalled. Blocking at exports and backups
is the bank's policy.
"""

from typing import Final

from compliance.rules.demands import all_of, demand, if_yes, no, none_of, rule, yes
from compliance.rules.laws import FINANCIAL_DATA_STANDARD
from compliance.rules.results import Severity, Verified

JRT171_C3: Final = rule(
    "JRT171-C3",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="hidden",
    demands=(no("c3_shown", otherwise="shown"),),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
JRT171_C2: Final = rule(
    "JRT171-C2",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="protected",
    demands=(
        yes("c2_masked", otherwise="not-masked"),
        yes("c2_encrypted", otherwise="not-encrypted"),
    ),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
JRT171_C2_C3: Final = rule(
    "JRT171-C2-C3",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    when=if_yes("auxiliary_with_account", otherwise="apart"),
    kept="as-c3",
    demands=(demand("auxiliary_class", holds=lambda seen: seen["auxiliary_class"] == "C3", otherwise="too-low"),),
)
JRT171_C1: Final = rule(
    "JRT171-C1",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.WARN,
    kept="inside",
    demands=(no("c1_outside", otherwise="outside"),),
)
JRT171_COMB: Final = rule(
    "JRT171-COMB",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="classed",
    demands=(all_of("joined_sets_classed", of="joined_sets", otherwise="not-classed"),),
)
JRT171_TRANS: Final = rule(
    "JRT171-TRANS",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="encrypted",
    demands=(yes("channel_encrypted", otherwise="not-encrypted"),),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
JRT171_STORE: Final = rule(
    "JRT171-STORE",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.BLOCK,
    kept="encrypted",
    demands=(
        yes("c3_stored_encrypted", otherwise="not-encrypted"),
        yes("backup_encrypted", otherwise="backup-clear"),
        none_of("log_scan_hits", otherwise="in-log"),
    ),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
JRT171_SHOW: Final = rule(
    "JRT171-SHOW",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="approved",
    demands=(all_of("unmasked_views_approved", of="unmasked_views", otherwise="not-approved"),),
)
JRT171_SHARE: Final = rule(
    "JRT171-SHARE",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.SUMMARY,
    severity=Severity.BLOCK,
    kept="not-shared",
    demands=(no("c3_shared", otherwise="shared"),),
    params={
        "severity": ("WARN→BLOCK", "bank policy: self-regulation and recommended standards are raised to a stop"),
    },
)
JRT171_TEST: Final = rule(
    "JRT171-TEST",
    FINANCIAL_DATA_STANDARD.unnumbered(),
    source=FINANCIAL_DATA_STANDARD,
    verified=Verified.MEMORY,
    severity=Severity.WARN,
    kept="synthetic",
    demands=(no("real_data_in_test", otherwise="real-data"),),
)
