"""Lists that the rules about credit reporting and customer records know."""

from typing import Final

CUSTOMER_RECORDS: Final = (
    "identity",
    "beneficial-owner",
    "due-diligence",
    "transactions",
    "vouchers",
    "ledgers",
    "contracts",
)
