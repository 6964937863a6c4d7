"""Plans one notice for each customer of a job, by class and language, and keeps the words; repeatable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from activities.transfers.notice_reach import Reach, Reaching
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job, words_of_job
from models.contracts.transfers import ChunkDone, ChunkStep
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.tokens import named_token
from models.domain.transfers.notice_course import begin
from models.domain.transfers.notice_facts import LANGUAGES
from models.domain.transfers.notice_ids import notice_id
from models.domain.transfers.notice_policy import PlanFault
from models.domain.transfers.states import NoticeState
from models.operations.transfers.notices import add_notices, add_texts
from models.queries.transfers.notices import ASKED, RowToTell, first_rows, rows_to_tell, same_customers
from models.texts.transfer_notices import TransferWords, text_version

CHUNK: Final = 250


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans part by part."""

    database: Database
    reaching: Reaching
    clock: Clock

    def first_rows(self, job: str) -> dict[str, int]:
        """Read once for many parts (`models.queries.transfers.notices.first_rows`)."""
        with self.database.read() as session:
            return first_rows(session, job)

    def part(self, step: ChunkStep, first: Mapping[str, int]) -> ChunkDone:
        """The next `CHUNK` rows. Stops as `notice-incomplete` where the plan lacks what the law asks for.

        Args:
            step: where to go on.
            first: of records that several rows are about, the first row.
        """
        now = self.clock()
        try:
            about = read_job(self.database, step.job)
            if about.job.paused_at is not None:
                return ChunkDone(after=step.after, paused=True)
            if about.duty.kind is not None and not about.texts:
                self._keep_words(about, words_of_job(self.database, about), now)
                about = read_job(self.database, step.job)
        except PlanFault:
            return ChunkDone(after=None, stopped="notice-incomplete")
        with self.database.read() as session:
            rows = rows_to_tell(session, step.job, after=int(step.after or 0), limit=CHUNK)
        if rows:
            self._add(about, rows, same_customers(rows, first), now)
        return ChunkDone(after=str(rows[-1].number) if len(rows) == CHUNK else None)

    def _keep_words(self, about: NoticeJob, words: Sequence[TransferWords], now: datetime) -> None:
        job = about.job
        kept = [
            {
                "id": named_token("ttx", f"{job.token}/{each.language}/{each.way}"),
                "tenant": job.tenant,
                "job": job.token,
                "language": each.language,
                "channel": each.way.value,
                "version": each.version,
                "text_hash": each.text_hash,
                "subject": each.subject,
                "words": each.text,
                "made_at": now,
            }
            for each in words
        ]
        hashes = {f"{each.way}/{each.language}": each.text_hash for each in words}
        deed = deed_of(job, "transfer.notice-texts-kept", now, version=text_version(about.duty), hashes=hashes)
        with unit_of_work(self.database, deed) as unit:
            if not add_texts(unit.session, kept):
                raise Unchanged

    def _add(self, about: NoticeJob, rows: Sequence[RowToTell], same: dict[int, int], now: datetime) -> None:
        reached = self.reaching.of_rows(about.job.tenant, rows) if about.duty.kind is not None else {}
        notices = [_notice(about, row, reached.get(row.number), same.get(row.number), now) for row in rows]
        exempt = sum(each["state"] == NoticeState.EXEMPT.value for each in notices)
        deed = deed_of(
            about.job,
            "transfer.notices-planned",
            now,
            rows=[rows[0].number, rows[-1].number],
            customers=len(rows),
            exempt=exempt,
        )
        with unit_of_work(self.database, deed) as unit:
            made = add_notices(unit.session, notices)
            if not made:
                raise Unchanged
            unit.deed.facts["new"] = made


def _notice(about: NoticeJob, row: RowToTell, reach: Reach | None, same: int | None, now: datetime) -> dict[str, Any]:
    """One customer's notice. Who was erased can be told nothing; who is an earlier row's person is told with that."""
    why = about.duty.exempt_for
    if why is None and same is not None:
        why = "same-customer"
    if why is None and reach is None:
        why = "erased"
    course = begin(about.policy, now)
    evidence: dict[str, Any] = {} if why is None else {"kind": why, "at": now.isoformat()}
    if same is not None:
        evidence["row"] = same
    return {
        "id": notice_id(about.job.token, row.number),
        "tenant": about.job.tenant,
        "job": about.job.token,
        "row_number": row.number,
        "record_id": row.target_record,
        "subject_id": row.subject_id,
        "language": reach.language if reach is not None else LANGUAGES[0],
        "text_version": text_version(about.duty),
        "state": NoticeState.EXEMPT.value if why is not None else course.state.value,
        "channel": None if why is not None else course.way.value,
        "attempts": 0,
        "due_at": now,
        "evidence": evidence,
        "consent": ASKED if about.duty.asks_consent and why is None else "not-needed",
        "told_at": None,
        "version": 1,
    }
