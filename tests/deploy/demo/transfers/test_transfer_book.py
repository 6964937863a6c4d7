"""The two books of a transfer: the same each time, as dirty as the recipe says, and the truth about them is true."""

import csv
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from deploy.demo.transfer_book import SOURCE, TARGET, TRUTH, TransferBook, write_transfer_book
from deploy.demo.transfers.foreign import CODES, HEADERS
from deploy.demo.transfers.mapping import NAME
from deploy.demo.transfers.recipe import RECIPES, Dirt, Recipe, RecipeInvalid, read_recipe
from deploy.demo.transfers.truth import TrueRow, read_truth
from models.domain.customers.record import FIELDS, REQUIRED_FIELDS
from models.domain.identifiers import IdType, check_identity
from models.domain.rule_broken import RuleBroken

TODAY = date(2026, 11, 22)


def _made(folder: Path, *, encoding: str = "utf-8", recipe: Recipe = RECIPES["standard"], seed: int = 11) -> Path:
    book = TransferBook(source=900, target=700, overlap=200, seed=seed, recipe=recipe, encoding=encoding)
    write_transfer_book(folder, book)
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _made(tmp_path_factory.mktemp("book"))


def _source(folder: Path, encoding: str = "utf-8") -> list[list[str]]:
    with (folder / SOURCE).open(encoding=encoding, newline="") as file:
        return list(csv.reader(file))


def _target(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / TARGET).open(encoding="utf-8", newline="") as file:
        return {row["customer_no"]: row for row in csv.DictReader(file)}


def _field(line: list[str], name: str) -> str:
    return line[list(HEADERS).index(name)]


def _id_type(line: list[str]) -> IdType:
    codes = {code: name for name, code in CODES["id_type"].items()}
    return IdType(codes[_field(line, "id_type")])


def _truth(folder: Path) -> list[TrueRow]:
    return list(read_truth(folder / TRUTH))


def test_same_arguments_same_bytes_and_another_seed_other_people(made: Path, tmp_path: Path) -> None:
    again, other = _made(tmp_path / "a"), _made(tmp_path / "b", seed=12)
    for name in (SOURCE, TARGET, TRUTH):
        assert (made / name).read_bytes() == (again / name).read_bytes()
        assert (made / name).read_bytes() != (other / name).read_bytes()


def test_the_acquirers_book_is_complete_and_every_number_in_it_is_valid_and_nobody_elses(made: Path) -> None:
    target = _target(made)
    assert len(target) == 700
    for row in target.values():
        assert list(row) == list(FIELDS)
        assert all(row[name] for name in REQUIRED_FIELDS)
        assert check_identity(IdType(row["id_type"]), row["id_number"], TODAY) == row["id_number"]
    assert len({row["id_number"] for row in target.values()}) == len({row["account"] for row in target.values()}) == 700


def test_whom_the_truth_calls_one_person_has_one_document_in_both_books(made: Path) -> None:
    lines, target = _source(made)[1:], _target(made)
    known = 0
    for row in _truth(made):
        if not row.target_customer_no or "ragged" in row.dirt:
            continue
        known += row.same_as_row is None
        in_file = row.fixes.get("id_number") or _field(lines[row.row - 1], "id_number")
        spelled = check_identity(_id_type(lines[row.row - 1]), in_file, TODAY)
        assert spelled == target[row.target_customer_no]["id_number"]
    assert known >= 170


def test_nobody_else_of_either_book_has_the_document_of_a_row(made: Path) -> None:
    of_document: dict[str, set[str]] = {}
    for row, line in zip(_truth(made), _source(made)[1:], strict=True):
        if row.fixes:
            continue
        of_document.setdefault(check_identity(_id_type(line), _field(line, "id_number"), TODAY), set()).add(
            row.target_customer_no or f"person {row.person}"
        )
    for customer_no, record in _target(made).items():
        of_document.setdefault(record["id_number"], set()).add(customer_no)
    assert {len(owners) for owners in of_document.values()} == {1}


