"""The sealed files that are no documents of a case: a run's file and evidence of a transfer job, in a `SealedBook`.

Whose key seals them is spelt out here, as in `tests.support.sealed_book`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from compliance.vault.files import FileAddress, header_of
from models.domain.tokens import new_case_token, new_token
from models.tables.batch_imports import BatchImport
from models.tables.batch_runs import BatchRun
from models.tables.transfer_jobs import TransferEvidence
from models.tables.transfers import TransferJob
from tests.support.sealed_book import TENANT, SealedBook

_NOW: Final = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
CONTENT: Final = "流水号,姓名,金额\n1,员工甲,1000.00\n"
DIGEST: Final = "0" * 64  # of the content: no change of key touches it


@dataclass(frozen=True, slots=True)
class SealedShelf:
    """A run with a file and a job with two pieces of evidence, one of them a reference that has no file.

    Attributes:
        owners: name of a file on the shelf → whose key seals it.
    """

    book: SealedBook
    owners: dict[str, str]

    def contents(self) -> dict[str, str]:
        """Each file, opened as the product opens it."""
        shelf = self.book.shelf
        return {name: shelf.read(FileAddress(TENANT, owner, name)).decode() for name, owner in self.owners.items()}

    def suites(self) -> set[int]:
        """The suite bytes of the files."""
        return {header_of(self.book.root / TENANT / name)[0] for name in self.owners}

    def digests(self) -> set[str]:
        """What the rows say of the contents."""
        with self.book.database.read() as session:
            rows = [
                session.get_one(BatchImport if name.startswith("bim_") else TransferEvidence, name)
                for name in self.owners
            ]
        return {row.digest for row in rows}


def add_shelf(book: SealedBook) -> SealedShelf:
    """Put it all on record and on the shelf."""
    run, job = new_case_token(TENANT), new_case_token(TENANT)
    imported, evidence = new_token("bim"), new_token("tev")
    owners = {imported: f"tjb_{run.partition('.')[2]}", evidence: f"tjb_{job.partition('.')[2]}"}
    for name, owner in owners.items():
        book.vault.create_subject(tenant=TENANT, subject_id=owner)
        book.shelf.put(FileAddress(TENANT, owner, name), iter([CONTENT.encode()]))
    size = len(CONTENT.encode())
    with book.database.write() as session:
        session.add(
            BatchRun(token=run, tenant=TENANT, branch="-", kind="payroll", origin="staff", source="file",
                     request_key=run, business_date=date(2026, 11, 20), stage="clean", created_by="-",
                     created_by_person="-", created_at=_NOW, updated_at=_NOW)
        )  # fmt: skip
        session.add(
            TransferJob(token=job, tenant=TENANT, branch="-", plan_hash="-", stage="prepare", created_by="-",
                        created_by_person="-", created_at=_NOW, updated_at=_NOW)
        )  # fmt: skip
        session.flush()
        session.add(
            BatchImport(id=imported, tenant=TENANT, run=run, layout="-", layout_version="-", file_name=imported,
                        digest=DIGEST, size_bytes=size, created_at=_NOW)
        )  # fmt: skip
        for each, file_name, reference in ((evidence, evidence, None), (new_token("tev"), None, "档案室 12 号")):
            session.add(
                TransferEvidence(id=each, tenant=TENANT, job=job, kind="-", digest=DIGEST, reference=reference,
                                 file_name=file_name, size_bytes=size if file_name else None, added_by="-",
                                 added_by_person="-", added_at=_NOW)
            )  # fmt: skip
    return SealedShelf(book, owners)
