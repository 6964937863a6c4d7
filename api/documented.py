"""The OpenAPI document: what Litestar finds out, completed with what every operation has in common."""

from typing import Any, Final

from litestar import Litestar, get
from litestar.datastructures import State
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from api.identity.authenticate import LOGGED_IN, required_permission, served_handlers

VERSION: Final = "1"
_PROBLEM_REF: Final = {"$ref": "#/components/schemas/Problem"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457. `code` is stable; `title` and `detail` are for people, as Accept-Language asks.",
    "required": ["type", "title", "status", "detail", "code", "retryable", "traceId"],
    "properties": {
        "type": {"type": "string", "description": "`/problems/<code>`: a page that describes the type"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "retryable": {"type": "boolean", "description": "whether the same request may succeed later"},
        "traceId": {"type": "string"},
        "params": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body or the parameters"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                    "params": {"type": "object", "additionalProperties": {"type": ["string", "integer"]}},
                },
            },
        },
    },
}

OPENAPI: Final = OpenAPIConfig(
    title="Casework 办件",
    version=VERSION,
    description="Back office for financial institutions. All reads are strongly consistent.",
    use_handler_docstrings=True,
    render_plugins=[JsonRenderPlugin()],
    security=[{"bearer": []}],
    components=Components(
        security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="at+jwt")}
    ),
)


def openapi_document(app: Litestar) -> dict[str, Any]:
    """The complete document of an app that has `OPENAPI`: permissions, security and problems at each operation."""
    document: dict[str, Any] = app.openapi_schema.to_schema()
    document["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, method, handler in served_handlers(app):
        operation = document["paths"].get(_path(path), {}).get(method.lower())
        if operation is None:
            continue
        operation["responses"]["default"] = {
            "description": "A problem",
            "content": {"application/problem+json": {"schema": _PROBLEM_REF}},
        }
        operation["responses"].pop("400", None)  # Litestar's own shape of errors is never sent
        operation["x-consistency"] = "strong"
        guard = required_permission(handler)
        if guard is None:
            operation["security"] = []
        elif guard.permission is not None:
            operation["x-required-permissions"] = [guard.permission.value]
    return document


def _path(path: str) -> str:
    """`/v1/staff/{staff_id:str}` as OpenAPI writes it."""
    return "/".join(part.partition(":")[0] + "}" if part.startswith("{") else part for part in path.split("/"))


@get("/v1/openapi.json", guards=[LOGGED_IN], sync_to_thread=True, include_in_schema=False)
def serve_document(state: State) -> dict[str, Any]:
    """The OpenAPI 3.1 document, for whoever is logged in. Made at the first call."""
    if "openapi" not in state:
        state.openapi = state.describe()
    document: dict[str, Any] = state.openapi
    return document
