"""Signed notes over size and root of the log: C2SP `tlog-checkpoint` in `signed-note` form, Ed25519.

Any tool that reads these formats can check one; `verifier_key` is what it needs.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from compliance.audit.log import HASH_BYTES

_ED25519: Final = b"\x01"  # the signature type of `signed-note`
_KEY_ID_BYTES: Final = 4
_SIZE: Final = re.compile(r"\A(?:0|[1-9][0-9]{0,18})\Z", re.ASCII)


class NoteInvalid(ValueError):
    """The note is not a checkpoint, or not one that this key signed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """What is signed. `origin` names the log, e.g. `casework/<installation>`."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        """The text under the signature."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def origin_of(public_key: Ed25519PublicKey) -> str:
    """The name of an installation's log, derived from its key: nothing else has to be remembered or can be mixed up."""
    return f"casework/{hashlib.sha256(public_key.public_bytes_raw()).hexdigest()[:16]}"


def verifier_key(origin: str, public_key: Ed25519PublicKey) -> str:
    """The public key in the spelling of `signed-note`: `<name>+<key id>+<type and key>`."""
    key = base64.b64encode(_ED25519 + public_key.public_bytes_raw()).decode()
    return f"{origin}+{_key_id(origin, public_key).hex()}+{key}"


def sign(checkpoint: Checkpoint, *, key: Ed25519PrivateKey) -> str:
    """The signed note."""
    body = checkpoint.body()
    signature = base64.b64encode(_key_id(checkpoint.origin, key.public_key()) + key.sign(body.encode())).decode()
    return f"{body}\n— {checkpoint.origin} {signature}\n"


def read(note: str) -> Checkpoint:
    """What a note says, its signature unchecked.

    Raises:
        NoteInvalid: it is not a checkpoint.
    """
    body, separator, _ = note.partition("\n\n")
    lines = body.split("\n")
    if not separator or len(lines) != 3 or not lines[0] or _SIZE.match(lines[1]) is None:  # noqa: PLR2004
        raise NoteInvalid("not a checkpoint")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        raise NoteInvalid("not a checkpoint") from None
    checkpoint = Checkpoint(origin=lines[0], size=int(lines[1]), root=root)
    # One spelling per checkpoint: what base64 lets pass twice is refused.
    if len(root) != HASH_BYTES or checkpoint.body() != body + "\n":
        raise NoteInvalid("not a checkpoint")
    return checkpoint


def verify(note: str, *, public_key: Ed25519PublicKey) -> Checkpoint:
    """What a note says, if this key signed it under the origin that belongs to the key.

    Raises:
        NoteInvalid: malformed, of another log, or not signed by this key.
    """
    checkpoint = read(note)
    if checkpoint.origin != origin_of(public_key):
        raise NoteInvalid("a checkpoint of another log")
    key_id = _key_id(checkpoint.origin, public_key)
    for line in note.partition("\n\n")[2].split("\n"):
        name, _, signature = line.removeprefix("— ").rpartition(" ")
        if name != checkpoint.origin or not line.startswith("— "):
            continue  # a co-signature of a witness
        try:
            raw = base64.b64decode(signature, validate=True)
            if raw[:_KEY_ID_BYTES] == key_id:
                public_key.verify(raw[_KEY_ID_BYTES:], checkpoint.body().encode())
                return checkpoint
        except (binascii.Error, ValueError, InvalidSignature):
            continue
    raise NoteInvalid("not signed by this key")


def _key_id(origin: str, public_key: Ed25519PublicKey) -> bytes:
    return hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public_key.public_bytes_raw()).digest()[:_KEY_ID_BYTES]
