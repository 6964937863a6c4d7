"""What is wrong with a request for a schedule: the field, the rule it breaks, and what names the fix."""

from models.errors import FieldFault


class ScheduleInvalid(ValueError):
    """A schedule cannot be made of this request. Holds no personal data: fields, codes and numbers only.

    Attributes:
        fault: RFC 6901 pointer into the JSON form of the request (`schedules.quote_form`), the code of the
            rule (its text is `field.<code>`), and the parameters of that text.
    """

    def __init__(self, pointer: str, code: str, **params: str | int) -> None:
        self.fault = FieldFault(pointer=pointer, code=code, params=params)
        limits = ", ".join(f"{name}={value}" for name, value in params.items())
        super().__init__(f"{pointer or '/'}: {code}" + (f" ({limits})" if limits else ""))
