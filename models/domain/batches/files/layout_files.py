"""Reads layout files (TOML): all that is wrong with one is told, by field, rule and fix."""

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from models.domain.batches.files.layout import Layout, LayoutField, Place
from models.domain.batches.files.words import FieldKind, FileFormat
from models.domain.form_faults import faults_of
from models.domain.tabular.dates import is_date_format
from models.errors import FieldFault, FormInvalid

MAX_BYTES: Final = 64 * 1024
READY: Final = (
    "auto-debit-csv", "payroll-csv", "loan-deduction-csv", "fee-collection-csv", "intake-csv", "payroll-fixed-gb18030",
)  # fmt: skip


@cache
def ready_layout(name: str) -> Layout:
    """A layout that comes with the product.

    Raises:
        KeyError: there is none of that name.
    """
    if name not in READY:
        raise KeyError(name)
    return parse_layout(files("models.domain.batches.files").joinpath("ready", f"{name}.toml").read_text("utf-8"))


def parse_layout(text: str) -> Layout:
    """A layout file, checked.

    Raises:
        FormInvalid: with everything that is wrong: pointer, rule, and no value of the file.
    """
    if len(text.encode(errors="replace")) > MAX_BYTES:
        raise FormInvalid(faults=(FieldFault(pointer="/layout", code="too-long", params={"limit": MAX_BYTES}),))
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise FormInvalid(faults=(FieldFault(pointer="/layout", code="layout-toml"),)) from None
    return read_layout(read)


def read_layout(read: Mapping[str, Any]) -> Layout:
    """As `parse_layout`, of what is parsed already.

    Raises:
        FormInvalid: as `parse_layout`.
    """
    try:
        layout = Layout.model_validate(read)
    except ValidationError as error:
        raise FormInvalid(faults=faults_of(error, prefix="/layout")) from None
    faults = (*_file_faults(layout), *_field_faults(layout), *_reference_faults(layout), *_trailer_faults(layout))
    if faults:
        raise FormInvalid(faults=faults)
    return layout


def _file_faults(layout: Layout) -> Iterator[FieldFault]:
    if layout.file.format is FileFormat.XLSX and layout.file.header == 0:
        yield FieldFault(pointer="/layout/file/header", code="layout-header")
    if layout.file.format is FileFormat.PARQUET and layout.trailer is not None:
        yield FieldFault(pointer="/layout/trailer", code="layout-no-trailer")


def _field_faults(layout: Layout) -> Iterator[FieldFault]:
    fixed = layout.file.format is FileFormat.FIXED
    columns: set[str] = set()
    taken: list[tuple[int, int, str]] = []
    for name, each in layout.fields.items():
        where = f"/layout/fields/{name}"
        if fixed and (each.start is None or each.width is None or each.columns is not None):
            yield FieldFault(pointer=where, code="layout-place")
        elif not fixed and (each.start is not None or each.width is not None):
            yield FieldFault(pointer=where, code="layout-column")
        for column in each.columns or ([] if fixed else [name]):
            if column in columns:
                yield FieldFault(pointer=f"{where}/columns", code="layout-column-twice")
            columns.add(column)
        if fixed and each.start is not None and each.width is not None:
            taken.append((each.start, each.start + each.width, name))
        yield from _kind_faults(layout, each, where)
    taken.sort()
    for (_, end, _), (start, _, name) in pairwise(taken):
        if start < end:
            yield FieldFault(pointer=f"/layout/fields/{name}/start", code="layout-overlap")
    if fixed and layout.file.line_width is not None:
        for _, end, name in taken:
            if end - 1 > layout.file.line_width:
                yield FieldFault(pointer=f"/layout/fields/{name}/width", code="layout-beyond-line")


def _kind_faults(layout: Layout, each: LayoutField, where: str) -> Iterator[FieldFault]:
    for number, form in enumerate(each.formats or ()):
        if each.kind is not FieldKind.DATE or not is_date_format(form):
            yield FieldFault(pointer=f"{where}/formats/{number}", code="layout-date-format")
    if each.kind in (FieldKind.CODE, FieldKind.CODES) and not (each.codes or each.values):
        yield FieldFault(pointer=f"{where}/codes", code="layout-codes")
    if each.kind is FieldKind.ID_NUMBER:
        told = layout.fields.get(each.id_type_field or "")
        if (each.id_type is None) == (each.id_type_field is None):
            yield FieldFault(pointer=f"{where}/id_type", code="layout-id-type")
        elif each.id_type_field is not None and (told is None or told.kind is not FieldKind.ID_TYPE):
            yield FieldFault(pointer=f"{where}/id_type_field", code="layout-id-type")
    if each.least is not None and each.most is not None and each.least > each.most:
        yield FieldFault(pointer=f"{where}/least", code="layout-bounds")


def _reference_faults(layout: Layout) -> Iterator[FieldFault]:
    for number, name in enumerate(layout.unique):
        if name not in layout.fields:
            yield FieldFault(pointer=f"/layout/unique/{number}", code="layout-no-such-field")
    if layout.total is not None:
        found = layout.fields.get(layout.total)
        if found is None or found.kind is not FieldKind.AMOUNT:
            yield FieldFault(pointer="/layout/total", code="layout-total")


def _trailer_faults(layout: Layout) -> Iterator[FieldFault]:
    trailer = layout.trailer
    if trailer is None:
        return
    if trailer.count is None and trailer.sum is None:
        yield FieldFault(pointer="/layout/trailer", code="layout-trailer-empty")
    if trailer.sum is not None and layout.total_field is None:
        yield FieldFault(pointer="/layout/total", code="layout-total")
    for name, place in (("count", trailer.count), ("sum", trailer.sum)):
        if place is not None and not _fits(place, fixed=layout.file.format is FileFormat.FIXED):
            yield FieldFault(pointer=f"/layout/trailer/{name}", code="layout-place")


def _fits(place: Place, *, fixed: bool) -> bool:
    spans = place.start is not None and place.width is not None
    return spans and place.cell is None if fixed else place.cell is not None and place.start is place.width is None
