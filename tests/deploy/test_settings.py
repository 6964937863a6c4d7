"""Each unsafe setting is refused with its name and the fix, and all of them at once."""

import base64
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from compliance.vault.suites import SM4_GCM, SUITES, EnabledSuites
from deploy.settings import SettingsRefused, load_settings, settings_page
from deploy.values import CipherSuite, Core, Mode
from deploy.variables import VARIABLES

REPOSITORY = Path(__file__).parents[2]


def number(value: int) -> str:
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


def rsa_jwk(bits: int) -> dict[str, str]:
    numbers = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key().public_numbers()
    return {"kty": "RSA", "kid": "one", "alg": "RS256", "n": number(numbers.n), "e": number(numbers.e)}


def ec_jwk(curve: ec.EllipticCurve, name: str) -> dict[str, str]:
    numbers = ec.generate_private_key(curve).public_key().public_numbers()
    return {"kty": "EC", "kid": "one", "alg": "ES256", "crv": name, "x": number(numbers.x), "y": number(numbers.y)}


def key_file(path: Path, content: str | None = None, *, mode: int = 0o600) -> Path:
    path.write_text(content if content is not None else base64.b64encode(os.urandom(32)).decode() + "\n")
    path.chmod(mode)
    return path


@pytest.fixture
def production(tmp_path: Path) -> dict[str, str]:
    """Values that production accepts."""
    jwks = tmp_path / "jwks.json"
    jwks.write_text(json.dumps({"keys": [ec_jwk(ec.SECP256R1(), "P-256")]}))
    (tmp_path / "data").mkdir()
    ca = tmp_path / "ca.pem"
    ca.write_text("-")
    return {
        "CASEWORK_MODE": "production",
        "CASEWORK_DATA_DIR": str(tmp_path / "data"),
        "CASEWORK_DATABASE_URL": "postgresql+psycopg://casework@db.bank.example/data?sslmode=verify-full",
        "CASEWORK_KEYS_DATABASE_URL": "postgresql+psycopg://casework@keys.bank.example/keys?sslmode=verify-full",
        "CASEWORK_KEK_FILE": str(key_file(tmp_path / "casework.kek")),
        "CASEWORK_TEMPORAL_ADDRESS": "temporal.bank.example:7233",
        "CASEWORK_TEMPORAL_TLS_CA_FILE": str(ca),
        "CASEWORK_TLS_PROXY": "true",
        "CASEWORK_ALLOWED_HOSTS": "casework.bank.example",
        "CASEWORK_ISSUER": "oidc",
        "CASEWORK_OIDC_JWKS_FILE": str(jwks),
        "CASEWORK_OIDC_ISSUER": "https://login.bank.example",
        "CASEWORK_OIDC_AUDIENCE": "casework",
        "CASEWORK_LINKS_URL": "https://casework.bank.example",
    }


def refused(values: dict[str, str]) -> dict[str, str]:
    """Problem by the name of the setting."""
    with pytest.raises(SettingsRefused) as caught:
        load_settings(values)
    for problem in caught.value.problems:
        assert str(problem.params["setting"]) in problem.detail
        assert problem.params["fix"]
    return {str(problem.params["setting"]): str(problem.params["problem"]) for problem in caught.value.problems}


def test_nothing_set_is_the_embedded_stack_on_loopback(tmp_path: Path) -> None:
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    assert settings.mode is Mode.EMBEDDED
    assert settings.database_url == f"sqlite:///{tmp_path}/data/casework.db"
    assert settings.kek.file == tmp_path / "data.kek"
    assert (settings.api.host, settings.api.port) == ("127.0.0.1", 8700)


def test_a_safe_production_is_accepted(production: dict[str, str]) -> None:
    assert load_settings(production).is_production


def test_the_card_core_is_invented_only_where_nothing_is_real(production: dict[str, str], tmp_path: Path) -> None:
    embedded = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    assert (embedded.core, load_settings(production).core) == (Core.SIMULATED, Core.FILES)


def test_the_suites_of_the_settings_are_those_of_the_vault(tmp_path: Path) -> None:
    data = {"CASEWORK_DATA_DIR": str(tmp_path / "data")}
    assert [suite.code for suite in SUITES.values()] == list(CipherSuite)
    assert load_settings(data).suites == (CipherSuite.AES_256_GCM, CipherSuite.SM4_GCM)
    chosen = load_settings(data | {"CASEWORK_SUITES": " sm4-gcm , aes-256-gcm,sm4-gcm"}).suites
    assert EnabledSuites.named(chosen).of_new_tenants is SM4_GCM
    assert load_settings(data | {"CASEWORK_SUITES": "aes-256-gcm"}).suites == (CipherSuite.AES_256_GCM,)


