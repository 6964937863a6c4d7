"""Text messages over HTTP: `POST {"to", "text", "id"}` to the bank's provider, which knows a repeated `id` as one.

Any 2xx says that it was taken, `409` that it had been taken before; 400, 413, 422 and 451 refuse the message for good.
Whatever else comes, or nothing, is tried again: a wrong token or address of ours must not cost a customer a notice.
`docs/notices.md` describes it for the other side.
"""

import json
import re
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import httpx

from activities.gateways.messages import Message, MessageGateway, Receipt
from models.domain.sms import MAX_PARTS, parts_of
from models.errors import GatewayRefused, GatewayUnavailable

TIMEOUT_S: Final = 8  # the whole call, within a try of the activity
_STEP_TIMEOUT: Final = httpx.Timeout(4)
_MOST_BYTES: Final = 4096
_REFUSALS: Final = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS,
    }
)
_NUMBER: Final = re.compile(r"\A\+[1-9][0-9]{6,14}\Z")
_REF: Final = re.compile(r"\A[A-Za-z0-9._:-]{1,120}\Z")


@dataclass(slots=True)
class SmsHttp(MessageGateway):
    """One provider. Redirects are not followed and proxies of the environment not used: the token goes nowhere else."""

    url: str
    token: str | None = field(default=None, repr=False)
    _client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep one pool of connections."""
        headers = {} if self.token is None else {"Authorization": f"Bearer {self.token}"}
        self._client = httpx.Client(timeout=_STEP_TIMEOUT, headers=headers, trust_env=False, follow_redirects=False)

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def send(self, message: Message) -> Receipt:
        """Hand over one text message.

        Raises:
            GatewayUnavailable: no answer, or one that refuses us and not the message.
            GatewayRefused: `address` or `too-long` before the provider is asked, else `http-<status>`.
        """
        if _NUMBER.match(message.to) is None:
            raise GatewayRefused(params={"reason": "address"})
        if parts_of(message.text) > MAX_PARTS:
            raise GatewayRefused(params={"reason": "too-long"})
        body = {"to": message.to, "text": message.text, "id": message.id}
        deadline = time.monotonic() + TIMEOUT_S
        try:
            with self._client.stream("POST", self.url, json=body, headers={"Idempotency-Key": message.id}) as answer:
                status = answer.status_code
                content = _beginning(answer, deadline=deadline) if answer.is_success else b""
        except httpx.HTTPError as error:
            # The error's own words may quote what was sent.
            raise GatewayUnavailable(detail=f"sms: {type(error).__name__}") from None
        if httpx.codes.is_success(status):
            return Receipt(ref=_ref_in(content))
        if status == HTTPStatus.CONFLICT:
            return Receipt()
        if status in _REFUSALS:
            raise GatewayRefused(params={"reason": f"http-{status}"})
        raise GatewayUnavailable(detail=f"sms: status {status}")


def _beginning(answer: httpx.Response, *, deadline: float) -> bytes:
    """As much of the answer as comes in time; it only names the message, which is taken already."""
    content = b""
    try:
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > _MOST_BYTES or time.monotonic() > deadline:
                return b""
    except httpx.HTTPError:
        return b""
    return content


def _ref_in(content: bytes) -> str | None:
    try:
        told = json.loads(content)
    except ValueError:
        return None
    ref = told.get("ref") if isinstance(told, dict) else None
    return ref if isinstance(ref, str) and _REF.match(ref) else None
