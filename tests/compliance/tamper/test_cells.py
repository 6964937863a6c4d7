"""Cells, packed records, wrapped keys and files: whatever is done to one of them in the store is refused."""

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from compliance.vault import cells, files
from compliance.vault.suites import Suite
from tests.compliance.tamper.attacks import Tally, at_random, every_bit
from tests.compliance.tamper.sealed_forms import SUITES, forms, key_of

SEED = 20_261_123
ROUNDS = 60  # of each form
LEAST = 5_000  # random cases under each suite; every bit and length comes on top


def _attacked(suite: Suite, folder: Path, *, rounds: int) -> Tally:
    random, tally = Random(SEED + suite.id), Tally()
    for form in forms(folder):
        for _ in range(rounds):
            at_random(tally, form, random, key_of(suite, random))
    return tally


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.code)
def test_every_random_attack_is_refused(suite: Suite, tmp_path: Path) -> None:
    tally = _attacked(suite, tmp_path, rounds=ROUNDS)
    assert tally.let_through == []
    assert tally.total >= LEAST, tally.tried
    swaps = ("tenant", "table", "column", "row", "subject", "schema_version", "version", "suite", "branch_version")
    for kind in ("moved", "other key version", "other suite", "document_id", *swaps):
        assert tally.tried[f"other {kind}"] >= ROUNDS or tally.tried[kind] >= ROUNDS, kind


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.code)
def test_every_bit_and_every_length_is_refused(suite: Suite, tmp_path: Path) -> None:
    random, tally = Random(SEED), Tally()
    for form in forms(tmp_path):
        for _ in range(2):
            every_bit(tally, form, random, key_of(suite, random))
    assert tally.let_through == []
    assert tally.tried["bit"] >= 2 * 8 * (4 * 32 + 30 + 92)


# Would it be noticed? A binding that forgets one part lets exactly the swaps of that part through. --------------------


def _without(part: int, original: Callable[..., bytes]) -> Callable[..., bytes]:
    def forgetful(*parts: object) -> bytes:
        kept = [("" if isinstance(value, str) else 0) if at == part else value for at, value in enumerate(parts)]
        return original(*kept)

    return forgetful


@pytest.mark.parametrize(
    ("part", "function", "position"),
    [
        ("tenant", "column_binding", 0),
        ("table", "column_binding", 1),
        ("column", "column_binding", 2),
        ("row", "row_binding", 0),
        ("subject", "row_binding", 1),
        ("schema_version", "form_binding", 1),
    ],
)
def test_a_binding_that_forgets_a_part_is_noticed(
    part: str, function: str, position: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells, function, _without(position, getattr(cells, function)))
    through = _attacked(SUITES[0], tmp_path, rounds=15).let_through
    assert {f"{form}: other {part}" for form in ("cell", "packed", "record", "packed record")} <= set(through)
    assert not [hole for hole in through if not hole.startswith(("cell", "packed", "record"))]
    assert not [hole for hole in through if hole.startswith("cell: other ") and part not in hole]


@pytest.mark.parametrize("rule", ["string join", "header left out"])
def test_a_careless_binding_is_noticed(rule: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if rule == "string join":
        monkeypatch.setattr(cells, "row_binding", lambda row, subject: f"{row}{subject}".encode())
        expected = "cell: other letter from row to subject"
    else:
        monkeypatch.setattr(cells, "form_binding", lambda _header, version: version.to_bytes(8))
        expected = "cell: key version rewritten"
    assert expected in _attacked(SUITES[0], tmp_path, rounds=40).let_through


@pytest.mark.parametrize(
    ("position", "part"), [(2, "tenant"), (3, "subject"), (4, "version"), (5, "suite"), (6, "branch_version")]
)
def test_a_wrapped_key_whose_binding_forgets_a_part_is_noticed(
    position: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compliance.vault.framing import framed

    forgetful = _without(position, framed)
    monkeypatch.setattr(cells, "framed", lambda *parts: forgetful(*parts) if len(parts) == 7 else framed(*parts))
    assert f"wrapped key: other {part}" in _attacked(SUITES[0], tmp_path, rounds=15).let_through


@pytest.mark.parametrize(("position", "part"), [(1, "tenant"), (2, "subject"), (3, "document_id")])
def test_a_file_whose_key_forgets_a_part_is_noticed(
    position: int, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from compliance.vault.framing import framed

    forgetful = _without(position, framed)
    monkeypatch.setattr(files, "framed", lambda *parts: forgetful(*parts) if len(parts) == 5 else framed(*parts))
    assert f"file: other {part}" in _attacked(SUITES[0], tmp_path, rounds=15).let_through
