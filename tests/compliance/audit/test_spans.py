"""Several processes walk the log together and say what one alone says, wherever and whatever somebody did to it."""

from pathlib import Path
from typing import Self

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from compliance.audit import spans
from compliance.audit.log import Edge, root_hash
from compliance.audit.spans import Helpers
from compliance.audit.verify import LogReport, verify_database
from compliance.audit.walk import Walk
from models.database.engine import Database
from tests.compliance.audit.logs import KEYS, fill, intruder
from tests.compliance.audit.test_verify import EVENTS, MANIPULATIONS, Manipulation, SealedLog, rewrite, truncate
from tests.support.databases import SqliteFiles

SPAN = 8
# The leaves on both sides of a border between two spans, and the ends of the log.
BORDERS = sorted({0, EVENTS - 1, *(place for begin in range(SPAN, EVENTS, SPAN) for place in (begin - 1, begin))})
PLACES = st.lists(st.sampled_from(BORDERS) | st.integers(0, EVENTS - 1), min_size=2, max_size=2, unique=True)


class AtOnce:
    """In place of a pool: the same spans by the same functions, one after the other, in this process."""

    def __init__(self, _workers: int, _context: object, *, initializer, initargs) -> None:
        initializer(*initargs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        spans._HELPER[0].database.dispose()
        spans._HELPER.clear()

    def map(self, function, items):
        return map(function, items)

    def shutdown(self, *, cancel_futures: bool) -> None:
        assert cancel_futures


@pytest.fixture(scope="module")
def sealed(sqlite_files: SqliteFiles, tmp_path_factory: pytest.TempPathFactory) -> SealedLog:
    return SealedLog(sqlite_files, tmp_path_factory.mktemp("spans"))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "ProcessPoolExecutor", AtOnce)


def said(database: Database, anchor: Path | None, *, processes: int, span: int = SPAN) -> LogReport:
    helpers = Helpers(processes=processes, shortest=1, span=span)
    return verify_database(database, mac_key=KEYS.mac_key, public_key=KEYS.public_key, anchor=anchor, helpers=helpers)


@pytest.mark.parametrize("manipulation", MANIPULATIONS, ids=lambda each: each.__name__)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=PLACES)
def test_helpers_change_nothing_of_what_is_said(
    sealed: SealedLog, at_once: None, manipulation: Manipulation, places: list[int]
) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            manipulation(connection, sealed.ids, *places)
        alone = said(database, sealed.anchor, processes=1)
        assert not alone.ok
        assert said(database, sealed.anchor, processes=2) == alone


def cut_the_end(connection: Connection, _: list[str], place: int, __: int) -> None:
    truncate(connection, keep=place)


def rewrite_one(connection: Connection, ids: list[str], place: int, _: int) -> None:
    rewrite(connection, ids, place)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    places=PLACES,
    span=st.sampled_from([1, 2, 4, 8, 16, 64]),
    acts=st.lists(st.sampled_from([*MANIPULATIONS[:5], cut_the_end, rewrite_one]), max_size=2, unique=True),
)
def test_any_width_of_a_span_and_two_acts_at_once(
    sealed: SealedLog, at_once: None, places: list[int], span: int, acts: list[Manipulation]
) -> None:
    with sealed.copy() as database:
        with intruder(database) as connection:
            # What is there no more can neither be altered nor rewritten: the end is cut last.
            for act, place in sorted(zip(acts, places, strict=False), key=lambda each: each[0] is cut_the_end):
                if act is not rewrite_one or act is acts[0]:
                    act(connection, sealed.ids, place, places[-1])
        alone = said(database, sealed.anchor, processes=1)
        assert alone.ok or acts
        assert said(database, sealed.anchor, processes=2, span=span) == alone


def test_real_processes_on_both_databases(database: Database, tmp_path: Path) -> None:
    fill(database, tmp_path / "anchor", events=20)
    alone, together = (said(database, tmp_path / "anchor", processes=each, span=4) for each in (1, 2))
    assert alone.ok
    assert together == alone
    with intruder(database) as connection:
        connection.exec_driver_sql("UPDATE audit_leaves SET mac = 'x' WHERE idx = 12")
    alone, together = (said(database, tmp_path / "anchor", processes=each, span=4) for each in (1, 2))
    assert alone.first is not None
    assert (alone.first.index, together) == (12, alone)


def test_a_helper_that_is_killed_costs_time_only(sealed: SealedLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spans, "_url", lambda _: "sqlite:////nowhere/at/all.db")
    with sealed.copy() as database:
        assert said(database, sealed.anchor, processes=2).ok


@settings(max_examples=200, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 70), unique=True).map(sorted),
    leaves=st.integers(0, 70),
    span=st.sampled_from([1, 4, 16]),
)
def test_joined_walks_are_one_walk(sizes: list[int], leaves: int, span: int) -> None:
    hashes = [bytes([number]) * 32 for number in range(leaves)]
    whole, joined = Walk(sizes), Walk(sizes)
    whole.append(hashes)
    for part in spans._spans(leaves, sizes, span):
        walk = Walk(part.sizes)
        walk.append(hashes[part.begin : part.end])
        joined.join(walk)
    assert (joined.roots, joined.edge.dump(), joined.edge.size) == (whole.roots, whole.edge.dump(), leaves)
    assert whole.roots == [(size, root_hash(hashes[:size])) for size in sizes if size <= leaves]


def test_an_edge_is_joined_only_where_its_subtrees_begin() -> None:
    one, two = Edge(), Edge()
    one.extend([b"1" * 32])
    two.extend([b"2" * 32, b"3" * 32])
    with pytest.raises(ValueError, match="multiple"):
        one.join(two)
