"""What may be told of an exception: types, codes and the place in our code. Never its message: messages hold data."""

import traceback
from types import TracebackType
from typing import Final

from temporalio.exceptions import ApplicationError

from compliance.telemetry.fields import Scalar, is_code
from models.errors import CaseworkError

OUR_PACKAGES: Final = ("activities", "api", "compliance", "deploy", "models", "workflows")
_MAX_CHAIN: Final = 5

ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]


def error_fields(error: BaseException) -> dict[str, Scalar]:
    """`error`: its type; `error_causes`: types behind it, joined by dots; `error_code`; `error_at`: module and line."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain and len(chain) < _MAX_CHAIN:
        chain.append(cause)
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)
    fields: dict[str, Scalar] = {"error": type(error).__name__}
    if len(chain) > 1:
        fields["error_causes"] = ".".join(type(each).__name__ for each in chain[1:])[:80]
    code = next((_code(each) for each in chain if _code(each) is not None), None)
    if code is not None:
        fields["error_code"] = code
    place = _place(error)
    if place is not None:
        fields["error_at"] = place
    return fields


def _code(error: BaseException) -> str | None:
    if isinstance(error, CaseworkError):
        return error.code
    if isinstance(error, ApplicationError) and is_code(error.type):
        return error.type
    return None


def _place(error: BaseException) -> str | None:
    """The innermost frame that is ours."""
    found = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] in OUR_PACKAGES:
            found = f"{module}:{line}"
    return found
