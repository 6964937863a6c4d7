"""Cleaning (清洗): rows of a file, one by one, into rows that may go on and rows that are held with every fault.

Memory grows by sixteen bytes and a number for each accepted row, which tell a second one of the same; by nothing else.
"""

import hashlib
import json
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from models.domain.batches.files.amounts import read_amount
from models.domain.batches.files.layout import Layout, Place
from models.domain.batches.files.report import FieldQuality, QualityReport
from models.domain.batches.files.rows import CleanRow, HeldRow, LineFault, Value
from models.domain.batches.files.totals import Totals, differences
from models.domain.batches.files.values import is_absent, reader_of
from models.domain.batches.files.words import FieldKind, FileFormat
from models.domain.customers.faults import ROW, Severity, severity_of
from models.domain.tabular.rows import ReadRow
from models.errors import FieldFault, FormInvalid

_WORDS: Final = 32  # bits of the checksum beside a line number


class RowChecker:
    """Checks the texts of one row; for rows of a file, and for one that a person has corrected."""

    def __init__(self, layout: Layout, *, today: date) -> None:
        self._today = today
        # A document's kind is read before its number.
        names = sorted(layout.fields, key=lambda name: layout.fields[name].kind is FieldKind.ID_NUMBER)
        self._readers = [(name, reader_of(name, layout), layout.fields[name].required) for name in names]

    def check(
        self, texts: Mapping[str, str], known: Sequence[LineFault] = ()
    ) -> tuple[dict[str, Value], list[LineFault]]:
        """Values of the fields that have one, and all faults: those of reading (`known`) explain a field's own."""
        values: dict[str, Value] = {}
        faults = list(known)
        explained = {fault.field for fault in known}
        for name, read, required in self._readers:
            text = texts.get(name, "")
            if name in explained:
                continue
            if is_absent(text):
                if required:
                    faults.append(LineFault(name, "missing"))
                continue
            value, fault = read(text, values, self._today)
            if value is not None:
                values[name] = value
            if fault is not None:
                faults.append(fault)
        return values, faults


def is_warning(fault: LineFault) -> bool:
    """Whether it is counted and holds nothing."""
    return severity_of(fault.rule) is Severity.WARN


def key_of(layout: Layout, values: Mapping[str, Value]) -> tuple[str, ...]:
    """What names a row: its unique fields, or all of it. Two rows of one key are one too many."""
    return tuple(str(values.get(name, "")) for name in (layout.unique or layout.fields))


