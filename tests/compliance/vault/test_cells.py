"""A cell opens where it was sealed and nowhere else; its form on disk does not change unnoticed."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.cells import (
    OVERHEAD_BYTES,
    PACKED_FORMAT,
    CellAddress,
    ManySubjectKeys,
    RowAddress,
    SubjectKeyAddress,
    commitment,
    key_version_of,
    open_cell,
    seal_cell,
    seal_cell_under,
    unwrap_subject_key,
    wrap_subject_key,
)
from compliance.vault.framing import framed
from compliance.vault.suites import AES_256_GCM, SM4_GCM, SealingKey, Suite
from models.errors import CannotOpen

KEY = SealingKey(AES_256_GCM, bytes(range(32)), version=3)
ADDRESS = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a", schema_version=1)
IDENTIFIER = st.text(st.characters(codec="utf-8"), max_size=12)
ADDRESSES = st.builds(
    CellAddress, IDENTIFIER, IDENTIFIER, IDENTIFIER, IDENTIFIER, IDENTIFIER, schema_version=st.integers(0, 2**40)
)
GOLDEN = Path(__file__).with_name("golden_cell.json")


@settings(deadline=None)
@given(ADDRESSES, st.binary(max_size=300))
def test_what_was_sealed_opens_at_the_same_address(address: CellAddress, value: bytes) -> None:
    sealed = seal_cell(KEY, address, value)
    assert open_cell(KEY, address, sealed) == value
    assert len(sealed) == len(value) + OVERHEAD_BYTES == len(value) + 32


@settings(deadline=None)
@given(ADDRESSES, ADDRESSES, st.binary(max_size=40))
def test_a_cell_does_not_open_at_another_address(one: CellAddress, other: CellAddress, value: bytes) -> None:
    sealed = seal_cell(KEY, one, value)
    if one != other:
        with pytest.raises(CannotOpen):
            open_cell(KEY, other, sealed)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("tenant", "other"),
        ("table", "contact_points"),
        ("column", "id_cell"),
        ("row", "sub_b"),
        ("subject", "sub_b"),
        ("schema_version", 2),
    ],
)
def test_every_part_of_the_address_is_bound(part: str, value: Any) -> None:
    sealed = seal_cell(KEY, ADDRESS, "王小明")
    with pytest.raises(CannotOpen):
        open_cell(KEY, dataclasses.replace(ADDRESS, **{part: value}), sealed)


def test_parts_cannot_borrow_letters_from_their_neighbours() -> None:
    sealed = seal_cell(KEY, CellAddress("acme", "ab", "c", "row", "sub"), b"")
    with pytest.raises(CannotOpen):
        open_cell(KEY, CellAddress("acme", "a", "bc", "row", "sub"), sealed)


def test_every_flipped_bit_is_refused() -> None:
    sealed = seal_cell(KEY, ADDRESS, "王小明".encode())
    for bit in range(len(sealed) * 8):
        flipped = bytearray(sealed)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            open_cell(KEY, ADDRESS, bytes(flipped))


def test_a_cell_that_was_cut_or_lengthened_is_refused() -> None:
    sealed = seal_cell(KEY, ADDRESS, b"value")
    for altered in [sealed[:length] for length in range(len(sealed))] + [sealed + b"\x00"]:
        with pytest.raises(CannotOpen):
            open_cell(KEY, ADDRESS, altered)


def test_another_key_version_or_another_key_is_refused() -> None:
    sealed = seal_cell(KEY, ADDRESS, b"value")
    for key in (
        SealingKey(AES_256_GCM, bytes(range(32)), version=4),
        SealingKey(AES_256_GCM, bytes(range(1, 33)), version=3),
    ):
        with pytest.raises(CannotOpen):
            open_cell(key, ADDRESS, sealed)


def test_a_header_rewritten_to_another_version_of_the_same_secret_is_refused() -> None:
    sealed = bytearray(seal_cell(KEY, ADDRESS, b"value"))
    sealed[2:4] = (4).to_bytes(2)
    with pytest.raises(CannotOpen):
        open_cell(SealingKey(AES_256_GCM, bytes(range(32)), version=4), ADDRESS, bytes(sealed))


def test_a_refusal_says_where_and_nothing_of_the_value() -> None:
    sealed = seal_cell(KEY, ADDRESS, "王小明")
    with pytest.raises(CannotOpen) as refused:
        open_cell(KEY, ADDRESS, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    assert refused.value.detail == "cell subjects.name_cell of sub_a"
    assert refused.value.__suppress_context__


def test_a_text_that_is_no_unicode_is_refused_without_being_repeated() -> None:
    with pytest.raises(ValueError, match="not valid Unicode") as refused:
        seal_cell(KEY, ADDRESS, "王小明\ud800")
    assert "王" not in repr(refused.value)


def test_the_same_value_twice_is_two_different_cells() -> None:
    assert seal_cell(KEY, ADDRESS, b"value") != seal_cell(KEY, ADDRESS, b"value")


def test_the_version_in_the_header_is_found_before_opening() -> None:
    assert key_version_of(seal_cell(KEY, ADDRESS, b"")) == 3
    for nonsense in (b"", b"\x01\x01\x00\x01", bytes([PACKED_FORMAT + 1]) + bytes(40)):
        with pytest.raises(CannotOpen):
            key_version_of(nonsense)


def test_the_cells_of_a_row_are_the_cells_of_its_columns() -> None:
    assert RowAddress("acme", "subjects", "sub_a", "sub_a").cell("name_cell") == ADDRESS


# Framing --------------------------------------------------------------------------------------------------------------

PARTS = st.lists(st.binary(max_size=6), max_size=4)


@settings(deadline=None)
@given(PARTS, PARTS)
def test_two_different_tuples_are_never_the_same_bytes(one: list[bytes], other: list[bytes]) -> None:
    assert (framed(*one) == framed(*other)) == (one == other)


@settings(deadline=None)
@given(ADDRESSES)
def test_the_faster_binding_is_the_documented_one(address: CellAddress) -> None:
    nonce = bytes(12)
    sealed = seal_cell_under(KEY, address, b"value", nonce=nonce)
    header = bytes((1, 1, 0, 3))
    binding = framed(
        "casework.cell",
        address.tenant,
        address.table,
        address.column,
        address.row,
        address.subject,
        header,
        address.schema_version,
    )
    assert sealed == header + nonce + AES_256_GCM.aead(bytes(range(32))).encrypt(nonce, b"value", binding)


# Wrapped keys ---------------------------------------------------------------------------------------------------------

SUBJECT_KEY = SubjectKeyAddress(tenant="acme", subject="sub_a", version=1, suite=1, branch_version=3)


@pytest.mark.parametrize(
    ("part", "value"), [("tenant", "other"), ("subject", "sub_b"), ("version", 2), ("suite", 2), ("branch_version", 4)]
)
def test_a_wrapped_key_is_bound_to_whose_it_is(part: str, value: Any) -> None:
    wrapped = wrap_subject_key(KEY, SUBJECT_KEY, bytes(32))
    assert unwrap_subject_key(KEY, SUBJECT_KEY, wrapped) == bytes(32)
    with pytest.raises(CannotOpen):
        unwrap_subject_key(KEY, dataclasses.replace(SUBJECT_KEY, **{part: value}), wrapped)


def test_every_flipped_bit_of_a_wrapped_key_is_refused() -> None:
    wrapped = wrap_subject_key(KEY, SUBJECT_KEY, bytes(32))
    for bit in range(len(wrapped) * 8):
        flipped = bytearray(wrapped)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CannotOpen):
            unwrap_subject_key(KEY, SUBJECT_KEY, bytes(flipped))


@pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
def test_keys_wrapped_in_bulk_are_those_wrapped_one_by_one(suite: Suite) -> None:
    branch = SealingKey(suite, bytes(range(suite.key_bytes)), version=3)
    secrets = {name: bytes([number]) * suite.key_bytes for number, name in enumerate(("sub_a", "sub_b", "办件"))}
    many = ManySubjectKeys(branch, tenant="acme", version=1, suite=suite)
    for (subject, secret), (key, wrapped, committed) in zip(secrets.items(), many.wrap(secrets), strict=True):
        address = SubjectKeyAddress(tenant="acme", subject=subject, version=1, suite=suite.id, branch_version=3)
        assert unwrap_subject_key(branch, address, wrapped) == secret
        assert commitment(key, tenant="acme", subject=subject) == committed
        alone = wrap_subject_key(branch, address, secret)
        [opened] = many.unwrap([(subject, alone, committed)])
        assert opened.open(key.seal(b"value", b""), b"") == b"value"
        for whose, what, commits in (
            ("sub_c", alone, committed),
            (subject, alone[:-1], committed),
            (subject, alone[:20], committed),
            (subject, bytes((2,)) + alone[1:], committed),
            (subject, alone, bytes(16)),
        ):
            with pytest.raises(CannotOpen, match=f"subject {whose}"):
                many.unwrap([(subject, alone, committed), (whose, what, commits)])
    for other in (
        ManySubjectKeys(branch, tenant="other", version=1, suite=suite),
        ManySubjectKeys(branch, tenant="acme", version=2, suite=suite),
        ManySubjectKeys(
            SealingKey(suite, bytes(range(suite.key_bytes)), version=4), tenant="acme", version=1, suite=suite
        ),
    ):
        with pytest.raises(CannotOpen):
            other.unwrap([(subject, alone, committed)])


def test_a_commitment_fits_one_key_of_one_subject() -> None:
    mine = commitment(KEY, tenant="acme", subject="sub_a")
    assert mine == commitment(KEY, tenant="acme", subject="sub_a")
    assert len(mine) == 16
    other = SealingKey(AES_256_GCM, bytes(32), version=3)
    assert mine not in {
        commitment(other, tenant="acme", subject="sub_a"),
        commitment(KEY, tenant="acme", subject="sub_b"),
        commitment(KEY, tenant="other", subject="sub_a"),
    }


# The frozen form ------------------------------------------------------------------------------------------------------


def _golden() -> list[dict[str, Any]]:
    examples: list[dict[str, Any]] = json.loads(GOLDEN.read_text(encoding="utf-8"))["cells"]
    return examples


@pytest.mark.parametrize("example", _golden(), ids=lambda example: example["name"])
def test_the_form_on_disk_is_the_frozen_one(example: dict[str, Any]) -> None:
    """Bytes that were written once must be readable for ever; a new form gets a new format byte and a new example."""
    key = SealingKey(AES_256_GCM, bytes.fromhex(example["key"]), version=example["key_version"])
    address = CellAddress(**example["address"])
    value = example["value"].encode()
    sealed = bytes.fromhex(example["sealed"])
    assert open_cell(key, address, sealed) == value
    assert seal_cell_under(key, address, value, nonce=bytes.fromhex(example["nonce"])) == sealed
