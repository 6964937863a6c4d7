"""Blocking tokens of one side under the job's linkage key: records are opened, their tokens kept, nothing else."""

from typing import Final

from activities.transfers.match_work import CUSTOMER_COLUMNS, MatchWork
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.vault.linkage import Linker, open_linker
from models.contracts.transfers import ChunkDone
from models.domain.matching.blocking import blocking_row
from models.domain.matching.person import Person
from models.domain.transfers.states import Side
from models.operations.transfers.match_writing import figures_of, put_tokens
from models.queries.transfers.match_candidates import customers_after, rows_to_match
from models.tables.transfers import TransferJob

CHUNK: Final = 500  # records of a transaction


def make_tokens(work: MatchWork, *, side: Side, after: str) -> ChunkDone:
    """Walk over one side from behind `after` on, for one turn.

    Raises:
        WrongState: the linkage key was destroyed; there is nothing more to search.
    """
    linker = open_linker(work.vault.branches, tenant=work.job.tenant, job=work.job.token)
    while True:
        if work.present().paused_at is not None:
            return ChunkDone(after=after, paused=True)
        people, last = _next(work, side, after)
        if last is None:
            return ChunkDone(after=None)
        _keep(work, side, linker, people)
        after = last
        work.rest()
        if work.turn_is_over:
            return ChunkDone(after=after)


def _next(work: MatchWork, side: Side, after: str) -> tuple[dict[str, Person], str | None]:
    with work.database.read() as session:
        if side is Side.SOURCE:
            rows = rows_to_match(session, work.job.token, after=int(after or 0), limit=CHUNK)
        else:
            records = customers_after(session, work.job, CUSTOMER_COLUMNS, after=after, limit=CHUNK)
    if side is Side.SOURCE:
        return work.people_of_rows(rows), str(rows[-1][0]) if rows else None
    return work.people_of_customers(records), str(records[-1][0]) if records else None


def _keep(work: MatchWork, side: Side, linker: Linker, people: dict[str, Person]) -> None:
    tokens = {name: linker.row(blocking_row(person)) for name, person in people.items()}
    with unit_of_work(work.database, work.deed("transfer.tokens-made", side=side.value, records=len(people))) as unit:
        job = unit.session.get_one(TransferJob, work.job.token)
        if "linkageDestroyedAt" in figures_of(job):  # the job closes: what comes late is not kept
            raise Unchanged
        unit.deed.facts["tokens"] = put_tokens(unit.session, work.job.token, tokens)
