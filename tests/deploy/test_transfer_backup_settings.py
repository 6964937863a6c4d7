"""The escrow of backups as the installation is told of it: a public key, judged before anything runs."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from compliance.transfers.backup_envelopes import escrow_key_id
from compliance.vault.keyring import Vault
from deploy.settings import SettingsRefused, load_settings
from deploy.transfer_backups import backup_steps
from models.database.engine import Database
from models.domain.clock import Clock

NAME = "CASEWORK_TRANSFER_ESCROW_KEY_FILE"
_PEM = serialization.Encoding.PEM


def test_the_key_of_the_settings_is_the_recipient_of_every_container(
    tmp_path: Path, sqlite_database: Database, vault: Vault, clock: Clock
) -> None:
    key, file = X25519PrivateKey.generate(), tmp_path / "escrow.pub"
    file.write_bytes(key.public_key().public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data"), NAME: str(file)})
    steps = backup_steps(settings, database=sqlite_database, vault=vault, clock=clock)
    assert steps.escrow is not None
    assert escrow_key_id(steps.escrow) == escrow_key_id(key.public_key())
    assert not steps.folder.is_relative_to(tmp_path / "data")


def test_without_one_there_is_none(tmp_path: Path, sqlite_database: Database, vault: Vault, clock: Clock) -> None:
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    assert backup_steps(settings, database=sqlite_database, vault=vault, clock=clock).escrow is None


@pytest.mark.parametrize("kind", ["private", "other curve", "junk", "missing"])
def test_anything_else_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "escrow.pub"
    private = X25519PrivateKey.generate().private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    other = curve.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    if kind != "missing":
        file.write_bytes({"private": private, "other curve": other, "junk": b"junk"}[kind])
    with pytest.raises(SettingsRefused) as refused:
        load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data"), NAME: str(file)})
    assert NAME in str(refused.value)
