"""Every failure as an RFC 9457 problem: a registered type per rule, the caller's language, nothing from inside.

What a person reads comes from `models.texts` by `code`; `detail` of our own errors and the text of foreign exceptions
never leave.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import structlog
from litestar import Request, Response, get
from litestar.exceptions import HTTPException, ValidationException
from litestar.params import FromPath
from litestar.types import ExceptionHandlersMap

from api.bodies import Answer
from api.identity.principal import Principal
from compliance.telemetry.failures import error_fields
from models.domain.pointers import pointer_of
from models.errors import (
    BadRequest,
    BodyTooLarge,
    CaseworkError,
    FieldFault,
    FormInvalid,
    FreshLoginRequired,
    MediaTypeUnsupported,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
    PermissionMissing,
    TooManyRequests,
)
from models.texts.render import DEFAULT_LOCALE, LOCALES, pick_locale, render

MEDIA_TYPE: Final = "application/problem+json"
log = structlog.get_logger(__name__)
_RETRY_AFTER_S: Final = 1  # for what is retryable and names no time of its own
_BY_STATUS: Final[dict[int, type[CaseworkError]]] = {
    HTTPStatus.UNAUTHORIZED: NotAuthenticated,
    HTTPStatus.FORBIDDEN: PermissionMissing,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowed,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: BodyTooLarge,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: MediaTypeUnsupported,
    HTTPStatus.UNPROCESSABLE_ENTITY: FormInvalid,
    HTTPStatus.TOO_MANY_REQUESTS: TooManyRequests,
}


def problem_document(error: CaseworkError, *, locale: str, trace_id: str) -> dict[str, Any]:
    """The body of a problem. Of a 5xx it tells the code and the trace, nothing else."""
    told = error.status < HTTPStatus.INTERNAL_SERVER_ERROR
    params: dict[str, str | int] = error.params if told else {}
    document: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": _text(f"problem.{error.code}.title", params, locale),
        "status": error.status,
        "detail": _text(f"problem.{error.code}.detail", params, locale),
        "code": error.code,
        "retryable": error.retryable,
        "traceId": trace_id,
    }
    if params:
        document["params"] = params
    if told and error.faults:
        document["errors"] = [_fault(fault, locale) for fault in error.faults]
    return document


def problem_headers(error: CaseworkError, *, locale: str) -> dict[str, str]:
    """The headers that go with a problem."""
    headers = {"Content-Language": locale, "Vary": "Accept-Language"}
    if error.retryable:
        headers["Retry-After"] = str(error.params.get("retryAfter", _RETRY_AFTER_S))
    if isinstance(error, FreshLoginRequired):  # RFC 9470: the client knows from it that a new log-in helps
        seconds = int(error.params.get("minutes", 5)) * 60
        headers["WWW-Authenticate"] = f'Bearer error="insufficient_user_authentication", max_age="{seconds}"'
    elif error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="casework"'
    if isinstance(error, MethodNotAllowed) and "allow" in error.params:
        headers["Allow"] = str(error.params["allow"])
    return headers


def as_casework_error(error: Exception) -> CaseworkError:
    """Our word for any exception; foreign texts and values are dropped."""
    if isinstance(error, CaseworkError):
        return error
    if isinstance(error, ValidationException):
        return _of_validation(error)
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            return MethodNotAllowed(params={"allow": (error.headers or {}).get("allow", "")})
        return _BY_STATUS.get(error.status_code, BadRequest)()
    return CaseworkError()


def problem_response(request: Request[Any, Any, Any], error: Exception) -> Response[dict[str, Any]]:
    """Answer a request with the problem that an exception stands for. Registered for every exception."""
    known = as_casework_error(error)
    trace_id = str(request.scope.get("state", {}).get("request_id", ""))
    if known.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # Types, codes and the place in our code; never a message: it may quote what the caller or the database said.
        log.error("request.failed", code=known.code, request_id=trace_id, **error_fields(error))
    locale = locale_of(request)
    return Response(
        problem_document(known, locale=locale, trace_id=trace_id),
        status_code=known.status,
        media_type=MEDIA_TYPE,
        headers=problem_headers(known, locale=locale),
    )


EXCEPTION_HANDLERS: Final[ExceptionHandlersMap] = {
    CaseworkError: problem_response,
    HTTPException: problem_response,
    Exception: problem_response,
}


def locale_of(request: Request[Any, Any, Any]) -> str:
    """What `Accept-Language` asks for, else the caller's own language."""
    asked = request.headers.get("accept-language")
    if asked is not None:
        return pick_locale(asked)
    user = request.scope.get("user")
    return user.locale if isinstance(user, Principal) and user.locale in LOCALES else DEFAULT_LOCALE


def _fault(fault: FieldFault, locale: str) -> dict[str, Any]:
    document: dict[str, Any] = {
        "pointer": fault.pointer,
        "code": fault.code,
        "detail": _text(f"field.{fault.code}", fault.params, locale),
    }
    if fault.params:
        document["params"] = fault.params
    return document


def _of_validation(error: ValidationException) -> CaseworkError:
    """Litestar's word for a parameter that does not fit, or a body that is missing; `api.bodies` checks the rest."""
    entries = error.extra if isinstance(error.extra, list) else []
    if any(entry.get("source") == "path" for entry in entries):
        return NotFound()  # an id of another shape is the id of nothing
    if any(entry.get("source") == "body" for entry in entries):
        return FormInvalid(faults=(FieldFault(pointer="", code="missing"),))
    faults = tuple(
        FieldFault(pointer=pointer_of(entry["key"].split(".")) if "key" in entry else "", code="invalid")
        for entry in entries
    )
    return BadRequest(faults=faults)


class _Gaps(dict[str, str | int]):
    """A type's page has no parameters to show, so it shows their names."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def _text(key: str, params: Mapping[str, str | int], locale: str) -> str:
    try:
        return render(key, params, locale)
    except LookupError:  # a missing text must not turn the answer into another one
        return key


# The page behind each `type` ------------------------------------------------------------------------------------------


class ProblemPage(Answer):
    """What a problem type means, in every language we have."""

    type: str
    code: str
    status: int
    retryable: bool
    title: dict[str, str]
    detail: dict[str, str]


def problem_types() -> dict[str, type[CaseworkError]]:
    """Every registered problem type by its code."""
    found: dict[str, type[CaseworkError]] = {CaseworkError.code: CaseworkError}
    waiting = list(CaseworkError.__subclasses__())
    while waiting:
        kind = waiting.pop()
        found[kind.code] = kind
        waiting.extend(kind.__subclasses__())
    return found


@get(
    "/problems/{code:str}", opt={"public": True}, sync_to_thread=False, operation_id="GetProblemType", tags=["Problems"]
)
def problem_page(code: FromPath[str]) -> ProblemPage:
    """Describe a problem type.

    Raises:
        NotFound: there is no such type.
    """
    kind = problem_types().get(code)
    if kind is None:
        raise NotFound
    return ProblemPage(
        type=f"/problems/{code}",
        code=code,
        status=kind.status,
        retryable=kind.retryable,
        title={locale: _text(f"problem.{code}.title", _Gaps(), locale) for locale in LOCALES},
        detail={locale: _text(f"problem.{code}.detail", _Gaps(), locale) for locale in LOCALES},
    )
