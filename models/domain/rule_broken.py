"""A value that breaks the rule of its field: the rule's code and the numbers its text needs, never the value itself."""

from collections.abc import Mapping

from models.errors import FieldFault


class RuleBroken(ValueError):
    """A value was refused by rule `code`; `field.<code>` in `models.texts` names the rule and the fix.

    Being a `ValueError` it may be raised inside a validator of a form. It carries no part of the refused value, since
    that may be personal data and exceptions end up in logs.
    """

    def __init__(self, code: str, params: Mapping[str, str | int] | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.params: dict[str, str | int] = dict(params or {})

    def fault(self, pointer: str) -> FieldFault:
        """The same, for the field at RFC 6901 `pointer`."""
        return FieldFault(pointer=pointer, code=self.code, params=dict(self.params))
