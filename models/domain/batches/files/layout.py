"""A layout of a batch file (文件布局): how its lines become typed rows, as data.

TOML, version 1; `docs/batch-files.md` shows one. It holds no value of a customer.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from models.domain.batches.files.words import AmountUnit, FieldKind, FileFormat, WidthUnit
from models.domain.canonical import digest
from models.domain.identifiers import IdType
from models.domain.tabular.shape import Shape

MOST_ROWS: Final = 1_000_000
MOST_BYTES: Final = 256 << 20
MOST_MINOR: Final = 10**15 - 1

_Name = Annotated[str, Field(pattern=r"\A[a-z][A-Za-z0-9]{0,39}\Z")]
_Slug = Annotated[str, Field(pattern=r"\A[a-z][a-z0-9-]{0,59}\Z")]
_Column = Annotated[str, Field(min_length=1, max_length=200)]


class Place(Shape):
    """Where a value stands: a cell from 1 (CSV, XLSX), or start from 1 and width (fixed width)."""

    cell: Annotated[int, Field(ge=1, le=500)] | None = None
    start: Annotated[int, Field(ge=1, le=100_000)] | None = None
    width: Annotated[int, Field(ge=1, le=10_000)] | None = None


class Trailer(Shape):
    """The last line with control totals (控制总数): what it begins with, and where count and sum stand."""

    mark: Annotated[str, Field(min_length=1, max_length=40)]
    count: Place | None = None
    sum: Place | None = None


class FileShape(Shape):
    """How the file is built.

    Attributes:
        format: csv, xlsx, parquet or fixed.
        encoding: of CSV and fixed width; `auto`: UTF-8 where the bytes are UTF-8, else GB18030.
        width_unit: what `start` and `width` count (fixed width): bytes of the encoding, or characters.
        line_width: of fixed width: how long each line is, in the same unit, without its end.
        amounts: the unit of amounts, of the trailer too.
        header: number of the line with the names of columns; 0: there is none, and columns are called 1, 2, 3 …
    """

    format: Annotated[FileFormat, Field(strict=False)]
    encoding: Literal["utf-8", "gb18030", "auto"] = "auto"
    amounts: Annotated[AmountUnit, Field(strict=False)] = AmountUnit.YUAN
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    quote: Annotated[str, Field(min_length=1, max_length=1)] = '"'
    header: Annotated[int, Field(ge=0, le=100)] = 1
    sheet: _Column | None = None
    width_unit: Annotated[WidthUnit, Field(strict=False)] = WidthUnit.BYTES
    line_width: Annotated[int, Field(ge=1, le=100_000)] | None = None
    most_rows: Annotated[int, Field(ge=1, le=MOST_ROWS)] = MOST_ROWS
    most_bytes: Annotated[int, Field(ge=1, le=MOST_BYTES)] = MOST_BYTES


class LayoutField(Shape):
    """One field.

    Attributes:
        columns: names that its column may have; the one that the header holds is taken.
        start, width: of fixed width, from 1, in the file's `width_unit`.
        id_type: of an ID number: its kind, or `id_type_field`: the field that tells it.
        values: of a code: what the sender calls things, and what they are here; of others nothing is changed.
        codes: of a code: what it may be; of codes, each of them.
        formats: of a date, as `strftime` has it; year, month, day in any usual spelling where there is none.
        least, most: of an amount in minor units (`least` 0: it may be nothing), of a number, of a text in characters.
        days_back, days_ahead: how far a date may lie from the business date.
    """

    kind: Annotated[FieldKind, Field(strict=False)]
    columns: Annotated[list[_Column], Field(min_length=1, max_length=20)] | None = None
    start: Annotated[int, Field(ge=1, le=100_000)] | None = None
    width: Annotated[int, Field(ge=1, le=10_000)] | None = None
    required: bool = True
    id_type: Annotated[IdType, Field(strict=False)] | None = None
    id_type_field: _Name | None = None
    values: Annotated[dict[str, str], Field(max_length=500)] | None = None
    codes: Annotated[list[str], Field(min_length=1, max_length=500)] | None = None
    formats: Annotated[list[str], Field(min_length=1, max_length=10)] | None = None
    least: int | None = None
    most: int | None = None
    days_back: Annotated[int, Field(ge=0, le=36_600)] | None = None
    days_ahead: Annotated[int, Field(ge=0, le=36_600)] | None = None


class Layout(Shape):
    """A whole layout file.

    Attributes:
        kind: of batch (`payroll`, `auto-debit` …).
        unique: fields that together name a row; the whole row where there is none.
        total: the amount that a control sum adds up; the only one where it is not said.
    """

    version: Literal[1]
    name: _Slug
    kind: _Slug
    titles: dict[Literal["zh-CN", "en"], Annotated[str, Field(min_length=1, max_length=80)]] = Field(
        default_factory=dict
    )
    file: FileShape
    fields: Annotated[dict[_Name, LayoutField], Field(min_length=1, max_length=200)]
    unique: list[_Name] = Field(default_factory=list)
    total: _Name | None = None
    trailer: Trailer | None = None

    @property
    def total_field(self) -> str | None:
        """The amount that sums add up; None where there is no amount."""
        amounts = [name for name, each in self.fields.items() if each.kind is FieldKind.AMOUNT]
        return self.total or (amounts[0] if len(amounts) == 1 else None)

    def as_document(self) -> dict[str, Any]:
        """As it is kept."""
        return self.model_dump(mode="json", exclude_none=True)

    @property
    def digest(self) -> str:
        """SHA-256 over the document: what a batch was read with."""
        return digest(self.as_document())
