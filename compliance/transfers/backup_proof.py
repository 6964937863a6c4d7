"""Proving a backup: it is opened, restored into scratch, and everything that its manifest says is computed again."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from compliance.transfers.backup_container import Beat, check_container, read_container
from compliance.transfers.backup_envelopes import Secrets
from compliance.transfers.backup_faults import BackupFault, FaultCode
from compliance.transfers.backup_manifest import name_in, schema_hash
from compliance.transfers.backup_scratch import scratch_book
from compliance.transfers.backup_stream import BackedUp
from compliance.transfers.record_proofs import Named, Proof, differing_figures
from compliance.vault.customer_layout import Customer

_BATCH: Final = 500


def prove(
    path: Path, manifest: Mapping[str, Any], secrets: Secrets, *, scratch: Path | None, beat: Beat | None = None
) -> dict[str, Any]:
    """Open a container, restore it, compute its figures again and hold them against the manifest.

    Args:
        path: the container.
        manifest: whose signature was checked.
        secrets: what opens it.
        scratch: the folder for the scratch book; None computes from the content itself, which is no restore.
        beat: called now and then; what it raises ends the proof.

    Returns:
        The figures (`Proof.figures`), equal to the manifest's.

    Raises:
        BackupFault: the first thing that is wrong, by name.
    """
    rest = beat or (lambda: None)
    name = name_in(manifest)
    if manifest.get("schema") != schema_hash():
        raise BackupFault(FaultCode.FIGURES_DIFFER, names=("schema",))
    check_container(path, manifest.get("container", {}), beat=beat)
    records = read_container(path, name, secrets)
    if scratch is None:
        figures = _figures(secrets, (record.customer for record in records), rest)
    else:
        with scratch_book(scratch, secrets.content.suite, stem=name.id) as book:
            book.restore(_beating(records, rest))
            figures = _figures(secrets, book.customers(), rest)
    differing = differing_figures(manifest.get("figures", {}), figures)
    if differing:
        raise BackupFault(FaultCode.FIGURES_DIFFER, names=differing)
    return figures


def _figures(secrets: Secrets, customers: Iterable[Customer], rest: Callable[[], None]) -> dict[str, Any]:
    proof = Proof()
    batch: list[Named] = []
    try:
        for customer in customers:
            batch.append(Named(customer.id, customer.values))
            if len(batch) == _BATCH:
                proof.extend(secrets.proof, batch)
                batch.clear()
                rest()
        proof.extend(secrets.proof, batch)
    except ValueError:  # a name that does not rise, in a content that was read without a book
        raise BackupFault(FaultCode.RECORD_UNREADABLE, record=proof.tally.rows + 1) from None
    return proof.figures()


def _beating(records: Iterable[BackedUp], rest: Callable[[], None]) -> Iterator[BackedUp]:
    for number, record in enumerate(records):
        if number % _BATCH == 0:
            rest()
        yield record