def test_every_kind_of_dirt_of_the_recipe_comes_about_as_often_as_it_says(tmp_path: Path) -> None:
    recipe = Recipe(twins=100, households=100, dirt=dict.fromkeys(Dirt, 60))
    folder = _made(tmp_path, recipe=recipe)
    counts = Counter(kind for row in _truth(folder) if row.same_as_row is None for kind in row.dirt)
    assert set(counts) == set(Dirt)
    assert all(20 < counts[kind] < 90 for kind in (Dirt.ID_MISSING, Dirt.MOBILE_CHANGED, Dirt.DUPLICATE))


def test_a_line_that_must_be_corrected_is_wrong_and_its_fixes_make_it_right(tmp_path: Path) -> None:
    recipe = Recipe(dirt={Dirt.ID_TRANSPOSED: 300, Dirt.ID_CHECKSUM: 300, Dirt.ID_MISSING: 100})
    lines = _source(_made(tmp_path, recipe=recipe))[1:]
    fixed = 0
    for row in _truth(tmp_path):
        if "id_number" not in row.fixes:
            continue
        line = lines[row.row - 1]
        with pytest.raises(RuleBroken):
            check_identity(_id_type(line), _field(line, "id_number"), TODAY)
        assert check_identity(_id_type(line), row.fixes["id_number"], TODAY)
        fixed += 1
    assert fixed > 200


def test_twins_share_what_families_share_and_have_a_document_of_their_own(tmp_path: Path) -> None:
    folder = _made(tmp_path, recipe=Recipe(twins=500))
    truth = _truth(folder)
    lines = {row.person: line for row, line in zip(truth, _source(folder)[1:], strict=True)}
    twins = [row for row in truth if row.relation == "twin"]
    assert len(twins) > 150
    for row in twins:
        assert row.relative is not None
        one, other = lines[row.person], lines[row.relative]
        for name in ("birth_date", "address", "mobile"):
            assert _field(one, name) == _field(other, name)
        assert _field(one, "name")[0] == _field(other, "name")[0]
        assert _field(one, "name") != _field(other, "name")
        assert _field(one, "id_number") != _field(other, "id_number")


def test_a_duplicate_is_the_same_line_again(made: Path) -> None:
    lines, truth = _source(made)[1:], _truth(made)
    again = [row for row in truth if row.same_as_row is not None]
    assert again
    for row in again:
        assert lines[row.row - 1] == lines[(row.same_as_row or 0) - 1]
        assert row.person == truth[(row.same_as_row or 0) - 1].person


def test_the_file_can_be_gb18030_and_says_the_same(made: Path, tmp_path: Path) -> None:
    assert _source(_made(tmp_path, encoding="gb18030"), "gb18030") == _source(made)


def test_the_mapping_names_every_column_and_code_of_the_file(made: Path) -> None:
    mapping = tomllib.loads((made / NAME).read_text(encoding="utf-8"))
    header, *lines = _source(made)
    assert set(mapping["fields"]) == set(FIELDS)
    for rule in mapping["fields"].values():
        column = header.index(rule["column"])
        written = {line[column] for line in lines if len(line) == len(header)}
        assert written
        assert written <= set(rule.get("values", written))


def test_an_overlap_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="customers in common"):
        TransferBook(source=1_000, target=100, overlap=500, seed=1, recipe=Recipe())


def test_a_recipe_of_ones_own_is_read_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text("twins = 7\n[dirt]\nid-missing = 9\n", encoding="utf-8")
    assert read_recipe(path) == Recipe(twins=7, dirt={Dirt.ID_MISSING: 9})
    path.write_text("[dirt]\nid-lost = 9\n", encoding="utf-8")
    with pytest.raises(RecipeInvalid, match="id-lost"):
        read_recipe(path)
    path.write_text("twins = 1001\n", encoding="utf-8")
    with pytest.raises(RecipeInvalid, match="per mille"):
        read_recipe(path)
