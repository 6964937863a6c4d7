"""The sealed files of some people under their new keys.

The new file is sealed beside the old one; its digest goes on record; then it takes the old one's place in one step. Who
reads meanwhile reads the old file to its end. Killed in between, the next try finds the file whose digest is on record
and puts it in place, or seals another. Where the record has the digest of the content alone, the next try always seals
another: either of them is right.
"""

import contextlib
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import update
from sqlmodel import Session

from activities.parties.reseal_work import Found, Place, ResealWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault import files
from compliance.vault.files import FileAddress
from compliance.vault.kek import sync_folder
from compliance.vault.sealed_places import FILES, FilePlace
from compliance.vault.shelf import file_path
from models.errors import CannotOpen, SubjectShredded
from models.operations.suite_changes import count_in

RESEALED: Final = "suite-change.file-sealed"
_DRAFT: Final = "reseal"


@dataclass(frozen=True, slots=True)
class _Document:
    """One sealed file; `digest` is that of the sealed file as the record has it, None where it has none."""

    place: FilePlace
    id: str
    subject: str
    digest: str | None
    path: Path


def reseal_files(work: ResealWork, subject_ids: Collection[str], found: Found) -> None:
    """Seal again the files that lie under other keys than these subjects' present ones; name what does not open."""
    for document in _documents(work, subject_ids):
        work.beat()
        try:
            present = work.vault.header_of(tenant=work.tenant, subject_id=document.subject)
            if files.header_of(document.path) == present:
                continue
            found.touched.add(document.subject)
            _reseal(work, document)
        except SubjectShredded:
            continue
        except CannotOpen:
            found.name(Place(document.place.name, "file", document.id), document.subject)


def _documents(work: ResealWork, subject_ids: Collection[str]) -> Iterable[_Document]:
    for place in FILES:
        with work.database.read() as session:
            rows = session.execute(place.rows(tenant=work.tenant).where(place.subject.in_(subject_ids))).all()
        for file, subject, digest in rows:
            path = file_path(work.files_root, tenant=work.tenant, document_id=file)
            yield _Document(place, file, subject, digest, path)


def _reseal(work: ResealWork, document: _Document) -> None:
    draft = None if document.digest is None else _draft(document, document.digest)
    if draft is None or not draft.exists():  # no try was killed between the record and the exchange
        draft = _sealed_beside(work, document)
        if draft is None:
            return
    with contextlib.suppress(FileNotFoundError):  # another try at this moment has put it in place
        draft.replace(document.path)
        sync_folder(document.path.parent)


def _sealed_beside(work: ResealWork, document: _Document) -> Path | None:
    """Seal the content anew and put it on record; None where somebody else did meanwhile."""
    address = FileAddress(work.tenant, document.subject, document.id)
    unnamed = _draft(document, os.urandom(8).hex())
    sealed = work.vault.seal_file(address, work.vault.open_file(address, document.path), unnamed)
    draft = unnamed.replace(_draft(document, sealed.digest))
    sync_folder(draft.parent)
    is_recorded = False
    deed = work.deed(RESEALED, work.clock(), document=document.id, digest=sealed.digest, before=document.digest)
    with unit_of_work(work.database, deed) as unit:
        if not _is_ours(unit.session, document, sealed.digest):
            raise Unchanged
        count_in(unit.session, work.change.id, {"files": 1})
        is_recorded = True
    if not is_recorded:
        draft.unlink(missing_ok=True)
        return None
    return draft


def _is_ours(session: Session, document: _Document, digest: str) -> bool:
    """Compare and set of the sealed file's digest; without one on record there is nothing to set."""
    place = document.place
    if place.digest is None:
        return True
    changed = session.connection().execute(
        update(place.table)
        .where(place.file == document.id, place.digest == document.digest)
        .values({place.digest: digest})
    )
    return bool(changed.rowcount)


def clear_drafts(work: ResealWork) -> None:
    """Remove what killed tries have left beside the files. Call it when no file waits for its exchange."""
    for left in file_path(work.files_root, tenant=work.tenant, document_id="-").parent.glob(f".*{_DRAFT}*"):
        left.unlink(missing_ok=True)


def _draft(document: _Document, name: str) -> Path:
    return document.path.with_name(f".{document.path.name}.{name}.{_DRAFT}")
