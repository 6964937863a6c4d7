"""What an operator can set, and the only reader of the environment.

`VARIABLES` is the one list of settings; `docs/settings.md` is rendered from it (`make settings`). `load_settings`
reports every unreadable or unsafe value at once: an operator mends them in one go, not one per start.
"""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from deploy.safety import problems_of, unsafe
from deploy.values import (
    ApiSettings,
    Bureau,
    CipherSuite,
    Core,
    DataDir,
    IdentitySettings,
    IssuerMode,
    KekSource,
    MailSettings,
    MailTls,
    Mode,
    ReceiptSettings,
    Settings,
    SmsSettings,
    TemporalSettings,
    TlsFiles,
    TokenSource,
)
from deploy.variables import VARIABLES
from models.errors import UnsafeSetting

HIGHEST_PORT: Final = 65535
LAST_HOUR: Final = 23
MOST_EPOCH_DAYS: Final = 90
_Choice = TypeVar("_Choice", bound=StrEnum)


class SettingsRefused(Exception):
    """At least one setting cannot be used.

    Attributes:
        problems: all of them; each names the setting and the fix.
    """

    def __init__(self, problems: tuple[UnsafeSetting, ...]) -> None:
        self.problems = problems
        super().__init__("; ".join(problem.detail for problem in problems))


def load_settings(
    environment: Mapping[str, str] | None = None,
    *,
    overrides: Mapping[str, str] | None = None,
    without_kek: bool = False,
) -> Settings:
    """Read, then check, every setting.

    Args:
        environment: instead of the process's own, for tests.
        overrides: values of command line options, by variable name; they win.
        without_kek: the key-encryption key may be missing: the command is about to make it.

    Raises:
        SettingsRefused: with everything that is wrong, not only the first.
    """
    values = {**(os.environ if environment is None else environment), **(overrides or {})}
    reader = _Reader(values)
    settings = _read(reader)
    problems = (*reader.problems, *problems_of(settings, without_kek=without_kek))
    if problems:
        raise SettingsRefused(problems)
    return settings


def client_config_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Where client commands keep tokens: the user's own configuration directory."""
    values = os.environ if environment is None else environment
    configured = values.get("XDG_CONFIG_HOME", "")
    return (Path(configured) if configured else Path.home() / ".config") / "casework"


