"""A duty has one holder at a time; the next takes over when the first is gone, and the fence tells them apart."""

import threading
from datetime import timedelta

from compliance.audit.unit import bookkeeping
from models.database.engine import Database
from models.operations import leases
from tests.support.clock import FakeClock

TTL = timedelta(seconds=10)


def _acquire(database: Database, clock: FakeClock, holder: str) -> int | None:
    with bookkeeping(database) as session:
        return leases.acquire(session, name="relay", holder=holder, now=clock(), ttl=TTL)


def test_one_of_two_holds_it_and_may_renew(database: Database, clock: FakeClock) -> None:
    assert _acquire(database, clock, "a") == 1
    assert _acquire(database, clock, "b") is None
    clock.advance(seconds=9)
    assert _acquire(database, clock, "a") == 1
    clock.advance(seconds=9)
    assert _acquire(database, clock, "b") is None


def test_a_lapsed_lease_changes_hands_under_a_higher_fence(database: Database, clock: FakeClock) -> None:
    first = _acquire(database, clock, "a")
    clock.advance(seconds=11)
    second = _acquire(database, clock, "b")
    assert first is not None
    assert second is not None
    assert second > first
    assert _acquire(database, clock, "a") is None


def test_a_released_lease_is_free_at_once(database: Database, clock: FakeClock) -> None:
    _acquire(database, clock, "a")
    with bookkeeping(database) as session:
        leases.release(session, name="relay", holder="a", now=clock())
    assert _acquire(database, clock, "b") is not None


def test_of_many_at_once_one_gets_it(database: Database, clock: FakeClock) -> None:
    tokens: list[int | None] = []
    barrier = threading.Barrier(8)

    def run(name: str) -> None:
        barrier.wait()
        tokens.append(_acquire(database, clock, name))

    threads = [threading.Thread(target=run, args=(f"p{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([token for token in tokens if token is not None]) == 1
