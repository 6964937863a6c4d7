"""Routes under which a customer reads and signs, and fetches what was sealed. The token in the path is the key."""

from typing import Final

from litestar import Controller, Response, get, post
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from api.deps import Deps, Locale
from api.idempotency import KeyHeader
from api.in_thread import in_thread
from api.installments.documents import FILE_RESPONSE
from api.installments.withdrawal import ANSWERS
from api.links.bodies import CodeSentAnswer, ReadingAnswer, ReadingBody, SignatureBody, SigningAnswer
from api.links.intake import usable_link
from api.links.signature import sign
from api.links.signing import confirm, send_code, signing_answer, stream_document
from api.tasks.deciding import DecidedAnswer
from compliance.vault.link_tokens import PATH
from models.domain.application import LinkPurpose

_PUBLIC: Final = {"public": True}


class SigningController(Controller):
    """What a customer does through a signing link."""

    path = f"{PATH}/{{token:str}}"
    tags = ("Links",)

    @get("/signing", opt=_PUBLIC, sync_to_thread=True, operation_id="GetSigning")
    def signing(self, token: FromPath[str], deps: Deps, locale: Locale) -> SigningAnswer:
        """What is to be signed: plan, documents with what must still be read, and the mandate that may go with it."""
        return signing_answer(deps, token, locale=locale)

    @get(
        "/documents/{document_id:str}",
        opt=_PUBLIC,
        responses=FILE_RESPONSE,
        sync_to_thread=True,
        operation_id="GetDocumentThroughLink",
    )
    def document(self, token: FromPath[str], document_id: FromPath[str], deps: Deps) -> Stream:
        """A document as PDF: what is to be signed, or through a progress link what was sealed. Every opening counts."""
        return stream_document(deps, token, document_id)

    @post("/reading-confirmations", opt=_PUBLIC, status_code=200, sync_to_thread=True, operation_id="ConfirmReading")
    def confirm_reading(self, token: FromPath[str], data: JSONBody[ReadingBody], deps: Deps) -> ReadingAnswer:
        """Confirm that a document was read to its end; the first confirmation stands, so it may be sent again."""
        return confirm(deps, token, data)

    @post("/codes", opt=_PUBLIC, status_code=202, sync_to_thread=True, operation_id="SendSigningCode")
    def send_code(self, token: FromPath[str], deps: Deps, locale: Locale) -> CodeSentAnswer:
        """Send a one-time code for what is shown now. Each request sends a new one, and the older ones end."""
        return send_code(deps, token, locale=locale)

    @post("/signature", opt=_PUBLIC, responses=ANSWERS, operation_id="Sign")
    async def sign(
        self, token: FromPath[str], data: JSONBody[SignatureBody], deps: Deps, idempotency_key: KeyHeader
    ) -> Response[DecidedAnswer]:
        """Sign what was shown with the code that was sent, and authorise debits if `mandate` is there."""
        link = await in_thread(usable_link, deps, token, purpose=LinkPurpose.SIGNING)
        return await sign(deps, link, data, key=idempotency_key)
