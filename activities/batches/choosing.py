"""Choose (客群): what the criteria find becomes a member, in chunks; who is kept out stands there with rule and reason.

Where the last member stands, the next chunk begins: a part that is repeated finds its rows written.
"""

from activities.batches.run_work import RunWork
from activities.support.chunked import CHUNK
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_steps import PartDone
from models.domain.batches.cohort_filter import read_criteria
from models.domain.batches.cohorts import Candidate, cohort_id
from models.domain.batches.kinds import KindName, MemberSource
from models.operations.batches.cohorts import add_members, hold_cohort
from models.queries.batches.candidates import MandatesOfRows, next_of_book, next_of_import
from models.queries.batches.cohorts import cohort_of, last_member
from models.queries.batches.screening import screens_of_members
from models.tables.batch_cohorts import BatchMember


class Choosing:
    """One turn of choosing for one run."""

    def __init__(self, work: RunWork, mandates_of: MandatesOfRows, *, chunk: int = CHUNK) -> None:
        """Read what the run is to choose.

        Raises:
            FormInvalid: its criteria have become unreadable.
        """
        self._work, self._mandates_of, self._chunk = work, mandates_of, chunk
        self._source = MemberSource(work.run.source)
        self._criteria = read_criteria(
            work.run.criteria, kind=KindName(work.run.kind), source=self._source, on=work.run.business_date
        )
        self._screened = screens_of_members(tenant=work.tenant, kind=self._criteria.kind, on=work.run.business_date)
        self._cohort = cohort_id(work.run.token, work.run.revision)

    def turn(self) -> PartDone:
        """Choose on until nothing more is found, or the turn is over."""
        rows = 0
        while True:
            with self._work.database.read() as session:
                cohort = cohort_of(session, self._work.run)
                last = last_member(session, self._cohort)
            if cohort is not None and cohort.frozen_at is not None:
                return PartDone(after=None, rows=rows)
            after = str(last.number) if last is not None else ""
            if self._work.is_held():
                return PartDone(after=after, paused=True, rows=rows)
            found = self._next(last)
            if not found and cohort is not None:
                return PartDone(after=None, rows=rows)
            rows += self._write(last.number if last is not None else 0, found)
            if not found:
                return PartDone(after=None, rows=rows)
            self._work.rest()
            if self._work.turn_is_over:
                return PartDone(after=str((last.number if last is not None else 0) + len(found)), rows=rows)

    def _next(self, last: BatchMember | None) -> list[Candidate]:
        run = self._work.run
        with self._work.database.read() as session:
            if self._source is MemberSource.BOOK:
                return next_of_book(
                    session, run.tenant, self._criteria, on=run.business_date, last=last, limit=self._chunk
                )
            return next_of_import(
                session, run, self._criteria, last=last, limit=self._chunk, mandates_of=self._mandates_of
            )

    def _write(self, after: int, found: list[Candidate]) -> int:
        run, now = self._work.run, self._work.clock()
        deed = self._work.deed("batch.members-chosen", until=after + len(found))
        with unit_of_work(self._work.database, deed) as unit:
            cohort = hold_cohort(unit.session, run, now=now)
            last = last_member(unit.session, cohort.id)
            if cohort.frozen_at is not None or (last.number if last is not None else 0) != after:
                raise Unchanged  # another run of this step was first
            excluded = 0
            if found:
                excluded = add_members(unit.session, cohort, found, after=after, screened=self._screened)
            unit.deed.facts |= {"members": len(found) - excluded, "excluded": excluded}
        return len(found)
