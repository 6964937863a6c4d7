"""New versions of keys and the end of old ones, in key stores on both databases, by more than one process."""

import pytest

from compliance.vault.cells import CellAddress
from compliance.vault.customer_layout import customer_tokens
from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.store import initialise_key_store
from compliance.vault.suites import AES_256_GCM, SM4_GCM
from models.database.engine import Database
from models.errors import CannotOpen, SubjectShredded
from tests.support.clock import FakeClock

ACME = "acme"


@pytest.fixture
def two(key_store: Database, kek: KekProvider, clock: FakeClock) -> tuple[Vault, Vault]:
    """Two processes over one key store, with a tenant and two subjects."""
    initialise_key_store(key_store, kek=kek, clock=clock)
    one, other = (open_vault(key_store, kek, clock) for _ in range(2))
    one.ensure_tenant(ACME)
    for subject in ("sub_a", "sub_b"):
        one.create_subject(tenant=ACME, subject_id=subject)
    return one, other


def _cell(subject: str) -> CellAddress:
    return CellAddress(ACME, "subjects", "name_cell", subject, subject)


def _move(vault: Vault) -> None:
    vault.renewal.publish(ACME, SM4_GCM)
    vault.renewal.activate(ACME, SM4_GCM)


def test_the_other_process_opens_what_lies_under_keys_that_it_has_not_seen(two) -> None:
    one, other = two
    other.seal(_cell("sub_a"), "x")
    _move(one)
    assert one.renewal.renew_subjects(ACME, ["sub_a", "sub_b"], SM4_GCM) == 2
    one.create_subject(tenant=ACME, subject_id="sub_c")
    sealed = {subject: one.seal(_cell(subject), subject) for subject in ("sub_a", "sub_b", "sub_c")}
    assert {cell[1] for cell in sealed.values()} == {SM4_GCM.id}
    assert [other.open_text(_cell(subject), cell) for subject, cell in sealed.items()] == list(sealed)


def test_what_the_other_process_still_seals_under_the_old_key_opens_everywhere(two) -> None:
    one, other = two
    other.seal(_cell("sub_a"), "x")
    _move(one)
    one.renewal.renew_subjects(ACME, ["sub_a"], SM4_GCM)
    late = other.seal(_cell("sub_a"), "spät")
    assert late[1] == AES_256_GCM.id
    assert one.open_text(_cell("sub_a"), late) == "spät"


def test_both_indexes_are_known_before_the_new_one_is_written(two) -> None:
    one, other = two
    before = other.blind_index(tenant=ACME, field="mobile", value="13812345678")
    one.renewal.publish(ACME, SM4_GCM)
    other.forget()
    first, second = other.blind_indexes(tenant=ACME, field="mobile", value="13812345678")
    assert (first, first == second) == (before, False)
    one.renewal.activate(ACME, SM4_GCM)
    assert one.blind_indexes(tenant=ACME, field="mobile", value="13812345678") == (second, before)


def test_look_ups_in_bulk_ask_for_every_index_key_that_opens(two) -> None:
    """Else a number that was written under the old key is taken for a new one while index keys change."""
    one, other = two
    values = ["13812345678", "13900000000"]

    def single(vault: Vault) -> list[tuple[bytes, ...]]:
        return [vault.blind_indexes(tenant=ACME, field="mobile", value=value) for value in values]

    def bulk(vault: Vault) -> list[tuple[bytes, ...]]:
        return customer_tokens(vault, tenant=ACME, index="mobile_index", values=values)

    before = bulk(other)
    assert [len(tokens) for tokens in before] == [1, 1]
    one.renewal.publish(ACME, SM4_GCM)
    other.forget()
    assert bulk(other) == single(other)
    assert [tokens[0] for tokens in bulk(other)] == [token for [token] in before]
    one.renewal.activate(ACME, SM4_GCM)
    assert bulk(one) == single(one)
    assert [tokens[1] for tokens in bulk(one)] == [token for [token] in before]
    assert customer_tokens(one, tenant=ACME, index="mobile_index", values=[]) == []


def test_every_step_twice_is_every_step_once(two) -> None:
    one, other = two
    for vault in (one, other):
        vault.renewal.publish(ACME, SM4_GCM)
    for vault in (one, other):
        vault.renewal.activate(ACME, SM4_GCM)
    made = [vault.renewal.renew_subjects(ACME, ["sub_a", "sub_b"], SM4_GCM) for vault in (one, other)]
    assert made == [2, 0]
    gone = [vault.renewal.destroy_old_versions(ACME, ["sub_a", "sub_b"]) for vault in (one, other)]
    assert gone == [2, 0]
    assert one.renewal.retire_branches(ACME, SM4_GCM) == ["subject-wrap", "blind-index", "seal-wrap"]
    assert other.renewal.retire_branches(ACME, SM4_GCM) == []
    assert one.renewal.counts(ACME).subjects == {SM4_GCM.id: 2}


def test_a_destroyed_version_opens_nothing(two) -> None:
    one, _ = two
    old = one.seal(_cell("sub_a"), "x")
    _move(one)
    one.renewal.renew_subjects(ACME, ["sub_a"], SM4_GCM)
    one.renewal.destroy_old_versions(ACME, ["sub_a"])
    with pytest.raises(CannotOpen):
        one.open(_cell("sub_a"), old)


def test_who_was_shredded_gets_no_new_key(two) -> None:
    one, other = two
    _move(one)
    other.shred_subject(tenant=ACME, subject_id="sub_a")
    assert one.renewal.renew_subjects(ACME, ["sub_a", "sub_b"], SM4_GCM) == 1
    with pytest.raises(SubjectShredded):
        other.seal(_cell("sub_a"), "x")
    assert one.renewal.shredded(ACME, ["sub_a", "sub_b"]) == {"sub_a"}


def test_one_subjects_key_is_renewed_once_beyond_a_version(two) -> None:
    one, other = two
    assert [vault.renewal.renew_subject(ACME, "sub_a", beyond=1) for vault in (one, other)] == [1, 0]
    assert one.header_of(tenant=ACME, subject_id="sub_a") == (AES_256_GCM.id, 2)
    assert one.header_of(tenant=ACME, subject_id="sub_b") == (AES_256_GCM.id, 1)


def test_a_branch_key_under_which_something_lies_is_never_destroyed(two) -> None:
    one, other = two
    cell = one.seal(_cell("sub_b"), "x")
    _move(one)
    one.renewal.renew_subjects(ACME, ["sub_a"], SM4_GCM)
    assert "subject-wrap" not in one.renewal.retire_branches(ACME, SM4_GCM)
    other.forget()
    assert other.open_text(_cell("sub_b"), cell) == "x"


def test_the_seal_of_documents_comes_along(two) -> None:
    one, other = two
    one.ensure_seal(tenant=ACME, organisation="示例银行")
    before = one.document_seal(ACME)
    other.document_seal(ACME)
    _move(one)
    one.renewal.retire_branches(ACME, SM4_GCM)
    after = other.document_seal(ACME)
    assert after.private_key.private_numbers() == before.private_key.private_numbers()
    assert after.certificate == before.certificate
