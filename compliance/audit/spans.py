"""A long log walked by several processes: each takes spans of it that are perfect subtrees, and their roots are joined.

Helpers only ever say of a span that it is as sealed. Where one cannot say so, for whatever reason, the walk ends there
and the caller goes on alone, so a fault is named by the same code as without helpers.
"""

import gc
import os
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import Connection

from compliance.audit.walk import Walk, follow, rows_of
from models.database.engine import Database, open_database

SPAN: Final = 1 << 15
LONG: Final = 100_000  # leaves; a shorter log is walked before helpers have started
# A span is a small part of the log: looked up row by row, not by reading all events for each span.
_BY_KEY: Final = ("SET LOCAL enable_hashjoin = off", "SET LOCAL enable_mergejoin = off")


def _processors() -> int:
    return len(os.sched_getaffinity(0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Helpers:
    """How many processes share a walk.

    Attributes:
        processes: one for each processor that this process may use; with one alone nobody is started.
        shortest: leaves of the shortest log that is shared.
        span: leaves of a span.

    Raises:
        ValueError: a span is no power of two.
    """

    processes: int = field(default_factory=_processors)
    shortest: int = LONG
    span: int = SPAN

    def __post_init__(self) -> None:
        """Refuse spans that are no subtrees."""
        if self.span < 1 or self.span & (self.span - 1):
            raise ValueError("a span holds a power of two of leaves")


class _Span(NamedTuple):
    """Leaves `begin` to before `end`, and the sizes, counted from there, at which the root is wanted."""

    begin: int
    end: int
    sizes: Sequence[int]


class _Helper(NamedTuple):
    """What a helper works with; `snapshot` is PostgreSQL's name of what the caller sees."""

    database: Database
    mac_key: bytes
    snapshot: str | None


def walk_together(connection: Connection, walk: Walk, *, database: Database, helpers: Helpers, mac_key: bytes) -> None:
    """Walk from the beginning with helpers, as far as every span is as sealed; not a step where that does not pay.

    A helper sees the log as the caller does. On SQLite it may see a younger state, in which leaves that the caller
    sees are still the same, unless somebody alters them at this moment.

    Args:
        connection: whose transaction has read already.
        walk: at the beginning; it goes on.
        database: of the connection; helpers open it anew.
        helpers: how many.
        mac_key: of the leaves.
    """
    leaves, first, last = connection.exec_driver_sql("SELECT count(*), min(idx), max(idx) FROM audit_leaves").one()
    short = leaves < max(helpers.shortest, 1) or helpers.processes < 2  # noqa: PLR2004 - alone
    if short or (first, last) != (0, leaves - 1) or not _reachable(database):
        return
    spans = list(_spans(leaves, walk.sizes, helpers.span))
    known = (_url(database), mac_key, _snapshot(connection))
    workers = min(helpers.processes, len(spans))
    try:
        with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_begin, initargs=known) as pool:
            for found in pool.map(_walked, spans):
                if found is None:
                    pool.shutdown(cancel_futures=True)
                    return
                walk.join(found)
    except (BrokenExecutor, OSError):  # no helper could be started, or one was killed: the rest is walked alone
        return


def _reachable(database: Database) -> bool:
    """Whether another process can open it: not a database in memory."""
    return not database.is_sqlite or Path(database.engine.url.database or "").is_file()


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _snapshot(connection: Connection) -> str | None:
    if connection.dialect.name != "postgresql":
        return None
    return str(connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one())


def _spans(leaves: int, sizes: Sequence[int], span: int) -> Iterator[_Span]:
    for begin in range(0, leaves, span):
        end = min(begin + span, leaves)
        inside = sizes[bisect_right(sizes, begin) : bisect_right(sizes, end)]
        yield _Span(begin, end, [size - begin for size in inside])


# In a helper ----------------------------------------------------------------------------------------------------------

_HELPER: list[_Helper] = []


def _begin(url: str, mac_key: bytes, snapshot: str | None) -> None:
    gc.disable()  # rows hold no cycles, and looking for some among so many is half of the work
    _HELPER[:] = [_Helper(open_database(url), mac_key, snapshot)]


def _walked(span: _Span) -> Walk | None:
    """The walk over a span; None unless all of it is as sealed."""
    [helper] = _HELPER
    walk = Walk(span.sizes)
    try:
        with helper.database.read() as session:
            connection = session.connection()
            if helper.snapshot is not None:
                _see(connection, helper.snapshot)
            with closing(rows_of(connection, span.begin, span.end)) as rows:
                follow(rows, walk, mac_key=helper.mac_key, begin=span.begin)
    except Exception:  # noqa: BLE001 - whatever keeps a helper from its span: the caller walks it itself and says it
        return None
    return walk if walk.fault is None and walk.edge.size == span.end - span.begin else None


def _see(connection: Connection, snapshot: str) -> None:
    connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
    for setting in _BY_KEY:
        connection.exec_driver_sql(setting)
