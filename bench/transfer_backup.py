"""Back up: customers a second into a proven container, beside the bare encryption of the same bytes."""

import os
import resource
from collections.abc import Iterable, Iterator
from itertools import islice
from random import Random
from typing import Final

from sqlalchemy import insert

from activities.transfers.backup_snapshot import BackupMaker
from bench.measuring import NOW, Stores, empty_stores, seconds
from bench.registry import Figure, Floor, measures
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.transfers.backup_envelopes import BackupName, open_as_tenant
from compliance.transfers.backup_proof import prove
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_descent import LeafTree, descend
from compliance.transfers.record_proofs import ProofKey, leaf_of
from compliance.vault.customer_layout import Customer, open_customers, seal_customers, stored_of
from compliance.vault.files import CHUNK_BYTES
from compliance.vault.suites import AES_256_GCM, SM4_GCM, Suite
from models.queries.transfers.backups import walk_book
from models.tables.customers import CustomerRecord
from models.tables.tenants import Tenant

CUSTOMERS: Final = 100_000
LEAVES: Final = 1_000_000
BATCH: Final = 500
TENANT: Final = "main"
NAME: Final = BackupName(id="tbk_bench", tenant=TENANT, job="main.bench", side="source", number=1)


@measures("transfer-backup")
def transfer_backup(scale: float) -> Iterable[Figure]:
    """Snapshot a book into a sealed container, and prove it by restoring; find one wrong record among many."""
    for suite in (AES_256_GCM, SM4_GCM):
        with empty_stores(suite=suite) as stores:
            yield from _backup(stores, suite, max(2_000, int(CUSTOMERS * scale)))
    yield from _descent(max(2_000, int(LEAVES * scale)))


def _backup(stores: Stores, suite: Suite, count: int) -> Iterator[Figure]:
    stores.vault.ensure_tenant(TENANT)
    _load(stores, count)
    key = job_proof_key(stores.vault, tenant=TENANT, job=NAME.job)
    maker = BackupMaker(
        database=stores.data,
        vault=stores.vault,
        clock=lambda: NOW,
        signing_key=stores.vault.signing_key(SIGNING_KEY_NAME),
    )
    path, documents = stores.folder / "book.cwtb", []
    opening = seconds(lambda: _open_all(stores))
    before = _peak_kib()
    writing = seconds(lambda: documents.append(maker.make(NAME, key, path, beat=_no_beat)))
    grown = (_peak_kib() - before) / 1024
    manifest = documents[0]["manifest"]
    secrets = open_as_tenant(stores.vault, NAME, manifest["recipients"])
    reading = seconds(lambda: prove(path, manifest, secrets, scratch=None))
    restoring = seconds(lambda: prove(path, manifest, secrets, scratch=stores.folder))
    bare = seconds(lambda: _bare(suite, manifest["container"]["contentBytes"]))
    code = suite.code
    encrypted = Floor(name="bare AEAD of the same bytes, /s", value=count / bare)
    opened = Floor(name="walked and opened, nothing else, /s", value=count / opening)
    yield Figure(
        name=f"{code}, {count:,} customers into a container", value=count / writing, unit="/s", floor=encrypted
    )
    yield Figure(name=f"{code}, the same", value=count / writing, unit="/s", floor=opened)
    yield Figure(name=f"{code}, opened and computed again", value=count / reading, unit="/s", floor=encrypted)
    yield Figure(name=f"{code}, proven by restoring", value=count / restoring, unit="/s", floor=encrypted)
    yield Figure(name=f"{code}, memory grown by the snapshot", value=grown, unit="MiB")
    yield Figure(name=f"{code}, container a customer", value=manifest["container"]["bytes"] / count, unit="B")


def _descent(count: int) -> Iterator[Figure]:
    key = ProofKey(AES_256_GCM, os.urandom(32))
    digest = key.digest({"name": "王"})
    names = [f"cus_{number:026d}" for number in range(count)]
    leaves = [leaf_of(name, digest) for name in names]
    wrong = Random(7).randrange(count)
    other = [*leaves[:wrong], bytes(32), *leaves[wrong + 1 :]]
    found = []
    took = seconds(lambda: found.append(descend(LeafTree(names, leaves), LeafTree(names, other))))
    yield Figure(name=f"1 wrong record among {count:,}", value=found[0].comparisons, unit="comparisons", at_most=41)
    yield Figure(name=f"1 wrong record among {count:,}", value=took, unit="s")


def _load(stores: Stores, count: int) -> None:
    with stores.data.engine.begin() as connection:
        connection.execute(insert(Tenant).values(code=TENANT, name="某某银行", sandbox=False, created_at=NOW))
    customers = _customers(count)
    while chunk := list(islice(customers, BATCH)):
        rows = [
            {
                "id": stored.id, "tenant": TENANT, "subject_id": stored.subject, "state": "active", "version": 1,
                "created_at": NOW, "updated_at": NOW, **stored.columns,
            }
            for stored in seal_customers(stores.vault, tenant=TENANT, customers=chunk, create=True)
        ]  # fmt: skip
        with stores.data.engine.begin() as connection:
            connection.execute(insert(CustomerRecord), rows)


def _customers(count: int) -> Iterator[Customer]:
    for number in range(count):
        values: dict[str, str | None] = {
            "customer_no": f"C{number:09d}",
            "name": "王小明",
            "id_type": "resident-id",
            "id_number": f"110101{number:012d}",
            "mobile": f"+86138{number:08d}",
            "email": f"person{number}@example.com",
            "account": f"622202{number:013d}",
            "id_valid_until": "2036-01-01",
            "sex": "M",
            "birth_date": "1990-03-07",
            "nationality": "CHN",
            "occupation": "工程师",
            "employer": "北京晴川印刷有限公司",
            "address": "北京市海淀区某某路1号院2号楼3单元401室",
            "postcode": "100080",
            "language": "zh-CN",
        }
        yield Customer(f"cus_{number:026d}", f"sub_{number:026d}", values)


def _open_all(stores: Stores) -> None:
    with stores.data.read() as session:
        rows = map(stored_of, walk_book(session, tenant=TENANT))
        for _ in open_customers(stores.vault, tenant=TENANT, stored=rows):
            pass


def _bare(suite: Suite, content: int) -> None:
    aead, chunk = suite.aead(suite.new_key()), os.urandom(CHUNK_BYTES)
    for number in range(-(-content // CHUNK_BYTES)):
        aead.encrypt(number.to_bytes(12), chunk, None)


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _no_beat() -> None:
    """Nobody waits for a heartbeat here."""
