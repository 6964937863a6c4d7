"""`casework transfer verify` beside nothing: two files, a public key, and the private key of the escrow, if any."""

import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.vault.suites import AES_256_GCM
from deploy.commands.cli import run_command
from tests.support.transfer_containers import ESCROW, SIGNING, Backup, backup, records


@pytest.fixture
def made(tmp_path: Path) -> Backup:
    return backup(tmp_path, suite=AES_256_GCM, content=records(300))


@pytest.fixture
def manifest(made: Backup, tmp_path: Path) -> Path:
    path = tmp_path / "m.json"
    path.write_text(json.dumps(made.document), encoding="utf-8")
    return path


def _key(key: Ed25519PrivateKey) -> str:
    return verifier_key(origin_of(key.public_key()), key.public_key())


def _pem(path: Path, key: X25519PrivateKey, password: bytes | None = None) -> Path:
    sealing = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, sealing))
    return path


def _run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, dict[str, object]]:
    code = run_command(["transfer", "verify", *map(str, arguments), "--json"])
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, answer


def test_both_companies_can_check_what_they_were_given(
    made: Backup, manifest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, answer = _run(capsys, made.container, manifest, "--key", _key(SIGNING))
    assert code == 0
    assert (answer["ok"], answer["keyKnown"], answer["opened"]) == (True, True, False)
    assert answer["figures"] == made.manifest["figures"]


def test_the_escrow_opens_it_and_computes_it_again(
    made: Backup, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pem, password = _pem(tmp_path / "escrow.pem", ESCROW, b"secret words"), tmp_path / "password"
    password.write_text("secret words\n")
    code, answer = _run(capsys, made.container, manifest, "--escrow-key", pem, "--escrow-password-file", password)
    assert (code, answer["opened"], answer["keyKnown"]) == (0, True, False)
    assert run_command(["transfer", "verify", str(made.container), str(manifest)]) == 0
    assert "whose backup it is was not checked" in capsys.readouterr().out
    assert run_command(["transfer", "verify", str(made.container), str(manifest), "--escrow-key", str(pem)]) == 65


def test_what_is_wrong_is_named_and_ends_with_1(
    made: Backup, manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = bytearray(made.container.read_bytes())
    content[-1] ^= 1
    damaged = tmp_path / "damaged.cwtb"
    damaged.write_bytes(content)
    last = len(made.manifest["container"]["chunks"]) - 1
    assert _run(capsys, damaged, manifest)[1]["fault"] == {"code": "chunk-altered", "chunk": last}
    assert _run(capsys, tmp_path / "none.cwtb", manifest)[1]["fault"] == {"code": "container-missing"}
    stranger = _key(Ed25519PrivateKey.generate())
    code, answer = _run(capsys, made.container, manifest, "--key", stranger)
    assert (code, answer["fault"]) == (1, {"code": "manifest-forged"})
    other = _pem(tmp_path / "other.pem", X25519PrivateKey.generate())
    code, answer = _run(capsys, made.container, manifest, "--escrow-key", other)
    assert (code, answer["fault"]["code"]) == (1, "no-recipient")  # type: ignore[index]