def test_command_line_options_win(production: dict[str, str]) -> None:
    assert load_settings(production, overrides={"CASEWORK_PORT": "9000"}).api.port == 9000


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASEWORK_DATABASE_URL", "sqlite:////srv/casework.db"),
        ("CASEWORK_KEYS_DATABASE_URL", "sqlite:////srv/keys.db"),
        ("CASEWORK_DATABASE_URL", "postgresql+psycopg://casework@db.bank.example/data"),
        ("CASEWORK_DATABASE_URL", "postgresql+psycopg://casework@db.bank.example/data?sslmode=prefer"),
        ("CASEWORK_DATABASE_URL", "postgresql+psycopg://casework@/data?host=db.bank.example"),
        ("CASEWORK_DATABASE_URL", "mysql://casework@127.0.0.1/data"),
        ("CASEWORK_DATABASE_URL", "postgresql+psycopg://casework@127.0.0.1:port/data"),
        ("CASEWORK_ISSUER", "local"),
        ("CASEWORK_ISSUER", "ldap"),
        ("CASEWORK_SANDBOX", "true"),
        ("CASEWORK_BUREAU", "simulated"),
        ("CASEWORK_CORE", "simulated"),
        ("CASEWORK_CORE", "mainframe"),
        ("CASEWORK_ALLOWED_HOSTS", "*"),
        ("CASEWORK_PORT", "65536"),
        ("CASEWORK_PORT", "-1"),
        ("CASEWORK_PORT", "eight"),
        ("CASEWORK_SANDBOX", "perhaps"),
        ("CASEWORK_MODE", "staging"),
        ("CASEWORK_SUITES", "rot13"),
        ("CASEWORK_SUITES", "aes-256-gcm,"),
        ("CASEWORK_SUITES", "AES-256-GCM"),
        ("CASEWORK_SUITES", "aes-256-cbc,aes-256-gcm"),
        ("CASEWORK_SUITES", "sm4-gcm"),
        ("CASEWORK_KEK", "not base64!"),
        ("CASEWORK_KEK", base64.b64encode(b"short").decode()),
        ("CASEWORK_KEK", base64.b64encode(b"changeme" * 4).decode()),
        ("CASEWORK_KEK_FILE", "/nowhere/casework.kek"),
        ("CASEWORK_OIDC_JWKS_FILE", "/nowhere/jwks.json"),
        ("CASEWORK_OIDC_JWKS_FILE", ""),
        ("CASEWORK_OIDC_ISSUER", ""),
        ("CASEWORK_OIDC_AUDIENCE", ""),
        ("CASEWORK_LINKS_URL", ""),
        ("CASEWORK_LINKS_URL", "http://casework.bank.example"),
        ("CASEWORK_LINKS_URL", "https://127.0.0.1"),
        ("CASEWORK_LINKS_URL", "https://casework.bank.example/path"),
        ("CASEWORK_LINKS_URL", "https://user@casework.bank.example"),
        ("CASEWORK_TEMPORAL_TLS_CA_FILE", "/nowhere/ca.pem"),
    ],
)
def test_production_refuses_this_one_value(production: dict[str, str], name: str, value: str) -> None:
    assert name in refused({**production, name: value})


def test_production_refuses_temporal_in_clear_over_a_network(production: dict[str, str]) -> None:
    del production["CASEWORK_TEMPORAL_TLS_CA_FILE"]
    assert set(refused(production)) == {"CASEWORK_TEMPORAL_ADDRESS"}
    production["CASEWORK_TEMPORAL_ADDRESS"] = "127.0.0.1:7233"
    assert load_settings(production).is_production


def test_production_refuses_to_be_reached_without_tls(production: dict[str, str]) -> None:
    del production["CASEWORK_TLS_PROXY"]
    assert set(refused(production)) == {"CASEWORK_TLS_CERT_FILE"}


def test_one_database_for_data_and_keys_is_refused(production: dict[str, str]) -> None:
    production["CASEWORK_KEYS_DATABASE_URL"] = production["CASEWORK_DATABASE_URL"]
    assert set(refused(production)) == {"CASEWORK_KEYS_DATABASE_URL"}


def test_a_key_inside_the_data_directory_is_refused_in_both_modes(production: dict[str, str]) -> None:
    inside = key_file(Path(production["CASEWORK_DATA_DIR"]) / "casework.kek")
    production["CASEWORK_KEK_FILE"] = str(inside)
    assert "CASEWORK_KEK_FILE" in refused(production)
    assert "CASEWORK_KEK_FILE" in refused({**production, "CASEWORK_MODE": "embedded"})


def test_a_link_does_not_hide_that_the_key_lies_inside(production: dict[str, str], tmp_path: Path) -> None:
    inside = key_file(Path(production["CASEWORK_DATA_DIR"]) / "casework.kek")
    link = tmp_path / "link.kek"
    link.symlink_to(inside)
    assert "CASEWORK_KEK_FILE" in refused({**production, "CASEWORK_KEK_FILE": str(link)})


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o666, 0o700])
def test_a_key_file_that_others_can_read_is_refused(production: dict[str, str], tmp_path: Path, mode: int) -> None:
    production["CASEWORK_KEK_FILE"] = str(key_file(tmp_path / "open.kek", mode=mode))
    assert set(refused(production)) == {"CASEWORK_KEK_FILE"}


