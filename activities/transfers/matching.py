"""The adapter of duplicate detection (查重) over the two stores."""

from dataclasses import dataclass, field
from typing import Final

from sqlmodel import col, func, select
from temporalio import activity

from activities.transfers.match_work import MatchWork
from activities.transfers.matching_pairs import match
from activities.transfers.matching_search import Searches
from activities.transfers.matching_tokens import make_tokens
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from compliance.vault.linkage import destroy_linkage_key
from models.contracts.platform import Done
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, OpenRecords
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.states import MatchVerdict, Side
from models.operations.transfers.match_writing import drop_tokens, figures_of, note_figures
from models.queries.transfers.match_candidates import token_count
from models.tables.transfers import TransferJob, TransferPair
from workflows.ports.transfers import MatchPort

_TOKENS_AT_ONCE: Final = 2_000


@dataclass(slots=True)
class SqlMatch(MatchPort):
    """The steps. Each may be killed anywhere and repeated."""

    database: Database
    vault: Vault
    clock: Clock
    _searches: Searches = field(default_factory=Searches, init=False, repr=False)

    @activity.defn(name="transfers.make_tokens", no_thread_cancel_exception=True)
    def make_tokens(self, input: ChunkStep) -> ChunkDone:
        """Blocking tokens of one side under the job's own linkage key."""
        require_training(self.database, job=input.job, now=self.clock())
        return make_tokens(self._work(input.job), side=Side(input.side), after=input.after)

    @activity.defn(name="transfers.match", no_thread_cancel_exception=True)
    def match(self, input: ChunkStep) -> ChunkDone:
        """Score candidate pairs, apply the policy, write pairs and the outcome of rows; reviews are record tasks."""
        require_training(self.database, job=input.job, now=self.clock())
        return match(self._work(input.job), self._searches, after=input.after)

    @activity.defn(name="transfers.unreviewed", no_thread_cancel_exception=True)
    def unreviewed(self, input: JobStep) -> OpenRecords:
        """How many pairs wait for a person."""
        with self.database.read() as session:
            waiting = session.exec(
                select(func.count())
                .select_from(TransferPair)
                .where(col(TransferPair.job) == input.job, col(TransferPair.verdict) == MatchVerdict.REVIEW.value)
            ).one()
        return OpenRecords(count=waiting)

    @activity.defn(name="transfers.destroy_linkage", no_thread_cancel_exception=True)
    def destroy_linkage(self, input: JobStep) -> Done:
        """Destroy the linkage key and every token: the two books cannot be joined again."""
        work = self._work(input.job)
        self._searches.forget(input.job)
        key = destroy_linkage_key(work.vault.branches, tenant=work.job.tenant, job=work.job.token, actor="workflow")
        with unit_of_work(work.database, work.deed("transfer.linkage-destroyed", key=key)) as unit:
            known = figures_of(unit.session.get_one(TransferJob, work.job.token))
            if "linkageDestroyedAt" in known:
                raise Unchanged
            tokens = token_count(unit.session, work.job.token)
            note_figures(
                unit.session,
                work.job.token,
                {"linkageDestroyedAt": work.clock().isoformat(), "linkageKey": key, "tokensDropped": tokens},
            )
            unit.deed.facts["tokens"] = tokens
        while self._drop(work):
            work.rest()
        return Done()

    def _drop(self, work: MatchWork) -> int:
        gone = 0
        with unit_of_work(work.database, work.deed("transfer.tokens-dropped")) as unit:
            gone = drop_tokens(unit.session, work.job.token, limit=_TOKENS_AT_ONCE)
            if not gone:
                raise Unchanged
            unit.deed.facts["tokens"] = gone
        return gone

    def _work(self, job: str) -> MatchWork:
        return MatchWork.reading(self.database, self.vault, self.clock, job)
