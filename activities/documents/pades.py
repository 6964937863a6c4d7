"""A PDF signed with a tenant's key, through pyHanko."""

import asyncio
from datetime import datetime
from io import BytesIO
from typing import Final

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.keys import load_certs_from_pemder_data, load_private_key_from_pemder_data
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko_certvalidator.registry import SimpleCertificateStore

from compliance.vault.seal_keys import DocumentSeal

FIELD: Final = "BankSeal"
_DIGEST: Final = "sha256"
_RESERVED: Final = 8_192  # hexadecimal digits for the signature with both certificates, which take less than half


def sign(pdf: bytes, key: DocumentSeal, *, reason: str, at: datetime) -> bytes:
    """The document with an invisible signature behind it; see `seal_pdf`.

    Raises:
        ValueError: the document carries a signature already.
    """
    writer = _SealWriter(BytesIO(pdf))
    if writer.prev.embedded_signatures:
        raise ValueError("the document carries a signature already")
    metadata = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm=_DIGEST,
        subfilter=SigSeedSubFilter.PADES,
        reason=reason,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
    )
    sealer = PdfSigner(metadata, signer=_signer(key), new_field_spec=SigFieldSpec(FIELD))
    return asyncio.run(_sealed(writer, sealer, at))


class _SealWriter(IncrementalPdfFileWriter):
    """Adds a signature and leaves what the document says of itself alone."""

    def _update_meta(self) -> None:
        """Nothing: the library would put the machine's clock and its own name into the archived document."""


async def _sealed(writer: IncrementalPdfFileWriter, sealer: PdfSigner, at: datetime) -> bytes:
    # What `PdfSigner.sign_pdf` does, with the time given instead of read from the machine's clock.
    session = sealer.init_signing_session(writer)
    session.system_time = at
    document = session.prepare_tbs_document(validation_info=None, bytes_reserved=_RESERVED)
    digest, output = document.digest_tbs_document()
    await document.perform_signature(digest.document_digest, PdfCMSSignedAttributes(signing_time=at))
    output.seek(0)
    return bytes(output.read())


def _signer(key: DocumentSeal) -> SimpleSigner:
    # The library has certificates and keys of its own; they meet ours in DER.
    secret = key.private_key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    (certificate,) = load_certs_from_pemder_data(key.certificate.public_bytes(Encoding.DER))
    (authority,) = load_certs_from_pemder_data(key.authority.public_bytes(Encoding.DER))
    chain = SimpleCertificateStore()  # type: ignore[no-untyped-call]  # the library leaves it unannotated
    chain.register(authority)
    return SimpleSigner(
        signing_cert=certificate,
        signing_key=load_private_key_from_pemder_data(secret, passphrase=None),
        cert_registry=chain,
    )
