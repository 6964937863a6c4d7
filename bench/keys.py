"""Keys: change of the key-encryption key and of a branch key over a store of 100,000 persons."""

import base64
import os
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

from sqlalchemy import insert

from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from compliance.vault import cells, rewrap, rotation
from compliance.vault.cells import SubjectKeyAddress
from compliance.vault.kek import EnvKek
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.purposes import Purpose
from compliance.vault.states import KeyState
from compliance.vault.suites import AES_256_GCM, SealingKey
from compliance.vault.tables import SubjectKey

PERSONS = 100_000
TENANTS = 10
CHUNK = 5_000
BARE = 20_000
NAMED: dict[str, Any] = {"tenant": "main", "purpose": Purpose.SUBJECT_WRAP.value, "actor": "bench"}


@measures("keys")
def keys(scale: float) -> Iterable[Figure]:
    """Change the KEK, then a branch key, over many persons; the floor opens, checks and wraps keys in a loop."""
    persons = max(2_000, int(PERSONS * scale))
    with empty_stores() as stores:
        for number in range(TENANTS - 1):
            stores.vault.ensure_tenant(f"tenant-{number}")
        stores.vault.ensure_tenant("main")
        _fill(stores, persons)
        floor = Floor(name="open, check and wrap in a loop, keys/s", value=BARE / seconds(partial(_bare, stores, BARE)))
        rotation.publish(stores.vault.branches, **NAMED)
        rotated = seconds(lambda: rotation.activate(stores.vault.branches, version=2, **NAMED))
        moved = seconds(lambda: _rewrap(stores, persons))
        retired = seconds(lambda: rotation.retire(stores.vault.branches, version=1, **NAMED))
        changed = seconds(lambda: _change_kek(stores))
    yield Figure(
        name=f"KEK changed, {persons:,} persons, {TENANTS} tenants", value=changed * 1_000, unit="ms", at_most=1_000
    )
    yield Figure(name="branch key activated", value=rotated * 1_000, unit="ms", at_most=50)
    yield Figure(
        name=f"{persons:,} persons' keys rewrapped",
        value=persons / moved,
        unit="keys/s",
        floor=floor,
        ratio_at_least=0.3,
    )
    yield Figure(name="old version counted and retired", value=retired * 1_000, unit="ms", at_most=50)


def _people(count: int, branch: SealingKey) -> Iterator[dict[str, Any]]:
    for number in range(count):
        subject, secret = f"sub_{number:026d}", os.urandom(32)
        address = SubjectKeyAddress(
            tenant="main", subject=subject, version=1, suite=AES_256_GCM.id, branch_version=branch.version
        )
        key = SealingKey(AES_256_GCM, secret, version=1)
        yield {
            "tenant": "main",
            "subject_id": subject,
            "version": 1,
            "suite": AES_256_GCM.id,
            "branch_version": branch.version,
            "wrapped": cells.wrap_subject_key(branch, address, secret),
            "commitment": cells.commitment(key, tenant="main", subject=subject),
            "state": KeyState.ACTIVE.value,
            "created_at": NOW,
        }


def _fill(stores: Stores, count: int) -> None:
    rows = list(_people(count, stores.vault.branches.get("main", Purpose.SUBJECT_WRAP).current))
    for first in range(0, count, CHUNK):
        with stores.vault.branches.database.write() as session:
            session.execute(insert(SubjectKey.__table__), rows[first : first + CHUNK])


def _bare(stores: Stores, count: int) -> None:
    """What a rewrap computes, without a database."""
    branch = stores.vault.branches.get("main", Purpose.SUBJECT_WRAP).current
    secret = os.urandom(32)
    address = SubjectKeyAddress(tenant="main", subject="sub_1", version=1, suite=1, branch_version=1)
    wrapped = cells.wrap_subject_key(branch, address, secret)
    for _ in range(count):
        key = SealingKey(AES_256_GCM, cells.unwrap_subject_key(branch, address, wrapped), version=1)
        cells.commitment(key, tenant="main", subject="sub_1")
        cells.wrap_subject_key(branch, address, secret)


def _rewrap(stores: Stores, persons: int) -> None:
    *_, progress = rewrap.rewrap(stores.vault.branches, **NAMED)
    if (progress.done, progress.failures) != (persons, 0):
        raise RuntimeError(f"not all moved: {progress}")


def _change_kek(stores: Stores) -> None:
    new = EnvKek(base64.b64encode(os.urandom(32)).decode())
    branches = stores.vault.branches
    if rotate_kek(branches.database, old=branches.kek, new=new, actor="bench", at=NOW) < TENANTS:
        raise RuntimeError("branch keys were left out")
