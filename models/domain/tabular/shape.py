"""What every record that a person writes as TOML is made of: strict, nothing unknown, and no value in its errors."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """The base of such records."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, hide_input_in_errors=True, regex_engine="python-re"
    )
