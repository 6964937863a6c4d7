"""One uploaded file with its small fields, streamed from the wire into a sealed file: nothing of it lies in clear.

The sealing runs in a thread of its own and asks for piece after piece, so memory stays flat, and a slow sender holds
neither the event loop nor a thread that requests need.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import anyio.from_thread
import anyio.to_thread
from litestar import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from compliance.vault.files import SealedFile
from models.domain.application import MAX_DOCUMENT_BYTES
from models.errors import BadRequest, FieldFault, FormInvalid

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAGIC: Final[dict[bytes, str]] = {
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
FILE_FIELD: Final = "file"
_SNIFFED_BYTES: Final = max(len(magic) for magic in MAGIC)
_MAX_FIELD_BYTES: Final = 256
_MAX_FIELDS: Final = 8
_MAX_FILENAME: Final = 200  # characters
_PATIENCE: Final = timedelta(minutes=2)  # for one whole upload
_AT_ONCE: Final = 8
_THREADS: Final = anyio.CapacityLimiter(_AT_ONCE)

Seal = Callable[[Iterator[bytes]], SealedFile]
"""Seals what it is given; blocking."""


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class Upload:
    """A file that lies sealed under its final name, and what came with it.

    Attributes:
        fields: the other fields of the form, by name.
        filename: without folders and control characters; personal data.
        media_type: told from the first bytes, whatever the sender says.
        content_digest: SHA-256 of the content, hexadecimal; for the fingerprint of the request only, never kept.
    """

    fields: dict[str, str]
    filename: str | None
    media_type: str
    content_digest: str
    sealed: SealedFile


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What kind of file a route takes.

    Attributes:
        most_bytes: of its content.
        media_type: from its first bytes; None: it is not taken.
    """

    most_bytes: int
    media_type: Callable[[bytes], str | None]


async def receive(request: Request[Any, Any, Any], *, seal: Seal, wanted: Wanted | None = None) -> Upload:
    """Read one multipart form with one file in it; where nothing else is wanted, a PDF, PNG or JPEG of up to 10 MiB.

    Raises:
        BadRequest: the form cannot be read, or it took too long.
        BodyTooLarge: it is over the limit of the route.
        FormInvalid: no file, an empty one, one that is too large, or one of a type that is not wanted.
    """
    try:
        return await _receive(_Form(_boundary(request), request.stream()), seal, wanted or _DOCUMENT)
    except (FormParserError, UnicodeDecodeError, TimeoutError):
        raise BadRequest(faults=(FieldFault(pointer="", code="not-multipart"),)) from None


async def _receive(form: "_Form", seal: Seal, wanted: Wanted) -> Upload:
    fields: dict[str, str] = {}
    upload: tuple[str | None, str, str, SealedFile] | None = None
    while (part := await form.next_part()) is not None:
        if part.name == FILE_FIELD:
            if upload is not None:
                raise _fault("too-many", max=1)
            upload = await _seal_part(form, part, seal, wanted)
            continue
        if part.name in fields or len(fields) >= _MAX_FIELDS:
            raise FormInvalid(faults=(FieldFault(pointer="", code="duplicate-key"),))
        fields[part.name] = (await form.small_content()).decode()
    if upload is None:
        raise _fault("missing")
    filename, media_type, digest, sealed = upload
    return Upload(fields=fields, filename=filename, media_type=media_type, content_digest=digest, sealed=sealed)


async def _seal_part(
    form: "_Form", part: "_Part", seal: Seal, wanted: Wanted
) -> tuple[str | None, str, str, SealedFile]:
    head = b""
    while len(head) < _SNIFFED_BYTES and (piece := await form.next_piece()) is not None:
        head += piece
    if not head:
        raise _fault("file-empty")
    media_type = wanted.media_type(head)
    if media_type is None:
        raise _fault("file-type")
    digest = hashlib.sha256()

    def pieces() -> Iterator[bytes]:
        size = 0
        piece: bytes | None = head
        while piece is not None:
            size += len(piece)
            if size > wanted.most_bytes:
                raise _fault("file-size", limit=wanted.most_bytes)
            digest.update(piece)
            yield piece
            piece = anyio.from_thread.run(form.next_piece)

    sealed = await anyio.to_thread.run_sync(lambda: seal(pieces()), limiter=_THREADS)
    return part.filename, media_type, digest.hexdigest(), sealed


