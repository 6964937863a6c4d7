"""Which settings are refused, and how to mend them. Pure but for looking at the files that are named.

`EVERYWHERE` holds in both modes; `PRODUCTION` is what only the embedded stack on one machine may do.
"""

import base64
import re
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qs, urlsplit

from activities.gateways.mail_smtp import is_plain_address
from compliance.transfers.receipt_signatures import MIN_SECRET_CHARS
from deploy.values import Bureau, CipherSuite, Core, IssuerMode, MailTls, Settings
from models.errors import UnsafeSetting

KEK_BYTES: Final = 32
LEAST_DISTINCT_BYTES: Final = 17  # as `compliance.vault.kek`, which judges again when it opens the key
SCHEMES: Final = frozenset({"sqlite", "postgresql+psycopg"})
SAFE_SSLMODES: Final = frozenset({"require", "verify-ca", "verify-full"})
_LABEL: Final = re.compile(r"\A[A-Za-z0-9 ._+:-]{1,32}\Z")
_BUILD: Final = re.compile(r"\A[A-Za-z0-9._+-]{1,40}\Z")
_OTHERS: Final = 0o007 | 0o020  # readable by everybody, or writable by the group
_NOT_OURS_ALONE: Final = 0o177

Check = Callable[[Settings], Iterator[UnsafeSetting]]


def unsafe(name: str, *, problem: str, fix: str) -> UnsafeSetting:
    """A refusal that names the setting and the fix."""
    return UnsafeSetting(detail=f"{name}: {problem}; {fix}", params={"setting": name, "problem": problem, "fix": fix})


