"""Data with a version that an order or a run is bound to: read from JSON with every fault told, one spelling, one hash.

What is frozen is the spelling and its hash. A version, once somebody is bound to it, is never changed.
"""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from models.domain.canonical import digest
from models.domain.form_faults import parsed_json

FULL_BPS: Final = 10_000
MAX_MINOR: Final = 10**15
MAX_DAYS: Final = 3_660

Minor = Annotated[int, Field(ge=0, le=MAX_MINOR)]
"""An amount in minor units (fen)."""
Bps = Annotated[int, Field(ge=0, le=FULL_BPS)]
"""A share or a yearly rate in basis points: 2,500 is 25 %."""
Days = Annotated[int, Field(ge=0, le=MAX_DAYS)]
Name = Annotated[str, StringConstraints(pattern=r"\A[a-z0-9][a-z0-9./-]{0,59}\Z")]
Source = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=r"\S")]
"""Where a figure comes from: a law with its article, or the bank's own decision."""


class Data(BaseModel):
    """Plain data: no coercion, nothing extra, no change."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_alias=True,
        validate_by_name=True,
        hide_input_in_errors=True,
        regex_engine="python-re",
    )


class Versioned(Data):
    """A whole version. Two versions of the same content under the same name have the same hash."""

    @classmethod
    def read_json(cls, text: str | bytes) -> Self:
        """Parse JSON.

        Raises:
            FormInvalid: with a pointer, a code and the limit for each fault, and no value that was sent.
        """
        return parsed_json(cls, text)

    @classmethod
    def from_record(cls, kept: Mapping[str, Any]) -> Self:
        """What was kept.

        Raises:
            FormInvalid: it is not what `as_record` gave.
        """
        # By way of JSON: dates and closed words are strings in what is kept.
        return parsed_json(cls, json.dumps(kept))

    def as_record(self) -> dict[str, Any]:
        """As it is kept and shown: plain JSON values, names as in the file."""
        return self.model_dump(mode="json", by_alias=True)

    @cached_property
    def hash(self) -> str:
        """SHA-256, in hex, over the canonical spelling: what an approval and an order are bound to."""
        return digest(self.as_record())

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with other content where `update` says so: the hash that was worked out before is not the copy's."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("hash", None)
        return copied
