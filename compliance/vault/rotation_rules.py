"""Which branch key may rotate how, in the operator's words (docs/keys.md). Every refusal says why and what to do."""

from dataclasses import dataclass
from typing import Final

from compliance.vault.purposes import ISSUER_PURPOSE, LINKAGE_PREFIX, Purpose


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationRule:
    """What may be done with the versions of one purpose.

    Attributes:
        online: a new version may become active beside running processes.
        stopped: it may while nothing runs.
        reindexing: it may by a workflow that makes everything anew that came from the old one.
        remade: that workflow leaves nothing that comes from an old version, so it may end that one.
        countable: who still uses an old version can be counted, so it can be retired and destroyed.
        why: what stands against the rest, and the way out.
    """

    online: bool = False
    stopped: bool = False
    reindexing: bool = False
    remade: bool = False
    countable: bool = False
    why: str


_RULES: Final[dict[str, RotationRule]] = {
    Purpose.SUBJECT_WRAP: RotationRule(
        online=True, stopped=True, reindexing=True, countable=True, why="`casework keys rewrap` moves the persons' keys"
    ),
    Purpose.SEAL_WRAP: RotationRule(
        online=True, stopped=True, reindexing=True, countable=True, why="`casework keys rewrap` moves the seal's keys"
    ),
    Purpose.TEMPORAL: RotationRule(
        online=True,
        stopped=True,
        reindexing=True,
        why="histories name the version that sealed them and cannot be sealed again, so an old version stays "
        "decrypt-only as long as the longest case and its retention",
    ),
    ISSUER_PURPOSE: RotationRule(
        stopped=True,
        why="a process reads the issuer's keys at its start: rotate with the stack stopped; old tokens stay valid, and "
        "production takes the bank's own issuer",
    ),
    Purpose.BLIND_INDEX: RotationRule(
        reindexing=True,
        remade=True,
        why="every index would have to be worked out anew: values stored before would not be found any more. The "
        "workflow that seals a tenant's book again does both",
    ),
    Purpose.AUDIT_MAC: RotationRule(
        why="the leaves of the audit log are bound to it, and the log is never written again"
    ),
    Purpose.FINGERPRINT: RotationRule(
        why="fingerprints of requests that were answered are kept for as long as their keys count, and would not "
        "be recognised any more"
    ),
    Purpose.LINKS: RotationRule(
        why="links in customers' hands are checked with the version in force; they would end at once"
    ),
    Purpose.TRANSFER_PROOF: RotationRule(
        why="roots and checksums of transfer jobs were computed under it, and could not be computed again"
    ),
    Purpose.TRANSFER_BACKUP: RotationRule(
        why="backups of transfer jobs lie outside the database, so who still needs an old version cannot be counted"
    ),
    Purpose.ONE_TIME_CODE: RotationRule(
        why="codes under way are checked with the version in force; customers who hold one would be refused"
    ),
}
_SIGNATURES: Final = RotationRule(
    why="signatures are checked against the public key that readers were given; a new key is a new log, and is "
    "published first"
)
_LINKAGE: Final = RotationRule(why="it lives as long as its transfer job and is destroyed when that closes")
_UNKNOWN: Final = RotationRule(why="nothing is known of this purpose")


def rule_of(purpose: str) -> RotationRule:
    """The rule for one purpose."""
    if purpose.startswith(LINKAGE_PREFIX):
        return _LINKAGE
    return _SIGNATURES if purpose.startswith("sign-") else _RULES.get(purpose, _UNKNOWN)
