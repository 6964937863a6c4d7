"""The audit log: recording, sealing, verifying; proofs out of a long log, exports, and checking them alone."""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import partial
from itertools import cycle
from pathlib import Path

from sqlmodel import col, select

from bench.measuring import NOW, Stores, empty_stores, kept_stores, milliseconds, percentile, seconds, tell
from bench.registry import Figure, Floor, measures
from compliance.audit import standalone
from compliance.audit.checkpoint import verifier_key
from compliance.audit.deeds import Deed, canonical
from compliance.audit.export import Choice, export_log
from compliance.audit.proofs import prove_consistency, prove_inclusion
from compliance.audit.seal import SealKeys, seal_keys, seal_pending
from compliance.audit.spans import Helpers
from compliance.audit.unit import unit_of_work
from compliance.audit.verify import verify_database
from compliance.audit.watch import Watcher
from models.domain.tokens import uuid7
from models.tables.audit import AuditLeaf

SINGLE = 2_000
RECORDED = 100_000  # in this run, with the singles
ALL = 1_000_000  # of the log that is verified, and that proofs come out of
CHUNK = 500
PROOFS = 200
TOLD = 100_000


@measures("audit")
def audit(scale: float) -> Iterable[Figure]:
    """Record, seal, export and verify events; the floor hashes the same events in a loop."""
    floor = Floor(name="spell and hash in a loop, events/s", value=50_000 / seconds(partial(_hash_loop, 50_000)))
    with empty_stores() as stores:
        yield from _recording(stores, floor, scale)
    events = max(CHUNK * 4, int(ALL * scale))
    with kept_stores(f"log-{events}", partial(_fill, events)) as stores:
        yield from _reading(stores, floor, events)


def _recording(stores: Stores, floor: Floor, scale: float) -> Iterator[Figure]:
    """What is written in this run, and taken out of the house."""
    events = max(CHUNK * 4, int(RECORDED * min(1.0, scale * 10)))
    single = max(200, int(SINGLE * min(1.0, scale * 10)))
    keys, anchor = seal_keys(stores.vault), stores.folder / "anchor.txt"
    singly = single / seconds(partial(_record_singly, stores, single))
    yield Figure(name="recorded singly", value=singly, unit="events/s", floor=floor, at_least=1_000)
    rest = events - single
    chunked = rest / seconds(partial(_record_in_chunks, stores, rest))
    yield Figure(name=f"recorded in chunks of {CHUNK}", value=chunked, unit="events/s", floor=floor, at_least=20_000)
    sealed = events / seconds(partial(_seal_all, stores, keys, anchor))
    yield Figure(name="sealed", value=sealed, unit="events/s", floor=floor, at_least=1_000)
    hashing = Floor(name="spell and hash the same, s", value=events / floor.value)
    limit = 10.0 * events / ALL
    exporting = seconds(partial(_export, stores, keys))
    yield Figure(name=f"{events:,} exported", value=exporting, unit="s", floor=hashing, at_most=3 * limit)
    checked = seconds(partial(_check_export, stores, keys, events))
    yield Figure(name=f"{events:,} checked alone", value=checked, unit="s", floor=hashing, at_most=limit)
    looked = seconds(partial(_watch, stores, keys))
    yield Figure(name=f"{events:,} watched for the first time", value=looked, unit="s", floor=hashing)


def _reading(stores: Stores, floor: Floor, events: int) -> Iterator[Figure]:
    """A long log verified, and proofs out of it."""
    keys, anchor = seal_keys(stores.vault), stores.folder / "anchor.txt"
    hashing = Floor(name="spell and hash the same, s", value=events / floor.value)
    verified = seconds(partial(_verify, stores, keys, anchor, events))
    limit = 10.0 * events / ALL
    yield Figure(name=f"{events:,} verified", value=verified, unit="s", floor=hashing, at_most=limit)
    proving = milliseconds(partial(_prove, stores, keys, _some_ids(stores)), times=PROOFS)
    yield Figure(name=f"inclusion proof of {events:,}, p95", value=percentile(proving, 0.95), unit="ms", at_most=10)
    growing = milliseconds(partial(_prove_growth, stores, keys, events), times=PROOFS)
    yield Figure(name=f"consistency proof of {events:,}, p95", value=percentile(growing, 0.95), unit="ms", at_most=20)


def _fill(events: int, stores: Stores) -> None:
    """A sealed log of so many events, as the product writes and seals them."""
    keys, anchor = seal_keys(stores.vault), stores.folder / "anchor.txt"
    for first in range(0, events, TOLD):
        _record_in_chunks(stores, min(first + TOLD, events), first)
        _seal_all(stores, keys, anchor)
        tell(f"audit: {min(first + TOLD, events):,} of {events:,} events recorded and sealed")


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


def _record_in_chunks(stores: Stores, end: int, begin: int = 0) -> None:
    for first in range(begin, end, CHUNK):
        with unit_of_work(stores.data, _deed(first)) as unit:
            for number in range(first + 1, min(first + CHUNK, end)):
                unit.also(_deed(number))


def _seal_all(stores: Stores, keys: SealKeys, anchor: Path) -> None:
    while seal_pending(stores.data, keys, now=NOW, anchor=anchor):
        pass


def _some_ids(stores: Stores) -> Iterator[str]:
    """Ids from all over the log, again and again."""
    with stores.data.read() as session:
        ids = session.exec(select(AuditLeaf.event_id).where(col(AuditLeaf.idx) % 97 == 0).limit(1_000)).all()
    return cycle(ids)


def _prove(stores: Stores, keys: SealKeys, ids: Iterator[str]) -> None:
    with stores.data.read() as session:
        if prove_inclusion(session, next(ids), public_key=keys.public_key) is None:
            raise RuntimeError("a sealed event has no proof")


def _prove_growth(stores: Stores, keys: SealKeys, events: int) -> None:
    with stores.data.read() as session:
        if not prove_consistency(session, 1_000, events, public_key=keys.public_key).holds:
            raise RuntimeError("the log has not grown")


def _export(stores: Stores, keys: SealKeys) -> None:
    to = stores.folder / "export"
    export_log(stores.data, public_key=keys.public_key, anchor=None, to=to, choice=Choice(), now=NOW)


def _check_export(stores: Stores, keys: SealKeys, events: int) -> None:
    key = standalone.read_key(verifier_key(keys.origin, keys.public_key))
    report = standalone.check_export(standalone.Export(stores.folder / "export"), key)
    if report.fault is not None or report.events != events:
        raise RuntimeError(f"the export does not hold: {report}")


def _watch(stores: Stores, keys: SealKeys) -> None:
    seen = Watcher(database=stores.data, public_key=keys.public_key, state=stores.folder / "watched").look()
    if seen.fault is not None:
        raise RuntimeError(seen.fault)


def _verify(stores: Stores, keys: SealKeys, anchor: Path, events: int) -> None:
    report = verify_database(
        stores.data, mac_key=keys.mac_key, public_key=keys.public_key, anchor=anchor, helpers=Helpers()
    )
    if not report.ok or report.leaves != events:
        raise RuntimeError(f"the log does not verify: {report}")
