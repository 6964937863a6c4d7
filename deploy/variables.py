"""Every environment variable of the product: name, default, meaning (docs/settings.md)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True, slots=True)
class Variable:
    """One environment variable: its name, what it is when unset, and what it means."""

    name: str
    default: str
    meaning: str


VARIABLES: Final = (
    Variable(
        name="CASEWORK_MODE",
        default="embedded",
        meaning="`embedded`: everything on this machine, started by `casework up`. `production`: external Temporal and "
        "PostgreSQL; unsafe values below are refused.",
    ),
    Variable(
        name="CASEWORK_DATA_DIR",
        default="./casework-data",
        meaning="Data directory: databases of the embedded stack, sealed files, logs. Made with mode 0700.",
    ),
    Variable(
        name="CASEWORK_DATABASE_URL",
        default="sqlite in the data directory",
        meaning="Data store. `postgresql+psycopg://user@host/database?sslmode=verify-full`. Production refuses SQLite, "
        "and a server off this machine without `sslmode` of `require` or stricter.",
    ),
    Variable(
        name="CASEWORK_KEYS_DATABASE_URL",
        default="sqlite in the data directory",
        meaning="Key store: a database of its own, never the data store's. Same rules.",
    ),
    Variable(
        name="CASEWORK_KEK_FILE",
        default="`<data directory>.kek`",
        meaning="File with the key-encryption key, mode 0600, beside the data directory and never inside it.",
    ),
    Variable(
        name="CASEWORK_KEK",
        default="unset",
        meaning="The key-encryption key itself, instead of a file: 32 random bytes in base64.",
    ),
    Variable(
        name="CASEWORK_SUITES",
        default="aes-256-gcm,sm4-gcm",
        meaning="Cipher suites in use, separated by commas, each tested before the vault opens; the first one is that "
        "of a new tenant's keys. `aes-256-gcm` is always among them: the KEK wraps under it. What lies under a suite "
        "that is left out is not opened.",
    ),
    Variable(
        name="CASEWORK_EPOCH_KEYS_DIR",
        default="`<data directory>.epochs`",
        meaning="Keys of backup epochs ([privacy.md](privacy.md)): backups of the key store are sealed under the key "
        "of their day. Beside the key-encryption key, never inside the data directory and never in a backup.",
    ),
    Variable(
        name="CASEWORK_EPOCH_DAYS",
        default="7",
        meaning="After so many days the key of a backup epoch is destroyed, 1 to 90. An erasure is complete after as "
        "many days, and a backup of the key store can be restored for as long.",
    ),
    Variable(
        name="CASEWORK_KEK_NEXT",
        default="unset",
        meaning="The key-encryption key that follows `CASEWORK_KEK` ([keys.md](keys.md)); unset it after the change. "
        "A file's successor is `<CASEWORK_KEK_FILE>.next`.",
    ),
    Variable(
        name="CASEWORK_KEK_PKCS11_MODULE",
        default="unset",
        meaning="Library of a token (HSM, 密码机) that holds the key-encryption key. Needs the extra `pkcs11`, and the "
        "next three.",
    ),
    Variable(name="CASEWORK_KEK_PKCS11_TOKEN", default="unset", meaning="Label of the token."),
    Variable(
        name="CASEWORK_KEK_PKCS11_KEY",
        default="unset",
        meaning="Label of the AES key of 256 bits in it, which must not be extractable.",
    ),
    Variable(
        name="CASEWORK_KEK_PKCS11_PIN_FILE",
        default="unset",
        meaning="File with the PIN of the token's user, mode 0600.",
    ),
    Variable(name="CASEWORK_KEK_PKCS11_PIN", default="unset", meaning="The PIN itself, instead of a file."),
    Variable(
        name="CASEWORK_KEK_PKCS11_NEXT_KEY",
        default="unset",
        meaning="Label of the key in the token that follows; unset again after the change.",
    ),
    Variable(
        name="CASEWORK_TEMPORAL_ADDRESS",
        default="127.0.0.1:7233",
        meaning="`host:port` of Temporal. `casework up` starts its own server and ignores this.",
    ),
    Variable(name="CASEWORK_TEMPORAL_NAMESPACE", default="casework", meaning="Namespace of all workflows."),
    Variable(
        name="CASEWORK_TEMPORAL_TLS_CA_FILE",
        default="unset",
        meaning="Authority of Temporal's certificate. Production refuses an address off this machine without TLS.",
    ),
    Variable(
        name="CASEWORK_TEMPORAL_TLS_CERT_FILE",
        default="unset",
        meaning="Client certificate for Temporal (mTLS), with its key.",
    ),
    Variable(
        name="CASEWORK_TEMPORAL_TLS_KEY_FILE",
        default="unset",
        meaning="Key of the client certificate; not world-readable.",
    ),
    Variable(
        name="CASEWORK_TEMPORAL_TLS_SERVER_NAME", default="unset", meaning="Name expected in Temporal's certificate."
    ),
    Variable(name="CASEWORK_HOST", default="127.0.0.1", meaning="Address the API listens on."),
    Variable(
        name="CASEWORK_PORT", default="8700", meaning="Port of the API; 0 takes a free one (`casework up` prints it)."
    ),
    Variable(
        name="CASEWORK_ALLOWED_HOSTS",
        default="127.0.0.1,localhost,[::1]",
        meaning="Names that the `Host` header may carry, without port, separated by commas. Production refuses `*`.",
    ),
    Variable(
        name="CASEWORK_TLS_CERT_FILE", default="unset", meaning="Certificate of the API, when it ends TLS itself."
    ),
    Variable(
        name="CASEWORK_TLS_KEY_FILE", default="unset", meaning="Key of the API's certificate; not world-readable."
    ),
    Variable(
        name="CASEWORK_TLS_PROXY",
        default="false",
        meaning="`true`: a proxy in front of the API ends TLS. Without this or a certificate only loopback is served.",
    ),
    Variable(
        name="CASEWORK_ISSUER",
        default="local",
        meaning="`local`: passwords kept by Casework (embedded only). `oidc`: tokens of the bank's own issuer.",
    ),
    Variable(
        name="CASEWORK_OIDC_JWKS_FILE",
        default="unset",
        meaning="Public keys of the issuer (JWKS). ES256, ES384 or RS256 with at least 3072 bits, each with a `kid`.",
    ),
    Variable(name="CASEWORK_OIDC_ISSUER", default="unset", meaning="Expected `iss`."),
    Variable(name="CASEWORK_OIDC_AUDIENCE", default="unset", meaning="Expected `aud`."),
    Variable(
        name="CASEWORK_AUDIT_ANCHOR_FILE",
        default="`<data directory>.anchor`",
        meaning="Signed checkpoints of the audit log, outside the database. It belongs on another disk or in "
        "write-once storage; several workers may share it.",
    ),
    Variable(
        name="CASEWORK_BUREAU",
        default="simulated; none in production",
        meaning="Credit bureau. `simulated` invents records and is refused in production; with `none` every query "
        "becomes an incident task.",
    ),
    Variable(
        name="CASEWORK_CORE",
        default="simulated; files in production",
        meaning="Card core. `files` hands orders over under `core` in the exchange directory "
        "([core-exchange.md](core-exchange.md)); `simulated` carries them out on no real card and is refused in "
        "production.",
    ),
    Variable(
        name="CASEWORK_LINKS_URL",
        default="the API's own address",
        meaning="How customers reach the API from outside; links in messages begin with it. Scheme, host and "
        "port only; production takes `https` only and refuses an address of this machine.",
    ),
    Variable(
        name="CASEWORK_EXCHANGE_DIR",
        default="`<data directory>.exchange`",
        meaning="The bank's exchange: what is handed over in clear, such as the spool of messages. Never inside the "
        "data directory.",
    ),
    Variable(
        name="CASEWORK_TRANSFER_ESCROW_KEY_FILE",
        default="unset",
        meaning="Public X25519 key in PEM, to which backups of transfer jobs are also sealed "
        "([transfer-backup.md](transfer-backup.md)); the private key stays offline. Without it only this "
        "installation opens them.",
    ),
    Variable(
        name="CASEWORK_TRANSFER_CONNECTIONS_FILE",
        default="unset",
        meaning="Databases that transfer jobs may read ([transfer-sources.md](transfer-sources.md)): TOML with one "
        "SQLAlchemy URL for each name, mode 0600.",
    ),
    Variable(
        name="CASEWORK_SMS_URL",
        default="the spool; none in production",
        meaning="Provider of text messages ([notices.md](notices.md)). Off this machine `https` only, and without a "
        "name, a password or a query in it.",
    ),
    Variable(
        name="CASEWORK_SMS_TOKEN_FILE",
        default="unset",
        meaning="File with the bearer token for the provider; not world-readable. Production refuses a provider off "
        "this machine without a token.",
    ),
    Variable(name="CASEWORK_SMS_TOKEN", default="unset", meaning="The token itself, instead of a file."),
    Variable(
        name="CASEWORK_RECEIPTS_SECRET_FILE",
        default="unset: nobody pushes receipts",
        meaning="File with the secret, 32 characters or more, that gateways sign pushed receipts with "
        "([transfer-notices.md](transfer-notices.md)); not world-readable.",
    ),
    Variable(name="CASEWORK_RECEIPTS_SECRET", default="unset", meaning="The secret itself, instead of a file."),
    Variable(
        name="CASEWORK_SMTP_HOST",
        default="the spool; none in production",
        meaning="Mail server that takes mail to customers. Needs `CASEWORK_MAIL_FROM`.",
    ),
    Variable(name="CASEWORK_SMTP_PORT", default="587", meaning="Its port."),
    Variable(
        name="CASEWORK_SMTP_TLS",
        default="starttls",
        meaning="`starttls`, `tls` from the first byte, or `none`, which is refused for a server off this machine.",
    ),
    Variable(
        name="CASEWORK_SMTP_CA_FILE",
        default="the system's",
        meaning="Authority of the mail server's certificate.",
    ),
    Variable(
        name="CASEWORK_SMTP_USER", default="unset", meaning="Account at the mail server; with a password or neither."
    ),
    Variable(
        name="CASEWORK_SMTP_PASSWORD_FILE",
        default="unset",
        meaning="File with the password of the account; not world-readable.",
    ),
    Variable(name="CASEWORK_SMTP_PASSWORD", default="unset", meaning="The password itself, instead of a file."),
    Variable(name="CASEWORK_MAIL_FROM", default="unset", meaning="Address that mail to customers comes from."),
    Variable(
        name="CASEWORK_SANDBOX",
        default="false",
        meaning="`true`: the tenant made by `casework up` may date business ahead of the clock. Production refuses it.",
    ),
    Variable(
        name="CASEWORK_DAILY_HOUR",
        default="20",
        meaning="Hour of the day in Shanghai, 0 to 23, at which the daily run of each institution begins by itself, "
        "missed dates first; `off`: only when somebody asks. A sandbox never runs by itself.",
    ),
    Variable(
        name="CASEWORK_BUILD_ID",
        default="version of casework",
        meaning="Names this build to Temporal (production): an image tag or a commit. `casework rollout promote` sends "
        "the work to another build.",
    ),
    Variable(name="CASEWORK_LOG_JSON", default="true", meaning="One JSON object per log line; `false` for people."),
    Variable(name="CASEWORK_URL", default="from the data directory", meaning="Where client commands find the API."),
)
