"""From a token that somebody sent to the link it stands for."""

import base64
import hmac
import re
from typing import Final

from api.deps import ApiDeps
from compliance.vault.link_tokens import base64url, link_mac, link_payload
from models.errors import NotFound
from models.queries import parties
from models.tables.parties import CustomerLink

MAX_TOKEN: Final = 400  # characters
_TOKEN: Final = re.compile(r"\A([A-Za-z0-9_-]{40,300})\.([A-Za-z0-9_-]{43})\Z")
_PAYLOAD: Final = re.compile(
    r"\A1\.(?P<tenant>[a-z][a-z0-9-]{1,15})\.(?P<id>lnk_[0-9a-hjkmnp-tv-z]{26})\.[1-9][0-9]{8,10}\.[a-z]{1,24}\Z"
)


def link_of(deps: ApiDeps, token: str) -> CustomerLink:
    """The link a token stands for, spent and expired ones too; blocking.

    Raises:
        NotFound: the token was not made here, or its link is gone; always the same answer.
    """
    payload, mac, tenant, link_id = _parts(token)
    with deps.database.read() as session:
        if not parties.tenant_exists(session, tenant):
            raise NotFound
    if not hmac.compare_digest(mac, link_mac(deps.vault, tenant, payload)):
        raise NotFound
    with deps.database.read() as session:
        link = parties.link_by_id(session, link_id, tenant=tenant)
    if link is None or link_payload(link) != payload:
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


def _decoded(part: str) -> bytes:
    value = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64url(value) != part:  # one spelling per token
        raise NotFound
    return value
