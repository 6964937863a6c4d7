"""Tokens of customers' links: what the link is, signed with the tenant's key for links. No table holds one.

`base64url(1.<tenant>.<link id>.<expiry>.<purpose>)` `.` `base64url(HMAC-SHA256)`. A token is worked out from the link's
row, so the same link always has the same token, and a row that was altered no longer fits a token given out before.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime
from typing import Final

from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.tables.parties import CustomerLink

PATH: Final = "/v1/links"
_CONTEXT: Final = b"casework.customer-link\x00"


def token_of(vault: Vault, link: CustomerLink) -> str:
    """The token of a link; may read the key store."""
    payload = link_payload(link)
    return f"{base64url(payload)}.{base64url(link_mac(vault, link.tenant, payload))}"


def link_payload(link: CustomerLink) -> bytes:
    """What a token says of its link."""
    expiry = int(link.expires_at.astimezone(UTC).timestamp())
    return f"1.{link.tenant}.{link.id}.{expiry}.{link.purpose}".encode()


def link_mac(vault: Vault, tenant: str, payload: bytes) -> bytes:
    """What proves that a token was made here."""
    return hmac.new(vault.purpose_key(tenant, Purpose.LINKS), _CONTEXT + payload, hashlib.sha256).digest()


def base64url(value: bytes) -> str:
    """As tokens are spelt: without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def whole_second(at: datetime) -> datetime:
    """An expiry as a token can say it."""
    return at.replace(microsecond=0)
