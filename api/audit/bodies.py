"""How the audit log is told: events with their place in the log, proofs, checkpoints, and the account of a case."""

from datetime import datetime
from typing import Any, Self

from api.bodies import Answer
from compliance.audit.account import Line
from compliance.audit.proofs import ConsistencyProof, InclusionProof
from models.tables.audit import AuditCheckpoint


class AuditEventAnswer(Answer):
    """One event.

    `index` is its place in the log, null while it waits for the sealer. `text` is the whole sentence in the reader's
    language, `what` the deed alone. `roles` are those that the person holds now. Facts hold codes, amounts, dates and
    identifiers.
    """

    id: str
    index: int | None
    at: datetime
    action: str
    what: str
    text: str
    actor: str
    roles: list[str]
    target: str
    facts: dict[str, Any]

    @classmethod
    def of(cls, line: Line) -> Self:
        """An event in words."""
        return cls(
            id=line.event_id,
            index=line.index,
            at=line.at,
            action=line.action,
            what=line.what,
            text=line.text,
            actor=line.actor,
            roles=list(line.roles),
            target=line.target,
            facts=line.facts,
        )


class AuditEventPage(Answer):
    """Events, newest first. `total` is exact; null when there are more than `countedTo`."""

    items: list[AuditEventAnswer]
    total: int | None
    counted_to: int
    end_cursor: str | None


class InclusionProofAnswer(Answer):
    """That the event is in the log of `size` events: RFC 9162, hashes in hex from the leaf upwards.

    `text` is the same as a C2SP tlog-proof, `checkpoint` the signed note, `verifierKey` the key that checks it.
    """

    index: int
    leaf_hash: str
    hashes: list[str]
    size: int
    root: str
    checkpoint: str
    verifier_key: str
    text: str

    @classmethod
    def of(cls, proof: InclusionProof) -> Self:
        """A proof as it is told."""
        return cls(
            index=proof.index,
            leaf_hash=proof.leaf.hex(),
            hashes=[each.hex() for each in proof.hashes],
            size=proof.signed.checkpoint.size,
            root=proof.signed.checkpoint.root.hex(),
            checkpoint=proof.signed.note,
            verifier_key=proof.verifier,
            text=proof.text(),
        )


class ProvenEventAnswer(Answer):
    """An event with its text as it was hashed; `proof` is null while it waits for the sealer, a second or so."""

    event: AuditEventAnswer
    body: str
    proof: InclusionProofAnswer | None


class CheckpointAnswer(Answer):
    """A signed checkpoint (C2SP tlog-checkpoint)."""

    size: int
    root: str
    note: str
    created_at: datetime

    @classmethod
    def of(cls, row: AuditCheckpoint) -> Self:
        """A checkpoint as it is told."""
        return cls(size=row.size, root=row.root, note=row.note, created_at=row.created_at)


class CheckpointPage(Answer):
    """Checkpoints, the newest first, and the key that checks them."""

    items: list[CheckpointAnswer]
    verifier_key: str
    end_cursor: str | None


class ConsistencyAnswer(Answer):
    """Whether the log of `size` events begins with that of `oldSize`, and the proof if it does."""

    consistent: bool
    old_size: int
    old_root: str
    size: int
    root: str
    hashes: list[str]
    old_checkpoint: str | None
    checkpoint: str | None
    verifier_key: str

    @classmethod
    def of(cls, proof: ConsistencyProof) -> Self:
        """A proof as it is told."""
        return cls.model_validate(proof.record())


class AccountPage(Answer):
    """A case from its first to its last event, oldest first; the newest checkpoint, under which each line is proved."""

    case_token: str
    lines: list[AuditEventAnswer]
    checkpoint: str | None
    verifier_key: str
    end_cursor: str | None
