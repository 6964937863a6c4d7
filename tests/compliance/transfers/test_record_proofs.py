"""Roots and checksums: equal for equal meaning, different for every change, addable, and worthless without the key."""

import hashlib
import hmac
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.audit.log import leaf_hash, root_hash
from compliance.transfers.record_proofs import (
    Named,
    Proof,
    ProofKey,
    Tally,
    differing_columns,
    differing_figures,
    leaf_of,
)
from compliance.vault.customer_layout import as_stored
from compliance.vault.framing import framed
from compliance.vault.suites import AES_256_GCM, SM4_GCM, Suite
from models.domain.customers.record import FIELDS, canonical_record

SECRET = bytes(range(32))
BOTH = pytest.mark.parametrize("suite", [AES_256_GCM, SM4_GCM], ids=lambda suite: suite.code)
_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20)
_RECORDS = st.dictionaries(
    st.text(alphabet="abc01", min_size=1, max_size=6),
    st.dictionaries(st.sampled_from(FIELDS), st.one_of(st.none(), _TEXT), max_size=6),
    max_size=12,
)


def _named(records: dict[str, dict[str, str | None]]) -> list[Named]:
    return [Named(name, records[name]) for name in sorted(records)]


def _proof(key: ProofKey, records: dict[str, dict[str, str | None]]) -> Proof:
    proof = Proof()
    proof.extend(key, _named(records))
    return proof


@BOTH
def test_the_hashes_are_what_the_document_says(suite: Suite) -> None:
    values = {"name": "王小明", "language": "en"}

    def keyed(context: bytes, message: bytes, length: int) -> bytes:
        if suite is SM4_GCM:
            return hmac.digest(SECRET, context + message, "sm3")[:length]
        return hashlib.blake2b(context + message, key=SECRET, digest_size=length).digest()

    key = ProofKey(suite, SECRET)
    digest = key.digest(values)
    assert digest == keyed(framed("casework.record-digest", 1), canonical_record(values), 32)
    cell = keyed(framed("casework.record-cell", 1, "name"), framed("cus_1") + "王小明".encode(), 16)
    assert key.cells("cus_1", values)["name"] == cell
    assert leaf_of("cus_1", digest) == leaf_hash(framed("cus_1", digest))


@BOTH
@given(records=_RECORDS, cut=st.integers(0, 12))
def test_parts_make_the_whole(suite: Suite, records: dict[str, dict[str, str | None]], cut: int) -> None:
    key = ProofKey(suite, SECRET)
    whole = _proof(key, records)
    named = _named(records)
    part = Proof()
    leaves = part.extend(key, named[:cut])
    again = Proof.load(part.dump())  # as after a kill
    leaves += again.extend(key, named[cut:])
    assert again.figures() == whole.figures()
    assert root_hash(leaves).hex() == whole.root()
    one, other = Tally(), Tally()
    for record in named[cut:]:
        one.add(key.cells(*record))
    for record in reversed(named[:cut]):
        other.add(key.cells(*record))
    one.merge(other)
    assert one == whole.tally == Tally.load(one.dump())
    for record in named[:cut]:
        one.remove(key.cells(*record))
    for record in named[:cut]:
        other.remove(key.cells(*record))
    assert other == Tally()


@given(
    records=_RECORDS.filter(bool),
    column=st.sampled_from(FIELDS),
    value=st.one_of(st.none(), _TEXT),
    data=st.data(),
)
def test_every_change_shows_in_the_root_and_in_its_own_column_alone(
    records: dict[str, dict[str, str | None]], column: str, value: str | None, data: st.DataObject
) -> None:
    key = ProofKey(AES_256_GCM, SECRET)
    name = data.draw(st.sampled_from(sorted(records)))
    changed = {**records, name: {**records[name], column: value}}
    before, after = _proof(key, records).figures(), _proof(key, changed).figures()
    found = differing_figures(before, after)
    if as_stored(records[name]) == as_stored(changed[name]):
        assert found == ()
        return
    assert "root" in found
    assert set(found) <= {"root", f"nulls.{column}", f"checksums.{column}"}
    assert f"checksums.{column}" in found
    assert differing_columns(key, name, records[name], changed[name]) == (column,)


def test_a_value_that_moves_to_another_record_or_column_shows() -> None:
    key = ProofKey(AES_256_GCM, SECRET)
    book = {"a": {"name": "王", "employer": "李"}, "b": {"name": "赵", "employer": "钱"}}
    swapped = {"a": {"name": "赵", "employer": "李"}, "b": {"name": "王", "employer": "钱"}}
    crossed = {"a": {"name": "李", "employer": "王"}, "b": {"name": "赵", "employer": "钱"}}
    figures = _proof(key, book).figures()
    assert differing_figures(figures, _proof(key, swapped).figures()) == ("root", "checksums.name")
    assert differing_figures(figures, _proof(key, crossed).figures()) == (
        "root",
        "checksums.name",
        "checksums.employer",
    )


@BOTH
@given(records=_RECORDS)
def test_one_pass_gives_what_the_single_calls_give(suite: Suite, records: dict[str, dict[str, str | None]]) -> None:
    key, passed, single = ProofKey(suite, SECRET), Tally(), Tally()
    for name, values in records.items():
        assert key.count_in(passed, name, values) == key.digest(values)
        single.add(key.cells(name, values))
    assert passed == single


def test_a_row_without_a_language_equals_the_record_that_it_became() -> None:
    key = ProofKey(AES_256_GCM, SECRET)
    row, record = {"name": "王", "email": None}, {"name": "王", "language": "zh-CN"}
    assert key.digest(row) == key.digest(record)
    assert key.cells("a", row) == key.cells("a", record)


def test_without_the_key_of_the_job_nothing_can_be_compared() -> None:
    book = {"a": {"name": "王"}}
    one, other = ProofKey(AES_256_GCM, SECRET), ProofKey(AES_256_GCM, os.urandom(32))
    found = differing_figures(_proof(one, book).figures(), _proof(other, book).figures())
    assert found == ("root", "checksums.name", "checksums.language")
    assert SECRET.hex() not in repr(one)


def test_what_does_not_rise_and_what_is_no_field_is_refused() -> None:
    key, proof = ProofKey(AES_256_GCM, SECRET), Proof()
    proof.extend(key, [Named("b", {})])
    for name in ("a", "b"):
        with pytest.raises(ValueError, match="does not come behind b"):
            proof.extend(key, [Named(name, {})])
    with pytest.raises(ValueError, match="no field salary"):
        key.digest({"salary": "999"})
    with pytest.raises(ValueError, match="32 bytes"):
        ProofKey(AES_256_GCM, b"short")
