"""The seal of a tenant (电子签章): a P-256 key to sign documents, with a certificate of the tenant's own authority.

Both private keys lie in the key store under the tenant's branch key `seal-wrap`. The authority's key is kept so that a
later seal stands under the same root, which readers of documents have already been given. Certificates live long,
because a seal without an outside time stamp can be checked only while its certificate is valid.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from compliance.vault.framing import framed
from compliance.vault.states import KeyState
from compliance.vault.suites import SealingKey
from compliance.vault.tables import SealKey
from models.errors import CannotOpen

AUTHORITY_LIFE: Final = timedelta(days=30 * 365)
SEAL_LIFE: Final = timedelta(days=20 * 365)  # an agreement runs five years at most and is kept for years after that
_CLOCK_SLACK: Final = timedelta(days=1)  # a reader whose clock is behind must not see a seal from the future
_NAME_BYTES: Final = 64  # X.520 upper bound of names in a certificate
_CURVE: Final = ec.SECP256R1()
_FORMAT: Final = 1
_SEAL: Final = "seal"
_AUTHORITY: Final = "authority"


@dataclass(frozen=True, kw_only=True, slots=True, repr=False)
class DocumentSeal:
    """A seal ready to sign. The certificates are public; `authority` is what a reader trusts.

    Attributes:
        version: which of the tenant's seals this is.
        private_key: never leaves the memory.
    """

    tenant: str
    version: int
    certificate: x509.Certificate
    authority: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    def authority_pem(self) -> bytes:
        """The authority's certificate as it is published, in PEM."""
        return self.authority.public_bytes(serialization.Encoding.PEM)


def new_seal(branch: SealingKey, *, tenant: str, organisation: str, at: datetime) -> SealKey:
    """The first seal of a tenant with its authority, private keys wrapped; not yet stored."""
    authority_key, key = ec.generate_private_key(_CURVE), ec.generate_private_key(_CURVE)
    authority = _authority(authority_key, organisation=organisation, tenant=tenant, at=at)
    certificate = _certificate(authority, authority_key, key, organisation=organisation, tenant=tenant, at=at)
    version = 1
    return SealKey(
        tenant=tenant,
        version=version,
        branch_version=branch.version,
        wrapped=_wrapped(branch, key, tenant=tenant, version=version, part=_SEAL),
        certificate=certificate.public_bytes(serialization.Encoding.DER),
        authority_wrapped=_wrapped(branch, authority_key, tenant=tenant, version=version, part=_AUTHORITY),
        authority=authority.public_bytes(serialization.Encoding.DER),
        state=KeyState.ACTIVE,
        created_at=at,
    )


def open_seal(branch: SealingKey, row: SealKey) -> DocumentSeal:
    """The seal behind a stored row.

    Raises:
        CannotOpen: altered, another tenant's, or the certificate is not this key's.
    """
    where = f"seal key {row.tenant}/{row.version}"
    key = serialization.load_der_private_key(_unwrapped(branch, row, row.wrapped, part=_SEAL), password=None)
    certificate = x509.load_der_x509_certificate(row.certificate)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise CannotOpen(detail=where)  # whoever can write the store may exchange a certificate, but not the key
    return DocumentSeal(
        tenant=row.tenant,
        version=row.version,
        certificate=certificate,
        authority=x509.load_der_x509_certificate(row.authority),
        private_key=key,
    )


def rewrapped(old: SealingKey, new: SealingKey, row: SealKey) -> tuple[bytes, bytes]:
    """The seal's and the authority's private key, out of one branch key and into another; certificates stay.

    Raises:
        CannotOpen: altered, or not under `old`.
    """
    parts = []
    for part, wrapped in ((_SEAL, row.wrapped), (_AUTHORITY, row.authority_wrapped)):
        secret, header = _unwrapped(old, row, wrapped, part=part), _header(new)
        parts.append(header + new.seal(secret, _binding(row.tenant, row.version, part, header, new.version)))
    return parts[0], parts[1]


def _unwrapped(branch: SealingKey, row: SealKey, wrapped: bytes, *, part: str) -> bytes:
    header = _header(branch)
    binding = _binding(row.tenant, row.version, part, header, branch.version)
    try:
        if wrapped[: len(header)] == header:
            return branch.open(wrapped[len(header) :], binding)
    except CannotOpen:
        pass
    raise CannotOpen(detail=f"seal key {row.tenant}/{row.version}")


def _authority(key: ec.EllipticCurvePrivateKey, *, organisation: str, tenant: str, at: datetime) -> x509.Certificate:
    name = _name(organisation, f"{tenant} document authority")
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _builder(name, name, key.public_key(), key.public_key(), at=at, life=AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _certificate(
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    key: ec.EllipticCurvePrivateKey,
    *,
    organisation: str,
    tenant: str,
    at: datetime,
) -> x509.Certificate:
    name = _name(organisation, f"{tenant} document seal")
    usage = _usage(digital_signature=True, content_commitment=True)  # content commitment is non-repudiation
    return (
        _builder(name, authority.subject, key.public_key(), authority_key.public_key(), at=at, life=SEAL_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        # RFC 9336, so that the key is good for documents and nothing else.
        .add_extension(x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36")]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
    *,
    at: datetime,
    life: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SLACK)
        .not_valid_after(at + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
    )


def _name(organisation: str, common: str) -> x509.Name:
    kept = organisation.encode()[:_NAME_BYTES].decode(errors="ignore").strip() or "-"
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, kept), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _wrapped(branch: SealingKey, key: ec.EllipticCurvePrivateKey, *, tenant: str, version: int, part: str) -> bytes:
    """`format(1) suite(1) nonce(12) ciphertext tag(16)` around the key in PKCS #8 (docs/wire-format.md)."""
    secret = key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    header = _header(branch)
    return header + branch.seal(secret, _binding(tenant, version, part, header, branch.version))


def _header(branch: SealingKey) -> bytes:
    return bytes((_FORMAT, branch.suite.id))


def _binding(tenant: str, version: int, part: str, header: bytes, branch_version: int) -> bytes:
    return framed("casework.seal-key", header, tenant, version, part, branch_version)
