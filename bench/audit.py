"""The audit log: recording, sealing, verifying."""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from compliance.audit.deeds import Deed, canonical
from compliance.audit.seal import SealKeys, seal_keys, seal_pending
from compliance.audit.unit import unit_of_work
from compliance.audit.verify import verify_database
from models.domain.tokens import uuid7

SINGLE = 5_000
ALL = 1_000_000
CHUNK = 500


@measures("audit")
def audit(scale: float) -> Iterable[Figure]:
    """Record, seal and verify events; the floor hashes the same events in a loop."""
    events = max(CHUNK * 4, int(ALL * scale))
    single = max(200, int(SINGLE * min(1.0, scale * 10)))
    floor = Floor(name="spell and hash in a loop, events/s", value=50_000 / seconds(partial(_hash_loop, 50_000)))
    with empty_stores() as stores:
        keys, anchor = seal_keys(stores.vault), stores.folder / "anchor.txt"
        singly = single / seconds(partial(_record_singly, stores, single))
        rest = events - single
        chunked = rest / seconds(partial(_record_in_chunks, stores, rest))
        sealed = events / seconds(partial(_seal_all, stores, keys, anchor))
        verified = seconds(partial(_verify, stores, keys, anchor, events))
    yield Figure(name="recorded singly", value=singly, unit="events/s", floor=floor, at_least=1_000)
    yield Figure(name=f"recorded in chunks of {CHUNK}", value=chunked, unit="events/s", floor=floor, at_least=20_000)
    yield Figure(name="sealed", value=sealed, unit="events/s", floor=floor, at_least=1_000)
    hashing = Floor(name="spell and hash the same, s", value=events / floor.value)
    limit = 10.0 * events / ALL
    yield Figure(name=f"{events:,} verified", value=verified, unit="s", floor=hashing, at_most=limit)


def _deed(number: int) -> Deed:
    facts = {"decision": f"dcn_{number}", "outcome": "approve", "amount_minor": 1_000_00 + number}
    at = NOW + timedelta(milliseconds=number)  # ids begin with the time: events of one instant would lie in any order
    return Deed(tenant="main", action="task.decided", target=f"main.{number:026d}", actor="stf_1", at=at, facts=facts)


def _hash_loop(count: int) -> None:
    last = b""
    for number in range(count):
        last = hashlib.sha256(last + canonical(uuid7(NOW), _deed(number)).encode()).digest()


def _record_singly(stores: Stores, count: int) -> None:
    for number in range(count):
        with unit_of_work(stores.data, _deed(number)):
            pass


def _record_in_chunks(stores: Stores, count: int) -> None:
    for first in range(0, count, CHUNK):
        with unit_of_work(stores.data, _deed(first)) as unit:
            for number in range(first + 1, min(first + CHUNK, count)):
                unit.also(_deed(number))


def _seal_all(stores: Stores, keys: SealKeys, anchor: Path) -> None:
    while seal_pending(stores.data, keys, now=NOW, anchor=anchor):
        pass


def _verify(stores: Stores, keys: SealKeys, anchor: Path, events: int) -> None:
    report = verify_database(stores.data, mac_key=keys.mac_key, public_key=keys.public_key, anchor=anchor)
    if not report.ok or report.leaves != events:
        raise RuntimeError(f"the log does not verify: {report}")
