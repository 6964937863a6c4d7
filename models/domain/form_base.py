"""What every decision form shares."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic.alias_generators import to_camel

MAX_NOTE_CHARS: Final = 2_000


class Plain(BaseModel):
    """No coercion, nothing extra, and the hash of what was shown."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, alias_generator=to_camel)

    shown_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class Form(Plain):
    """A form with an optional remark."""

    note: Annotated[str, StringConstraints(min_length=1, max_length=MAX_NOTE_CHARS, pattern=r"\S")] | None = None


class Checked(Form):
    """A checker's form: it names the hash of what the checker saw."""

    shown_hash: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
