"""Lists that the rules about batches (批量代扣、代发) know."""

from typing import Final

STATEMENT_ITEMS: Final = (
    "transaction-date",
    "amount",
    "currency",
    "merchant",
    "repaid",
    "minimum-due",
    "due-date",
    "notes",
    "bank-phone",
)
# What a debit may rest on (扣款依据)
DEBIT_BASES: Final = ("mandate", "prompted-clause", "court-order")
# How a mandate may be given (授权渠道)
MANDATE_CHANNELS: Final = ("counter", "network", "phone", "sms")
# Businesses for which nothing is collected; a payee of no known business is none either
BANNED_PAYEES: Final = ("", "p2p-lending", "private-financing", "private-investment")
LEDGER_ITEMS: Final = (
    "employer",
    "cycle",
    "date",
    "payee-name",
    "id-number",
    "contact",
    "hours",
    "items",
    "deductions",
    "net",
    "voucher",
)
DEDUCTIONS: Final = ("income-tax", "social-insurance", "court-maintenance", "other-by-law", "damages")
