"""The OpenAPI entry of an upload of evidence: the body is streamed, so no parameter of the handler describes it."""

from dataclasses import dataclass

from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, RequestBody, Schema

from api.uploads import FILE_FIELD, MAGIC
from models.domain.transfers.evidence import EVIDENCE_KINDS


@dataclass
class EvidenceUpload(Operation):
    """A form with the kind of the evidence and one file."""

    def __post_init__(self) -> None:
        """Describe the form."""
        form = Schema(
            type=OpenAPIType.OBJECT,
            required=["kind", FILE_FIELD],
            properties={
                "kind": Schema(type=OpenAPIType.STRING, enum=list(EVIDENCE_KINDS)),
                FILE_FIELD: Schema(
                    type=OpenAPIType.STRING,
                    content_media_type="application/octet-stream",
                    description=f"at most 10 MiB; {', '.join(sorted(MAGIC.values()))}, told from its first bytes",
                ),
            },
        )
        self.request_body = RequestBody(content={"multipart/form-data": OpenAPIMediaType(schema=form)}, required=True)
