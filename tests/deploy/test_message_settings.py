"""Providers of messages: what is unsafe is refused with the fix, secrets stay out of sight, the spool lies outside."""

from pathlib import Path

import pytest

from activities.gateways.mail_smtp import MailSmtp
from activities.gateways.sms_http import SmsHttp
from activities.gateways.spool import Spool
from deploy.messages import message_gateways, spool_folder
from deploy.settings import SettingsRefused, load_settings
from models.domain.notices import NoticeChannel


@pytest.fixture
def values(tmp_path: Path) -> dict[str, str]:
    """Both providers, as a bank would name them."""
    for name in ("token", "password"):
        (tmp_path / name).write_text(f"s3cret-{name}\n")
        (tmp_path / name).chmod(0o600)
    return {
        "CASEWORK_DATA_DIR": str(tmp_path / "data"),
        "CASEWORK_SMS_URL": "https://sms.bank.example/v1/messages",
        "CASEWORK_SMS_TOKEN_FILE": str(tmp_path / "token"),
        "CASEWORK_SMTP_HOST": "mail.bank.example",
        "CASEWORK_SMTP_USER": "casework",
        "CASEWORK_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
        "CASEWORK_MAIL_FROM": "notices@bank.example",
    }


def refused(values: dict[str, str]) -> dict[str, str]:
    """Fix by the name of the setting."""
    with pytest.raises(SettingsRefused) as caught:
        load_settings(values)
    assert "s3cret" not in str(caught.value)
    return {str(problem.params["setting"]): str(problem.params["fix"]) for problem in caught.value.problems}


def test_without_providers_messages_go_to_a_spool_outside_the_data(tmp_path: Path) -> None:
    settings = load_settings({"CASEWORK_DATA_DIR": str(tmp_path / "data")})
    gateways = message_gateways(settings)
    assert set(gateways) == set(NoticeChannel)
    assert all(isinstance(gateway, Spool) for gateway in gateways.values())
    assert spool_folder(settings) == tmp_path / "data.exchange" / "spool"
    assert not spool_folder(settings).exists()  # made with the first message


def test_providers_are_used_with_the_secrets_in_their_files(values: dict[str, str]) -> None:
    settings = load_settings(values)
    gateways = message_gateways(settings)
    sms, mail = gateways[NoticeChannel.SMS], gateways[NoticeChannel.MAIL]
    assert isinstance(sms, SmsHttp)
    assert sms.token == "s3cret-token"
    assert isinstance(mail, MailSmtp)
    assert mail.server.password == "s3cret-password"
    assert (mail.server.port, mail.server.tls) == (587, "starttls")
    assert "s3cret" not in repr([settings, sms, mail])
    sms.close()


def test_a_value_wins_over_its_file(values: dict[str, str]) -> None:
    assert load_settings({**values, "CASEWORK_SMS_TOKEN": "s3cret-other"}).sms.token == "s3cret-other"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASEWORK_SMS_URL", "http://sms.bank.example/v1/messages"),
        ("CASEWORK_SMS_URL", "https://user:s3cret@sms.bank.example/"),
        ("CASEWORK_SMS_URL", "https://sms.bank.example/?key=s3cret"),
        ("CASEWORK_SMS_URL", "sms.bank.example"),
        ("CASEWORK_SMS_URL", "ftp://sms.bank.example/"),
        ("CASEWORK_SMS_URL", "https://[::1"),
        ("CASEWORK_SMS_TOKEN_FILE", "/nowhere/token"),
        ("CASEWORK_SMTP_TLS", "none"),
        ("CASEWORK_SMTP_TLS", "ssl"),
        ("CASEWORK_SMTP_PORT", "smtp"),
        ("CASEWORK_SMTP_CA_FILE", "/nowhere/ca.pem"),
        ("CASEWORK_SMTP_PASSWORD_FILE", "/nowhere/password"),
        ("CASEWORK_MAIL_FROM", ""),
        ("CASEWORK_MAIL_FROM", "Bank <notices@bank.example>"),
        ("CASEWORK_SMTP_USER", ""),
    ],
)
def test_what_is_unsafe_or_unusable_is_refused_in_both_modes(values: dict[str, str], name: str, value: str) -> None:
    assert name in refused({**values, name: value})
    assert name in refused({**values, name: value, "CASEWORK_MODE": "production"})


def test_secrets_that_others_can_read_are_refused(values: dict[str, str]) -> None:
    Path(values["CASEWORK_SMS_TOKEN_FILE"]).chmod(0o644)
    Path(values["CASEWORK_SMTP_PASSWORD_FILE"]).chmod(0o644)
    assert {"CASEWORK_SMS_TOKEN_FILE", "CASEWORK_SMTP_PASSWORD_FILE"} <= refused(values).keys()


def test_the_exchange_does_not_lie_among_the_data(values: dict[str, str]) -> None:
    inside = str(Path(values["CASEWORK_DATA_DIR"]) / "exchange")
    assert "CASEWORK_EXCHANGE_DIR" in refused({**values, "CASEWORK_EXCHANGE_DIR": inside})


def test_production_wants_a_token_for_a_provider_off_this_machine(values: dict[str, str]) -> None:
    del values["CASEWORK_SMS_TOKEN_FILE"]
    assert load_settings(values).sms.token is None
    assert "CASEWORK_SMS_TOKEN_FILE" in refused({**values, "CASEWORK_MODE": "production"})


def test_on_this_machine_a_provider_needs_no_encryption(values: dict[str, str]) -> None:
    local = {
        "CASEWORK_SMS_URL": "http://127.0.0.1:9000/messages",
        "CASEWORK_SMTP_HOST": "localhost",
        "CASEWORK_SMTP_TLS": "none",
    }
    assert load_settings({**values, **local}).mail.host == "localhost"


def test_production_without_providers_has_no_spool(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.settings.problems_of", lambda *_, **__: ())
    settings = load_settings({"CASEWORK_DATA_DIR": values["CASEWORK_DATA_DIR"], "CASEWORK_MODE": "production"})
    assert message_gateways(settings) == {}
