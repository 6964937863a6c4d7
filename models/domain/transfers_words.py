"""Lists that the rules about company transfers know."""

from typing import Final

# What changes hands: a corporate customer, the institution that holds the data, or part of its business
TRANSFERRED: Final = ("customer-company", "institution", "portfolio")
# The legal event (法律事件)
TRANSFER_EVENTS: Final = ("share-transfer", "merger", "division", "asset-sale", "dissolution", "bankruptcy")
# Evidence of each class
EVIDENCE_A: Final = ("registry-extract", "beneficial-owner", "customer-statement")
EVIDENCE_B: Final = ("registry-extract", "shareholder-notice", "share-agreement")
EVIDENCE_C: Final = ("registry-extract", "merger-agreement", "creditor-notice", "announcement")
EVIDENCE_D: Final = ("registry-extract", "division-agreement", "creditor-notice", "announcement", "subject-split")
EVIDENCE_E: Final = ("asset-agreement", "claim-list")
EVIDENCE_F: Final = ("end-decision", "handover-record")
EVIDENCE_G: Final = ("export-basis",)
REGISTERED_ITEMS: Final = ("name", "address", "capital", "scope", "legal-representative", "shareholders")
RECIPIENT_NOTICE: Final = ("recipient-name", "recipient-contacts")
PROVISION_NOTICE: Final = ("recipient-name", "recipient-contacts", "purpose", "method", "data-kinds")
