"""Cursors and entity tags: what we made is read back, and nothing else is."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.etags import check_version, etag, parse_if_match
from api.paging import decode_cursor, encode_cursor
from models.errors import BadRequest, PreconditionRequired, StaleVersion

TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)


@given(TEXT, st.integers(-(2**63), 2**63 - 1), st.none() | TEXT)
def test_a_cursor_comes_back_as_it_was(name: str, number: int, maybe: str | None) -> None:
    cursor = encode_cursor("list", name, number, maybe)
    assert decode_cursor(cursor, kind="list", types=(str, int, str)) == (name, number, maybe)


@given(st.text(max_size=80))
def test_what_is_no_cursor_is_a_bad_request(text: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(text, kind="list", types=(str,))


def forged(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        encode_cursor("other", "a"),
        encode_cursor("list", 1),
        encode_cursor("list", "a", "b"),
        encode_cursor("list"),
        encode_cursor("list", "a") + "=",
        forged(b'["list", "a"]'),
        forged(b'["list","\\u0000"]'),
        forged(b'["list","\\ud800"]'),
        forged(b'["list",true]'),
        forged(b'["list",1.5]'),
        forged(b'{"list":1}'),
        forged(b"\xff"),
        forged(b"[" * 400),
        "A" * 601,
    ],
)
def test_a_forged_cursor_is_a_bad_request(cursor: str) -> None:
    with pytest.raises(BadRequest):
        decode_cursor(cursor, kind="list", types=(str,))


@given(st.integers(1, 10**17))
def test_a_tag_names_its_version(version: int) -> None:
    assert parse_if_match(etag(version)) == version


@pytest.mark.parametrize(
    "header", ["", "*", "v1", '"1"', 'W/"v1"', '"v0"', '"v-1"', '"v1", "v2"', '"v1"x', '"v' + "9" * 30 + '"', '"v１"']
)
def test_a_tag_that_does_not_say_what_was_read_is_refused(header: str) -> None:
    with pytest.raises(BadRequest):
        parse_if_match(header)


def test_a_missing_tag_is_asked_for_and_an_old_one_told_the_present() -> None:
    with pytest.raises(PreconditionRequired):
        parse_if_match(None)
    check_version(read=3, current=3)
    with pytest.raises(StaleVersion) as caught:
        check_version(read=2, current=3)
    assert caught.value.params == {"currentVersion": 3}
