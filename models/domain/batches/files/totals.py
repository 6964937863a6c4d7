"""Control totals (控制总数): count and sum that somebody has stated, beside what was found."""

from collections.abc import Iterator
from dataclasses import dataclass

from models.errors import FieldFault


@dataclass(frozen=True, kw_only=True, slots=True)
class Totals:
    """What is stated; None where nothing is.

    Attributes:
        count: of rows, rejected ones too.
        sum_minor: of the amount that the layout adds up, in minor units, of all these rows.
    """

    count: int | None = None
    sum_minor: int | None = None


def differences(stated: Totals, *, count: int, sum_minor: int, unread: int, pointer: str) -> Iterator[FieldFault]:
    """Where what is stated and what was found differ.

    Args:
        stated: by a trailer, or by the client apart from the file.
        count: rows that were read.
        sum_minor: of the amounts that could be read.
        unread: rows whose amount could not be read; they explain a difference, and do not excuse it.
        pointer: where the stated totals stand.
    """
    if stated.count is not None and stated.count != count:
        params: dict[str, str | int] = {"stated": stated.count, "found": count}
        yield FieldFault(pointer=f"{pointer}/count", code="file-count-differs", params=params)
    if stated.sum_minor is not None and stated.sum_minor != sum_minor:
        params = {"stated": stated.sum_minor, "found": sum_minor, "unread": unread}
        yield FieldFault(pointer=f"{pointer}/sum", code="file-sum-differs", params=params)
