"""Tell the customers of a transfer (告知) and ask for consent: the adapter of `NoticePort`."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Protocol

from temporalio import activity

from activities.gateways.spool import Spool
from activities.transfers.notice_gateways import Carriers
from activities.transfers.notice_planning import Planning
from activities.transfers.notice_public import Publishing
from activities.transfers.notice_reach import Reaching
from activities.transfers.notice_sending import Sending
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import deed_of, read_job
from compliance.transfers.notice_receipts import DeliveryReceipt, Receipts, Taken
from compliance.transfers.training import require_training
from compliance.vault.keyring import Vault
from models.contracts.platform import Done
from models.contracts.transfers import ChunkDone, ChunkStep, JobStep, NoticesLeft, OpenRecords
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.notice_policy import PlanFault
from models.operations.transfers.consents import no_answer
from models.queries.transfers.notices import follow_ups_open, left_of_job, unanswered
from workflows.ports.transfers import NoticePort

_TURN_S: Final = 20  # of one activity: well within its time-out, and a run can go on as a new one after each
_EXPIRING: Final = 200


class ReceiptSource(Protocol):
    """Where receipts and bounces lie that nobody has taken in yet (`activities.transfers.notice_bounces`)."""

    def take_in(self, receipts: Receipts) -> dict[Taken, int]:
        """Take in what lies there; each is let go of only once it is on record."""


@dataclass(slots=True)
class SqlNotices(NoticePort):
    """Notices over the database, the vault and the bank's carriers."""

    database: Database
    vault: Vault
    carriers: Carriers
    clock: Clock
    links_url: str
    sources: Sequence[ReceiptSource] = ()
    public_folder: Spool | None = None
    _planning: Planning = field(init=False)
    _sending: Sending = field(init=False)

    def __post_init__(self) -> None:
        """Join the parts."""
        reaching = Reaching(self.database, self.vault)
        self._planning = Planning(self.database, reaching, self.clock)
        self._sending = Sending(self.database, self.vault, reaching, self.carriers, self.clock, self.links_url)

    @activity.defn(name="transfers.plan_notices", no_thread_cancel_exception=True)
    def plan_notices(self, input: ChunkStep) -> ChunkDone:
        """One notice for each customer of the job, by class and language; once."""
        until, step = time.monotonic() + _TURN_S, input
        first = self._planning.first_rows(input.job)
        while True:
            self._may_open(input.job)
            done = self._planning.part(step, first)
            if done.after is None or done.paused or done.stopped or time.monotonic() > until:
                return done
            _beat(done.after)
            step = ChunkStep(job=input.job, after=done.after)

    @activity.defn(name="transfers.send_notices", no_thread_cancel_exception=True)
    def send_notices(self, input: ChunkStep) -> ChunkDone:
        """Send what is due by each notice's next channel, inside the hours in which people may be called."""
        until, count = time.monotonic() + _TURN_S, int(input.after or 0)
        while True:
            self._may_open(input.job)
            self.take_in()  # what has come back meanwhile, before anybody's silence means something
            try:
                done = self._sending.part(input.job)
            except PlanFault:
                return ChunkDone(after=None, stopped="notice-incomplete")
            if done is None:
                return ChunkDone(after=input.after, paused=True)
            if done == 0:
                return ChunkDone(after=None)
            count += done
            _beat(str(count))
            if time.monotonic() > until:
                return ChunkDone(after=str(count))

    @activity.defn(name="transfers.notices_left", no_thread_cancel_exception=True)
    def notices_left(self, input: JobStep) -> NoticesLeft:
        """Take in receipts and bounces; what is not settled yet."""
        self.take_in()
        about, now = read_job(self.database, input.job), self.clock()
        self._end_waits_for_consent(input.job)
        with self.database.read() as session:
            left = left_of_job(session, input.job, consent_days=about.policy.consent_days)
        due_in = None if left.next_at is None else max(0, int((left.next_at - now).total_seconds()))
        return NoticesLeft(left=left.count, due_in_s=due_in)

    @activity.defn(name="transfers.publish_notice", no_thread_cancel_exception=True)
    def publish_notice(self, input: JobStep) -> Done:
        """The public notice (公告), for those whom no channel reaches; last."""
        self._may_open(input.job)
        Publishing(self.database, self.clock, self.public_folder).publish(input.job)
        while self._sending.part(input.job):
            _beat("public")
        return Done()

    @activity.defn(name="transfers.follow_ups_open", no_thread_cancel_exception=True)
    def follow_ups_open(self, input: JobStep) -> OpenRecords:
        """How many objections, corrections and bounces wait for a person."""
        with self.database.read() as session:
            return OpenRecords(count=follow_ups_open(session, input.job))

    def take_in(self) -> dict[Taken, int]:
        """Take in what lies at every source."""
        receipts, counts = Receipts(self.database, self.clock), dict.fromkeys(Taken, 0)
        for source in self.sources:
            for taken, count in source.take_in(receipts).items():
                counts[taken] += count
        return counts

    def take_receipt(self, receipt: DeliveryReceipt, *, actor: str) -> Taken:
        """Take in one receipt."""
        return Receipts(self.database, self.clock).take(receipt, actor=actor)

    def _may_open(self, job: str) -> None:
        """The job's steps open contact points on its sponsor's grant.

        Raises:
            TrainingMissing: there is none that holds.
        """
        require_training(self.database, job=job, now=self.clock())

    def _end_waits_for_consent(self, job: str) -> None:
        """Who was asked and did not answer in time has not consented: their rows are held, and nobody asks again."""
        about = read_job(self.database, job)
        while True:
            now = self.clock()
            with self.database.read() as session:
                over = unanswered(
                    session, job, told_before=now - timedelta(days=about.policy.consent_days), limit=_EXPIRING
                )
            if not over:
                return
            with unit_of_work(self.database, deed_of(about.job, "transfer.consents-not-given", now)) as unit:
                held = [no_answer(unit.session, each) for each in over]
                if not any(held):
                    raise Unchanged
                unit.deed.facts["customers"] = sum(held)


def _beat(at: str) -> None:
    if activity.in_activity():
        activity.heartbeat(at)