def child_environment(overrides: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: ours, with what was decided on the command line.

    Bytecode is always written: without it the sandbox compiles each workflow file anew for each case.
    """
    values = {**os.environ, **overrides}
    values.pop("PYTHONDONTWRITEBYTECODE", None)
    return values


class _Reader:
    """Reads values and remembers those that cannot be read."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.problems: list[UnsafeSetting] = []

    def text(self, name: str, default: str) -> str:
        return self._values.get(name, "").strip() or default

    def optional(self, name: str) -> str | None:
        return self._values.get(name, "").strip() or None

    def secret(self, name: str) -> str | None:
        """The value itself, else what its file holds; a file that cannot be read is for `deploy.safety` to name."""
        value, file = self.optional(name), self.path(f"{name}_FILE")
        if value is not None or file is None:
            return value
        try:
            return file.read_text(encoding="utf-8").strip() or None
        except (OSError, UnicodeDecodeError):
            return None

    def path(self, name: str) -> Path | None:
        value = self.optional(name)
        return None if value is None else Path(value).expanduser().absolute()

    def names(self, name: str, default: str) -> frozenset[str]:
        return frozenset(part.strip() for part in self.text(name, default).split(",") if part.strip())

    def flag(self, name: str, *, default: bool) -> bool:
        value = self.text(name, str(default)).lower()
        if value in {"true", "1", "yes"}:
            return True
        if value not in {"false", "0", "no"}:
            self.problems.append(unsafe(name, problem="is neither true nor false", fix="set it to true or false"))
        return False

    def port(self, name: str, default: int) -> int:
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and int(value) <= HIGHEST_PORT:
            return int(value)
        self.problems.append(unsafe(name, problem="is no port", fix=f"set it to a number from 0 to {HIGHEST_PORT}"))
        return default

    def hour(self, name: str, default: int) -> int | None:
        """An hour of the day; None for `off`."""
        value = self.text(name, str(default))
        if value == "off":
            return None
        if value.isascii() and value.isdigit() and int(value) <= LAST_HOUR:
            return int(value)
        self.problems.append(unsafe(name, problem="is no hour", fix=f"set it to 0 to {LAST_HOUR}, or to off"))
        return default

    def suites(self, name: str) -> tuple[CipherSuite, ...]:
        """The suites in their order, each once; all of them where nothing is set."""
        try:
            named = [CipherSuite(part.strip()) for part in self.text(name, ",".join(CipherSuite)).split(",")]
        except ValueError:
            choices = ", ".join(CipherSuite)
            self.problems.append(unsafe(name, problem="names an unknown suite", fix=f"use one or more of {choices}"))
            return tuple(CipherSuite)
        return tuple(dict.fromkeys(named))

    def days(self, name: str, default: int) -> int:
        """A number of days, at least one."""
        value = self.text(name, str(default))
        if value.isascii() and value.isdigit() and 1 <= int(value) <= MOST_EPOCH_DAYS:
            return int(value)
        self.problems.append(
            unsafe(name, problem="is no number of days", fix=f"set it to a number from 1 to {MOST_EPOCH_DAYS}")
        )
        return default

    def one_of(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        value = self.text(name, default)
        try:
            return kind(value)
        except ValueError:
            choices = " or ".join(member.value for member in kind)
            self.problems.append(unsafe(name, problem="has an unknown value", fix=f"set it to {choices}"))
            return default


def _read(reader: _Reader) -> Settings:
    data = DataDir(reader.path("CASEWORK_DATA_DIR") or Path("casework-data").absolute())
    mode = reader.one_of("CASEWORK_MODE", Mode, Mode.EMBEDDED)
    return Settings(
        mode=mode,
        data=data,
        database_url=reader.text("CASEWORK_DATABASE_URL", f"sqlite:///{data.database}"),
        keys_database_url=reader.text("CASEWORK_KEYS_DATABASE_URL", f"sqlite:///{data.keys}"),
        kek=KekSource(
            file=reader.path("CASEWORK_KEK_FILE") or data.beside(".kek"),
            value=reader.optional("CASEWORK_KEK"),
            next_value=reader.optional("CASEWORK_KEK_NEXT"),
            token=_token(reader),
        ),
        suites=reader.suites("CASEWORK_SUITES"),
        temporal=TemporalSettings(
            address=reader.text("CASEWORK_TEMPORAL_ADDRESS", "127.0.0.1:7233"),
            namespace=reader.text("CASEWORK_TEMPORAL_NAMESPACE", "casework"),
            tls=TlsFiles(
                ca=reader.path("CASEWORK_TEMPORAL_TLS_CA_FILE"),
                cert=reader.path("CASEWORK_TEMPORAL_TLS_CERT_FILE"),
                key=reader.path("CASEWORK_TEMPORAL_TLS_KEY_FILE"),
                server_name=reader.optional("CASEWORK_TEMPORAL_TLS_SERVER_NAME"),
            ),
        ),
        api=ApiSettings(
            host=reader.text("CASEWORK_HOST", "127.0.0.1"),
            port=reader.port("CASEWORK_PORT", 8700),
            tls=TlsFiles(cert=reader.path("CASEWORK_TLS_CERT_FILE"), key=reader.path("CASEWORK_TLS_KEY_FILE")),
            behind_tls_proxy=reader.flag("CASEWORK_TLS_PROXY", default=False),
            allowed_hosts=reader.names("CASEWORK_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]"),
        ),
        identity=IdentitySettings(
            mode=reader.one_of("CASEWORK_ISSUER", IssuerMode, IssuerMode.LOCAL),
            jwks_file=reader.path("CASEWORK_OIDC_JWKS_FILE"),
            issuer=reader.optional("CASEWORK_OIDC_ISSUER"),
            audience=reader.optional("CASEWORK_OIDC_AUDIENCE"),
        ),
        bureau=reader.one_of("CASEWORK_BUREAU", Bureau, Bureau.NONE if mode is Mode.PRODUCTION else Bureau.SIMULATED),
        core=reader.one_of("CASEWORK_CORE", Core, Core.FILES if mode is Mode.PRODUCTION else Core.SIMULATED),
        sms=_sms(reader),
        receipts=_receipts(reader),
        mail=_mail(reader),
        links_url=_links_url(reader),
        exchange=reader.path("CASEWORK_EXCHANGE_DIR") or data.beside(".exchange"),
        transfer_escrow=reader.path("CASEWORK_TRANSFER_ESCROW_KEY_FILE"),
        transfer_connections=reader.path("CASEWORK_TRANSFER_CONNECTIONS_FILE"),
        anchor=reader.path("CASEWORK_AUDIT_ANCHOR_FILE") or data.beside(".anchor"),
        epochs=reader.path("CASEWORK_EPOCH_KEYS_DIR") or data.beside(".epochs"),
        epoch_days=reader.days("CASEWORK_EPOCH_DAYS", 7),
        sandbox=reader.flag("CASEWORK_SANDBOX", default=False),
        build_id=reader.optional("CASEWORK_BUILD_ID"),
        daily_hour=reader.hour("CASEWORK_DAILY_HOUR", 20),
        log_json=reader.flag("CASEWORK_LOG_JSON", default=True),
        url=reader.optional("CASEWORK_URL"),
    )


def _token(reader: _Reader) -> TokenSource | None:
    module = reader.path("CASEWORK_KEK_PKCS11_MODULE")
    if module is None:
        return None
    return TokenSource(
        module=module,
        token=reader.text("CASEWORK_KEK_PKCS11_TOKEN", ""),
        key=reader.text("CASEWORK_KEK_PKCS11_KEY", ""),
        next_key=reader.optional("CASEWORK_KEK_PKCS11_NEXT_KEY"),
        pin=reader.secret("CASEWORK_KEK_PKCS11_PIN"),
        pin_file=reader.path("CASEWORK_KEK_PKCS11_PIN_FILE"),
    )


def _links_url(reader: _Reader) -> str:
    host, port = reader.text("CASEWORK_HOST", "127.0.0.1"), reader.text("CASEWORK_PORT", "8700")
    scheme = "http" if reader.path("CASEWORK_TLS_CERT_FILE") is None else "https"
    place = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return reader.text("CASEWORK_LINKS_URL", f"{scheme}://{place}:{port}").rstrip("/")


def _sms(reader: _Reader) -> SmsSettings:
    return SmsSettings(
        url=reader.optional("CASEWORK_SMS_URL"),
        token=reader.secret("CASEWORK_SMS_TOKEN"),
        token_file=reader.path("CASEWORK_SMS_TOKEN_FILE"),
    )


def _receipts(reader: _Reader) -> ReceiptSettings:
    return ReceiptSettings(
        secret=reader.secret("CASEWORK_RECEIPTS_SECRET"),
        secret_file=reader.path("CASEWORK_RECEIPTS_SECRET_FILE"),
    )


def _mail(reader: _Reader) -> MailSettings:
    return MailSettings(
        host=reader.optional("CASEWORK_SMTP_HOST"),
        port=reader.port("CASEWORK_SMTP_PORT", 587),
        tls=reader.one_of("CASEWORK_SMTP_TLS", MailTls, MailTls.STARTTLS),
        ca_file=reader.path("CASEWORK_SMTP_CA_FILE"),
        user=reader.optional("CASEWORK_SMTP_USER"),
        password=reader.secret("CASEWORK_SMTP_PASSWORD"),
        password_file=reader.path("CASEWORK_SMTP_PASSWORD_FILE"),
        sender=reader.optional("CASEWORK_MAIL_FROM"),
    )


def settings_page() -> str:
    """`docs/settings.md`, rendered from `VARIABLES`."""
    rows = "\n".join(f"| `{item.name}` | {item.default} | {item.meaning} |" for item in VARIABLES)
    return f"""# Settings

Every setting is an environment variable; `deploy/settings.py` alone reads them, and this page is rendered from it
(`make settings`). A value that cannot be read, or that is unsafe, stops the command with exit code 78 within two
seconds; all that is wrong is listed at once, each with its fix.

| variable | when unset | meaning |
| --- | --- | --- |
{rows}
"""
