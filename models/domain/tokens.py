"""New identifiers. Randomness comes from the operating system; none of them embeds a person or an account."""

import hashlib
import os
import uuid
from datetime import datetime
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"


def _base32(value: int, digits: int) -> str:
    return "".join(_CROCKFORD[(value >> (5 * i)) & 31] for i in reversed(range(digits)))


def new_token(prefix: str) -> str:
    """`prefix_` and 26 characters: 130 random bits, nothing else."""
    return f"{prefix}_{_base32(int.from_bytes(os.urandom(17)) >> 6, 26)}"


def named_token(prefix: str, business_key: str) -> str:
    """A token that follows from a business key: a step that is repeated gives a thing the same name.

    The key holds identifiers only, so the token tells nothing of a person.
    """
    digest = hashlib.sha256(f"casework.token\x00{prefix}\x00{business_key}".encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest[:17]) >> 6, 26)}"


def new_case_token(tenant: str) -> str:
    """`<tenant>.` and 26 random characters: the business key of a case, also in its workflow id."""
    return f"{tenant}.{_base32(int.from_bytes(os.urandom(17)) >> 6, 26)}"


def uuid7(at: datetime) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits; sorts by time of making."""
    stamp = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = stamp << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    return str(uuid.UUID(int=value))
