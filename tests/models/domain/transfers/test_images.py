"""Images of rows: what goes in comes out, and two rows are equal exactly if their images are."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.domain.transfers.images import UnreadableImage, columns_of, image_of

_values = st.one_of(
    st.none(),
    st.binary(max_size=40),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.integers(min_value=-(2**63), max_value=2**63),
    st.datetimes(timezones=st.just(UTC)),
)
_rows = st.dictionaries(st.text(st.characters(codec="ascii"), min_size=1, max_size=12), _values, max_size=8)


@given(row=_rows)
def test_a_row_comes_out_as_it_went_in(row: dict) -> None:
    assert columns_of(image_of(row)) == row


@given(one=_rows, other=_rows)
def test_images_are_equal_exactly_if_rows_are(one: dict, other: dict) -> None:
    kinds = [{name: (type(value), value) for name, value in row.items()} for row in (one, other)]
    assert (image_of(one) == image_of(other)) == (kinds[0] == kinds[1])


@given(row=_rows, data=st.data())
def test_a_shorter_image_is_refused_or_says_less(row: dict, data: st.DataObject) -> None:
    image = image_of(row)
    cut = image[: data.draw(st.integers(0, len(image)))]
    if cut == image:
        return
    try:
        found = columns_of(cut)
    except (UnreadableImage, IndexError, UnicodeDecodeError):
        return
    assert found != row


def test_the_order_of_columns_and_the_zone_of_an_instant_say_nothing() -> None:
    at = datetime(2026, 11, 22, 9, 30, 0, 123456, tzinfo=UTC)
    there = at.astimezone(timezone(timedelta(hours=8)))
    assert image_of({"a": b"1", "at": at}) == image_of({"at": there, "a": b"1"})


def test_what_no_column_holds_is_refused_without_the_value() -> None:
    with pytest.raises(TypeError, match="column secret") as refused:
        image_of({"secret": 13812345678.5})
    assert "138" not in str(refused.value)
