"""The certificate of an erasure (删除证明): a signed statement with the proof that the deed stands in the audit log.

It holds no personal data, and is checked offline with this file, `compliance.audit.log`, `compliance.audit.checkpoint`
and the library `cryptography`: nothing else of the product is needed (`casework privacy verify-certificate`).
"""

import base64
import binascii
import json
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.audit.checkpoint import NoteInvalid, origin_of, verifier_key, verify
from compliance.audit.deeds import canonical_json
from compliance.audit.log import inclusion_holds, leaf_hash
from models.domain.privacy.erasing import commitment

FORMAT: Final = "casework-erasure-certificate/1"
ACTION: Final = "erasure.done"
# A checkpoint begins with `casework/` and 16 hexadecimal digits: no signature of one is a signature of the other.
_CONTEXT: Final = f"{FORMAT}\n".encode()
# What the statement says and the sealed event says too.
_SHARED: Final = ("commitment", "ground", "horizonDays", "figures")


@dataclass(frozen=True, kw_only=True, slots=True)
class Inclusion:
    """The place of an event in the log, with the audit path to a signed checkpoint."""

    body: str
    index: int
    size: int
    path: tuple[bytes, ...]
    checkpoint: str


def issue(statement: dict[str, Any], inclusion: Inclusion, *, nonce: str, key: Ed25519PrivateKey) -> str:
    """The certificate as JSON text.

    Args:
        statement: what is certified: identifiers, counts, days; no personal data.
        inclusion: of the event that records the erasure.
        nonce: opens the commitment, for whoever knows the person's token.
        key: the installation's, which signs its checkpoints.
    """
    document = {
        "format": FORMAT,
        "statement": statement,
        "nonce": nonce,
        "event": inclusion.body,
        "leafIndex": inclusion.index,
        "treeSize": inclusion.size,
        "path": [each.hex() for each in inclusion.path],
        "checkpoint": inclusion.checkpoint,
        "verifierKey": verifier_key(origin_of(key.public_key()), key.public_key()),
        "signature": base64.b64encode(key.sign(_signed(statement))).decode(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checked:
    """What a check found: `faults` by code, and what the statement says.

    Attributes:
        key_known: the key was given by the verifier, not only by the certificate itself.
        subject_shown: the commitment opens for the token that was given; None where none was given.
    """

    faults: tuple[str, ...]
    key_known: bool
    subject_shown: bool | None = None
    statement: dict[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.faults


def check(text: str, *, trusted_key: str | None = None, subject: str | None = None) -> Checked:
    """Check a certificate.

    Args:
        text: the file.
        trusted_key: the installation's verifier key as it was handed out beforehand; without it the certificate proves
            only that it is of one piece.
        subject: the person's token, to see whether the certificate is about them.
    """
    try:
        document = json.loads(text)
        statement, event = document["statement"], document["event"]
        public_key = public_key_of(document["verifierKey"])
        signature = base64.b64decode(document["signature"], validate=True)
        path = [bytes.fromhex(each) for each in document["path"]]
        index, size, note = int(document["leafIndex"]), int(document["treeSize"]), str(document["checkpoint"])
        said = json.loads(event)
        facts = said["facts"]
        is_known = document["format"] == FORMAT and isinstance(statement, dict) and isinstance(facts, dict)
    except (ValueError, KeyError, TypeError, IndexError, binascii.Error):
        return Checked(faults=("unreadable",), key_known=trusted_key is not None)
    if not is_known:
        return Checked(faults=("format",), key_known=trusted_key is not None)
    faults = []
    if trusted_key is not None and trusted_key.strip() != document["verifierKey"]:
        faults.append("other-key")
    try:
        public_key.verify(signature, _signed(statement))
    except InvalidSignature:
        faults.append("signature")
    faults += log_faults(public_key, note, event, index=index, size=size, path=path)
    if said.get("action") != ACTION or said.get("target") != statement.get("request"):
        faults.append("other-event")
    if any(statement.get(name) != facts.get(name) for name in _SHARED):
        faults.append("event-differs")
    shown = None if subject is None else _opens(statement, str(document.get("nonce", "")), subject)
    if shown is False:
        faults.append("other-subject")
    return Checked(faults=tuple(faults), key_known=trusted_key is not None, subject_shown=shown, statement=statement)


def log_faults(key: Ed25519PublicKey, note: str, event: str, *, index: int, size: int, path: list[bytes]) -> list[str]:
    """What does not hold of an event's place in the log, by code."""
    try:
        checkpoint = verify(note, public_key=key)
    except NoteInvalid:
        return ["checkpoint"]
    holds = checkpoint.size == size and inclusion_holds(
        leaf_hash(event.encode()), index=index, size=size, proof=path, root=checkpoint.root
    )
    return [] if holds else ["inclusion"]


def _opens(statement: dict[str, Any], nonce: str, subject: str) -> bool:
    try:
        opened = commitment(
            tenant=statement["tenant"],
            request=statement["request"],
            subject=subject,
            ground=statement["ground"],
            requested_at=statement["requestedAt"],
            nonce=nonce,
        )
    except (KeyError, AttributeError, TypeError):
        return False
    return opened == statement.get("commitment")


def _signed(statement: dict[str, Any]) -> bytes:
    return _CONTEXT + canonical_json(statement).encode()


def public_key_of(text: str) -> Ed25519PublicKey:
    """The key in the spelling of `signed-note`: `<name>+<key id>+<type and key>`; its base64 may hold a plus too."""
    raw = base64.b64decode(str(text).split("+", 2)[2], validate=True)
    if raw[:1] != b"\x01":
        raise ValueError("no Ed25519 key")
    return Ed25519PublicKey.from_public_bytes(raw[1:])
