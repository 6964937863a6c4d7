"""New identifiers. Randomness comes from the operating system; none of them embeds a person or an account."""

import hashlib
import os
from datetime import datetime
from typing import Final

_CROCKFORD: Final = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS: Final = tuple(high + low for high in _CROCKFORD for low in _CROCKFORD)
_SHIFTS: Final = tuple(range(120, -1, -10))  # 13 pairs of digits


def _base32(value: int) -> str:
    """26 digits: two at a time, since every row of a bulk step gets a token or two."""
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


def new_token(prefix: str) -> str:
    """`prefix_` and 26 characters: 130 random bits, nothing else."""
    return f"{prefix}_{_base32(int.from_bytes(os.urandom(17)) >> 6)}"


def named_token(prefix: str, business_key: str) -> str:
    """A token that follows from a business key: a step that is repeated gives a thing the same name.

    The key holds identifiers only, so the token tells nothing of a person.
    """
    digest = hashlib.sha256(f"casework.token\x00{prefix}\x00{business_key}".encode()).digest()
    return f"{prefix}_{_base32(int.from_bytes(digest[:17]) >> 6)}"


def new_case_token(tenant: str) -> str:
    """`<tenant>.` and 26 random characters: the business key of a case, also in its workflow id."""
    return f"{tenant}.{_base32(int.from_bytes(os.urandom(17)) >> 6)}"


def uuid7(at: datetime) -> str:
    """A UUIDv7 (RFC 9562): 48 bits of milliseconds, then 74 random bits; sorts by time of making."""
    stamp = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    random = int.from_bytes(os.urandom(10))
    value = stamp << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62 | random & ((1 << 62) - 1)
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
