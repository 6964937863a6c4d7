"""Collect (采集): every source of a job into sealed rows, each under a subject of its own in the receiving tenant.

What is committed is the cursor. A row's subject is named by source and line, so a chunk that was killed after its keys
were made finds them again; `(source, line)` is unique, and the count of the source moves with its rows.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from typing import Final

from activities.support.tabular.rows import RowSource
from activities.transfers.chunked import CHUNK, JobWork
from activities.transfers.sources.desk import Sources
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.proof_keys import job_proof_key
from compliance.transfers.record_proofs import ProofKey
from compliance.vault.keyring import Vault
from compliance.vault.transfer_rows import seal_rows
from models.contracts.transfers import ChunkDone
from models.domain.customers.faults import OF_READING, Fault, as_document
from models.domain.customers.spelling import spell_record
from models.domain.shanghai import shanghai_date
from models.domain.tabular.rows import ReadRow
from models.domain.tokens import named_token
from models.domain.transfers.mapping import read_mapping
from models.domain.transfers.row_mapper import Mapped, RowMapper, compile_mapping
from models.domain.transfers.scope import ALL_FIELDS, faults_within, scope_of, within
from models.domain.transfers.source_desk import READ_KINDS, SourceKind, SourceRef
from models.errors import FormInvalid
from models.operations.transfers.rows import NewRow, add_rows, finish_source
from models.queries.transfers.sources import last_line, sources_of
from models.tables.transfers import TransferSource

CHANGED: Final = "source-changed"
UNREADABLE: Final = "source-unreadable"


class Collecting:
    """One turn of collecting one job."""

    def __init__(self, work: JobWork, vault: Vault, sources: Sources) -> None:
        self._work, self._vault, self._sources = work, vault, sources
        self._today = shanghai_date(work.clock())
        self._proof = job_proof_key(vault, tenant=work.job.tenant, job=work.job.token)
        self._fields = scope_of(work.job.plan)

    def turn(self) -> ChunkDone:
        """Read on until every source is finished, the turn is over, or a source stops it."""
        with self._work.database.read() as session:
            waiting = [
                each
                for each in sources_of(session, self._work.job.token)
                if each.finished_at is None and each.kind in READ_KINDS
            ]
        for source in waiting:
            try:
                after = self._source(source)
            except FormInvalid:  # gone, exchanged or unreadable since it was registered: a person must look
                return ChunkDone(after=None, stopped=UNREADABLE)
            if after is not None:
                return after
        return ChunkDone(after=None)

    def _source(self, source: TransferSource) -> ChunkDone | None:
        """Read one source; None when it is finished."""
        ref = SourceRef(
            tenant=source.tenant,
            source_tenant=self._work.job.source_tenant,
            kind=SourceKind(source.kind),
            place=source.place,
        )
        examined = self._sources.examine(ref)
        if examined is not None and not self._same_file(source, examined.digest):
            return ChunkDone(after=None, stopped=CHANGED)
        mapping = read_mapping(source.mapping)
        with self._work.database.read() as session:
            line = last_line(session, source.id)
        read = source.read_rows
        with self._sources.open(ref, mapping, examined=examined) as opened:
            mapper = compile_mapping(mapping, opened.header)
            for rows in _chunks(_behind(opened, line)):
                if not self._chunk(source, rows, mapper, read=read):
                    return ChunkDone(after=f"{source.number}")  # somebody else has read on: begin with what is there
                read += len(rows)
                self._work.rest()
                if self._work.turn_is_over:
                    return ChunkDone(after=f"{source.number}:{rows[-1].line}")
                if self._work.is_paused():
                    return ChunkDone(after=f"{source.number}:{rows[-1].line}", paused=True)
        with unit_of_work(
            self._work.database, self._work.deed("transfer.source-read", source=source.id, rows=read)
        ) as unit:
            if not finish_source(unit.session, source.id, now=self._work.clock()):
                raise Unchanged
        return None

    def _same_file(self, source: TransferSource, digest: str) -> bool:
        """Whether the file is the one that was registered, or read before; what is new is noted."""
        if source.digest is not None:
            return source.digest == digest
        deed = self._work.deed("transfer.source-begun", source=source.id, digest=digest)
        with unit_of_work(self._work.database, deed) as unit:
            found = unit.session.get_one(TransferSource, source.id)
            if found.digest is not None:
                raise Unchanged
            found.digest = digest
            unit.session.add(found)
        return True

    def _chunk(self, source: TransferSource, rows: Sequence[ReadRow], mapper: RowMapper, *, read: int) -> bool:
        left_out: Counter[str] = Counter()
        new = list(
            sealed_rows(
                self._vault,
                self._proof,
                tenant=source.tenant,
                source=source.id,
                rows=rows,
                mapper=_within_scope(mapper, self._fields, left_out),
                today=self._today,
            )
        )
        job, done = self._work.job, True
        deed = self._work.deed(
            "transfer.rows-collected", source=source.id, rows=len(new), read=read + len(new), until=new[-1].line
        )
        if left_out:
            deed.facts["leftOut"] = dict(sorted(left_out.items()))
        with unit_of_work(self._work.database, deed) as unit:
            numbers = add_rows(
                unit.session, tenant=job.tenant, job=job.token, source=source.id, rows=new, read_before=read,
                left_out=left_out,
            )  # fmt: skip
            if numbers is None:
                done = False
                raise Unchanged
        return done


def sealed_rows(
    vault: Vault,
    proof: ProofKey,
    *,
    tenant: str,
    source: str,
    rows: Sequence[ReadRow],
    mapper: RowMapper,
    today: date,
) -> Iterator[NewRow]:
    """Map, spell and seal rows of one source; their keys are committed before the first is handed out."""
    spelled, subjects = [], []
    for row in rows:
        values, faults = mapper(row)
        found = spell_record(values, today=today)
        spelled.append((found.values, [*faults, *(each for each in found.faults if each.rule in OF_READING)]))
        subjects.append(named_token("sub", f"{source}/{row.line}"))
    pairs = [(subject, values) for subject, (values, _) in zip(subjects, spelled, strict=True)]
    sealed = seal_rows(vault, tenant=tenant, rows=pairs, create=True)
    for row, (values, faults), (subject, cell) in zip(rows, spelled, sealed, strict=True):
        yield NewRow(row.line, subject, cell, _kept(faults), proof.digest(values))


def _within_scope(mapper: RowMapper, fields: frozenset[str], left_out: Counter[str]) -> RowMapper:
    """The mapper without the fields that stay behind: nothing of them is spelled or sealed, and each value counts."""
    if fields == ALL_FIELDS:
        return mapper

    def mapped(row: ReadRow) -> Mapped:
        values, faults = mapper(row)
        return dict(within(values, fields, left_out)), faults_within(faults, fields)

    return mapped


def _kept(faults: Sequence[Fault]) -> list[dict[str, str]]:
    return as_document(faults) if faults else []


def _behind(source: RowSource, line: int) -> Iterator[ReadRow]:
    rows = source.rows()
    if line == 0:
        return rows
    return (row for row in rows if row.line > line)


def _chunks(rows: Iterator[ReadRow]) -> Iterator[list[ReadRow]]:
    while chunk := list(islice(rows, CHUNK)):
        yield chunk
