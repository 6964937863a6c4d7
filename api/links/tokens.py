"""Tokens of customers' links: what the link is, signed with the tenant's key for links. No table holds one.

`base64url(1.<tenant>.<link id>.<expiry>.<purpose>)` `.` `base64url(HMAC-SHA256)`. A token is worked out from the link's
row, so the same link always has the same token, and a row that was altered no longer fits a token given out before.
"""

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime
from typing import Final

from api.deps import ApiDeps
from compliance.vault.keyring import Purpose
from models.errors import NotFound
from models.queries import parties
from models.tables.parties import CustomerLink

MAX_TOKEN: Final = 400  # characters
_CONTEXT: Final = b"casework.customer-link\x00"
_TOKEN: Final = re.compile(r"\A([A-Za-z0-9_-]{40,300})\.([A-Za-z0-9_-]{43})\Z")
_PAYLOAD: Final = re.compile(
    r"\A1\.(?P<tenant>[a-z][a-z0-9-]{1,15})\.(?P<id>lnk_[0-9a-hjkmnp-tv-z]{26})\.[1-9][0-9]{8,10}\.[a-z]{1,24}\Z"
)


def token_of(deps: ApiDeps, link: CustomerLink) -> str:
    """The token of a link; may read the key store."""
    payload = _payload(link)
    return f"{_base64url(payload)}.{_base64url(_mac(deps, link.tenant, payload))}"


def link_of(deps: ApiDeps, token: str) -> CustomerLink:
    """The link a token stands for, spent and expired ones too; blocking.

    Raises:
        NotFound: the token was not made here, or its link is gone; always the same answer.
    """
    payload, mac, tenant, link_id = _parts(token)
    with deps.database.read() as session:
        if not parties.tenant_exists(session, tenant):
            raise NotFound
    if not hmac.compare_digest(mac, _mac(deps, tenant, payload)):
        raise NotFound
    with deps.database.read() as session:
        link = parties.link_by_id(session, link_id, tenant=tenant)
    if link is None or _payload(link) != payload:
        raise NotFound
    return link


def _parts(token: str) -> tuple[bytes, bytes, str, str]:
    match = _TOKEN.match(token) if len(token) <= MAX_TOKEN else None
    if match is None:
        raise NotFound
    payload, mac = (_decoded(part) for part in match.groups())
    try:
        said = _PAYLOAD.match(payload.decode("ascii"))
    except UnicodeDecodeError:
        said = None
    if said is None:
        raise NotFound
    return payload, mac, said["tenant"], said["id"]


def _payload(link: CustomerLink) -> bytes:
    expiry = int(link.expires_at.astimezone(UTC).timestamp())
    return f"1.{link.tenant}.{link.id}.{expiry}.{link.purpose}".encode()


def _mac(deps: ApiDeps, tenant: str, payload: bytes) -> bytes:
    return hmac.new(deps.vault.purpose_key(tenant, Purpose.LINKS), _CONTEXT + payload, hashlib.sha256).digest()


def _base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if _base64url(value) != part:  # one spelling per token
        raise NotFound
    return value


def whole_second(at: datetime) -> datetime:
    """An expiry as a token can say it."""
    return at.replace(microsecond=0)
