"""A transfer job's report for somebody outside: both companies and internal audit check it offline (离线复核).

One archive: the report, its papers, the rows of each stratum by number, the backups' manifests, the job's part of the
audit log with every leaf, and the program that checks all of it. A signed list names every file. Nothing in it is
personal data.
"""

import base64
import json
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from typing import IO, Final

from sqlmodel import Session, col, select

from compliance.audit.checkpoint import origin_of, verifier_key
from compliance.audit.deeds import canonical_json
from compliance.audit.export import Choice, export_log
from compliance.audit.seal import seal_keys
from compliance.transfers.verify_transfer import FORMAT, SIGNED, STRATA, sha
from compliance.vault.cells import CellAddress
from compliance.vault.keyring import Vault
from models.database.engine import Database
from models.errors import NotFound
from models.queries.transfers.report_rows import rows_of_stratum
from models.queries.transfers.reports import papers_of
from models.tables.transfer_reports import TransferPaper, TransferReport
from models.tables.transfers import TransferBackup

VERIFIER: Final = "verify_transfer.py"
_README: Final = """\
The internal audit report of a customer transfer, to be checked without Casework.

    python verify_transfer.py      needs Python 3.11 and the package cryptography, nothing else

report.json      the report in its one spelling; its hash stands in the audit log
papers/          the same as HTML and as PDF under the institution's seal; the transparency page
population.txt   the numbers of the rows of each stratum, from which the recorded seed draws the sample
backups/         the signed manifests of the backups
audit/           the job's events and every leaf of the log (`python audit/verify.py audit` checks it by itself)
bundle.json      every file with its hash; bundle.sig is the Ed25519 signature over it
key.txt          the public key, as signed-note spells it

The key came with the bundle, so whoever made the bundle chose it. Compare it with one that you have from elsewhere:
`python verify_transfer.py --key KEY` (`casework privacy verifier-key` prints it).
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundled:
    """What was written; `digest` is of the signed list."""

    files: int
    digest: str


def write_bundle(database: Database, vault: Vault, report_id: str, *, to: IO[bytes], now: datetime) -> Bundled:
    """Write the archive of one finished report.

    Raises:
        NotFound: there is no such report, or it is not finished.
        CannotOpen: a paper was altered where it lies.
    """
    with tempfile.TemporaryDirectory(prefix="casework-bundle-") as folder:
        place = Path(folder)
        with database.read() as session:
            report = session.get(TransferReport, report_id)
            if report is None or report.body is None:
                raise NotFound(detail=report_id)
            _put(place, "report.json", report.body.encode())
            for paper in papers_of(session, report.id):
                _put(place, f"papers/{paper.kind}.{paper.locale}.{paper.form}", open_paper(vault, paper))
            lines = (_stratum(name, rows_of_stratum(session, report.job, name)) for name in STRATA)
            _put(place, "population.txt", "".join(lines).encode())
            for backup in _backups(session, report.job):
                _put(place, f"backups/{backup.side}-{backup.number}.json", _backup(backup))
        keys = seal_keys(vault)
        export_log(
            database,
            public_key=keys.public_key,
            anchor=None,
            to=place / "audit",
            choice=Choice(targets=frozenset({report.job})),
            now=now,
        )
        _put(place, "README.txt", _README.encode())
        listed = {each.relative_to(place).as_posix(): sha(each.read_bytes()) for each in _all(place)}
        listing = canonical_json(
            {"format": FORMAT, "job": report.job, "report": report.number, "madeAt": now.isoformat(), "files": listed}
        ).encode()
        signature = keys.signing_key.sign(SIGNED + listing)
        _put(place, "bundle.json", listing)
        _put(place, "bundle.sig", base64.b64encode(signature))
        _put(place, "key.txt", verifier_key(origin_of(keys.public_key), keys.public_key).encode())
        _put(place, VERIFIER, files("compliance.transfers").joinpath(VERIFIER).read_bytes())
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for each in _all(place):
                with (
                    archive.open(_entry(each.relative_to(place).as_posix(), now), "w") as entry,
                    each.open("rb") as file,
                ):
                    shutil.copyfileobj(file, entry)
        return Bundled(files=len(listed), digest=sha(listing))


def open_paper(vault: Vault, paper: TransferPaper) -> bytes:
    """The content of a paper.

    Raises:
        CannotOpen: it was altered where it lies.
    """
    address = CellAddress(paper.tenant, "transfer_papers", "content_cell", paper.id, paper.report)
    return vault.open(address, paper.content_cell)


def _stratum(name: str, rows: Iterable[int]) -> str:
    return " ".join([name, *_ranges(rows)]) + "\n"


def _ranges(rows: Iterable[int]) -> Iterator[str]:
    """Ascending numbers as `1-19 22 30-31`."""
    first = last = None
    for row in rows:
        if last is not None and row == last + 1:
            last = row
            continue
        if first is not None:
            yield f"{first}-{last}" if last != first else str(first)
        first = last = row
    if first is not None:
        yield f"{first}-{last}" if last != first else str(first)


def _backups(session: Session, job: str) -> list[TransferBackup]:
    return list(session.exec(select(TransferBackup).where(TransferBackup.job == job).order_by(col(TransferBackup.id))))


def _backup(backup: TransferBackup) -> bytes:
    kept = {"manifestHash": backup.manifest_hash, "root": backup.root, "manifest": backup.manifest}
    return json.dumps(kept, ensure_ascii=False, sort_keys=True, indent=1).encode()


def _put(place: Path, name: str, content: bytes) -> None:
    path = place / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)


def _all(place: Path) -> list[Path]:
    return sorted(each for each in place.rglob("*") if each.is_file())


def _entry(name: str, now: datetime) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=now.timetuple()[:6])
