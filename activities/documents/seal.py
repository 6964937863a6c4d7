"""The bank's seal on a PDF: a PAdES baseline signature of level B-B (ETSI EN 319 142-1), added behind what it covers.

The document that the customer read stays, byte for byte, the beginning of the sealed file, and the seal allows no
change after it. The time in the seal is the bank's own word: level B-T and above need an outside time stamping
authority, which this product does not bring.
"""

from datetime import datetime

from compliance.vault.seal_keys import DocumentSeal


def seal_pdf(pdf: bytes, key: DocumentSeal, *, reason: str, at: datetime) -> bytes:
    """The document with the tenant's seal, invisible: the box in the template shows where it stands.

    Must not be called from within an event loop.

    Args:
        pdf: a document of ours, not sealed before.
        key: from `Vault.document_seal`.
        reason: why it is sealed; everybody who has the file can read it, so codes and identifiers only.
        at: when; it is put into the seal.

    Raises:
        ValueError: `at` has no time zone, or the document carries a signature already.
    """
    from activities.documents.pades import sign  # noqa: PLC0415 - half a second that no start has to wait for

    if at.tzinfo is None:
        raise ValueError("the time of a seal needs its time zone")
    return sign(pdf, key, reason=reason, at=at)
