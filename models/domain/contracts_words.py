"""Lists that the rules about contract terms, statements and documents know."""

from typing import Final

FIRST_PAGE_ITEMS: Final = ("items", "yearly-rate", "method")
LOAN_CONTRACT_ITEMS: Final = ("kind", "use", "amount", "rate", "term", "repayment", "breach")
SERVICE_ITEMS: Final = ("address", "contacts", "price", "term", "risk", "after-service", "liability")
KEY_TERMS: Final = ("price", "term", "risk", "liability")
BANNED_CLAUSES: Final = (
    "injury-exempt",
    "intent-exempt",
    "own-liability-cut",
    "burden-added",
    "main-right-limited",
    "main-right-excluded",
)
MESSAGE_MARKS: Final = ("sender", "recipient", "sent-at", "received-at")
# What interrupts limitation (诉讼时效中断)
INTERRUPTIONS: Final = ("debit", "message", "letter", "e-mail", "police-report", "acknowledgement", "suit")
# How a contract came about: signed by both, by a confirmation asked for, by an order that was accepted online
CONTRACT_CONCLUSIONS: Final = ("signed", "confirmation-letter", "online-order")
# Licences (金融许可) of institutions that are no consumer finance companies
OTHER_LICENCES: Final = ("bank", "payment", "insurer")
