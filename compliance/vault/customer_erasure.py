"""Erasing a customer's record (删除权): keys first, then every token that finds the person. Repeatable at every point.

A record is its own subject, and so is every row of a transfer job that became it or was merged into it: all their keys
go. Who decided, and by which two persons, is the caller's matter; what is done here is recorded under the one who asks.
"""

from collections.abc import Callable
from datetime import datetime

from compliance.audit.deeds import Deed
from compliance.audit.unit import unit_of_work
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.errors import NotFound
from models.operations.customers import erase_customer_tokens
from models.queries.customers import customer_by_id, subjects_of_customer

NoteTombstone = Callable[[str, str, datetime], None]
"""Told of each person whose keys were destroyed: tenant, subject, when. Repeated, it says the same again."""


def _nowhere(tenant: str, subject_id: str, at: datetime) -> None:
    """For an installation that keeps no list of tombstones beside its backups."""


def erase_customer(
    database: Database,
    vault: Vault,
    customer_id: str,
    *,
    tenant: str,
    actor: str,
    now: datetime,
    note_tombstone: NoteTombstone = _nowhere,
) -> int:
    """Erase one record and the rows it came from; returns how many keys' owners went.

    Raises:
        NotFound: the tenant has no such record.
        KeysUnavailable: the key store does not answer; the next try goes on.
    """
    with database.read() as session:
        record = customer_by_id(session, customer_id, tenant=tenant)
        if record is None:
            raise NotFound
        subjects = subjects_of_customer(session, record)
    for subject in subjects:
        # Before the key goes, so that no restored backup brings back a person whom nobody remembers to have erased.
        note_tombstone(tenant, subject, now)
        vault.shred_subject(tenant=tenant, subject_id=subject)
    deed = Deed(tenant=tenant, action="customer.erased", target=customer_id, actor=actor, at=now)
    with unit_of_work(database, deed) as unit:
        records = erase_customer_tokens(unit.session, record.subject_id, tenant=tenant, now=now)
        deed.facts = {"records": records, "keys": len(subjects)}
    return len(subjects)
