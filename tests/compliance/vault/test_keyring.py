"""The vault as the rest of the product uses it."""

import hashlib
import json
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import event, update
from sqlmodel import select

from compliance.vault.branches import KEY_TTL, branch_binding
from compliance.vault.cells import CellAddress, RowAddress
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import INSTALLATION, Purpose
from compliance.vault.states import KeyState
from compliance.vault.store import initialise_key_store
from compliance.vault.tables import BranchKey, SubjectKey
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable
from tests.support.clock import FakeClock

NAME = CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_a")
ROW = RowAddress("acme", "subjects", "sub_a", "sub_a")
WORKFLOW = "installments/acme.1"


def _add_branch_version(store: Database, kek: KekProvider, tenant: str, purpose: str, secret: bytes) -> None:
    """Rotate a branch key, as another process would: a new active version beside the old one, which only opens."""
    with store.write() as session:
        versions = session.exec(select(BranchKey).where(BranchKey.tenant == tenant, BranchKey.purpose == purpose)).all()
        newest = max(versions, key=lambda row: row.version)
        newest.state = KeyState.DECRYPT_ONLY
        version = newest.version + 1
        binding = branch_binding(tenant, purpose, version, newest.suite)
        session.add(
            BranchKey(
                tenant=tenant,
                purpose=purpose,
                version=version,
                suite=newest.suite,
                wrapped=kek.wrap(secret, associated_data=binding),
                state=KeyState.ACTIVE,
                created_at=newest.created_at.replace(tzinfo=UTC),
            )
        )


# Cells ----------------------------------------------------------------------------------------------------------------


def test_what_was_sealed_opens_again_also_in_a_later_process(
    bank: Vault, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    sealed = bank.seal(NAME, "王小明")
    assert "王小明".encode() not in sealed
    assert bank.open_text(NAME, sealed) == "王小明"
    assert open_vault(keys_database, kek, clock).open(NAME, sealed) == "王小明".encode()


def test_a_row_is_sealed_and_opened_at_once(bank: Vault) -> None:
    sealed = bank.seal_many(ROW, {"name_cell": "王小明", "card_cell": b"\x00\xff"})
    assert bank.open_many(ROW, sealed) == {"name_cell": "王小明".encode(), "card_cell": b"\x00\xff"}
    assert bank.open_text(NAME, sealed["name_cell"]) == "王小明"
    assert bank.open_many_text(ROW, {"name_cell": sealed["name_cell"]}) == {"name_cell": "王小明"}
    with pytest.raises(CannotOpen):
        bank.open_many(ROW, {"card_cell": sealed["name_cell"]})


def test_bytes_that_are_no_text_are_not_repeated_in_the_refusal(bank: Vault) -> None:
    with pytest.raises(CannotOpen, match="holds no text") as refused:
        bank.open_text(NAME, bank.seal(NAME, b"\xff\xfe secret"))
    assert refused.value.__suppress_context__
    assert "secret" not in str(refused.value)


def test_one_person_cannot_read_anothers_cell(bank: Vault) -> None:
    sealed = bank.seal(NAME, "王小明")
    with pytest.raises(CannotOpen):
        bank.open(CellAddress("acme", "subjects", "name_cell", "sub_a", "sub_b"), sealed)


def test_nothing_is_created_by_reading(bank: Vault) -> None:
    with pytest.raises(KeysUnavailable, match="create_subject"):
        bank.seal(CellAddress("acme", "subjects", "name_cell", "sub_x", "sub_x"), "王小明")
    with pytest.raises(KeysUnavailable, match="ensure_tenant"):
        bank.create_subject(tenant="unknown", subject_id="sub_x")
    with pytest.raises(KeysUnavailable, match="ensure_tenant"):
        bank.purpose_key("unknown", Purpose.LINKS)


def test_a_cell_of_an_unknown_key_version_is_refused(bank: Vault) -> None:
    sealed = bytearray(bank.seal(NAME, "王小明"))
    sealed[2:4] = (7).to_bytes(2)
    with pytest.raises(CannotOpen, match="version 7"):
        bank.open(NAME, bytes(sealed))


def test_creating_a_subject_again_keeps_the_key(bank: Vault) -> None:
    sealed = bank.seal(NAME, "王小明")
    bank.forget()
    bank.create_subject(tenant="acme", subject_id="sub_a")
    assert bank.open_text(NAME, sealed) == "王小明"


def test_a_cached_key_needs_no_database_until_its_time_is_over(
    bank: Vault, keys_database: Database, clock: FakeClock
) -> None:
    asked: list[str] = []

    @event.listens_for(keys_database.engine, "before_cursor_execute")
    def _count(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    sealed = bank.seal(NAME, "王小明")
    bank.open(NAME, sealed)
    clock.advance(KEY_TTL - timedelta(seconds=1))
    bank.open(NAME, sealed)
    assert [each for each in asked if "subject_keys" in each or "branch_keys" in each] == []
    clock.advance(seconds=1)
    bank.open(NAME, sealed)
    assert [each for each in asked if "subject_keys" in each]


def test_a_small_cache_only_makes_it_slower(keys_database: Database, kek: KekProvider, clock: FakeClock) -> None:
    initialise_key_store(keys_database, kek=kek, clock=clock)
    vault = open_vault(keys_database, kek, clock, subjects_cached=2)
    vault.ensure_tenant("acme")
    addresses = [CellAddress("acme", "subjects", "name_cell", f"sub_{n}", f"sub_{n}") for n in range(6)]
    for address in addresses:
        vault.create_subject(tenant="acme", subject_id=address.subject)
    sealed = [vault.seal(address, address.subject) for address in addresses]
    assert len(vault._subjects) == 2
    assert [vault.open_text(*pair) for pair in zip(addresses, sealed, strict=True)] == [f"sub_{n}" for n in range(6)]


def test_many_threads_share_one_vault(bank: Vault) -> None:
    def work(number: int) -> bool:
        if number % 5 == 0:
            bank.forget()
        return bank.open_text(NAME, bank.seal(NAME, str(number))) == str(number)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(200)))


