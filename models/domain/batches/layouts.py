"""The shape of a file's records as data (文件格式): which column or place is which field. Values, no reading."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class FileForm(StrEnum):
    """How a file is built."""

    CSV = "csv"
    XLSX = "xlsx"
    PARQUET = "parquet"
    FIXED = "fixed"  # 定长


class Encoding(StrEnum):
    """How text is spelled in bytes; of CSV and fixed width alone."""

    UTF_8 = "utf-8"
    GB18030 = "gb18030"


class FieldType(StrEnum):
    """What a field is; each is validated in one place."""

    TEXT = "text"
    NAME = "name"
    ID_NUMBER = "id-number"
    MOBILE = "mobile"
    ACCOUNT = "account"
    BANK_CODE = "bank-code"
    AMOUNT = "amount"  # decimal text of major units, or minor units where `minor` says so
    DATE = "date"
    CODE = "code"


# Sealed wherever they stand; everything else may lie in clear beside a subject's token.
PERSONAL: Final = frozenset({FieldType.TEXT, FieldType.NAME, FieldType.ID_NUMBER, FieldType.MOBILE, FieldType.ACCOUNT})


@dataclass(frozen=True, kw_only=True, slots=True)
class LayoutField:
    """One field of a record.

    Attributes:
        name: canonical, as rows are kept under it (`payee-name`, `account`, `amount` …).
        type: how it is read and validated.
        column: heading, or name of the Parquet column; empty for fixed width.
        start, width: of fixed width, in bytes of the encoding, from 0.
        required: a row without it is quarantined.
        codes: of a CODE: what it may be.
        minor: an AMOUNT in minor units.
        date_format: of a DATE, as `strptime` knows it.
    """

    name: str
    type: FieldType
    column: str = ""
    start: int = 0
    width: int = 0
    required: bool = True
    codes: tuple[str, ...] = ()
    minor: bool = False
    date_format: str = "%Y-%m-%d"


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """A named version of a record layout.

    Attributes:
        unique: fields that together name a row; a second one of the same is a duplicate.
        max_rows, max_bytes: more is refused before a row is read.
        trailer: a last line with count and sum (控制总数), as fields; empty: none.
    """

    name: str
    version: str
    form: FileForm
    fields: tuple[LayoutField, ...]
    unique: tuple[str, ...]
    encoding: Encoding = Encoding.UTF_8
    delimiter: str = ","
    sheet: str = ""
    heading: bool = True
    trailer: tuple[LayoutField, ...] = field(default=())
    max_rows: int = 1_000_000
    max_bytes: int = 256 * 1024 * 1024
