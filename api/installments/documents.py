"""Documents of a case (资料): an upload becomes a sealed file first and a row after; a download is an audited deed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from litestar import Request, Response
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema
from litestar.response import Stream
from sqlmodel import Session

from api.deps import ApiDeps
from api.idempotency import Stored, fingerprint, once
from api.in_thread import in_thread
from api.installments.views import document_answer
from api.streams import streamed
from api.uploads import FILE_FIELD, MAGIC, Upload, receive
from compliance.audit.deeds import Deed, shown_hash
from compliance.audit.unit import unit_of_work
from compliance.vault.cells import CellAddress
from compliance.vault.files import FileAddress
from compliance.vault.shelf import Shelf
from models.domain.application import UPLOADABLE, DocumentKind
from models.domain.pointers import pointer_of
from models.domain.tokens import new_token
from models.errors import FieldFault, FormInvalid
from models.operations.cases import NewDocument, add_document
from models.operations.idempotency import KeySlot, open_key
from models.operations.projection import show_document
from models.tables.installments import CaseDocument, InstallmentCase

_EXTENSIONS: Final = {"application/pdf": "pdf", "image/png": "png", "image/jpeg": "jpg"}


@dataclass
class UploadOperation(Operation):
    """The OpenAPI entry of an upload: the body is streamed, so no parameter of the handler describes it."""

    def __post_init__(self) -> None:
        """Describe the form."""
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["kind", FILE_FIELD],
            properties={
                "kind": Schema(type=OpenAPIType.STRING, enum=[kind.value for kind in UPLOADABLE]),
                FILE_FIELD: Schema(
                    type=OpenAPIType.STRING,
                    content_media_type="application/octet-stream",
                    description=f"at most 10 MiB; {', '.join(sorted(MAGIC.values()))}, told from its first bytes",
                ),
            },
        )
        self.request_body = RequestBody(content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True)


FILE_RESPONSE: Final = {
    200: ResponseSpec(
        data_container=bytes, description="The file", media_type="application/octet-stream", generate_examples=False
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Adding:
    """Who adds a document to which case; `location` is where it can be read, None where the caller may not."""

    case: InstallmentCase
    actor: str
    slot: KeySlot
    locale: str
    location: str | None


async def store_document(deps: ApiDeps, request: Request[Any, Any, Any], adding: Adding) -> Response[Any]:
    """Stream an upload into a sealed file, then put it on the case's record.

    Raises:
        BadRequest, BodyTooLarge, FormInvalid: as `api.uploads.receive`; also for the kind.
        IdempotencyMismatch, IdempotencyInFlight: as `api.idempotency.once`.
    """
    case, document_id = adding.case, new_token("doc")
    shelf, address = _shelf(deps), FileAddress(case.tenant, case.subject_id, document_id)
    kept = False

    def seal(pieces: Iterator[bytes]) -> Any:
        return shelf.put(address, pieces)

    try:
        upload = await receive(request, seal=seal)
        kind = _kind(upload)
        digest = await in_thread(fingerprint, deps, adding.slot, {"kind": kind.value, "content": upload.content_digest})

        def act() -> str:
            nonlocal kept
            _record(deps, adding, upload, kind=kind, document_id=document_id, fingerprint=digest)
            kept = True
            return document_id

        return await once(
            deps,
            adding.slot,
            fingerprint=digest,
            act=act,
            rebuild=lambda known_id: _added(deps, adding, known_id),
        )
    finally:
        if not kept:  # refused, repeated or failed: a sealed file without a row is of no use to anybody
            await in_thread(shelf.path(address).unlink, missing_ok=True)


def _kind(upload: Upload) -> DocumentKind:
    faults = [FieldFault(pointer=pointer_of([name]), code="unknown-field") for name in upload.fields if name != "kind"]
    kind = upload.fields.get("kind")
    if kind is None:
        faults.append(FieldFault(pointer="/kind", code="missing"))
    elif kind not in UPLOADABLE:
        allowed = ", ".join(UPLOADABLE)
        faults.append(FieldFault(pointer="/kind", code="not-one-of", params={"allowed": allowed}))
    if faults or kind is None:
        raise FormInvalid(faults=tuple(faults))
    return DocumentKind(kind)


def _record(
    deps: ApiDeps, adding: Adding, upload: Upload, *, kind: DocumentKind, document_id: str, fingerprint: str
) -> None:
    case, now, cell = adding.case, deps.clock(), None
    if upload.filename is not None:
        address = CellAddress(case.tenant, "case_documents", "filename_cell", document_id, case.subject_id)
        cell = deps.vault.seal(address, upload.filename)
    document = NewDocument(
        id=document_id,
        tenant=case.tenant,
        case_token=case.token,
        subject_id=case.subject_id,
        kind=kind,
        media_type=upload.media_type,
        filename_cell=cell,
        size_bytes=upload.sealed.size_bytes,
        digest=upload.sealed.digest,
        added_by=adding.actor,
    )
    deed = Deed(
        tenant=case.tenant,
        action="document.added",
        target=case.token,
        actor=adding.actor,
        at=now,
        facts={
            "document": document_id,
            "kind": kind.value,
            "mediaType": upload.media_type,
            "sizeBytes": upload.sealed.size_bytes,
            "digest": upload.sealed.digest,
        },
    )
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            adding.slot,
            fingerprint=fingerprint,
            resource_id=document_id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        add_document(unit.session, document, now=now)
        entry = {"id": document_id, "kind": document.kind, "digest": document.digest}
        show_document(unit.session, case_token=case.token, entry=entry, rehash=shown_hash, now=now)


def _added(deps: ApiDeps, adding: Adding, document_id: str) -> Stored:
    with deps.database.read() as session:
        document = session.get_one(CaseDocument, document_id)
    headers = {"Location": f"{adding.location}/{document_id}"} if adding.location is not None else {}
    body = document_answer(document, locale=adding.locale).model_dump(mode="json")
    return Stored(status=HTTPStatus.CREATED, body=body, headers=headers)


def open_document(
    deps: ApiDeps,
    document: CaseDocument,
    *,
    actor: str,
    also: Callable[[Session, datetime], None] | None = None,
) -> Stream:
    """Record that somebody opens a document, then hand its content over piece by piece; blocking until then.

    Args:
        deps: vault, database and clock.
        document: what is opened.
        actor: staff id, or link id.
        also: what is written in the same transaction.

    Raises:
        CannotOpen: altered or missing; nothing is recorded then.
        SubjectShredded: the keys of this person were destroyed.
    """
    address = FileAddress(document.tenant, document.subject_id, document.id)
    pieces = deps.vault.open_file(address, _shelf(deps).path(address))
    headers = {"Content-Disposition": _disposition(deps, document)}  # the edge adds `nosniff` to every answer
    deed = Deed(
        tenant=document.tenant,
        action="document.opened",
        target=document.case_token,
        actor=actor,
        at=deps.clock(),
        facts={"document": document.id, "kind": document.kind},
    )
    with unit_of_work(deps.database, deed) as unit:  # without the event nothing is shown
        if also is not None:
            also(unit.session, deed.at)
    return streamed(pieces, close=pieces.close, media_type=document.media_type, headers=headers)


def _shelf(deps: ApiDeps) -> Shelf:
    return Shelf(vault=deps.vault, root=deps.files_root)


def _disposition(deps: ApiDeps, document: CaseDocument) -> str:
    plain = f"{document.id}.{_EXTENSIONS.get(document.media_type, 'bin')}"
    if document.filename_cell is None:
        return f'attachment; filename="{plain}"'
    address = CellAddress(document.tenant, "case_documents", "filename_cell", document.id, document.subject_id)
    name = quote(deps.vault.open_text(address, document.filename_cell), safe="")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{name}"
