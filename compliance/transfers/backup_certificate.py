"""The certificate of a deleted backup (备份销毁证明): a signed statement, with the proof that the deed is in the log.

It says what the container was (digest, figures, for whom it was sealed) and when it was deleted with the envelopes of
its key. Copies that somebody took elsewhere are not covered, and it says so. Checked offline with this file, those that
it imports, and the library `cryptography` (`casework transfer verify-deletion`).
"""

import base64
import binascii
import json
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.deeds import canonical_json
from compliance.vault.certificate import Checked, Inclusion, log_faults, public_key_of

FORMAT: Final = "casework-backup-deletion/1"
ACTION: Final = "transfer.backup-deleted"
_CONTEXT: Final = f"{FORMAT}\n".encode()
# What the statement says and the sealed event says too.
SHARED: Final = ("job", "side", "number", "manifest", "container", "records", "root", "keptUntil", "escrow")


def issue(statement: dict[str, Any], inclusion: Inclusion, *, key: Ed25519PrivateKey) -> str:
    """The certificate as JSON text.

    Args:
        statement: what is certified; nothing of a customer.
        inclusion: of the event that records the deletion.
        key: the installation's, which signs its checkpoints.
    """
    document = {
        "format": FORMAT,
        "statement": statement,
        "event": inclusion.body,
        "leafIndex": inclusion.index,
        "treeSize": inclusion.size,
        "path": [each.hex() for each in inclusion.path],
        "checkpoint": inclusion.checkpoint,
        "verifierKey": verifier_key(origin_of(key.public_key()), key.public_key()),
        "signature": base64.b64encode(key.sign(_signed(statement))).decode(),
    }
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True)


def check(text: str, *, trusted_key: str | None = None) -> Checked:
    """Check a certificate; faults by code.

    Args:
        text: the file.
        trusted_key: the installation's verifier key as it was handed out beforehand.
    """
    known = trusted_key is not None
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
        return Checked(faults=("unreadable",), key_known=known)
    if not is_known:
        return Checked(faults=("format",), key_known=known)
    faults = []
    if trusted_key is not None and trusted_key.strip() != document["verifierKey"]:
        faults.append("other-key")
    try:
        public_key.verify(signature, _signed(statement))
    except InvalidSignature:
        faults.append("signature")
    faults += log_faults(public_key, note, event, index=index, size=size, path=path)
    if said.get("action") != ACTION or said.get("target") != statement.get("backup"):
        faults.append("other-event")
    if any(statement.get(name) != facts.get(name) for name in SHARED):
        faults.append("event-differs")
    return Checked(faults=tuple(faults), key_known=known, statement=statement)


def _signed(statement: dict[str, Any]) -> bytes:
    return _CONTEXT + canonical_json(statement).encode()
