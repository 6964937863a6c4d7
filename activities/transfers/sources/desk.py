"""Opens the sources of transfer jobs: files of the exchange directory, databases by name, the source's own book."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from activities.support.tabular.csv_files import CsvSource
from activities.support.tabular.examine import Examined, examine
from activities.support.tabular.rows import RowSource
from activities.transfers.sources.places import file_of
from activities.transfers.sources.sql_tables import SqlSource
from compliance.vault.framing import framed
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from models.domain.transfers.mapping import TransferMapping
from models.domain.transfers.source_desk import Look, SourceDesk, SourceKind, SourceRef
from models.errors import FieldFault, FormInvalid

OpenBook = Callable[[str], RowSource]
"""The book of a tenant as a source."""


@dataclass(frozen=True, slots=True)
class Sources(SourceDesk):
    """Every source that an installation can reach.

    Attributes:
        folder: below it a folder for each tenant that receives.
        connections: URLs of databases by the names that sources use.
        open_book: opens the customers of a tenant; None where there are none.
    """

    folder: Path
    connections: Mapping[str, str]
    vault: Vault
    open_book: OpenBook | None = None

    def look(self, source: SourceRef, mapping: TransferMapping, *, most: int) -> Look:
        """The first rows."""
        with self.open(source, mapping) as opened:
            rows = list(islice(opened.rows(), most))
            if isinstance(opened, CsvSource):
                return Look(header=opened.header, rows=rows, encoding=opened.encoding, delimiter=opened.delimiter)
            return Look(header=opened.header, rows=rows)

    def open(self, source: SourceRef, mapping: TransferMapping, *, examined: Examined | None = None) -> RowSource:
        """The whole source, from its first row.

        Raises:
            FormInvalid: it is not there or cannot be read.
            DatabaseBusy: its database does not answer.
        """
        match source.kind:
            case SourceKind.CSV:
                path = self._path(source)
                found = examined or examine(path, self._key(source.tenant))
                return CsvSource(path, mapping.file, is_utf8=found.is_utf8)
            case SourceKind.XLSX:
                from activities.support.tabular.xlsx_files import XlsxSource  # noqa: PLC0415 - the library is slow to load

                return XlsxSource(self._path(source), mapping.file)
            case SourceKind.SQL:
                url = self.connections.get(source.place)
                if url is None:
                    raise _refused("source-connection")
                return SqlSource(url, mapping)
            case SourceKind.BOOK if self.open_book is not None and source.source_tenant is not None:
                return self.open_book(source.source_tenant)
        raise _refused("source-kind")

    def examine(self, source: SourceRef) -> Examined | None:
        """The file as a whole; None for what is no file.

        Raises:
            FormInvalid: there is no such file.
        """
        if source.kind not in {SourceKind.CSV, SourceKind.XLSX}:
            return None
        return examine(self._path(source), self._key(source.tenant))

    def _path(self, source: SourceRef) -> Path:
        return file_of(self.folder / source.tenant, source.place)

    def _key(self, tenant: str) -> bytes:
        secret = self.vault.purpose_key(tenant, Purpose.FINGERPRINT)
        return hmac.digest(secret, framed("casework.transfer-file", tenant), hashlib.sha256)


def _refused(code: str) -> FormInvalid:
    return FormInvalid(faults=(FieldFault(pointer="/place", code=code),))
