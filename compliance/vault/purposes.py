"""What branch keys are for; no key serves two purposes."""

from enum import StrEnum
from typing import Final

INSTALLATION: Final = "_"  # the tenant that is the installation itself
ISSUER_PURPOSE: Final = "token-es256"  # of the installation
LINKAGE_PREFIX: Final = "linkage/"  # then a transfer job: a key that is destroyed with it (compliance.vault.linkage)


class Purpose(StrEnum):
    """What a tenant's branch keys are for."""

    SUBJECT_WRAP = "subject-wrap"
    BLIND_INDEX = "blind-index"
    TEMPORAL = "temporal"
    AUDIT_MAC = "audit-mac"
    LINKS = "links"
    FINGERPRINT = "fingerprint"
    ONE_TIME_CODE = "one-time-code"
    SEAL_WRAP = "seal-wrap"
    TRANSFER_PROOF = "transfer-proof"
    TRANSFER_BACKUP = "transfer-backup"


# What `Vault.purpose_key` hands out; the others never leave the vault.
HANDED_OUT: Final = frozenset({Purpose.AUDIT_MAC, Purpose.LINKS, Purpose.FINGERPRINT, Purpose.ONE_TIME_CODE})
