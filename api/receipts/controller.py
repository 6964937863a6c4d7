"""Where gateways push receipts of text messages and mails: signed, idempotent by message, limited in number."""

import json
from collections import Counter
from typing import Any, Final

from litestar import Controller, Request, post

from api.bodies import Answer
from api.deps import ApiDeps, Deps
from api.in_thread import in_thread
from api.receipts.pace import Pace
from compliance.transfers.notice_receipts import DeliveryReceipt, Receipts, Taken
from compliance.transfers.receipt_signatures import SIGNATURE_HEADER, TIMESTAMP_HEADER, holds
from compliance.transfers.receipt_spelling import receipt_of
from models.errors import FieldFault, FormInvalid, NotAuthenticated, NotFound

MOST_RECEIPTS: Final = 500
ACTOR: Final = "provider"


class ReceiptsAnswer(Answer):
    """What was told: `news` changed something, `known` was told before, `unknown` is of no message of ours."""

    news: int
    known: int
    unknown: int


class GatewayReceiptController(Controller):
    """Receipts that gateways push, beside those that they put into a folder."""

    path = "/v1/gateway-receipts"
    tags = ("Notices",)

    @post("/", opt={"public": True}, status_code=200, operation_id="PushGatewayReceipts")
    async def push(self, request: Request[Any, Any, Any], deps: Deps) -> ReceiptsAnswer:
        """Take in up to 500 receipts. The signature over time and body is what is asked for instead of a log-in.

        The body is one receipt, or `{"receipts": [...]}`; each is `{"id", "state", "reason"?}` as in the folder.
        """
        secret = deps.receipts_secret
        if secret is None:
            raise NotFound
        now = deps.clock()
        _pace(deps).take(now)  # before anything is computed: nobody keeps us busy with signatures
        body = await request.body()
        stamp, signature = request.headers.get(TIMESTAMP_HEADER), request.headers.get(SIGNATURE_HEADER)
        if not holds(secret, body, stamp=stamp, signature=signature, now=now):
            raise NotAuthenticated
        counted = await in_thread(_take, deps, receipts_in(body))
        return ReceiptsAnswer(news=counted[Taken.NEWS], known=counted[Taken.KNOWN], unknown=counted[Taken.UNKNOWN])


def receipts_in(body: bytes) -> list[DeliveryReceipt]:
    """The receipts of a push.

    Raises:
        FormInvalid: no JSON, too many, or one that is no receipt, named by its place; nothing of it is said.
    """
    try:
        told = json.loads(body)
    except ValueError:
        raise FormInvalid(faults=(FieldFault(pointer="", code="wrong-format"),)) from None
    listed = told.get("receipts") if isinstance(told, dict) and "receipts" in told else [told]
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_RECEIPTS:
        fault = FieldFault(pointer="/receipts", code="too-many", params={"limit": MOST_RECEIPTS})
        raise FormInvalid(faults=(fault,))
    found = [receipt_of(each) for each in listed]
    wrong = [at for at, each in enumerate(found) if each is None]
    if wrong:
        pointer = "/receipts/{}" if "receipts" in told else ""
        raise FormInvalid(
            faults=tuple(FieldFault(pointer=pointer.format(at), code="wrong-format") for at in wrong[:20])
        )
    return [each for each in found if each is not None]


def _take(deps: ApiDeps, receipts: list[DeliveryReceipt]) -> Counter[Taken]:
    """Each in a transaction of its own: one that fails is pushed again, and the others are known by then."""
    taking = Receipts(deps.database, deps.clock)
    return Counter(taking.take(each, actor=ACTOR) for each in receipts)


def _pace(deps: ApiDeps) -> Pace:
    return deps.receipts_pace
