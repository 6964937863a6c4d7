"""The inventory of cryptography forgets no column and no purpose, also none that is added tomorrow."""

from sqlalchemy import LargeBinary

from compliance.vault import rotation
from compliance.vault.inventory import cell_columns, index_columns, inventory
from compliance.vault.keyring import Vault
from compliance.vault.purposes import Purpose
from compliance.vault.rotation_rules import rule_of
from compliance.vault.suites import SM4_GCM
from models.database.engine import Database
from models.tables.all import METADATA
from tests.support.clock import FakeClock

# Neither cells nor indexes: a code, what is keyed by a job, and cells once more as they lay in the record.
_KEYED = {"one_time_codes.code_mac", "transfer_rows.digest", "batch_rows.natural_key", "transfer_record_tokens.tokens"}
_IMAGES = {f"{table}.{side}_image" for table in ("transfer_changes", "change_requests") for side in ("before", "after")}


def test_every_column_of_bytes_is_a_cell_an_index_or_known_to_be_neither() -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    left = columns - set(cell_columns(METADATA)) - set(index_columns(METADATA))
    assert left == _KEYED | _IMAGES


def test_every_purpose_says_what_it_guards_and_how_it_rotates(
    bank: Vault, keys_database: Database, clock: FakeClock
) -> None:
    bank.token_keys()
    bank.signing_key("audit")
    items = inventory(keys_database, provider="file", data=METADATA, now=clock())
    assert {item.purpose for item in items} >= set(Purpose) | {"token-es256", "sign-audit", "kek", "person"}
    assert all(item.used_in for item in items)
    assert all(len(rule_of(purpose).why) > 20 for purpose in (*Purpose, "sign-audit", "token-es256", "unheard-of"))


def test_a_version_of_another_suite_is_told_apart(bank: Vault, keys_database: Database, clock: FakeClock) -> None:
    rotation.publish(bank.branches, tenant="acme", purpose="subject-wrap", actor="operator", suite=SM4_GCM)
    clock.advance(days=40)
    items = inventory(keys_database, provider="pkcs11", data=METADATA, now=clock())
    wraps = [item for item in items if (item.tenant, item.purpose) == ("acme", "subject-wrap")]
    assert [(one.version, one.algorithm, one.key_bits, one.state, one.age_days, one.users) for one in wraps] == [
        (1, "AES-256-GCM", 256, "active", 40, 2),
        (2, "SM4-GCM", 128, "published", 40, 0),
    ]
    assert items[0].purpose == "kek"
    assert items[0].held_in == "pkcs11"
