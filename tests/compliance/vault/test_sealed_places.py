"""The list of what is sealed is whole: a table with a sealed column, or an index, that is not in it fails here."""

from collections import Counter

from sqlalchemy import Column, LargeBinary, or_
from sqlalchemy.sql.visitors import iterate

from compliance.vault.sealed_places import CELLS, FILES, INDEXES
from models.tables.all import METADATA

# Keyed bytes that are neither cells nor indexes of a value: they say nothing once their key or their row is gone.
NEITHER = {
    "one_time_codes.code_mac",
    "transfer_rows.digest",
    "batch_rows.natural_key",
    "transfer_record_tokens.tokens",  # under the job's linkage key, which goes with the job
    # Whole sealed columns of a record as they lay there, under the record's own key: they end with it.
    "transfer_changes.before_image",
    "transfer_changes.after_image",
    # Cells once more, as they lay in the record before and after.
    "change_requests.before_image",
    "change_requests.after_image",
}


ELSEWHERE = {"transfer_papers"}  # its content stands in a cell


def _columns(wanted) -> set[str]:
    return {
        f"{table.name}.{column.name}"
        for table in METADATA.tables.values()
        for column in table.columns
        if wanted(column)
    }


def test_every_sealed_column_has_its_place() -> None:
    listed = Counter(f"{place.name}.{column}" for place in CELLS for column in place.columns)
    assert set(listed) == _columns(lambda column: column.info.get("sealed"))
    halved = [name for name, count in listed.items() if count > 1]
    assert sorted(halved) == ["decisions.note_cell", "task_comments.text_cell"]
    for name in halved:  # several ways to a person: each row goes one of them
        one, *others = (place.only for place in CELLS if f"{place.name}.{place.columns[0]}" == name)
        assert str(one.compile()) == str((~or_(*others)).compile())


def test_whatever_else_holds_bytes_is_an_index_with_its_place_or_known_to_be_neither() -> None:
    indexes = {f"{place.column.table.name}.{place.column.name}" for place in INDEXES}
    others = _columns(lambda column: isinstance(column.type, LargeBinary) and not column.info.get("sealed"))
    assert indexes == others - NEITHER
    assert others >= NEITHER


def test_a_column_that_is_called_a_cell_was_declared_as_one() -> None:
    assert _columns(lambda column: column.name.endswith("_cell")) == _columns(lambda column: column.info.get("sealed"))


def test_every_place_says_how_a_row_and_its_person_are_found() -> None:
    for place in CELLS:
        unique = [list(index.columns) for index in place.table.indexes if index.unique]
        assert place.row.primary_key or [place.row] in unique
        assert place.row.table is place.table
        # Of a record and of a job the token stands at the end of another name: no column, an expression over one.
        told_by = {each for each in iterate(place.subject) if isinstance(each, Column)}
        assert len(told_by) == 1
        assert {each.table for each in told_by} <= {place.table, *(table for table, _ in place.joined)}


def test_every_table_that_names_a_file_on_the_shelf_has_its_place() -> None:
    named = {table.name for table in METADATA.tables.values() if {"file_name", "size_bytes"} & set(table.c.keys())}
    assert {place.name for place in FILES} == named - ELSEWHERE
    for place in FILES:
        assert place.file.table is place.table
        assert {each.table for each in iterate(place.subject) if isinstance(each, Column)} == {place.table}
