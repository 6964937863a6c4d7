"""`ETag` and `If-Match`: a caller changes only the version it has read."""

import re
from typing import Annotated, Final

from litestar.di import NamedDependency
from litestar.params import HeaderParameter, SkipValidation

from models.errors import BadRequest, PreconditionRequired, StaleVersion

_STRONG: Final = re.compile(r'\A"v([1-9][0-9]{0,17})"\Z')


def etag(version: int) -> str:
    """The entity tag of a version."""
    return f'"v{version}"'


def parse_if_match(header: str | None) -> int:
    """The version an `If-Match` header names.

    Raises:
        PreconditionRequired: there is no such header.
        BadRequest: it is not one strong tag of ours; `*` and lists would not say what was read.
    """
    if header is None:
        raise PreconditionRequired(params={"header": "If-Match"})
    match = _STRONG.match(header.strip())
    if match is None:
        raise BadRequest(params={"header": "If-Match"})
    return int(match.group(1))


def check_version(*, read: int, current: int) -> None:
    """Refuse a change to a version that is no longer the present one.

    Raises:
        StaleVersion: with the present version.
    """
    if read != current:
        raise StaleVersion(params={"currentVersion": current})


def provide_if_match(if_match_header: Annotated[str | None, HeaderParameter(name="If-Match")] = None) -> int:
    """Dependency `if_match`."""
    return parse_if_match(if_match_header)


IfMatch = NamedDependency[SkipValidation[int]]
