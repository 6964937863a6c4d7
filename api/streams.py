"""Answers that are read from an open file while they are sent."""

from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from litestar.background_tasks import BackgroundTask
from litestar.response import Stream


def streamed(
    pieces: Iterator[bytes], *, close: Callable[[], object], media_type: str, headers: Mapping[str, str]
) -> Stream:
    """An answer that is sent piece by piece.

    Args:
        pieces: of the content.
        close: lets go of what they are read from. It is called as well where the client has gone before the first
            piece: an iterator that nobody reads would hold its file until the garbage is collected.
        media_type: of the content.
        headers: beside it.
    """
    held = _Held(pieces, close)
    return Stream(held, media_type=media_type, headers=dict(headers), background=BackgroundTask(held.close))


class _Held(Iterator[bytes]):
    """Pieces that are never closed under the thread that reads one: where a client goes, nobody waits for it."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], object]) -> None:
        self._pieces, self._close = pieces, close
        self._one_at_a_time = Lock()
        self._closed = False

    def __next__(self) -> bytes:
        with self._one_at_a_time:
            if self._closed:
                raise StopIteration
            return next(self._pieces)

    def close(self) -> None:
        with self._one_at_a_time:
            self._closed = True
            self._close()
