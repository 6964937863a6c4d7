"""Names of what belongs to a notice: each follows from what it is about, so that a repeated step meets itself."""

import hashlib
import re
from typing import Final

from models.domain.tokens import named_token

_ATTEMPT: Final = re.compile(r"\Atna_([0-9a-f]{32})\Z")
MESSAGE: Final = re.compile(r"\A[0-9a-f]{32}\Z")


def notice_id(job: str, row_number: int) -> str:
    """The notice of one row of a job."""
    return named_token("tnt", f"{job}/{row_number}")


def attempt_id(notice: str, number: int) -> str:
    """One attempt. Its 32 hex digits are the id under which providers get the message: receipts lead back here."""
    return f"tna_{_hex(f'{notice}/{number}')}"


def attempt_of_message(message: str) -> str:
    """The attempt whose message has this id."""
    return f"tna_{message}"


def message_of_attempt(attempt: str) -> str:
    """The id under which an attempt's message goes out.

    Raises:
        ValueError: this is no attempt's name.
    """
    match = _ATTEMPT.match(attempt)
    if match is None:
        raise ValueError("no name of an attempt")
    return match[1]


def link_of_attempt(attempt: str) -> str:
    """The customer's link that an attempt carries. One each: which of them was opened says which message arrived."""
    return named_token("lnk", attempt)


def customer_message_id(tenant: str, business_key: str) -> str:
    """A message to a customer outside of notices."""
    return f"cms_{_hex(f'{tenant}/{business_key}')}"


def _hex(key: str) -> str:
    return hashlib.sha256(f"casework.transfer-message\x00{key}".encode()).hexdigest()[:32]