def sniff(head: bytes) -> str | None:
    """The media type that the first bytes stand for; None if it is none that is taken."""
    return next((media_type for magic, media_type in MAGIC.items() if head.startswith(magic)), None)


_DOCUMENT: Final = Wanted(most_bytes=MAX_DOCUMENT_BYTES, media_type=sniff)


def clean_filename(raw: str) -> str | None:
    """The last part of a file name without what could steer a header, a path or a terminal."""
    name = "".join(sign for sign in raw.replace("\\", "/").rpartition("/")[2] if sign.isprintable()).strip(" .")
    return name[:_MAX_FILENAME] or None


def _fault(code: str, **params: str | int) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer=f"/{FILE_FIELD}", code=code, params=params),))


def _boundary(request: Request[Any, Any, Any]) -> bytes:
    boundary = parse_options_header(request.headers.get("content-type"))[1].get(b"boundary", b"")
    if not boundary:
        raise BadRequest(faults=(FieldFault(pointer="", code="not-multipart"),))
    return boundary


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class _Part:
    name: str
    filename: str | None


class _End(Enum):
    PART = "part"
    FORM = "form"


@dataclass(slots=True)
class _Header:
    name: bytes = b""
    value: bytes = b""


@dataclass(slots=True)
class _Events:
    """What the parser has found and nobody has taken yet: parts, pieces of their content, and ends."""

    queue: deque[_Part | bytes | _End] = field(default_factory=deque)
    header: _Header = field(default_factory=_Header)
    disposition: bytes = b""

    def callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": lambda data, start, end: self.queue.append(data[start:end]),
            "on_part_end": lambda: self.queue.append(_End.PART),
            "on_end": lambda: self.queue.append(_End.FORM),
        }

    def _begin(self) -> None:
        self.disposition = b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self.header.name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self.header.value += data[start:end]

    def _header_end(self) -> None:
        if self.header.name.lower() == b"content-disposition":
            self.disposition = self.header.value
        self.header = _Header()

    def _headers_finished(self) -> None:
        kind, options = parse_options_header(self.disposition.decode("latin-1"))
        name = options.get(b"name")
        if kind != b"form-data" or name is None:
            raise FormParserError("a part without a name")
        filename = options.get(b"filename")
        self.queue.append(
            _Part(name=name.decode(), filename=clean_filename(filename.decode()) if filename is not None else None)
        )


class _Form:
    """The form as it comes in, part after part and piece after piece."""

    def __init__(self, boundary: bytes, body: AsyncIterator[bytes]) -> None:
        self._events = _Events()
        self._parser = MultipartParser(boundary, self._events.callbacks())
        self._body = body
        self._deadline = asyncio.get_running_loop().time() + _PATIENCE.total_seconds()

    async def next_part(self) -> _Part | None:
        """The next part, or None at the end of the form."""
        event = await self._next()
        if isinstance(event, _Part):
            return event
        if event is not _End.FORM:
            raise FormParserError("content outside of a part")
        return None

    async def next_piece(self) -> bytes | None:
        """The next piece of the present part, or None at its end."""
        event = await self._next()
        if isinstance(event, bytes):
            return event
        if event is not _End.PART:
            raise FormParserError("a part without an end")
        return None

    async def small_content(self) -> bytes:
        """The whole content of the present part, which is a small field."""
        content = b""
        while (piece := await self.next_piece()) is not None:
            content += piece
            if len(content) > _MAX_FIELD_BYTES:
                raise FormInvalid(faults=(FieldFault(pointer="", code="too-long", params={"limit": _MAX_FIELD_BYTES}),))
        return content

    async def _next(self) -> "_Part | bytes | _End":
        while not self._events.queue:
            # The deadline stands here and not around the whole: a thread that waits for a piece cannot be cancelled.
            async with asyncio.timeout_at(self._deadline):
                chunk = await anext(self._body, None)
            if chunk is None:
                raise FormParserError("the form is cut short")
            self._parser.write(chunk)
        return self._events.queue.popleft()
