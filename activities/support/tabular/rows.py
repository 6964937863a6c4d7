"""What every source of rows is to its reader: names of columns, then rows, one by one and always the same ones."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Final, Self

from models.domain.tabular.rows import ReadRow

MOST_COLUMNS: Final = 500
MOST_CELL: Final = 4_000  # characters of one cell that are kept; what is longer is a fault
MOST_LINE: Final = 1_000_000  # characters of one line
MOST_ORIGINAL: Final = 64_000  # characters that are kept of a line which cannot be taken apart


class RowSource(ABC):
    """An opened source. Memory does not grow with its rows; closing it lets go of file or connection."""

    header: Sequence[str]

    @abstractmethod
    def rows(self) -> Iterator[ReadRow]:
        """The rows, from the first; called once."""

    def close(self) -> None:  # noqa: B027 - nothing to let go of is the common case
        """Let go of file or connection."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
