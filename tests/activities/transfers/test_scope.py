"""The plan's scope: only fields and classes of data that it names are backed up or read in; the rest is counted."""

from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from sqlmodel import Session, col, select, update

from activities.transfers.backup_steps import SqlBackup
from compliance.audit.seal import SIGNING_KEY_NAME
from compliance.transfers.backup_container import read_container
from compliance.transfers.backup_envelopes import open_as_tenant
from compliance.transfers.backup_manifest import name_in, verified
from compliance.vault.keyring import Vault
from models.contracts.transfers import ChunkDone, ChunkStep
from models.database.engine import Database
from models.domain.customers.record import FIELDS
from models.domain.transfers.scope import ALL_FIELDS, scope_of
from models.domain.transfers.states import BackupState, Side
from models.tables.transfers import TransferBackup, TransferJob, TransferSource
from tests.support.clock import FakeClock
from tests.support.transfer_books import JOB, Books
from tests.support.transfer_rows import Collection, book, csv_bytes

NEEDED: Final = ["customer_no", "name", "id_type", "id_number"]
DONE: Final = ChunkDone(after=None)


def _plan(fields: list[str], classes: list[str] | None = None) -> dict[str, Any]:
    return {"scope": {"fields": fields} | ({} if classes is None else {"classes": classes})}


def test_the_scope_is_the_named_fields_of_the_named_classes() -> None:
    assert scope_of({}) == ALL_FIELDS
    assert scope_of(_plan([*NEEDED, "mobile"])) == {*NEEDED, "mobile"}
    assert scope_of(_plan([*NEEDED, "mobile", "account"], ["identity", "account"])) == {*NEEDED, "account"}


@pytest.mark.parametrize("side", list(Side))
def test_a_backup_holds_only_what_the_plan_names_and_counts_what_it_leaves(
    database: Database, vault: Vault, clock: FakeClock, tmp_path: Path, side: Side
) -> None:
    books = Books(database, vault, clock)
    books.open(plan=_plan([*NEEDED, "mobile", "address"], ["identity", "contact"]))
    customers = books.add(61, "acme" if side is Side.SOURCE else "bank")
    steps, step = SqlBackup(database, vault, clock, tmp_path / "backups"), ChunkStep(job=JOB, side=side)
    assert steps.snapshot(step) == steps.prove_backup(step) == DONE
    with Session(database.engine) as session:
        made = session.exec(select(TransferBackup)).one()
    assert made.state == BackupState.PROVEN
    manifest = verified(made.manifest or {}, public_key=vault.signing_key(SIGNING_KEY_NAME).public_key())
    name = name_in(manifest)
    [container] = (tmp_path / "backups" / JOB).glob("*.cwtb")
    records = list(read_container(container, name, open_as_tenant(vault, name, manifest["recipients"])))
    kept = {*NEEDED, "mobile", "address"}
    assert len(records) == 61
    assert all(set(record.customer.values) <= kept for record in records)
    assert [record.customer.values.get("mobile") for record in records] == [each.values["mobile"] for each in customers]
    # The truth is counted from the book; language has a default, so every record has one.
    truth = Counter(name for each in customers for name, value in each.values.items() if value and name not in kept)
    assert manifest["scope"]["leftOut"] == {name: truth[name] for name in FIELDS if name not in kept}
    assert manifest["scope"]["fields"] == [name for name in FIELDS if name in kept]
    assert manifest["scope"]["classes"] == ["contact", "identity"]


def test_rows_are_read_without_what_stays_behind_and_each_value_is_counted(
    database: Database, vault: Vault, clock: FakeClock, tmp_path: Path
) -> None:
    collection = Collection(database, vault, clock, tmp_path / "exchange").open()
    with Session(database.engine) as session:
        session.execute(
            update(TransferJob)
            .where(col(TransferJob.token) == collection.job)
            .values(plan=_plan([*NEEDED, "mobile", "account"], ["identity", "contact"]))
        )
        session.commit()
    rows = book(1_203)
    rows[7][6] = "62"  # an account that breaks a rule: nobody is held for a field that does not move
    rows[8][4] = "12345"
    collection.put("book.csv", csv_bytes(rows))
    collection.source("csv", "book.csv")
    collection.collect()
    collection.verify()
    kept = collection.rows()
    assert {values.keys() <= {*NEEDED, "mobile"} for values in collection.opened()} == {True}
    assert Counter(row.outcome for row in kept) == {"accepted": 1_202, "held": 1}
    with Session(database.engine) as session:
        source = session.exec(select(TransferSource)).one()
    filled = Counter(name for row in rows for name, at in (("email", 5), ("account", 6), ("sex", 7)) if row[at])
    assert source.left_out == {"account": 1_203, "address": 1_203, "birth_date": 1_203, "email": filled["email"],
                               "sex": filled["sex"]}  # fmt: skip
