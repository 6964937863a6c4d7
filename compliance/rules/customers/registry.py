"""The rules of the area: credit reporting and customer records."""

from typing import Final

from compliance.rules.customers.credit_reporting import CRED_16, CRED_20, CRED_25, CRED_26, CRED_28, CRED_29
from compliance.rules.customers.customer_records import AML_7, AML_30, AML_31, AML_34A, AML_34B, AML_34D, AML_CDD26
from compliance.rules.rule import Rule

RULES: Final[tuple[Rule, ...]] = (
    CRED_16, CRED_20, CRED_25, CRED_26, CRED_28, CRED_29,
    AML_7, AML_30, AML_31, AML_34A, AML_34B, AML_34D, AML_CDD26,
)  # fmt: skip