# Keys for one purpose -------------------------------------------------------------------------------------------------


def test_keys_differ_by_tenant_and_purpose_and_stay(bank: Vault) -> None:
    bank.ensure_tenant("other")
    handed_out = [Purpose.AUDIT_MAC, Purpose.LINKS, Purpose.FINGERPRINT]
    keys = {
        (tenant, purpose): bank.purpose_key(tenant, purpose) for tenant in ("acme", "other") for purpose in handed_out
    }
    assert len(set(keys.values())) == 6
    assert {len(key) for key in keys.values()} == {32}
    bank.forget()
    assert all(bank.purpose_key(*name) == key for name, key in keys.items())
    assert bank.purpose_key(INSTALLATION, Purpose.AUDIT_MAC) not in keys.values()


@pytest.mark.parametrize("purpose", [Purpose.SUBJECT_WRAP, Purpose.BLIND_INDEX, Purpose.TEMPORAL])
def test_keys_that_the_vault_itself_uses_never_leave_it(bank: Vault, purpose: Purpose) -> None:
    with pytest.raises(ValueError, match="stays inside"):
        bank.purpose_key("acme", purpose)


def test_each_workflow_has_a_key_of_its_own(bank: Vault) -> None:
    version, key = bank.workflow_key(tenant="acme", workflow_id="installments/acme.1")
    assert (version, len(key)) == (1, 32)
    assert bank.workflow_key(tenant="acme", workflow_id="installments/acme.1") == (1, key)
    assert bank.workflow_key(tenant="acme", workflow_id="installments/acme.2")[1] != key
    with pytest.raises(CannotOpen, match="version 2"):
        bank.workflow_key(tenant="acme", workflow_id="installments/acme.1", version=2)


