"""Tuples as bytes, so that no two different tuples are the same bytes: each part goes behind its length."""


def framed(*parts: str | bytes | int) -> bytes:
    """Join parts unambiguously: 4 bytes of length (big-endian), then UTF-8, the bytes, or an integer in 8 bytes.

    Raises:
        ValueError: a text holds half a surrogate pair, or an integer is negative.
    """
    pieces = []
    for part in parts:
        piece = part if isinstance(part, bytes) else part.to_bytes(8) if isinstance(part, int) else utf8(part)
        pieces.append(len(piece).to_bytes(4))
        pieces.append(piece)
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
