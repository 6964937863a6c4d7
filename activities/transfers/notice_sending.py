"""Sends a job's notices: each attempt is on record before its message goes out, under a key of its own.

A try that was killed between the two, or after the message was taken, is repeated under the same key when its lease is
over; providers know the repeated message by it. Contact points and texts live in memory for one part.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from activities.transfers.notice_gateways import Carriers, Letter
from activities.transfers.notice_reach import Reach, Reaching
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job
from compliance.transfers.notice_receipts import proof_of
from compliance.vault.keyring import Vault
from compliance.vault.link_tokens import PATH, token_of, whole_second
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.notice_course import AttemptState, Event, after
from models.domain.transfers.notice_ids import attempt_id, link_of_attempt, message_of_attempt
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import NoticeState
from models.errors import GatewayRefused, GatewayUnavailable
from models.operations.transfers.notices import (
    LEASE_S,
    Step,
    add_attempt,
    add_link,
    course_of,
    settle_attempt,
    take_step,
)
from models.queries.transfers.notices import due_notices, newest_attempts
from models.tables.parties import CustomerLink
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.texts.transfer_notices import LINK

PART: Final = 100  # attempts of one transaction
_AT_ONCE: Final = 8
_REST_S: Final = 0.005  # on SQLite, so that an interactive commit gets its turn


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt that is ours until its lease ends."""

    notice: TransferNotice
    attempt: str
    way: Way
    is_new: bool
    number: int


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of a try."""

    tried: _Try
    event: Event
    reason: str | None = None
    ref: str | None = None


@dataclass(slots=True)
class Sending:
    """Works through what is due, part by part."""

    database: Database
    vault: Vault
    reaching: Reaching
    carriers: Carriers
    clock: Clock
    links_url: str
    _hands: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        """Keep a few hands: a provider answers in tens of milliseconds."""
        self._hands = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="notices")

    def part(self, job: str) -> int | None:
        """Send, or settle, up to `PART` notices; how many were looked at, None while the job is paused.

        Raises:
            PlanFault: the plan's figures cannot be used.
            KeysUnavailable, CannotOpen: contact points do not open.
        """
        now = self.clock()
        about = read_job(self.database, job)
        if about.job.paused_at is not None:
            return None
        with self.database.read() as session:
            due = due_notices(session, job, now=now, limit=PART, is_published=about.is_published)
            attempts = newest_attempts(session, due)
        if not due:
            return 0
        waiting = [each for each in due if each.state == NoticeState.SENT or each.channel == Way.PUBLIC]
        if waiting:
            self._waits_over(about, waiting, attempts, now)
        asleep = [each for each in due if each not in waiting and about.may_rouse(Way(each.channel or ""), now) > now]
        if asleep:
            self._until_morning(about, asleep, now)
        awake = [each for each in due if each not in waiting and each not in asleep]
        if awake:
            self._try_all(about, awake, attempts, now)
        if self.database.is_sqlite:
            time.sleep(_REST_S)
        return len(due)

    # Waits ------------------------------------------------------------------------------------------------------------

    def _waits_over(
        self,
        about: NoticeJob,
        notices: Sequence[TransferNotice],
        attempts: dict[str, TransferNoticeAttempt],
        now: datetime,
    ) -> None:
        """Receipts that did not come in time, and customers left for the public notice, which is out."""
        done = 0
        with unit_of_work(self.database, deed_of(about.job, "transfer.notice-waits-ended", now)) as unit:
            for notice in notices:
                event = Event.PUBLISHED if notice.channel == Way.PUBLIC else Event.SILENCE
                way = Way(notice.channel or Way.PUBLIC)
                course = after(course_of(notice), event, way=way, policy=about.policy, now=now)
                attempt = attempts.get(notice.id)
                proof = proof_of(event, about, notice, attempt, now) if course.is_told else {}
                step = Step(notice=notice, course=course, evidence=proof, told=course.is_told)
                if not take_step(unit.session, step, now=now):
                    continue
                done += 1
                if attempt is not None and event is Event.SILENCE:
                    state = AttemptState.DELIVERED if course.is_told else AttemptState.FAILED
                    reason = "no-bounce" if course.is_told else "no-receipt"
                    settle_attempt(unit.session, attempt.id, state=state, now=now, reason_code=reason)
            if not done:
                raise Unchanged
            unit.deed.facts["customers"] = done

    def _until_morning(self, about: NoticeJob, notices: Sequence[TransferNotice], now: datetime) -> None:
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-postponed", now)) as unit:
            done = 0
            for notice in notices:
                course = course_of(notice)
                until = about.may_rouse(course.way, now)
                moved = type(course)(course.state, course.way, until, course.tries, course.seen)
                done += take_step(unit.session, Step(notice=notice, course=moved, evidence={}), now=now)
            if not done:
                raise Unchanged
            unit.deed.facts |= {"customers": done, "until": until.isoformat()}

    # Tries ------------------------------------------------------------------------------------------------------------

    def _try_all(
        self,
        about: NoticeJob,
        notices: Sequence[TransferNotice],
        attempts: dict[str, TransferNoticeAttempt],
        now: datetime,
    ) -> None:
        reached = self.reaching.of_notices(notices)
        tries = self._begun(about, [_try_of(each, attempts.get(each.id)) for each in notices], now)
        if not tries:
            return
        links = self._links(tries)
        came = list(self._hands.map(lambda each: self._sent(about, each, reached, links), tries))
        self._settled(about, came)

    def _begun(self, about: NoticeJob, tries: Sequence[_Try], now: datetime) -> list[_Try]:
        """Put the attempts on record, each with its link. What another worker has taken is left to it."""
        taken: list[_Try] = []
        expires = whole_second(now + timedelta(days=about.policy.link_days))
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-tried", now)) as unit:
            for each in tries:
                course = course_of(each.notice)
                leased = type(course)(
                    course.state, course.way, now + timedelta(seconds=LEASE_S), course.tries, course.seen
                )
                step = Step(notice=each.notice, course=leased, evidence={}, attempts=each.number)
                if not take_step(unit.session, step, now=now):
                    continue
                taken.append(each)
                if each.is_new:
                    add_attempt(
                        unit.session,
                        each.notice,
                        id=each.attempt,
                        number=each.number,
                        channel=each.way.value,
                        now=now,
                    )
                    add_link(
                        unit.session,
                        id=link_of_attempt(each.attempt),
                        tenant=each.notice.tenant,
                        branch=about.job.branch,
                        attempt=each.attempt,
                        expires_at=expires,
                        now=now,
                    )
            if not taken:
                raise Unchanged
            # To open somebody's contact point is a deed, whatever comes of it.
            unit.deed.facts |= {"customers": len(taken), "again": sum(not each.is_new for each in taken)}
        return taken

    def _links(self, tries: Sequence[_Try]) -> dict[str, str]:
        """The customers' own links, by attempt."""
        with self.database.read() as session:
            rows = {each.attempt: session.get_one(CustomerLink, link_of_attempt(each.attempt)) for each in tries}
        return {attempt: f"{self.links_url}{PATH}/{token_of(self.vault, row)}" for attempt, row in rows.items()}

    def _sent(self, about: NoticeJob, tried: _Try, reached: dict[str, Reach], links: dict[str, str]) -> _Came:
        """Hand over one message; what the provider says is an event, never an error of the part."""
        reach = reached.get(tried.notice.id)
        if reach is None:
            return _Came(tried, Event.REFUSED, "subject-shredded")
        to = reach.point(tried.way)
        if not to:
            return _Came(tried, Event.REFUSED, "no-contact-point")
        text = about.texts[tried.notice.language, tried.way.value]
        letter = Letter(
            id=message_of_attempt(tried.attempt),
            name=reach.name,
            address=to,
            postcode=reach.postcode,
            subject=text.subject,
            text=text.words.replace(LINK, links[tried.attempt]),
            at=self.clock(),
        )
        try:
            receipt = self.carriers.carry(tried.way, letter, to=to)
        except GatewayRefused as refused:
            return _Came(tried, Event.REFUSED, str(refused.params.get("reason", "refused"))[:40])
        except GatewayUnavailable:
            return _Came(tried, Event.NO_ANSWER, "no-answer")
        return _Came(tried, Event.HANDED_OVER, ref=receipt.ref)

    def _settled(self, about: NoticeJob, came: Sequence[_Came]) -> None:
        """What the providers said, on record."""
        now = self.clock()
        counts: dict[str, int] = {}
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-sent", now)) as unit:
            for each in came:
                notice = unit.session.get_one(TransferNotice, each.tried.notice.id)
                before = course_of(notice)
                course = after(before, each.event, way=each.tried.way, policy=about.policy, now=now)
                proof: dict[str, Any] = {}
                if each.event is Event.HANDED_OVER:
                    text = about.texts[notice.language, each.tried.way.value]
                    proof = {"text_hash": text.text_hash, "text_version": text.version, "ref": each.ref}
                if course != before and not take_step(
                    unit.session, Step(notice=notice, course=course, evidence=proof), now=now
                ):
                    continue
                counts[each.event] = counts.get(each.event, 0) + 1
                if each.event is Event.HANDED_OVER:
                    settle_attempt(unit.session, each.tried.attempt, state=AttemptState.HANDED_OVER, now=now)
                elif course.way is not before.way:  # this channel is given up
                    settle_attempt(
                        unit.session, each.tried.attempt, state=AttemptState.FAILED, now=now, reason_code=each.reason
                    )
            if not counts:
                raise Unchanged
            unit.deed.facts |= counts


def _try_of(notice: TransferNotice, newest: TransferNoticeAttempt | None) -> _Try:
    """The attempt under way, if there is one on this channel; otherwise the next."""
    way = Way(notice.channel or Way.PUBLIC)
    if newest is not None and newest.state == AttemptState.SENDING and newest.channel == way:
        return _Try(notice, newest.id, way, is_new=False, number=newest.number)
    number = notice.attempts + 1
    return _Try(notice, attempt_id(notice.id, number), way, is_new=True, number=number)
