r"""How a gateway signs the receipts that it pushes: HMAC-SHA-256 over time and body, under a secret shared with it.

    X-Casework-Timestamp: 1795000000                       seconds since 1970, by the gateway's clock
    X-Casework-Signature: v1=<64 hexadecimal digits>       over "casework-receipts/1\n" <timestamp> "\n" <body>

A signature holds for five minutes, so what somebody has recorded is worthless afterwards; within them a repeated push
changes nothing, since a receipt counts once for each message and never weakens what is known of it.
"""

import hashlib
import hmac
import re
from datetime import datetime
from typing import Final

TIMESTAMP_HEADER: Final = "X-Casework-Timestamp"
SIGNATURE_HEADER: Final = "X-Casework-Signature"
HOLDS_S: Final = 300
MIN_SECRET_CHARS: Final = 32
_CONTEXT: Final = b"casework-receipts/1\n"
_SCHEME: Final = "v1="
_SECONDS: Final = re.compile(r"\A[0-9]{1,12}\Z")


def sign(secret: str, body: bytes, *, at: datetime) -> dict[str, str]:
    """The headers of a push."""
    stamp = str(int(at.timestamp()))
    return {TIMESTAMP_HEADER: stamp, SIGNATURE_HEADER: _SCHEME + _digest(secret, stamp, body)}


def holds(secret: str, body: bytes, *, stamp: str | None, signature: str | None, now: datetime) -> bool:
    """Whether whoever knows the secret has signed this body, and not long ago. Why not is not told."""
    if stamp is None or signature is None or _SECONDS.match(stamp) is None:
        return False
    right = hmac.compare_digest((_SCHEME + _digest(secret, stamp, body)).encode(), signature.encode())
    return right and abs(now.timestamp() - int(stamp)) <= HOLDS_S


def _digest(secret: str, stamp: str, body: bytes) -> str:
    return hmac.digest(secret.encode(), _CONTEXT + stamp.encode() + b"\n" + body, hashlib.sha256).hex()
