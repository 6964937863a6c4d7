"""The seal as a stranger checks it: with the tool of another project, and the bank's published certificate."""

import base64
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from activities.documents.pades import FIELD
from activities.documents.render import Renderer
from activities.documents.seal import seal_pdf
from compliance.vault.kek import EnvKek
from compliance.vault.keyring import open_vault
from compliance.vault.seal_keys import DocumentSeal
from compliance.vault.store import initialise_key_store
from models.database.engine import Database
from tests.activities.documents.contents import LENDER, agreement

PYHANKO = Path(sys.executable).with_name("pyhanko")
NOW = datetime.now(UTC).replace(microsecond=0)  # the checking tool looks at the machine's clock


@pytest.fixture
def seals(keys_database: Database) -> tuple[DocumentSeal, DocumentSeal]:
    """The seals of two banks."""
    kek = EnvKek(base64.b64encode(os.urandom(32)).decode())
    initialise_key_store(keys_database, kek=kek, clock=lambda: NOW)
    vault = open_vault(keys_database, kek, lambda: NOW)
    for tenant in ("acme", "other"):
        vault.ensure_seal(tenant=tenant, organisation=LENDER.name)
    return vault.document_seal("acme"), vault.document_seal("other")


def check(pdf: bytes, trusted: DocumentSeal, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "document.pdf").write_bytes(pdf)
    (folder / "authority.pem").write_bytes(trusted.authority_pem())
    return subprocess.run(
        [
            PYHANKO, "sign", "validate", "--pretty-print", "--no-revocation-check",
            "--trust-replace", "--trust", folder / "authority.pem", folder / "document.pdf",
        ],
        capture_output=True, text=True, check=False, timeout=60, cwd=folder,
    )  # fmt: skip


def test_a_sealed_agreement_is_valid_for_whoever_trusts_the_banks_authority(
    seals: tuple[DocumentSeal, DocumentSeal], tmp_path: Path
) -> None:
    seal, other = seals
    pdf = Renderer().render(agreement())
    at = NOW - timedelta(minutes=5)
    sealed = seal_pdf(pdf, seal, reason="agreement agr_7K2M9QXW4D signed", at=at)
    assert sealed.startswith(pdf)  # what the customer read is untouched
    good = check(sealed, seal, tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "The signature is judged VALID" in good.stdout
    assert "The signature covers the entire file" in good.stdout
    assert LENDER.name in good.stdout
    assert f"Signing time as reported by signer: {at.isoformat()}" in good.stdout
    stranger = check(sealed, other, tmp_path)
    assert stranger.returncode != 0
    assert "The signer's certificate is untrusted" in stranger.stdout


def test_an_altered_document_is_invalid(seals: tuple[DocumentSeal, DocumentSeal], tmp_path: Path) -> None:
    seal, _ = seals
    sealed = bytearray(seal_pdf(Renderer().render(agreement()), seal, reason="agreement", at=NOW))
    sealed[len(sealed) // 3] ^= 1
    refused = check(bytes(sealed), seal, tmp_path)
    assert refused.returncode != 0
    assert "VALID" not in refused.stdout.replace("INVALID", "")


def test_what_is_added_after_the_seal_makes_it_invalid(
    seals: tuple[DocumentSeal, DocumentSeal], tmp_path: Path
) -> None:
    from io import BytesIO

    from pyhanko.pdf_utils.generic import pdf_name, pdf_string
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

    seal, _ = seals
    writer = IncrementalPdfFileWriter(
        BytesIO(seal_pdf(Renderer().render(agreement()), seal, reason="agreement", at=NOW))
    )
    page = writer.root["/Pages"]["/Kids"][0]
    while "/Kids" in page:
        page = page["/Kids"][0]
    page[pdf_name("/Contents")] = writer.add_object(pdf_string("another page"))
    writer.mark_update(page.container_ref)
    output = BytesIO()
    writer.write(output)
    assert check(output.getvalue(), seal, tmp_path).returncode != 0


def test_the_seal_adds_a_pades_signature_with_the_given_time_and_nothing_else(
    seals: tuple[DocumentSeal, DocumentSeal],
) -> None:
    at = NOW - timedelta(days=2)
    pdf = Renderer().render(agreement())
    added = seal_pdf(pdf, seals[0], reason="agreement", at=at)[len(pdf) :]
    assert b"/ETSI.CAdES.detached" in added
    assert FIELD.encode() in added
    assert at.strftime("20%y%m%d%H%M%SZ").encode() in added
    assert b"ModDate" not in added
    assert b"Metadata" not in added.replace(b"/Metadata ", b"")  # the catalogue points to the old one


def test_a_document_is_sealed_once(seals: tuple[DocumentSeal, DocumentSeal]) -> None:
    sealed = seal_pdf(Renderer().render(agreement()), seals[0], reason="agreement", at=NOW)
    with pytest.raises(ValueError, match="already"):
        seal_pdf(sealed, seals[1], reason="agreement", at=NOW)


def test_a_time_without_a_zone_is_refused(seals: tuple[DocumentSeal, DocumentSeal]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        seal_pdf(Renderer().render(agreement()), seals[0], reason="agreement", at=NOW.replace(tzinfo=None))
