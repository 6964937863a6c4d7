"""The list of what is sealed is whole: a table with a sealed column, or an index, that is not in it fails here."""

from collections import Counter

from sqlalchemy import LargeBinary

from compliance.vault.sealed_places import CELLS, FILES, INDEXES
from models.tables.all import METADATA

# Keyed bytes that are neither cells nor indexes of a value: they say nothing once their key or their row is gone.
NEITHER = {"one_time_codes.code_mac"}


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
    for name in halved:  # two ways to a person: each row goes one of them
        one, other = (place.only for place in CELLS if f"{place.name}.{place.columns[0]}" == name)
        assert str(one.compile()) == str((~other).compile())


def test_whatever_else_holds_bytes_is_an_index_with_its_place_or_known_to_be_neither() -> None:
    indexes = {f"{place.column.table.name}.{place.column.name}" for place in INDEXES}
    others = _columns(lambda column: isinstance(column.type, LargeBinary) and not column.info.get("sealed"))
    assert indexes == others - NEITHER
    assert others >= NEITHER


def test_a_column_that_is_called_a_cell_was_declared_as_one() -> None:
    assert _columns(lambda column: column.name.endswith("_cell")) == _columns(lambda column: column.info.get("sealed"))


def test_every_place_says_how_a_row_and_its_person_are_found() -> None:
    for place in CELLS:
        assert place.row.primary_key
        assert place.row.table is place.table
        assert place.subject.table is place.table or place.subject.table in [table for table, _ in place.joined]
    assert {"id", "tenant", "subject_id", "digest"} <= set(FILES.c.keys())
