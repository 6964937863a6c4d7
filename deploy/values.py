"""What was decided about one installation, as frozen values. Read by `deploy.settings`, judged by `deploy.safety`."""

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path


class Mode(StrEnum):
    """How the product runs."""

    EMBEDDED = "embedded"
    PRODUCTION = "production"


class IssuerMode(StrEnum):
    """Who logs staff in."""

    LOCAL = "local"
    OIDC = "oidc"


class Bureau(StrEnum):
    """Where credit records come from."""

    SIMULATED = "simulated"
    NONE = "none"


class Core(StrEnum):
    """Where card accounts are kept (核心系统)."""

    SIMULATED = "simulated"
    FILES = "files"


class CipherSuite(StrEnum):
    """What personal data are sealed under (`compliance.vault.suites`)."""

    AES_256_GCM = "aes-256-gcm"
    SM4_GCM = "sm4-gcm"


class MailTls(StrEnum):
    """How the connection to the mail server is encrypted."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


class Where(StrEnum):
    """What holds a key-encryption key."""

    FILE = "file"
    ENV = "env"
    PKCS11 = "pkcs11"


@dataclass(frozen=True, slots=True)
class DataDir:
    """Names inside and beside a data directory."""

    root: Path

    @property
    def database(self) -> Path:
        """Data store of the embedded stack."""
        return self.root / "casework.db"

    @property
    def keys(self) -> Path:
        """Key store of the embedded stack."""
        return self.root / "keys.db"

    @property
    def temporal(self) -> Path:
        """Store of the embedded Temporal server."""
        return self.root / "temporal.db"

    @property
    def files(self) -> Path:
        """Sealed files."""
        return self.root / "files"

    @property
    def logs(self) -> Path:
        """Logs of the children of `casework up`."""
        return self.root / "logs"

    @property
    def run(self) -> Path:
        """What a running `casework up` tells others: ports."""
        return self.root / "run"

    @property
    def ports(self) -> Path:
        """Addresses of a running `casework up`, as JSON."""
        return self.run / "ports.json"

    @property
    def before_migrations(self) -> Path:
        """Copies of the databases taken before a migration."""
        return self.root / "before-migrations"

    @property
    def lock(self) -> Path:
        """Who holds this directory."""
        return self.root / "lock"

    def beside(self, suffix: str) -> Path:
        """A path next to the directory: what must not be inside it."""
        return self.root.with_name(self.root.name + suffix)


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenSource:
    """A PKCS #11 token; `next_key` is the label of the key that follows."""

    module: Path
    token: str
    key: str
    next_key: str | None = None
    pin: str | None = field(default=None, repr=False)
    pin_file: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class KekSource:
    """Where key-encryption keys may lie; which one is in force stands in the key store (`deploy.keks`).

    Attributes:
        file: with the key; the next one lies beside it under `.next`.
        value: the key itself, and the next one.
        token: a token with the key in it.
    """

    file: Path
    value: str | None = field(default=None, repr=False)
    next_value: str | None = field(default=None, repr=False)
    token: TokenSource | None = None

    @property
    def next_file(self) -> Path:
        """Where the next key lies before a change, and nothing otherwise."""
        return self.file.with_name(self.file.name + ".next")


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsFiles:
    """Certificate files of one connection."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None

    @property
    def enabled(self) -> bool:
        """Whether the connection is encrypted at all."""
        return self.ca is not None or self.cert is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class TemporalSettings:
    """How to reach Temporal."""

    address: str
    namespace: str
    tls: TlsFiles


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiSettings:
    """Where the API listens, and who ends TLS."""

    host: str
    port: int
    tls: TlsFiles
    behind_tls_proxy: bool
    allowed_hosts: frozenset[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentitySettings:
    """Whose tokens are believed."""

    mode: IssuerMode
    jwks_file: Path | None
    issuer: str | None
    audience: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SmsSettings:
    """The bank's provider of text messages; without a URL there is none."""

    url: str | None = None
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ReceiptSettings:
    """What gateways sign the receipts with that they push; without a secret nobody pushes any."""

    secret: str | None = field(default=None, repr=False)
    secret_file: Path | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class MailSettings:
    """The bank's mail server; without a host there is none."""

    host: str | None = None
    port: int = 587
    tls: MailTls = MailTls.STARTTLS
    ca_file: Path | None = None
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    password_file: Path | None = None
    sender: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Everything an operator decided, read once."""

    mode: Mode
    data: DataDir
    database_url: str = field(repr=False)
    keys_database_url: str = field(repr=False)
    kek: KekSource
    suites: tuple[CipherSuite, ...]
    temporal: TemporalSettings
    api: ApiSettings
    identity: IdentitySettings
    bureau: Bureau
    core: Core
    sms: SmsSettings
    receipts: ReceiptSettings
    mail: MailSettings
    links_url: str
    exchange: Path
    transfer_escrow: Path | None
    transfer_connections: Path | None
    anchor: Path
    epochs: Path
    epoch_days: int
    sandbox: bool
    build_id: str | None
    daily_hour: int | None
    log_json: bool
    url: str | None

    @property
    def is_production(self) -> bool:
        """Whether unsafe values are refused."""
        return self.mode is Mode.PRODUCTION
