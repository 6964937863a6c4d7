"""Tokens of customers' links: what the link is, signed with the tenant's key for links. No table holds one.

`base64url(1.<tenant>.<link id>.<expiry>.<purpose>)` `.` `base64url(HMAC-SHA256)`. A token is worked out from the link's
row, so the same link always has the same token, and a row that was altered no longer fits a token given out before.
"""

import base64
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.tables.parties import CustomerLink

PATH: Final = "/v1/links"
_CONTEXT: Final = b"casework.customer-link\x00"


def token_of(vault: Vault, link: CustomerLink) -> str:
    """The token of a link; may read the key store."""
    return tokens_of(vault, [link])[link.id]


def tokens_of(vault: Vault, links: Iterable[CustomerLink]) -> dict[str, str]:
    """The tokens of links, by their ids; a tenant's key is derived once."""
    keys: dict[str, bytes] = {}
    tokens = {}
    for link in links:
        if link.tenant not in keys:
            keys[link.tenant] = vault.purpose_key(link.tenant, Purpose.LINKS)
        payload = link_payload(link)
        tokens[link.id] = f"{base64url(payload)}.{base64url(_mac(keys[link.tenant], payload))}"
    return tokens


def link_payload(link: CustomerLink) -> bytes:
    """What a token says of its link."""
    expiry = int(link.expires_at.astimezone(UTC).timestamp())
    return f"1.{link.tenant}.{link.id}.{expiry}.{link.purpose}".encode()


def link_mac(vault: Vault, tenant: str, payload: bytes) -> bytes:
    """What proves that a token was made here."""
    return _mac(vault.purpose_key(tenant, Purpose.LINKS), payload)


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.digest(key, _CONTEXT + payload, "sha256")


def base64url(value: bytes) -> str:
    """As tokens are spelt: without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def whole_second(at: datetime) -> datetime:
    """An expiry as a token can say it."""
    return at.replace(microsecond=0)
