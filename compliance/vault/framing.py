"""Tuples as bytes, so that no two different tuples are the same bytes: each part goes behind its length."""


def framed(*parts: str | bytes | int) -> bytes:
    """Join parts unambiguously: 4 bytes of length (big-endian), then UTF-8, the bytes, or an integer in 8 bytes.

    Raises:
        ValueError: a text holds half a surrogate pair, or an integer is negative.
    """
    pieces: list[bytes] = []
    try:
        for part in parts:
            if isinstance(part, str):
                part = part.encode()  # noqa: PLW2901 - many calls, so no second name and no second function
            elif isinstance(part, int):
                part = part.to_bytes(8)  # noqa: PLW2901
            pieces += (len(part).to_bytes(4), part)
    except UnicodeEncodeError:  # whose own text would carry the whole part
        raise ValueError("the text is not valid Unicode") from None
    except OverflowError:
        raise ValueError("an integer is negative, or longer than 8 bytes") from None
    return b"".join(pieces)


def utf8(text: str) -> bytes:
    """The text in UTF-8.

    Raises:
        ValueError: it holds half a surrogate pair. The codec's own error would carry the whole text.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError("the text is not valid Unicode") from None
