"""Our ids as banks carry them, and the files and batches that an answer speaks of by them alone."""

from typing import Final

from activities.gateways.bank.naming import batch_id
from activities.gateways.bank.profiles import Sequence

TRANSFERS: Final = "pain.001"
_TRANSFER_SUFFIX: Final = "TRF"


def bank_id(token: str) -> str:
    """One of our tokens as banks can carry it: their alphabet has no underscore."""
    return token.replace("_", "-")


def batch_of(message: str, *, kind: str) -> str:
    """PmtInfId of the one batch of a file of this kind (`bank_files.kind`)."""
    if kind == TRANSFERS:
        return f"{message}-{_TRANSFER_SUFFIX}"
    return batch_id(message, sequence=Sequence.RECURRING)


def message_of(batch: str | None) -> str:
    """The file that a batch is from, where the bank names the batch alone."""
    return (batch or "").removesuffix(f"-{Sequence.RECURRING}").removesuffix(f"-{_TRANSFER_SUFFIX}")
