"""The shapes of requests and answers: camelCase, strict, closed. What does not fit is a `form-invalid` problem."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Self

import msgspec
from litestar.config.app import AppConfig
from litestar.plugins import InitPlugin
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from models.domain.form_faults import faults_of
from models.domain.privacy.authentication import authentication_faults
from models.errors import FormInvalid, NotFound

MAX_MINOR: Final = 10**15  # ten trillion yuan in fen: beyond any amount of one case, within a signed 64-bit column
_TOKEN: Final = re.compile(r"\A[a-z]{2,5}_[0-9a-hjkmnp-tv-z]{26}\Z")


class Body(BaseModel):
    r"""Base of request bodies. Patterns are written `\A…\Z`: `^…$` lets a trailing newline through."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=False,
        hide_input_in_errors=True,
        regex_engine="python-re",  # knows \A and \Z
    )

    @classmethod
    def read(cls, value: Any) -> Self:
        """Check parsed JSON as JSON, so that dates and enumerations are read from strings and nothing else is bent.

        Raises:
            FormInvalid: with a pointer, a code and the limit for each fault, and no value that was sent; also where
                words hold what authenticates a customer (`models.domain.privacy.authentication`).
        """
        try:
            body = cls.model_validate_json(msgspec.json.encode(value))
        except ValidationError as error:
            raise FormInvalid(faults=faults_of(error)) from None
        faults = tuple(authentication_faults(body.model_dump(by_alias=True)))
        if faults:
            raise FormInvalid(faults=faults)
        return body


class Answer(BaseModel):
    """Base of answers."""

    model_config = ConfigDict(
        frozen=True, alias_generator=to_camel, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


class BodyPlugin(InitPlugin):
    """Has Litestar read bodies by `Body.read`; its own way would bend values, and tell the path of a fault badly."""

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Put our reading before that of Litestar's plugin for pydantic; so this plugin comes after it."""
        app_config.type_decoders = [(_is_body, _read_body), *(app_config.type_decoders or ())]
        return app_config


def _is_body(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Body)


def _read_body(kind: type[Body], value: Any) -> Body:
    return kind.read(value)


def known_token(value: str) -> str:
    """A token of ours as it came in a path.

    Raises:
        NotFound: it does not have the shape of one, so it is the token of nothing.
    """
    if _TOKEN.match(value) is None:
        raise NotFound
    return value


Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
"""An amount in minor units."""
BasisPoints = Annotated[int, Field(ge=0, le=10_000)]
ShortCode = Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{0,39}\Z")]
Token = Annotated[str, Field(pattern=r"\A[a-z]{2,5}_[0-9a-hjkmnp-tv-z]{26}\Z")]
Instant = Annotated[AwareDatetime, Field(ge=datetime(2000, 1, 1, tzinfo=UTC), le=datetime(2200, 1, 1, tzinfo=UTC))]
"""A moment with its zone, in years in which a bank's clock can stand."""
Sha256Hex = Annotated[str, Field(pattern=r"\A[0-9a-f]{64}\Z")]