class Cleaner:
    """One file, row after row; then the report."""

    def __init__(self, layout: Layout, header: Sequence[str], *, today: date, stated: Totals | None = None) -> None:
        """Find the fields' columns.

        Args:
            layout: how the file is built.
            header: names of the columns, in order.
            today: the business date.
            stated: control totals that came apart from the file.

        Raises:
            FormInvalid: columns that the file lacks or has twice; all of them.
        """
        self._layout, self._stated, self._width = layout, stated, len(header)
        self._places = _places(layout, header)
        self._names = {f"#{place}": name for name, place in self._places.items()}
        self._checker = RowChecker(layout, today=today)
        self._total = layout.total_field
        self._seen: dict[bytes, int] = {}
        self._read = self._accepted = self._rejected = self._duplicates = 0
        self._sum = self._accepted_sum = self._unread = 0
        self._rules: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._invalid: Counter[str] = Counter()
        self._trailer: Totals | None = None
        self._trailer_line = 0
        self._file_faults: list[FieldFault] = []

    def take(self, row: ReadRow) -> CleanRow | HeldRow | None:
        """What becomes of a row; None of the trailer.

        Raises:
            FormInvalid: the file holds more rows than its layout allows.
        """
        if self._is_trailer(row):
            return None
        self._read += 1
        if self._read > self._layout.file.most_rows:
            params: dict[str, str | int] = {"limit": self._layout.file.most_rows}
            raise FormInvalid(faults=(FieldFault(pointer="/file", code="file-too-many-rows", params=params),))
        texts, known = self._texts(row)
        if any(fault.field == ROW for fault in known):
            values: dict[str, Value] = {}
            faults = known
        else:
            values, faults = self._checker.check(texts, known)
        self._count(texts, values, faults)
        holding = [fault for fault in faults if not is_warning(fault)]
        if not holding and (again := self._again(row.line, values)) is not None:
            self._rules[again.rule] += 1
            holding, faults = [again], [*faults, again]
        if holding:
            held = HeldRow(row.line, tuple(faults), texts, tuple(row.cells), row.original)
            self._rejected += 1
            self._duplicates += all(fault.rule in {"row-duplicate", "key-repeated"} for fault in holding)
            return held
        self._accepted += 1
        self._accepted_sum += self._amount(values) or 0
        return CleanRow(row.line, values, tuple(faults))

    def finish(self) -> QualityReport:
        """The report of all rows that were taken."""
        faults = list(self._file_faults)
        found = {"count": self._read, "sum_minor": self._sum, "unread": self._unread}
        if self._layout.trailer is not None and not self._trailer_line:
            faults.append(FieldFault(pointer="/file/trailer", code="file-trailer-missing"))
        if self._trailer is not None:
            faults += differences(self._trailer, **found, pointer="/file/trailer")
        if self._stated is not None:
            faults += differences(self._stated, **found, pointer="/stated")
        if not self._read:
            faults.append(FieldFault(pointer="/file", code="file-no-rows"))
        return QualityReport(
            layout=self._layout.name,
            layout_digest=self._layout.digest,
            read=self._read,
            accepted=self._accepted,
            rejected=self._rejected,
            duplicates=self._duplicates,
            sum_minor=self._sum,
            accepted_minor=self._accepted_sum,
            unread_amounts=self._unread,
            rules=dict(self._rules),
            fields={
                name: FieldQuality(filled=self._filled[name], valid=self._filled[name] - self._invalid[name])
                for name in self._layout.fields
            },
            file_faults=tuple(faults),
        )

    def _texts(self, row: ReadRow) -> tuple[dict[str, str], list[LineFault]]:
        known = [
            LineFault(self._names.get(fault.field, fault.field), fault.rule)
            for fault in row.faults
            if fault.field == ROW or fault.field in self._names
        ]
        if not row.cells:
            return {}, known or [LineFault(ROW, "row-empty")]
        texts = {name: row.cells[place] for name, place in self._places.items() if place < len(row.cells)}
        if len(row.cells) != self._width:
            params = {"found": len(row.cells), "expected": self._width}
            known.insert(0, LineFault(ROW, "row-ragged", params))
        return texts, known

    def _count(self, texts: Mapping[str, str], values: Mapping[str, Value], faults: Sequence[LineFault]) -> None:
        filled = {name for name, text in texts.items() if not is_absent(text)}
        self._filled.update(filled)
        self._invalid.update({fault.field for fault in faults if not is_warning(fault)} & filled)
        self._rules.update({fault.rule for fault in faults})
        if self._total is None:
            return
        amount = self._amount(values)
        if amount is None:
            self._unread += 1
        else:
            self._sum += amount

    def _amount(self, values: Mapping[str, Value]) -> int | None:
        value = values.get(self._total or "")
        return value if isinstance(value, int) else None

    def _again(self, line: int, values: Mapping[str, Value]) -> LineFault | None:
        """Whether an accepted row before it is the same, or has the same key."""
        key = hashlib.blake2b(json.dumps(key_of(self._layout, values)).encode(), digest_size=16).digest()
        whole = zlib.crc32(json.dumps([str(values.get(name, "")) for name in self._layout.fields]).encode())
        first = self._seen.get(key)
        if first is None:
            self._seen[key] = line << _WORDS | whole
            return None
        same = first & ((1 << _WORDS) - 1) == whole
        return LineFault(ROW, "row-duplicate" if same else "key-repeated", {"line": first >> _WORDS})

    def _is_trailer(self, row: ReadRow) -> bool:
        trailer = self._layout.trailer
        if trailer is None:
            return False
        if self._layout.file.format is FileFormat.FIXED:
            marked = row.original.startswith(trailer.mark)
        else:
            marked = bool(row.cells) and row.cells[0].strip() == trailer.mark
        if not marked:
            if self._trailer_line and row.cells:
                self._once(FieldFault(pointer="/file/trailer", code="file-trailer-not-last"))
            return False
        if self._trailer_line:
            self._once(FieldFault(pointer="/file/trailer", code="file-trailer-twice"))
        self._trailer_line = row.line
        count = self._control(row, trailer.count, "count")
        sum_minor = self._control(row, trailer.sum, "sum")
        self._trailer = Totals(count=count, sum_minor=sum_minor)
        return True

    def _control(self, row: ReadRow, place: Place | None, name: str) -> int | None:
        if place is None:
            return None
        if place.cell is not None:
            text = row.cells[place.cell - 1] if place.cell <= len(row.cells) else ""
        else:
            start = (place.start or 1) - 1
            text = row.original[start : start + (place.width or 0)]
        text = text.strip()
        if name == "count":
            number = int(text) if text.isascii() and text.isdigit() else None
        else:
            number, rule = read_amount(text, self._layout.file.amounts)
            number = 0 if rule == "amount-zero" else number
        if number is None:
            self._once(FieldFault(pointer=f"/file/trailer/{name}", code="file-trailer-unreadable"))
        return number

    def _once(self, fault: FieldFault) -> None:
        if fault not in self._file_faults:
            self._file_faults.append(fault)


def _places(layout: Layout, header: Sequence[str]) -> dict[str, int]:
    at: dict[str, list[int]] = {}
    for place, column in enumerate(header):
        at.setdefault(column.strip(), []).append(place)
    fixed = layout.file.format is FileFormat.FIXED
    places, faults = {}, []
    for name, field in layout.fields.items():
        found = [place for column in (field.columns or [name]) for place in at.get(column.strip(), ())]
        if len(found) == 1:
            places[name] = found[0]
        elif found:
            faults.append(FieldFault(pointer=f"/layout/fields/{name}/columns", code="file-column-twice"))
        elif field.required or fixed:
            faults.append(FieldFault(pointer=f"/layout/fields/{name}/columns", code="file-column-missing"))
    if faults:
        raise FormInvalid(faults=tuple(faults))
    return places
