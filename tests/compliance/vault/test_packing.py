"""A packed record comes back as it was, has one encoding, and nothing that is not that encoding is taken."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from compliance.vault.packing import entry_head, pack, pack_entries, unpack, unpack_known
from models.errors import CannotOpen

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8)
MAPS = st.dictionaries(NAMES, st.binary(max_size=40), max_size=6)


@settings(deadline=None)
@given(MAPS)
def test_what_was_packed_comes_back(values: dict[str, bytes]) -> None:
    assert unpack(pack(values)) == values


@settings(deadline=None)
@given(MAPS)
def test_the_order_in_which_columns_were_given_does_not_matter(values: dict[str, bytes]) -> None:
    assert pack(dict(reversed(values.items()))) == pack(values)


@settings(deadline=None)
@given(MAPS, MAPS)
def test_two_maps_never_share_an_encoding(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (pack(one) == pack(other)) == (one == other)


@settings(deadline=None)
@given(MAPS, st.data())
def test_bytes_that_can_be_read_are_the_one_encoding_of_what_they_say(
    values: dict[str, bytes], data: st.DataObject
) -> None:
    packed = bytearray(pack(values))
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        read = unpack(bytes(packed))
    except CannotOpen:
        return
    assert pack(read) == bytes(packed)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=9)), st.sets(st.sampled_from("abcdef")), st.data())
def test_columns_that_are_known_are_read_as_any_others_or_not_at_all(
    values: dict[str, bytes], known: set[str], data: st.DataObject
) -> None:
    heads = [(name, entry_head(name)) for name in sorted(known)]
    assert unpack_known(pack(values), heads) == (values if values.keys() <= known else None)
    packed = bytearray(pack(values))
    packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    packed = packed[: data.draw(st.integers(0, len(packed)))] if data.draw(st.booleans()) else packed
    try:
        expected = unpack(bytes(packed))
    except CannotOpen:
        expected = None
    read = unpack_known(bytes(packed), heads)
    assert read == (expected if expected is not None and expected.keys() <= known else None)


@settings(deadline=None)
@given(MAPS, st.binary(min_size=1, max_size=5))
def test_what_is_cut_short_or_goes_on_is_refused(values: dict[str, bytes], more: bytes) -> None:
    packed = pack(values)
    for altered in [packed[:length] for length in range(len(packed))] + [packed + more]:
        with pytest.raises(CannotOpen):
            unpack(altered)


def test_the_form_is_the_documented_one() -> None:
    assert pack({"b": b"xy", "a": b""}).hex() == "01000200016100000000000162000000027879"
    assert pack({}).hex() == "010000"


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"\x02\x00\x00",
        pack_entries([(entry_head("b"), b""), (entry_head("a"), b"")]),
        pack_entries([(entry_head("a"), b""), (entry_head("a"), b"")]),
        bytes.fromhex("010001000000000000"),
        bytes.fromhex("0100010001ff00000000"),
    ],
    ids=["nothing", "another form", "not in order", "twice", "no name", "name is no text"],
)
def test_what_is_not_canonical_is_refused(packed: bytes) -> None:
    with pytest.raises(CannotOpen):
        unpack(packed)


def test_a_column_needs_a_name_that_fits() -> None:
    for name in ("", "x" * 65_536):
        with pytest.raises(ValueError, match="name"):
            pack({name: b""})
