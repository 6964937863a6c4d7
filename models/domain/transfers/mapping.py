"""A mapping file (字段映射): how the columns of a foreign book become the fields of a record.

It is TOML, version 1; `docs/transfer-sources.md` shows one. Read by `parse_mapping`, kept as a document beside the
source, and made into a function of rows by `models.domain.transfers.row_mapper`. It holds no value of a customer.
"""

import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from models.domain.customers.faults import SEVERITIES, Severity
from models.domain.customers.record import FIELDS, REQUIRED_FIELDS
from models.domain.customers.spelling import spell_record
from models.domain.form_faults import faults_of
from models.domain.tabular.dates import is_date_format
from models.domain.tabular.options import FileOptions
from models.domain.tabular.shape import Shape
from models.errors import FieldFault, FormInvalid

MAX_BYTES: Final = 256 * 1024
MOST_VALUES: Final = 2_000  # of one table of values

_Name = Annotated[str, Field(min_length=1, max_length=200)]


class SqlOptions(Shape):
    """Which table or view is read, and the columns that give its rows an order: a repeated reading counts by it."""

    table: Annotated[str, Field(pattern=r"\A[A-Za-z_][A-Za-z0-9_$]{0,62}(?:\.[A-Za-z_][A-Za-z0-9_$]{0,62})?\Z")]
    key: Annotated[list[_Name], Field(min_length=1, max_length=8)]


class FieldRule(Shape):
    """Where one field comes from: `column`, several `columns` joined, or a `constant`.

    Attributes:
        split: cut the text here and take `part` (from 1; -1 is the last).
        values: what a source calls things, and what they are here; of a value that is not there, `otherwise` says
            whether the row is held, the value kept or left out.
        date: format of dates as `strftime` has it, where it is not year, month, day.
    """

    column: _Name | None = None
    columns: Annotated[list[_Name], Field(min_length=2, max_length=20)] | None = None
    constant: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    join: Annotated[str, Field(max_length=10)] = ""
    split: Annotated[str, Field(min_length=1, max_length=10)] | None = None
    part: Annotated[int, Field(ge=-20, le=20)] = 1
    values: Annotated[dict[str, str], Field(max_length=MOST_VALUES)] | None = None
    otherwise: Literal["hold", "keep", "drop"] = "hold"
    date: Annotated[str, Field(max_length=40)] | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(self.columns or ()) if self.column is None else (self.column,)


class TransferMapping(Shape):
    """A whole mapping file."""

    version: Literal[1]
    file: FileOptions = FileOptions()
    sql: SqlOptions | None = None
    fields: dict[str, FieldRule] = Field(default_factory=dict)
    severity: dict[str, str] = Field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """As `TransferSource.mapping` keeps it."""
        return self.model_dump(mode="json", exclude_none=True)


IDENTITY: Final = TransferMapping(version=1)  # of rows that come by their fields' own names


def parse_mapping(text: str) -> TransferMapping:
    """A mapping file, checked.

    Raises:
        FormInvalid: with everything that is wrong: pointer, rule, and no value of the file.
    """
    if len(text.encode()) > MAX_BYTES:
        raise FormInvalid(faults=(FieldFault(pointer="/mapping", code="too-long", params={"limit": MAX_BYTES}),))
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise FormInvalid(faults=(FieldFault(pointer="/mapping", code="mapping-toml"),)) from None
    return read_mapping(read)


def read_mapping(read: Mapping[str, Any]) -> TransferMapping:
    """As `parse_mapping`, of what is parsed already.

    Raises:
        FormInvalid: as `parse_mapping`.
    """
    try:
        mapping = TransferMapping.model_validate(read)
    except ValidationError as error:
        raise FormInvalid(faults=faults_of(error, prefix="/mapping")) from None
    faults = tuple(_faults(mapping))
    if faults:
        raise FormInvalid(faults=faults)
    return mapping


def _faults(mapping: TransferMapping) -> Iterator[FieldFault]:
    for name, rule in mapping.fields.items():
        where = f"/mapping/fields/{name}"
        if name not in FIELDS:
            yield FieldFault(pointer="/mapping/fields", code="mapping-no-such-field")
            continue
        ways = sum(way is not None for way in (rule.column, rule.columns, rule.constant))
        if ways != 1:
            yield FieldFault(pointer=where, code="mapping-one-way")
        if rule.part == 0:
            yield FieldFault(pointer=f"{where}/part", code="mapping-part")
        if rule.date is not None and not is_date_format(rule.date):
            yield FieldFault(pointer=f"{where}/date", code="mapping-date-format")
        yield from _value_faults(name, rule, where)
    if mapping.fields:
        for name in sorted(REQUIRED_FIELDS - mapping.fields.keys()):
            yield FieldFault(pointer=f"/mapping/fields/{name}", code="mapping-field-missing")
    for rule_name, asked in mapping.severity.items():
        if rule_name not in SEVERITIES:
            yield FieldFault(pointer="/mapping/severity", code="mapping-no-such-rule")
        elif asked not in set(Severity):
            choices = ", ".join(Severity)
            yield FieldFault(pointer="/mapping/severity", code="not-one-of", params={"allowed": choices})


def _value_faults(name: str, rule: FieldRule, where: str) -> Iterator[FieldFault]:
    """What we ourselves put into a field must be right: it would be wrong in every row."""
    given = [] if rule.constant is None else [("constant", rule.constant)]
    given += [("values", value) for value in dict.fromkeys((rule.values or {}).values()) if value]
    for kind, value in given:
        faults = spell_record({name: value}, today=date.max).faults
        if name != "id_number" and any(fault.field == name for fault in faults):
            yield FieldFault(pointer=f"{where}/{kind}", code="mapping-value")
            return
