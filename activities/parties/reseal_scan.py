"""The proof: the header of everything that is sealed, read once more, counted by suite, with a root over all of it.

It looks at data and files as they lie there, and trusts nothing that the passes before it have noted. What a shredded
person has left is counted apart: no key opens it, whatever its suite.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from activities.parties.reseal_work import Place, ResealWork
from compliance.audit.log import Edge, leaf_hash
from compliance.vault import cells, files
from compliance.vault.framing import framed
from compliance.vault.sealed_places import CELLS, FILES, CellPlace, FilePlace
from compliance.vault.shelf import file_path
from models.errors import CannotOpen, SubjectShredded
from models.operations.suite_changes import MOST_NAMED, is_whole_tenant

PAGE: Final = 2_000
FILE: Final = "file"
SHELF: Final = "shelf"
_UNKNOWN: Final = "unknown"
Named = tuple[int, int] | None  # suite and version of the key that a header names


@dataclass(slots=True)
class Scan:
    """What was found.

    Attributes:
        by_suite: cells and files together, by the suite's number as text; `unknown` for what names none.
        by_table: the same for each table; sealed files stand under `<table>.file`, and files on the shelf that no row
            names, which a killed upload may leave, under `shelf`.
        old: how many lie under another suite or key than they shall; the first of them stand in `named`.
        dead: how many were left by people whose keys were destroyed.
    """

    by_suite: Counter[str] = field(default_factory=Counter)
    by_table: dict[str, Counter[str]] = field(default_factory=dict)
    named: list[Place] = field(default_factory=list)
    old: int = 0
    dead: int = 0
    edge: Edge = field(default_factory=Edge)

    def count(self, table: str, named: Named) -> None:
        """One more cell or file."""
        name = _UNKNOWN if named is None else str(named[0])
        self.by_suite[name] += 1
        self.by_table.setdefault(table, Counter())[name] += 1

    def note_old(self, place: Place) -> None:
        """Something that does not lie where it shall."""
        self.old += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(place)

    def told(self) -> dict[str, Any]:
        """As it stands in the change's record and in the event."""
        return {
            "bySuite": dict(self.by_suite),
            "byTable": {table: dict(counts) for table, counts in sorted(self.by_table.items())},
            "old": self.old,
            "dead": self.dead,
            "leaves": self.edge.size,
            "root": self.edge.root().hex(),
            "named": [place.told() for place in self.named],
        }


def scan(work: ResealWork) -> Scan:
    """Everything of the tenant, or of the one person whose key was renewed."""
    found = Scan()
    for place in CELLS:
        _scan_cells(work, place, found)
    for files_of in FILES:
        _scan_files(work, files_of, found)
    if is_whole_tenant(work.change):
        _scan_shelf(work, found)
    return found


def _scan_cells(work: ResealWork, place: CellPlace, found: Scan) -> None:
    after = ""
    while True:
        statement = place.headers(tenant=work.tenant).where(place.row > after).limit(PAGE)
        if not is_whole_tenant(work.change):
            statement = statement.where(place.subject == work.change.subject_id)
        with work.database.read() as session:
            rows = session.execute(statement).all()
        _count(work, place, rows, found)
        work.beat()
        if len(rows) < PAGE:
            return
        after = rows[-1].row


def _count(work: ResealWork, place: CellPlace, rows: Sequence[Any], found: Scan) -> None:
    leaves, old = [], []
    for row, subject, *headers in rows:
        for column, header in zip(place.columns, headers, strict=True):
            if header is None:
                continue
            named = cells.key_named(header)
            found.count(place.name, named)
            leaves.append(leaf_hash(framed(place.name, row, column, header)))
            if not _is_right(work, subject, named):
                old.append((subject, Place(place.name, column, row)))
    found.edge.extend(leaves)
    _note(work, old, found)


def _is_right(work: ResealWork, subject: str | None, named: Named) -> bool:
    if is_whole_tenant(work.change):
        return named is not None and named[0] == work.suite.id
    try:
        return named == work.vault.header_of(tenant=work.tenant, subject_id=str(subject))
    except SubjectShredded:
        return False


def _note(work: ResealWork, old: list[tuple[str | None, Place]], found: Scan) -> None:
    if not old:
        return
    shredded = work.vault.renewal.shredded(work.tenant, {subject for subject, _ in old if subject is not None})
    for subject, place in old:
        if subject in shredded:
            found.dead += 1
        else:
            found.note_old(place)


def _scan_files(work: ResealWork, place: FilePlace, found: Scan) -> None:
    after, name = "", f"{place.name}.{FILE}"
    statement = place.rows(tenant=work.tenant)
    if not is_whole_tenant(work.change):
        statement = statement.where(place.subject == work.change.subject_id)
    while True:
        with work.database.read() as session:
            rows = session.execute(statement.where(place.file > after).limit(PAGE)).all()
        leaves, old = [], []
        for row, subject, _ in rows:
            named = _file_header(file_path(work.files_root, tenant=work.tenant, document_id=row))
            found.count(name, named)
            leaves.append(leaf_hash(framed(name, row, *(named or ()))))
            if not _is_right(work, subject, named):
                old.append((subject, Place(place.name, FILE, row)))
        found.edge.extend(leaves)
        _note(work, old, found)
        work.beat()
        if len(rows) < PAGE:
            return
        after = rows[-1].file


def _scan_shelf(work: ResealWork, found: Scan) -> None:
    """What lies on the tenant's shelf and no row names: a list of tables proves nothing about what it forgot."""
    folder = file_path(work.files_root, tenant=work.tenant, document_id="-").parent
    names = sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) if folder.is_dir() else []
    for first in range(0, len(names), PAGE):
        some = names[first : first + PAGE]
        with work.database.read() as session:
            known = {
                name
                for place in FILES
                for name in session.execute(select(place.file).where(place.file.in_(some))).scalars()
            }
        for name in some:
            if name in known:
                continue
            named = _file_header(folder / name)
            found.count(SHELF, named)
            found.edge.extend([leaf_hash(framed(SHELF, name, *(named or ())))])
            if not _is_right(work, None, named):
                found.note_old(Place(SHELF, FILE, name))
        work.beat()


def _file_header(path: Path) -> Named:
    try:
        return files.header_of(path)
    except CannotOpen:
        return None