def test_a_sample_key_in_a_file_is_refused(production: dict[str, str], tmp_path: Path) -> None:
    sample = base64.b64encode(b"0123456789abcdef" * 2).decode()
    production["CASEWORK_KEK_FILE"] = str(key_file(tmp_path / "sample.kek", sample))
    assert set(refused(production)) == {"CASEWORK_KEK_FILE"}


@pytest.mark.parametrize(
    "keys",
    [
        [],
        [{"kty": "oct", "kid": "one", "alg": "HS256", "k": number(2**300)}],
        [{**ec_jwk(ec.SECP521R1(), "P-521"), "alg": "ES512"}],
        [{**ec_jwk(ec.SECP256R1(), "P-256"), "d": number(2**255)}],
        [{**ec_jwk(ec.SECP256R1(), "P-256"), "kid": ""}],
        [rsa_jwk(2048)],
    ],
    ids=["empty", "symmetric", "other-curve", "private", "no-kid", "rsa-2048"],
)
def test_weak_keys_of_the_issuer_are_refused(production: dict[str, str], keys: list[Any]) -> None:
    Path(production["CASEWORK_OIDC_JWKS_FILE"]).write_text(json.dumps({"keys": keys}))
    assert set(refused(production)) == {"CASEWORK_OIDC_JWKS_FILE"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "casework.bank.example"])
def test_the_embedded_stack_does_not_leave_loopback_in_clear(tmp_path: Path, host: str) -> None:
    values = {"CASEWORK_DATA_DIR": str(tmp_path / "data"), "CASEWORK_HOST": host}
    assert set(refused(values)) == {"CASEWORK_HOST"}
    assert load_settings({**values, "CASEWORK_TLS_PROXY": "true"}).api.host == host


def test_everything_that_is_wrong_is_listed_at_once(tmp_path: Path) -> None:
    names = refused({"CASEWORK_MODE": "production", "CASEWORK_DATA_DIR": str(tmp_path / "data"), "CASEWORK_PORT": "x"})
    assert {
        "CASEWORK_PORT",
        "CASEWORK_DATABASE_URL",
        "CASEWORK_KEYS_DATABASE_URL",
        "CASEWORK_KEK_FILE",
        "CASEWORK_ISSUER",
        "CASEWORK_TLS_CERT_FILE",
    } <= set(names)


def test_no_secret_is_shown_by_a_settings_object(tmp_path: Path) -> None:
    secret = base64.b64encode(os.urandom(32)).decode()
    values = {
        "CASEWORK_DATA_DIR": str(tmp_path),
        "CASEWORK_KEK": secret,
        "CASEWORK_DATABASE_URL": "postgresql+psycopg://casework:hunter2-hunter2@127.0.0.1/data",
    }
    shown = repr(load_settings(values))
    assert secret not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("command", [["api"], ["worker", "--queue", "cases"], ["migrate"], ["up"]])
def test_a_command_says_so_with_78(tmp_path: Path, command: list[str]) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "CASEWORK_MODE": "production",
        "CASEWORK_DATA_DIR": str(tmp_path / "data"),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.commands", *command],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert ended.returncode == 78, ended.stderr
    assert "CASEWORK_DATABASE_URL: is SQLite" in ended.stderr
    assert "CASEWORK_ISSUER: is local" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("name", ["a b", "x" * 41, "1/2", "构建"])
def test_a_build_has_a_name_that_temporal_and_the_logs_can_carry(name: str, tmp_path: Path) -> None:
    values = {"CASEWORK_DATA_DIR": str(tmp_path / "data"), "CASEWORK_BUILD_ID": name}
    assert set(refused(values)) == {"CASEWORK_BUILD_ID"}
    assert load_settings(values | {"CASEWORK_BUILD_ID": "2026.11+7a3f"}).build_id == "2026.11+7a3f"


def test_every_setting_is_documented_and_no_other_file_reads_the_environment() -> None:
    assert (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8") == settings_page()
    read = set(
        re.findall(r'"(CASEWORK_[A-Z0-9_]+)"', (REPOSITORY / "deploy" / "settings.py").read_text(encoding="utf-8"))
    )
    assert read == {variable.name for variable in VARIABLES}
    for package in ("activities", "api", "compliance", "deploy", "models", "workflows"):
        for path in (REPOSITORY / package).rglob("*.py"):
            if path != REPOSITORY / "deploy" / "settings.py":
                assert not re.search(r"\bos\.(environ|getenv)\b", path.read_text(encoding="utf-8")), path
