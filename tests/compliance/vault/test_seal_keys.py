"""The seal with which a tenant signs documents: made once, opened only by its own tenant, and good for nothing else."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from sqlalchemy import delete, update
from sqlmodel import select

from compliance.vault.kek import KekProvider
from compliance.vault.keyring import Vault, open_vault
from compliance.vault.purposes import Purpose
from compliance.vault.store import initialise_key_store
from compliance.vault.tables import BranchKey, SealKey
from models.database.engine import Database
from models.errors import CannotOpen, KeysUnavailable
from tests.support.clock import FakeClock

BANK = "示例商业银行股份有限公司信用卡中心"


@pytest.fixture
def vault(key_store: Database, kek: KekProvider, clock: FakeClock) -> Vault:
    initialise_key_store(key_store, kek=kek, clock=clock)
    vault = open_vault(key_store, kek, clock)
    vault.ensure_tenant("acme")
    return vault


def _row(database: Database, tenant: str) -> SealKey:
    with database.read() as session:
        return session.exec(select(SealKey).where(SealKey.tenant == tenant)).one()


def test_a_seal_is_made_once_and_is_the_same_in_a_later_process(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with pytest.raises(KeysUnavailable, match="ensure_seal"):
        vault.document_seal("acme")
    vault.ensure_seal(tenant="acme", organisation=BANK)
    first = vault.document_seal("acme")
    clock.advance(days=30)
    later = open_vault(key_store, kek, clock)
    later.ensure_seal(tenant="acme", organisation="Another name")
    again = later.document_seal("acme")
    assert again.certificate == first.certificate
    assert again.private_key.private_numbers() == first.private_key.private_numbers()


def test_the_certificate_names_the_bank_and_stands_under_its_authority(vault: Vault, clock: FakeClock) -> None:
    vault.ensure_seal(tenant="acme", organisation=BANK)
    seal = vault.document_seal("acme")
    seal.certificate.verify_directly_issued_by(seal.authority)
    seal.authority.verify_directly_issued_by(seal.authority)
    (name,) = seal.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert name.value == BANK
    usage = seal.certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.content_commitment
    assert not usage.key_cert_sign
    assert not seal.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert seal.certificate.not_valid_after_utc > clock() + timedelta(days=15 * 365)
    assert x509.load_pem_x509_certificate(seal.authority_pem()) == seal.authority


def test_a_name_longer_than_a_certificate_holds_is_cut_between_characters(vault: Vault) -> None:
    vault.ensure_seal(tenant="acme", organisation="龘" * 40)
    (name,) = vault.document_seal("acme").certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    assert name.value == "龘" * 21


def test_the_store_holds_no_private_key_in_clear(vault: Vault, key_store: Database) -> None:
    vault.ensure_seal(tenant="acme", organisation=BANK)
    seal, row = vault.document_seal("acme"), _row(key_store, "acme")
    scalar = seal.private_key.private_numbers().private_value.to_bytes(32)
    for column in (row.wrapped, row.authority_wrapped):
        assert scalar not in column
        with pytest.raises(ValueError, match=r".*"):
            serialization.load_der_private_key(column, password=None)


def test_a_seal_moved_to_another_tenant_or_altered_does_not_open(vault: Vault, key_store: Database) -> None:
    vault.ensure_tenant("other")
    for tenant in ("acme", "other"):
        vault.ensure_seal(tenant=tenant, organisation=BANK)
    acme = _row(key_store, "acme")
    for wrapped in (acme.wrapped, acme.wrapped[:-1] + bytes([acme.wrapped[-1] ^ 1]), acme.wrapped[1:], b""):
        with key_store.write() as session:
            session.execute(
                update(SealKey).where(SealKey.tenant == "other").values(
                    wrapped=wrapped, certificate=acme.certificate
                )
            )  # fmt: skip
        with pytest.raises(CannotOpen, match="seal key other/1"):
            vault.document_seal("other")


def test_an_exchanged_certificate_is_noticed(vault: Vault, key_store: Database) -> None:
    vault.ensure_seal(tenant="acme", organisation=BANK)
    with key_store.write() as session:
        session.execute(update(SealKey).values(certificate=_row(key_store, "acme").authority))
    with pytest.raises(CannotOpen, match="seal key acme/1"):
        vault.document_seal("acme")


def test_a_tenant_from_before_there_were_seals_gets_one(
    vault: Vault, key_store: Database, kek: KekProvider, clock: FakeClock
) -> None:
    with key_store.write() as session:
        session.execute(delete(BranchKey).where(BranchKey.purpose == Purpose.SEAL_WRAP))
    later = open_vault(key_store, kek, clock)
    later.ensure_seal(tenant="acme", organisation=BANK)
    assert isinstance(later.document_seal("acme").private_key.curve, ec.SECP256R1)


def test_the_key_that_wraps_seals_stays_inside_the_vault(vault: Vault) -> None:
    with pytest.raises(ValueError, match="stays inside"):
        vault.purpose_key("acme", Purpose.SEAL_WRAP)