def test_a_rotated_branch_key_seals_new_payloads_and_still_opens_old_ones(
    bank: Vault, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    old = bank.workflow_sealer(tenant="acme", workflow_id=WORKFLOW)
    sealed = old.seal(b"payload", b"")
    _add_branch_version(keys_database, kek, "acme", "temporal", bytes(range(32)))
    assert (
        bank.workflow_sealer(tenant="acme", workflow_id=WORKFLOW, version=2).version == 2
    )  # noticed at once when somebody else used it
    clock.advance(KEY_TTL)
    assert bank.workflow_sealer(tenant="acme", workflow_id=WORKFLOW).version == 2
    assert bank.workflow_sealer(tenant="acme", workflow_id=WORKFLOW, version=1).open(sealed, b"") == b"payload"
    assert (
        bank.workflow_key(tenant="acme", workflow_id=WORKFLOW, version=1)[1]
        != bank.workflow_key(tenant="acme", workflow_id=WORKFLOW)[1]
    )


def test_subjects_stay_readable_after_their_branch_key_was_rotated(
    bank: Vault, keys_database: Database, kek: KekProvider
) -> None:
    sealed = bank.seal(NAME, "王小明")
    _add_branch_version(keys_database, kek, "acme", "subject-wrap", bytes(range(32)))
    bank.forget()
    bank.create_subject(tenant="acme", subject_id="sub_new")
    assert bank.open_text(NAME, sealed) == "王小明"
    with keys_database.read() as session:
        rows = {row.subject_id: row.branch_version for row in session.exec(select(SubjectKey)).all()}
    assert rows == {"sub_a": 1, "sub_b": 1, "sub_new": 2}


def test_a_key_without_an_active_version_seals_nothing(bank: Vault, keys_database: Database) -> None:
    with keys_database.write() as session:
        session.execute(update(BranchKey).values(state=KeyState.DECRYPT_ONLY))
    bank.forget()
    with pytest.raises(KeysUnavailable, match="must be active"):
        bank.workflow_key(tenant="acme", workflow_id="installments/acme.1")


def test_the_loop_is_told_when_a_key_is_not_in_memory(bank: Vault, clock: FakeClock) -> None:
    assert bank.workflow_sealer_in_memory(tenant="acme", workflow_id=WORKFLOW) is None
    assert bank.workflow_sealer(tenant="acme", workflow_id=WORKFLOW) is bank.workflow_sealer_in_memory(
        tenant="acme", workflow_id=WORKFLOW
    )
    assert bank.workflow_sealer_in_memory(tenant="acme", workflow_id=WORKFLOW, version=2) is None
    clock.advance(KEY_TTL)
    assert bank.workflow_sealer_in_memory(tenant="acme", workflow_id=WORKFLOW) is None


# Signatures -----------------------------------------------------------------------------------------------------------


def test_a_signing_key_is_made_once_for_each_name(
    bank: Vault, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    audit = bank.signing_key("audit")
    audit.public_key().verify(audit.sign(b"checkpoint"), b"checkpoint")
    later = open_vault(keys_database, kek, clock)
    assert later.signing_key("audit").private_bytes_raw() == audit.private_bytes_raw()
    assert later.signing_key("export").private_bytes_raw() != audit.private_bytes_raw()
    with pytest.raises(ValueError, match="lower-case"):
        bank.signing_key("Audit/../x")


def test_token_keys_are_p256_and_named_by_their_thumbprint(
    bank: Vault, keys_database: Database, kek: KekProvider, clock: FakeClock
) -> None:
    [(kid, key)] = bank.token_keys()
    assert isinstance(key.curve, ec.SECP256R1)
    numbers = key.public_key().public_numbers()

    def encoded(value: bytes) -> str:
        return urlsafe_b64encode(value).rstrip(b"=").decode()

    members = {"crv": "P-256", "kty": "EC", "x": encoded(numbers.x.to_bytes(32)), "y": encoded(numbers.y.to_bytes(32))}
    digest = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    assert kid == encoded(digest)
    assert [name for name, _ in open_vault(keys_database, kek, clock).token_keys()] == [kid]


def test_of_two_token_keys_the_active_one_signs_and_the_other_still_verifies(
    bank: Vault, keys_database: Database, kek: KekProvider
) -> None:
    [(old, _)] = bank.token_keys()
    scalar = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32)
    _add_branch_version(keys_database, kek, INSTALLATION, "token-es256", scalar)
    kids = [kid for kid, _ in bank.token_keys()]
    assert len(kids) == 2
    assert kids[1] == old