def problems_of(settings: Settings, *, without_kek: bool = False) -> tuple[UnsafeSetting, ...]:
    """Everything that is wrong with these settings; `without_kek` is for the command that makes the first one."""
    checks = EVERYWHERE + (PRODUCTION if settings.is_production else ())
    return tuple(
        problem for check in checks if not (without_kek and check is _kek_present) for problem in check(settings)
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _database_urls(settings: Settings) -> Iterator[UnsafeSetting]:
    for name, url in _urls(settings):
        if _parse(url) is None or urlsplit(url).scheme not in SCHEMES:
            yield unsafe(name, problem="is no database URL we know", fix="use postgresql+psycopg:// or sqlite:///")
    if settings.database_url == settings.keys_database_url:
        yield unsafe(
            "CASEWORK_KEYS_DATABASE_URL", problem="is the data store's", fix="give the keys a database of their own"
        )


def _kek_outside(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.kek.value is None and settings.kek.file.resolve().is_relative_to(settings.data.root.resolve()):
        yield unsafe(
            "CASEWORK_KEK_FILE",
            problem="lies inside the data directory, so that every copy of the data carries its key",
            fix="move it beside the directory",
        )


def _epochs_outside(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.epochs.resolve().is_relative_to(settings.data.root.resolve()):
        yield unsafe(
            "CASEWORK_EPOCH_KEYS_DIR",
            problem="lies inside the data directory, so that every copy of the data carries the keys of its backups",
            fix="move it beside the directory",
        )


def _kek_strong(settings: Settings) -> Iterator[UnsafeSetting]:
    kek = settings.kek
    name, value = "CASEWORK_KEK", kek.value
    if value is None:
        name, value = "CASEWORK_KEK_FILE", _text_of(kek.file)
    for key, text in ((name, value), ("CASEWORK_KEK_NEXT", kek.next_value)):
        fault = None if text is None else kek_fault(text)
        if fault is not None:
            yield unsafe(key, problem=fault, fix="restore the key from escrow; `casework keys init` makes a first one")


def _token_complete(settings: Settings) -> Iterator[UnsafeSetting]:
    token = settings.kek.token
    if token is None:
        return
    if not token.module.is_file():
        yield unsafe("CASEWORK_KEK_PKCS11_MODULE", problem="names no file", fix="name the library of the token")
    for name, label in (
        ("CASEWORK_KEK_PKCS11_TOKEN", token.token),
        ("CASEWORK_KEK_PKCS11_KEY", token.key),
        ("CASEWORK_KEK_PKCS11_NEXT_KEY", token.next_key or token.key),
    ):
        if _LABEL.match(label) is None:
            yield unsafe(name, problem="is no label", fix="set it to the label in the token, 1 to 32 plain characters")
    if token.next_key == token.key:
        yield unsafe(
            "CASEWORK_KEK_PKCS11_NEXT_KEY", problem="is the present key's label", fix="name the next key, or unset it"
        )
    if not token.pin:
        yield unsafe(
            "CASEWORK_KEK_PKCS11_PIN_FILE", problem="holds no PIN", fix="name the file with the PIN of the token's user"
        )


def _kek_suite_enabled(settings: Settings) -> Iterator[UnsafeSetting]:
    if CipherSuite.AES_256_GCM not in settings.suites:
        yield unsafe(
            "CASEWORK_SUITES",
            problem=f"leaves out {CipherSuite.AES_256_GCM}, under which the key-encryption key wraps",
            fix=f"add {CipherSuite.AES_256_GCM}; the first one named is that of new tenants",
        )


def _text_of(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None


def _private_files(settings: Settings) -> Iterator[UnsafeSetting]:
    token = settings.kek.token
    named = (
        ("CASEWORK_KEK_FILE", None if settings.kek.value is not None else settings.kek.file, _NOT_OURS_ALONE),
        ("CASEWORK_KEK_FILE", settings.kek.next_file, _NOT_OURS_ALONE),
        ("CASEWORK_KEK_PKCS11_PIN_FILE", None if token is None else token.pin_file, _NOT_OURS_ALONE),
        ("CASEWORK_TEMPORAL_TLS_KEY_FILE", settings.temporal.tls.key, _OTHERS),
        ("CASEWORK_TLS_KEY_FILE", settings.api.tls.key, _OTHERS),
        ("CASEWORK_SMS_TOKEN_FILE", settings.sms.token_file, _OTHERS),
        ("CASEWORK_RECEIPTS_SECRET_FILE", settings.receipts.secret_file, _OTHERS),
        ("CASEWORK_SMTP_PASSWORD_FILE", settings.mail.password_file, _OTHERS),
    )
    for name, path, forbidden in named:
        if path is not None and path.exists() and path.stat().st_mode & forbidden:
            yield unsafe(name, problem="can be read by others on this machine", fix="chmod 600 the file")


def _files_exist(settings: Settings) -> Iterator[UnsafeSetting]:
    tls = settings.temporal.tls
    named = (
        ("CASEWORK_TEMPORAL_TLS_CA_FILE", tls.ca),
        ("CASEWORK_TEMPORAL_TLS_CERT_FILE", tls.cert),
        ("CASEWORK_TEMPORAL_TLS_KEY_FILE", tls.key),
        ("CASEWORK_TLS_CERT_FILE", settings.api.tls.cert),
        ("CASEWORK_TLS_KEY_FILE", settings.api.tls.key),
        ("CASEWORK_OIDC_JWKS_FILE", settings.identity.jwks_file),
        ("CASEWORK_SMS_TOKEN_FILE", settings.sms.token_file),
        ("CASEWORK_RECEIPTS_SECRET_FILE", settings.receipts.secret_file),
        ("CASEWORK_SMTP_CA_FILE", settings.mail.ca_file),
        ("CASEWORK_SMTP_PASSWORD_FILE", settings.mail.password_file),
        ("CASEWORK_TRANSFER_ESCROW_KEY_FILE", settings.transfer_escrow),
    )
    for name, path in named:
        if path is not None and not path.is_file():
            yield unsafe(name, problem="names no file", fix="correct the path")
    for prefix, files in (("CASEWORK_TEMPORAL_TLS", tls), ("CASEWORK_TLS", settings.api.tls)):
        if (files.cert is None) != (files.key is None):
            yield unsafe(
                f"{prefix}_CERT_FILE", problem="a certificate and its key belong together", fix="set both or neither"
            )


def _build_named(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.build_id is not None and _BUILD.match(settings.build_id) is None:
        yield unsafe(
            "CASEWORK_BUILD_ID", problem="is no name of a build", fix="use 1 to 40 letters, digits and . _ + -"
        )


def _served_in_clear(settings: Settings) -> Iterator[UnsafeSetting]:
    api = settings.api
    if not is_loopback(api.host) and api.tls.cert is None and not api.behind_tls_proxy:
        yield unsafe(
            "CASEWORK_HOST",
            problem="is not loopback and the API has no TLS",
            fix="set CASEWORK_TLS_CERT_FILE and its key, or CASEWORK_TLS_PROXY=true behind a proxy that ends TLS",
        )


def _oidc_complete(settings: Settings) -> Iterator[UnsafeSetting]:
    identity = settings.identity
    if identity.mode is not IssuerMode.OIDC:
        return
    for name, value in (
        ("CASEWORK_OIDC_JWKS_FILE", identity.jwks_file),
        ("CASEWORK_OIDC_ISSUER", identity.issuer),
        ("CASEWORK_OIDC_AUDIENCE", identity.audience),
    ):
        if value is None:
            yield unsafe(name, problem="is not set", fix="CASEWORK_ISSUER=oidc needs it")
    if identity.jwks_file is not None and identity.jwks_file.is_file():
        yield from _jwks_faults(identity.jwks_file)


def _jwks_faults(path: Path) -> Iterator[UnsafeSetting]:
    from api.identity.jwks import JwksFile  # noqa: PLC0415 - only who has an outside issuer pays for the import

    try:
        JwksFile(path)
    except UnsafeSetting as refused:
        yield unsafe(
            "CASEWORK_OIDC_JWKS_FILE",
            problem=refused.detail,
            fix="use the issuer's own public keys: ES256, ES384, or RS256 with at least 3072 bits",
        )


def _exchange_outside(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.exchange.resolve().is_relative_to(settings.data.root.resolve()):
        yield unsafe(
            "CASEWORK_EXCHANGE_DIR",
            problem="lies inside the data directory, where nothing of a person may stand in clear",
            fix="move it beside the directory",
        )


def _escrow_usable(settings: Settings) -> Iterator[UnsafeSetting]:
    path = settings.transfer_escrow
    if path is None or not path.is_file():  # a missing file is named elsewhere
        return
    from compliance.transfers.backup_envelopes import escrow_public_key  # noqa: PLC0415 - only who has an escrow

    try:
        escrow_public_key(path.read_bytes())
    except (OSError, ValueError):
        yield unsafe(
            "CASEWORK_TRANSFER_ESCROW_KEY_FILE",
            problem="holds no public X25519 key",
            fix="write it with: openssl pkey -in escrow.pem -pubout -out escrow.pub",
        )


def _receipts_signed(settings: Settings) -> Iterator[UnsafeSetting]:
    secret = settings.receipts.secret
    if secret is not None and len(secret) < MIN_SECRET_CHARS:
        yield unsafe(
            "CASEWORK_RECEIPTS_SECRET_FILE",
            problem=f"holds fewer than {MIN_SECRET_CHARS} characters",
            fix="openssl rand -hex 32 makes one",
        )


def _sms_usable(settings: Settings) -> Iterator[UnsafeSetting]:
    sms, name = settings.sms, "CASEWORK_SMS_URL"
    if sms.url is None:
        return
    parsed = _parse(sms.url)
    if parsed is None or parsed.scheme not in {"http", "https"} or not parsed.hostname:
        yield unsafe(name, problem="is no web address", fix="use https://host/path")
    elif parsed.username is not None or parsed.query or parsed.fragment:
        yield unsafe(
            name,
            problem="carries a name, a password or a query, which end up in logs",
            fix="put the secret into CASEWORK_SMS_TOKEN_FILE",
        )
    elif parsed.scheme == "http" and not is_loopback(parsed.hostname):
        yield unsafe(name, problem="reaches another machine without TLS", fix="use https://")


def _links_usable(settings: Settings) -> Iterator[UnsafeSetting]:
    name, parsed = "CASEWORK_LINKS_URL", _parse(settings.links_url)
    if parsed is None or parsed.scheme not in {"http", "https"} or not parsed.hostname:
        yield unsafe(name, problem="is no web address", fix="use https://host")
    elif parsed.username is not None or parsed.path or parsed.query or parsed.fragment:
        yield unsafe(name, problem="is more than scheme, host and port", fix="use https://host")


def _mail_usable(settings: Settings) -> Iterator[UnsafeSetting]:
    mail = settings.mail
    if mail.host is None:
        return
    if mail.sender is None or not is_plain_address(mail.sender):
        yield unsafe(
            "CASEWORK_MAIL_FROM", problem="is no mail address", fix="set it to one address, like notices@bank.example"
        )
    if mail.tls is MailTls.NONE and not is_loopback(mail.host):
        yield unsafe(
            "CASEWORK_SMTP_TLS", problem="reaches another machine without TLS", fix="set it to starttls or tls"
        )
    if (mail.user is None) != (mail.password is None):
        yield unsafe(
            "CASEWORK_SMTP_USER", problem="an account and its password belong together", fix="set both or neither"
        )


def _no_sqlite(settings: Settings) -> Iterator[UnsafeSetting]:
    for name, url in _urls(settings):
        if url.startswith("sqlite"):
            yield unsafe(name, problem="is SQLite", fix="set a postgresql+psycopg:// URL")


def _database_encrypted(settings: Settings) -> Iterator[UnsafeSetting]:
    for name, url in _urls(settings):
        parsed = _parse(url)
        if parsed is None or not url.startswith("postgresql"):
            continue
        query = parse_qs(parsed.query)
        hosts = [host for host in (parsed.hostname or "", *query.get("host", ())) if host]
        away = any(not host.startswith("/") and not is_loopback(host) for host in hosts)
        if away and query.get("sslmode", [""])[-1] not in SAFE_SSLMODES:
            yield unsafe(name, problem="reaches another machine without TLS", fix="add ?sslmode=verify-full")


def _outside_issuer(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.identity.mode is IssuerMode.LOCAL:
        yield unsafe("CASEWORK_ISSUER", problem="is local", fix="set it to oidc and name the bank's issuer")


def _temporal_encrypted(settings: Settings) -> Iterator[UnsafeSetting]:
    host, _, _ = settings.temporal.address.rpartition(":")
    if not is_loopback(host) and not settings.temporal.tls.enabled:
        yield unsafe(
            "CASEWORK_TEMPORAL_ADDRESS",
            problem="reaches another machine without TLS",
            fix="set CASEWORK_TEMPORAL_TLS_CA_FILE, and the client certificate for mTLS",
        )


def _kek_present(settings: Settings) -> Iterator[UnsafeSetting]:
    kek = settings.kek
    if kek.value is None and kek.token is None and not kek.file.is_file() and not kek.next_file.is_file():
        yield unsafe(
            "CASEWORK_KEK_FILE",
            problem="does not exist",
            fix="restore it from escrow, or run `casework keys init` once",
        )


def _reached_over_tls(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.api.tls.cert is None and not settings.api.behind_tls_proxy:
        yield unsafe(
            "CASEWORK_TLS_CERT_FILE",
            problem="the API would be reached without TLS",
            fix="set it and its key, or CASEWORK_TLS_PROXY=true behind a proxy that ends TLS",
        )


def _hosts_named(settings: Settings) -> Iterator[UnsafeSetting]:
    if "*" in settings.api.allowed_hosts:
        yield unsafe(
            "CASEWORK_ALLOWED_HOSTS", problem="lets any Host header pass", fix="name the hosts of this service"
        )


def _real_bureau(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.bureau is Bureau.SIMULATED:
        yield unsafe("CASEWORK_BUREAU", problem="invents credit records", fix="unset it")


def _real_core(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.core is Core.SIMULATED:
        yield unsafe("CASEWORK_CORE", problem="blocks and recalls no real card", fix="unset it")


def _links_reachable(settings: Settings) -> Iterator[UnsafeSetting]:
    parsed = _parse(settings.links_url)
    if parsed is None or parsed.scheme != "https" or parsed.hostname is None or is_loopback(parsed.hostname):
        yield unsafe(
            "CASEWORK_LINKS_URL",
            problem="is no address at which customers reach this service over TLS",
            fix="set it to https://name-of-the-service",
        )


def _sms_named(settings: Settings) -> Iterator[UnsafeSetting]:
    sms = settings.sms
    parsed = None if sms.url is None else _parse(sms.url)
    if parsed is not None and not is_loopback(parsed.hostname or "") and sms.token is None:
        yield unsafe(
            "CASEWORK_SMS_TOKEN_FILE",
            problem="is not set: anybody could send in the bank's name",
            fix="name the file with the provider's token",
        )


def _no_sandbox(settings: Settings) -> Iterator[UnsafeSetting]:
    if settings.sandbox:
        yield unsafe("CASEWORK_SANDBOX", problem="lets business be dated ahead of the clock", fix="unset it")


EVERYWHERE: Final[tuple[Check, ...]] = (
    _database_urls,
    _kek_outside,
    _epochs_outside,
    _kek_strong,
    _kek_suite_enabled,
    _token_complete,
    _private_files,
    _files_exist,
    _build_named,
    _served_in_clear,
    _oidc_complete,
    _exchange_outside,
    _escrow_usable,
    _sms_usable,
    _receipts_signed,
    _mail_usable,
    _links_usable,
)
PRODUCTION: Final[tuple[Check, ...]] = (
    _no_sqlite,
    _database_encrypted,
    _outside_issuer,
    _temporal_encrypted,
    _kek_present,
    _reached_over_tls,
    _hosts_named,
    _real_bureau,
    _real_core,
    _sms_named,
    _links_reachable,
    _no_sandbox,
)


def _urls(settings: Settings) -> tuple[tuple[str, str], ...]:
    return (
        ("CASEWORK_DATABASE_URL", settings.database_url),
        ("CASEWORK_KEYS_DATABASE_URL", settings.keys_database_url),
    )


def _parse(url: str) -> SplitResult | None:
    try:
        parsed = urlsplit(url)
        _ = parsed.port
    except ValueError:
        return None
    return parsed


def kek_fault(value: str) -> str | None:
    """Why this text is no key-encryption key, or None."""
    try:
        key = base64.b64decode(value.strip(), validate=True)
    except ValueError:
        return "is not base64"
    if len(key) < KEK_BYTES:
        return f"has {len(key)} bytes; it needs at least {KEK_BYTES}"
    return "is a sample, not random" if len(set(key)) < LEAST_DISTINCT_BYTES else None
