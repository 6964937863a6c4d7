"""Takes in what is told later of an attempt: a receipt, a bounce, the customer's coming. Repeatable, in any order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlmodel import Session

from compliance.audit.deeds import Deed
from compliance.audit.unit import Unchanged, unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job
from models.database.engine import Database
from models.domain.clock import Clock
from models.domain.transfers.notice_course import AttemptState, Event, after
from models.domain.transfers.notice_ids import MESSAGE, attempt_of_message
from models.domain.transfers.notice_policy import Way
from models.operations.transfers.follow_ups import open_follow_up
from models.operations.transfers.notices import Step, course_of, settle_attempt, take_step
from models.queries.transfers.notices import attempts_by_id, jobs_of_notices
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt

AT_ONCE: Final = 40  # receipts of one transaction
_STATE_OF: Final = {Event.DELIVERED: AttemptState.DELIVERED, Event.BOUNCED: AttemptState.BOUNCED}


class Taken(StrEnum):
    """What a receipt was."""

    NEWS = "news"
    KNOWN = "known"  # it was told before, or something stronger was
    UNKNOWN = "unknown"  # of no attempt of ours


@dataclass(frozen=True, kw_only=True, slots=True)
class DeliveryReceipt:
    """What a provider, a mail system or the post says of one message.

    Attributes:
        message: 32 hex digits, the id under which it went out.
        event: `DELIVERED` or `BOUNCED`.
        reason: a code, e.g. `5.1.1`; never words, which may quote an address.
        register: the post's number of a registered letter (挂号号码).
    """

    message: str
    event: Event
    reason: str | None = None
    register: str | None = None


@dataclass(frozen=True, slots=True)
class Receipts:
    """Where receipts go."""

    database: Database
    clock: Clock

    def take(self, receipt: DeliveryReceipt, *, actor: str) -> Taken:
        """Write a receipt to its attempt and its notice.

        A bounce of what had told the customer opens the notice again; what is left of the channels is tried. Where
        none is left, a person is asked to find another way (follow-up `bounce`).
        """
        return self.take_all([receipt], actor=actor)[0]

    def take_all(self, receipts: Sequence[DeliveryReceipt], *, actor: str) -> list[Taken]:
        """As `take`, in their order, some in one transaction; each that is news has its own event."""
        took: list[Taken] = []
        for first in range(0, len(receipts), AT_ONCE):
            took += self._some(receipts[first : first + AT_ONCE], actor)
        return took

    def _some(self, receipts: Sequence[DeliveryReceipt], actor: str) -> list[Taken]:
        now, took = self.clock(), [Taken.UNKNOWN] * len(receipts)
        ours = {
            place: attempt_of_message(receipt.message)
            for place, receipt in enumerate(receipts)
            if MESSAGE.match(receipt.message) is not None and receipt.event in _STATE_OF
        }
        with self.database.read() as session:
            attempts = attempts_by_id(session, set(ours.values()))
            jobs = jobs_of_notices(session, {attempt.notice for attempt in attempts.values()})
        about = {job: read_job(self.database, job) for job in sorted(set(jobs.values()))}
        known = [(place, attempts[name]) for place, name in ours.items() if name in attempts]
        if not known:
            return took
        deeds: list[Deed] = []
        first = about[jobs[known[0][1].notice]].job
        with unit_of_work(self.database, deed_of(first, "transfer.receipts-taken", now)) as unit:
            for place, attempt in known:
                deed = _take(unit.session, about[jobs[attempt.notice]], receipts[place], attempt, now)
                took[place] = Taken.KNOWN if deed is None else Taken.NEWS
                if deed is not None:
                    deed.actor = actor
                    deeds.append(deed)
            if not deeds:
                raise Unchanged
            unit.deed = deeds[0]
            for deed in deeds[1:]:
                unit.also(deed)
        return took


def _take(
    session: Session, about: NoticeJob, receipt: DeliveryReceipt, attempt: TransferNoticeAttempt, now: datetime
) -> Deed | None:
    """What a receipt does, and the deed that it is; None if it is no news."""
    state = _STATE_OF[receipt.event]
    if not settle_attempt(session, attempt.id, state=state, now=now, reason_code=_code(receipt.reason)):
        return None
    deed = deed_of(about.job, f"transfer.notice-{receipt.event}", now, notice=attempt.notice, attempt=attempt.id)
    deed.facts |= {"channel": attempt.channel, "reason": receipt.reason}
    if receipt.register is not None:
        deed.facts["register"] = receipt.register
    notice = session.get_one(TransferNotice, attempt.notice, with_for_update=True, populate_existing=True)
    before = course_of(notice)
    course = after(before, receipt.event, way=Way(attempt.channel), policy=about.policy, now=now)
    if course != before:
        told, untold = course.is_told and not before.is_told, before.is_told and not course.is_told
        evidence = proof_of(receipt.event, about, notice, attempt, now) if told else {}
        if told and receipt.register is not None:
            evidence["register"] = receipt.register
        if untold:
            evidence = {"kind": None, "attempt": None, "reopened_at": now.isoformat()}
        step = Step(notice=notice, course=course, evidence=evidence, told=told, untold=untold)
        if not take_step(session, step, now=now):  # read, and held, in this transaction
            raise AssertionError(f"notice {notice.id} was changed while it was held")
        deed.facts |= {"from": before.state.value, "to": course.state.value}
        if receipt.event is Event.BOUNCED and course.way is Way.PUBLIC:
            open_follow_up(session, about.job, notice, kind="bounce", policy=about.policy, now=now)
    return deed


def came_by_link(database: Database, attempt: TransferNoticeAttempt, *, link: str, now: datetime) -> None:
    """The customer has opened the link of an attempt: it has arrived, whatever any provider says. Repeatable."""
    with database.read() as session:
        notice = session.get_one(TransferNotice, attempt.notice)
    if course_of(notice).seen:
        return
    about = read_job(database, notice.job)
    deed = deed_of(about.job, "transfer.notice-opened", now, notice=notice.id, attempt=attempt.id, link=link)
    deed.actor = link
    with unit_of_work(database, deed) as unit:
        notice = unit.session.get_one(TransferNotice, attempt.notice, with_for_update=True)
        before = course_of(notice)
        course = after(before, Event.OPENED, way=Way(attempt.channel), policy=about.policy, now=now)
        if course == before:
            raise Unchanged
        told = course.is_told and not before.is_told
        evidence = proof_of(Event.OPENED, about, notice, attempt, now) if told else {"opened_at": now.isoformat()}
        if not take_step(unit.session, Step(notice=notice, course=course, evidence=evidence, told=told), now=now):
            raise Unchanged
        settle_attempt(unit.session, attempt.id, state=AttemptState.DELIVERED, now=now, reason_code="link-opened")


def proof_of(
    event: Event, about: NoticeJob, notice: TransferNotice, attempt: TransferNoticeAttempt | None, now: datetime
) -> dict[str, Any]:
    """The evidence by which a customer counts as told."""
    channel = Way.PUBLIC.value if event is Event.PUBLISHED else (attempt.channel if attempt else notice.channel)
    text = about.texts.get((notice.language, channel or ""))
    return {
        "kind": event.value,
        "attempt": attempt.id if attempt is not None and event is not Event.PUBLISHED else None,
        "at": now.isoformat(),
        "text_hash": text.text_hash if text is not None else None,
        "text_version": text.version if text is not None else None,
    }


def _code(reason: str | None) -> str | None:
    return reason[:40] if reason is not None else None
