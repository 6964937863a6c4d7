"""What the service needs of the sources of a job, whoever reads them: names of columns, some rows, a digest."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from models.domain.tabular.rows import ReadRow
from models.domain.transfers.mapping import TransferMapping


class SourceKind(StrEnum):
    """Where rows come from."""

    CSV = "csv"
    XLSX = "xlsx"
    SQL = "sql"
    BOOK = "book"  # the customers of the tenant that hands over
    STAFF = "staff"  # by phone and mail, entered one by one
    LINK = "link"  # by the customer


READ_KINDS = frozenset({SourceKind.CSV, SourceKind.XLSX, SourceKind.SQL, SourceKind.BOOK})


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceRef:
    """Which source: of whose job, of which kind, by which name."""

    tenant: str
    source_tenant: str | None
    kind: SourceKind
    place: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """The beginning of a source. `repr` shows no cell."""

    header: Sequence[str]
    rows: Sequence[ReadRow]
    encoding: str | None = None
    delimiter: str | None = None

    def __repr__(self) -> str:
        return f"Look({len(self.header)} columns, {len(self.rows)} rows)"


class SourceDesk(ABC):
    """Looks at sources for the service."""

    @abstractmethod
    def look(self, source: SourceRef, mapping: TransferMapping, *, most: int) -> Look:
        """The first `most` rows.

        Raises:
            FormInvalid: the source is not there or cannot be read; says why.
            DatabaseBusy: its database does not answer.
        """
