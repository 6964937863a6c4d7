"""Parts of a text message, at the borders of both alphabets."""

import pytest

from models.domain.sms import parts_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),  # two units each
        ("€" * 81, 2),
        ("款" * 70, 1),
        ("款" * 71, 2),
        ("款" * 134, 2),
        ("款" * 135, 3),
        ("a" * 69 + "款", 1),  # one Chinese character makes all of it UCS-2
        ("a" * 70 + "款", 2),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("¥1,234.56 [bank]", 1),
    ],
)
def test_parts(text: str, parts: int) -> None:
    assert parts_of(text) == parts
