"""Faults of a filled-in form in our words: where, which rule, which limit; never what was sent."""

from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from models.domain.pointers import pointer_of
from models.errors import FieldFault, FormInvalid

Model = TypeVar("Model", bound=BaseModel)

MAX_FAULTS: Final = 20  # enough to mend a form; not a way to make the answer long

# What pydantic calls a fault, and what we call it; `models.texts` has a `field.<code>` for each.
_CODES: Final = {
    "missing": "missing",
    "extra_forbidden": "unknown-field",
    "string_too_short": "too-short",
    "too_short": "too-short",
    "string_too_long": "too-long",
    "too_long": "too-long",
    "greater_than": "too-small",
    "greater_than_equal": "too-small",
    "less_than": "too-large",
    "less_than_equal": "too-large",
    "string_pattern_mismatch": "pattern",
    "enum": "not-one-of",
    "literal_error": "not-one-of",
}
_LIMITS: Final = {
    "min_length": "limit",
    "max_length": "limit",
    "gt": "limit",
    "ge": "limit",
    "lt": "limit",
    "le": "limit",
}
_EXPECTED: Final = {
    "int_type": "integer",
    "int_from_float": "integer",
    "string_type": "string",
    "bool_type": "boolean",
    "model_type": "object",
    "dict_type": "object",
    "list_type": "array",
    "tuple_type": "array",
    "date_type": "date",
}


def parsed_json(model: type[Model], text: str | bytes) -> Model:
    """What a JSON text says, in the shape of a model.

    Raises:
        FormInvalid: with a pointer, a code and the limit for each fault, and no value that was sent.
    """
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        if any(found["type"] == "json_invalid" for found in error.errors(include_url=False, include_input=False)):
            raise FormInvalid(faults=(FieldFault(pointer="", code="not-json"),)) from None
        raise FormInvalid(faults=_own(faults_of(error))) from None


def faults_of(error: ValidationError, *, prefix: str = "") -> tuple[FieldFault, ...]:
    """Pydantic's findings in our words: RFC 6901 pointers, our codes, limits; never the value."""
    return tuple(
        FieldFault(
            pointer=prefix + pointer_of(found["loc"]),
            code=_code(found["type"]),
            params=_params(found["type"], found.get("ctx", {})),
        )
        for found in error.errors(include_url=False, include_input=False)[:MAX_FAULTS]
    )


def _own(faults: tuple[FieldFault, ...]) -> tuple[FieldFault, ...]:
    """All but that of a list which is too short only because an item of it is at fault."""
    return tuple(
        each
        for each in faults
        if each.code != "too-short" or not any(other.pointer.startswith(f"{each.pointer}/") for other in faults)
    )


def _code(kind: str) -> str:
    if kind in _CODES:
        return _CODES[kind]
    # A validator of ours names its rule: PydanticCustomError("id-checksum", …).
    if "-" in kind:
        return kind
    return "wrong-type" if kind.endswith(("_type", "_parsing", "_from_float")) else "invalid"


def _params(kind: str, context: dict[str, Any]) -> dict[str, str | int]:
    params: dict[str, str | int] = {
        _LIMITS.get(name, name): value for name, value in context.items() if name in _LIMITS and isinstance(value, int)
    }
    if _code(kind) == "not-one-of":  # pydantic's list of what we allow, which is ours and not the caller's
        params["allowed"] = str(context.get("expected", "")).replace("'", "").replace(" or ", ", ")
    elif _code(kind) == "wrong-type":
        params["expected"] = _EXPECTED.get(kind, "value")
    return params
