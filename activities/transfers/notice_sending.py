"""Sends a job's notices: each attempt is on record before its message goes out, under a key of its own.

A try that was killed between the two, or after the message was taken, is repeated under the same key when its lease is
over; providers know the repeated message by it. Contact points and texts live in memory for one part.
"""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlmodel import col, select

from activities.transfers.notice_gateways import Carriers, Letter
from activities.transfers.notice_reach import Reach, Reaching
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job
from compliance.transfers.notice_receipts import proof_of
from compliance.vault.keyring import Vault
from compliance.vault.link_tokens import PATH, tokens_of, whole_second
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.notice_course import AttemptState, Event, after
from models.domain.transfers.notice_ids import attempt_id, link_of_attempt, message_of_attempt
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import NoticeState
from models.errors import GatewayRefused, GatewayUnavailable
from models.operations.transfers.notices import (
    LEASE_S,
    NewAttempt,
    Settled,
    Step,
    add_attempts,
    course_of,
    settle_attempts,
    take_steps,
)
from models.queries.transfers.notices import due_notices, newest_attempts, notices_by_id
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
        waiting: list[TransferNotice] = []
        asleep: list[TransferNotice] = []
        awake: list[TransferNotice] = []
        for each in due:
            if each.state == NoticeState.SENT or each.channel == Way.PUBLIC:
                waiting.append(each)
            elif about.may_rouse(Way(each.channel or ""), now) > now:
                asleep.append(each)
            else:
                awake.append(each)
        if waiting:
            self._waits_over(about, waiting, attempts, now)
        if asleep:
            self._until_morning(about, asleep, now)
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
        steps: list[Step] = []
        silent: list[tuple[str, Settled]] = []
        for notice in notices:
            event = Event.PUBLISHED if notice.channel == Way.PUBLIC else Event.SILENCE
            way = Way(notice.channel or Way.PUBLIC)
            course = after(course_of(notice), event, way=way, policy=about.policy, now=now)
            attempt = attempts.get(notice.id)
            proof = proof_of(event, about, notice, attempt, now) if course.is_told else {}
            steps.append(Step(notice=notice, course=course, evidence=proof, told=course.is_told))
            if attempt is not None and event is Event.SILENCE:
                state = AttemptState.DELIVERED if course.is_told else AttemptState.FAILED
                silent.append((notice.id, Settled(attempt.id, state, "no-bounce" if course.is_told else "no-receipt")))
        with unit_of_work(self.database, deed_of(about.job, "transfer.notice-waits-ended", now)) as unit:
            taken = take_steps(unit.session, steps, now=now)
            settle_attempts(unit.session, [settled for notice_id, settled in silent if notice_id in taken], now=now)
            if not taken:
                raise Unchanged
            unit.deed.facts["customers"] = len(taken)

    def _until_morning(self, about: NoticeJob, notices: Sequence[TransferNotice], now: datetime) -> None:
        steps = []
        for notice in notices:
            course = course_of(notice)
            steps.append(
                Step(notice=notice, course=replace(course, due_at=about.may_rouse(course.way, now)), evidence={})
            )
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-postponed", now)) as unit:
            done = len(take_steps(unit.session, steps, now=now))
            if not done:
                raise Unchanged
            unit.deed.facts |= {"customers": done, "until": max(step.course.due_at for step in steps).isoformat()}

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
        expires = whole_second(now + timedelta(days=about.policy.link_days))
        lease = now + timedelta(seconds=LEASE_S)
        steps = [
            Step(
                notice=each.notice,
                course=replace(course_of(each.notice), due_at=lease),
                evidence={},
                attempts=each.number,
            )
            for each in tries
        ]
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-tried", now)) as unit:
            ours = take_steps(unit.session, steps, now=now)
            taken = [each for each in tries if each.notice.id in ours]
            if not taken:
                raise Unchanged
            new = [
                NewAttempt(
                    notice=each.notice,
                    id=each.attempt,
                    number=each.number,
                    channel=each.way.value,
                    link=link_of_attempt(each.attempt),
                    link_expires_at=expires,
                )
                for each in taken
                if each.is_new
            ]
            add_attempts(unit.session, new, branch=about.job.branch, now=now)
            # To open somebody's contact point is a deed, whatever comes of it.
            unit.deed.facts |= {"customers": len(taken), "again": sum(not each.is_new for each in taken)}
        return taken

    def _links(self, tries: Sequence[_Try]) -> dict[str, str]:
        """The customers' own links, by attempt."""
        names = {link_of_attempt(each.attempt): each.attempt for each in tries}
        with self.database.read() as session:
            rows = session.exec(select(CustomerLink).where(col(CustomerLink.id).in_(list(names)))).all()
        tokens = tokens_of(self.vault, rows)
        return {names[link]: f"{self.links_url}{PATH}/{token}" for link, token in tokens.items()}

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
        with unit_of_work(self.database, deed_of(about.job, "transfer.notices-sent", now)) as unit:
            present = notices_by_id(unit.session, [each.tried.notice.id for each in came])
            steps: list[Step] = []
            settled: dict[str, Settled] = {}
            for each in came:
                notice = present[each.tried.notice.id]
                before = course_of(notice)
                course = after(before, each.event, way=each.tried.way, policy=about.policy, now=now)
                if course != before:
                    proof: dict[str, Any] = {}
                    if each.event is Event.HANDED_OVER:
                        text = about.texts[notice.language, each.tried.way.value]
                        proof = {"text_hash": text.text_hash, "text_version": text.version, "ref": each.ref}
                    steps.append(Step(notice=notice, course=course, evidence=proof))
                if each.event is Event.HANDED_OVER:
                    settled[notice.id] = Settled(each.tried.attempt, AttemptState.HANDED_OVER)
                elif course.way is not before.way:  # this channel is given up
                    settled[notice.id] = Settled(each.tried.attempt, AttemptState.FAILED, each.reason)
            lost = {step.notice.id for step in steps} - take_steps(unit.session, steps, now=now)
            settle_attempts(unit.session, [one for notice, one in settled.items() if notice not in lost], now=now)
            counts = Counter(each.event.value for each in came if each.tried.notice.id not in lost)
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
