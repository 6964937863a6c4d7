"""Every change of a key is one event of the audit log, whatever is killed between the two stores."""

import json

import pytest
from sqlalchemy import update
from sqlmodel import select

from compliance.audit import key_deeds
from compliance.audit.key_deeds import record_key_deeds
from compliance.vault import rotation
from compliance.vault.kek_rotation import rotate_kek
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.tables import KeyJournal
from models.database.engine import Database
from models.errors import DatabaseBusy
from models.tables.audit import AuditEvent, AuditPending
from tests.support.clock import FakeClock
from tests.support.vaults import throw_away_kek


@pytest.fixture(params=["sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, clock: FakeClock) -> tuple[Database, Database, Vault]:
    data, keys = request.getfixturevalue(f"{request.param}_database"), request.getfixturevalue("keys_database")
    kek = throw_away_kek()
    initialise_key_store(keys, kek=kek, clock=clock)
    vault = open_vault(keys, kek, clock)
    vault.ensure_tenant("acme")
    return data, keys, vault


def _events(data: Database) -> list[tuple[str, str, str, str]]:
    with data.read() as session:
        events = session.exec(select(AuditEvent).order_by(AuditEvent.id)).all()
        assert len(session.exec(select(AuditPending)).all()) == len(events)
    return [(event.tenant, event.action, event.target, event.actor) for event in events]


def test_what_happened_to_keys_is_in_the_audit_log_once_and_in_order(
    stores: tuple[Database, Database, Vault], clock: FakeClock
) -> None:
    data, keys, vault = stores
    made = record_key_deeds(data, keys, now=clock())
    assert made == len(_events(data)) == 20  # ten purposes of the installation, ten of the tenant
    clock.advance(minutes=1)
    named = {"tenant": "acme", "purpose": "subject-wrap", "actor": "operator"}
    rotation.publish(vault.branches, **named)
    clock.advance(seconds=1)
    rotation.activate(vault.branches, version=2, **named)
    clock.advance(seconds=1)
    rotate_kek(keys, old=vault.branches.kek, new=throw_away_kek(), actor="operator", at=clock())
    assert record_key_deeds(data, keys, now=clock()) == 4
    assert record_key_deeds(data, keys, now=clock()) == 0
    late = _events(data)[made:]
    assert late[0] == ("acme", "key.published", "key/acme/subject-wrap/2", "operator")
    assert {action for _, action, _, _ in late} == {
        "key.published",
        "key.activated",
        "key.superseded",
        "key.kek-rotated",
    }
    assert late[-1][0] == "_"


def test_a_recorder_that_died_before_it_marked_the_line_leaves_one_event(
    stores: tuple[Database, Database, Vault], clock: FakeClock
) -> None:
    data, keys, _ = stores
    record_key_deeds(data, keys, now=clock())
    before = _events(data)
    with keys.write() as session:
        session.execute(update(KeyJournal).values(recorded_at=None))
    assert record_key_deeds(data, keys, now=clock()) == len(before)
    assert _events(data) == before


def test_a_data_store_that_does_not_answer_leaves_the_lines_open(
    stores: tuple[Database, Database, Vault], clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, keys, _ = stores
    done = [0]
    real = key_deeds._record

    def dies(database: Database, line: KeyJournal) -> None:
        done[0] += 1
        if done[0] == 5:
            raise DatabaseBusy(detail="gone")
        real(database, line)

    with monkeypatch.context() as patched:
        patched.setattr(key_deeds, "_record", dies)
        with pytest.raises(DatabaseBusy):
            record_key_deeds(data, keys, now=clock())
    assert len(_events(data)) == 4
    record_key_deeds(data, keys, now=clock())
    assert len(_events(data)) == 20


def test_an_event_names_the_key_and_holds_no_part_of_it(
    stores: tuple[Database, Database, Vault], clock: FakeClock
) -> None:
    data, keys, _ = stores
    record_key_deeds(data, keys, now=clock())
    with data.read() as session:
        body = session.exec(select(AuditEvent.body).where(AuditEvent.target == "key/acme/links/1")).one()
    assert set(json.loads(body)["facts"]) == {"suite", "journal"}
