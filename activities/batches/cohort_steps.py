"""The adapter of choosing (客群): members from the book or a clean file, exclusions, the freeze."""

from dataclasses import dataclass

from temporalio import activity

from activities.batches.choosing import Choosing
from activities.batches.run_work import RunWork
from activities.support.chunked import CHUNK
from compliance.audit.unit import Unchanged, unit_of_work
from models.contracts.batch_run import RunStep
from models.contracts.batch_steps import CohortFrozen, PartDone, PartStep
from models.database.engine import Database
from models.domain.batches.cohorts import cohort_id
from models.domain.clock import Clock
from models.operations.batches.cohorts import freeze, hold_cohort
from models.queries.batches.candidates import MandatesOfRows, no_mandates
from models.queries.batches.cohorts import figures_of, hash_of
from workflows.ports.batches import CohortPort


@dataclass(slots=True)
class SqlCohort(CohortPort):
    """The adapter that the workers of the `bulk` queue register.

    Attributes:
        mandates_of: which mandate a row of an import names; whoever can open rows brings it.
        chunk: rows of one unit of work.
    """

    database: Database
    clock: Clock
    mandates_of: MandatesOfRows = no_mandates
    chunk: int = CHUNK

    @activity.defn(name="batches.choose_members", no_thread_cancel_exception=True)
    def choose_members(self, input: PartStep) -> PartDone:
        """Write the next members, from the book's criteria or from clean rows; exclusions with rule and reason."""
        work = RunWork.of(self.database, self.clock, input.run)
        return Choosing(work, self.mandates_of, chunk=self.chunk).turn()

    @activity.defn(name="batches.freeze_cohort", no_thread_cancel_exception=True)
    def freeze_cohort(self, input: RunStep) -> CohortFrozen:
        """Freeze the cohort by the hash of its members; repeated, it answers what was frozen."""
        work = RunWork.of(self.database, self.clock, input.run)
        with self.database.read() as session:  # large cohorts take their time; the unit below is short
            cohort_hash = hash_of(session, cohort_id(work.run.token, work.run.revision))
        with unit_of_work(self.database, work.deed("batch.cohort-frozen")) as unit:
            cohort = hold_cohort(unit.session, work.run, now=self.clock())
            was_frozen = cohort.frozen_at is not None
            counted = figures_of(unit.session, cohort.id)
            figures = freeze(unit.session, cohort, counted, cohort_hash=cohort_hash, now=self.clock())
            answer = CohortFrozen(
                members=figures.members,
                excluded=figures.excluded,
                amount_minor=figures.amount_minor,
                cohort_hash=cohort.cohort_hash or cohort_hash,
            )
            unit.deed.facts = {"members": figures.members, "excluded": figures.excluded, "hash": answer.cohort_hash}
            if was_frozen:
                raise Unchanged
        return answer
