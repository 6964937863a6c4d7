"""What a customer does through the link of a transfer's notice: read, consent or not, ask, rate. It all blocks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from sqlmodel import Session, col, select

from api.deps import ApiDeps
from api.idempotency import Stored
from api.links.intake import usable_link
from api.transfers.link_bodies import (
    LinkFollowUpAnswer,
    LinkTransferAnswer,
    TransferConsentBody,
    TransferRatingBody,
    TransferRequestBody,
)
from api.transfers.link_erasing import ask_erasure
from api.wording import worded
from compliance.audit.unit import unit_of_work
from compliance.transfers.notice_job import NoticeJob, deed_of, read_job
from compliance.transfers.notice_receipts import came_by_link, proof_of
from compliance.vault.cells import CellAddress
from compliance.vault.link_tokens import PATH
from models.domain.application import LinkPurpose
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.domain.transfers.follow_ups import FollowUpKind
from models.domain.transfers.notice_course import Event, after
from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import MoveState
from models.errors import NotFound, ShownChanged, WrongState
from models.operations.idempotency import KeySlot, open_key
from models.operations.transfers.consents import Answer, answer_consent
from models.operations.transfers.follow_ups import next_follow_up, open_follow_up
from models.operations.transfers.notices import Step, course_of, take_step
from models.tables.parties import CustomerLink
from models.tables.transfer_notices import TransferFollowUp, TransferNotice, TransferNoticeAttempt
from models.tables.transfer_telling import TransferNoticeText, TransferRating
from models.tables.transfers import TransferRow
from models.texts.transfer_notices import LINK

_RATED: Final = "rated"


@dataclass(frozen=True, slots=True)
class Visit:
    """A customer who came by a link."""

    link: CustomerLink
    attempt: TransferNoticeAttempt
    notice: TransferNotice
    about: NoticeJob

    @property
    def text(self) -> TransferNoticeText:
        """The words of the page: those of a mail, whichever channel brought the link."""
        return self.about.texts[self.notice.language, Way.EMAIL.value]


def visit(deps: ApiDeps, token: str) -> Visit:
    """Who comes by this token; the first time it is proof that the message arrived.

    Raises:
        NotFound: forged, or a link of another purpose.
        LinkExpired: its time is over.
    """
    link = usable_link(deps, token, purpose=LinkPurpose.TRANSFER)
    with deps.database.read() as session:
        attempt = session.get(TransferNoticeAttempt, str(link.terms.get("attempt", "")))
        notice = session.get(TransferNotice, attempt.notice) if attempt is not None else None
    if attempt is None or notice is None or notice.tenant != link.tenant:
        raise NotFound
    came_by_link(deps.database, attempt, link=link.id, now=deps.clock())
    return Visit(link, attempt, notice, read_job(deps.database, notice.job))


def slot_of(came: Visit, *, route: str, key: str) -> KeySlot:
    """The slot of a request by a link."""
    return KeySlot(tenant=came.link.tenant, principal=came.link.id, route=f"links.transfer.{route}", key=key)


def page(deps: ApiDeps, came: Visit, token: str, *, locale: str) -> LinkTransferAnswer:
    """What the customer sees, as it stands now."""
    with deps.database.read() as session:
        notice = session.get_one(TransferNotice, came.notice.id)
        follow_ups = session.exec(
            select(TransferFollowUp)
            .where(
                col(TransferFollowUp.job) == notice.job,
                col(TransferFollowUp.row_number) == notice.row_number,
                col(TransferFollowUp.kind).in_([FollowUpKind.OBJECTION, FollowUpKind.CORRECTION, FollowUpKind.ERASURE]),
            )
            .order_by(col(TransferFollowUp.opened_at))
        ).all()
    text = came.text
    return LinkTransferAnswer(
        subject=text.subject,
        text=text.words.replace(LINK, f"{PATH}/{token}"),
        text_version=text.version,
        text_hash=text.text_hash,
        consent=notice.consent or "not-needed",
        requests=[_request(each, locale) for each in follow_ups],
        rated=bool(notice.evidence.get(_RATED)),
        expires_at=came.link.expires_at,
    )


def _request(row: TransferFollowUp, locale: str) -> LinkFollowUpAnswer:
    return LinkFollowUpAnswer(
        kind=row.kind,
        kind_text=worded(f"follow-up-subject.{row.kind}", locale),
        state=row.state,
        answer=row.answer,
        answer_text=worded(f"follow-up-answer.{row.answer}", locale) if row.answer is not None else None,
        opened_at=row.opened_at,
        due_at=row.due_at,
        done_at=row.done_at,
    )


def answered(deps: ApiDeps, came: Visit, token: str, *, locale: str) -> Stored:
    """The answer to whatever the customer did: the page. It is made anew each time, for it holds the token."""
    body = page(deps, came, token, locale=locale).model_dump(mode="json")
    return Stored(status=HTTPStatus.CREATED, body=body)


# Acts -----------------------------------------------------------------------------------------------------------------


def consent(deps: ApiDeps, came: Visit, body: TransferConsentBody, *, slot: KeySlot, fingerprint: str) -> str:
    """Give, refuse or withdraw consent (单独同意).

    Who takes it back, or refuses, after their record has moved is followed up by a person.

    Raises:
        ShownChanged: other words than those that are kept were read.
        WrongState: consent is not asked for, or was answered before.
        KeyTaken: another request under this key was first.
    """
    if body.text_hash != came.text.text_hash:
        raise ShownChanged

    def act(session: Session, notice: TransferNotice, now: datetime) -> dict[str, Any]:
        if not answer_consent(session, notice, body.answer, text=came.text, link=came.link.id, now=now):
            return {"again": True}
        facts: dict[str, Any] = {"answer": body.answer.value, "textHash": body.text_hash}
        row = session.get_one(TransferRow, (notice.job, notice.row_number))
        if body.answer is not Answer.GIVEN and row.move == MoveState.MOVED:
            facts["followUp"] = open_follow_up(
                session,
                came.about.job,
                notice,
                kind=FollowUpKind.OBJECTION,
                policy=came.about.policy,
                now=now,
                facts={"consent": body.answer.value},
            )
        return facts

    return _acted(deps, came, "transfer.consent-answered", act, slot=slot, fingerprint=fingerprint)


def ask(deps: ApiDeps, came: Visit, body: TransferRequestBody, *, slot: KeySlot, fingerprint: str) -> str:
    """Object, or ask for correction or erasure: a person answers, and the customer is told.

    Raises:
        WrongState: a request of this kind is open already, or the customer was erased.
        SubjectShredded: the customer was erased.
        KeyTaken: another request under this key was first.
    """
    with deps.database.read() as session:
        follow_up, is_open = next_follow_up(session, came.notice.id, body.kind)
    if is_open:
        raise WrongState(params={"state": "open"})
    address = CellAddress(came.notice.tenant, "transfer_follow_ups", "note_cell", follow_up, came.notice.subject_id)
    cell = deps.vault.seal(address, body.text)

    def act(session: Session, notice: TransferNotice, now: datetime) -> dict[str, Any]:
        present, taken = next_follow_up(session, notice.id, body.kind)
        if taken or present != follow_up:  # another request at this moment was first
            raise WrongState(params={"state": "open"})
        opened = open_follow_up(
            session, came.about.job, notice, kind=body.kind, policy=came.about.policy, now=now, note_cell=cell
        )
        if body.kind is FollowUpKind.OBJECTION:
            before = course_of(notice)
            way = Way(came.attempt.channel)
            course = after(before, Event.OBJECTED, way=way, policy=came.about.policy, now=now)
            if course != before:
                proof = proof_of(Event.OBJECTED, came.about, notice, came.attempt, now)
                step = Step(notice=notice, course=course, evidence=proof, told=not before.is_told)
                if not take_step(session, step, now=now):
                    raise WrongState(params={"state": notice.state})
        facts: dict[str, Any] = {"followUp": opened, "kind": body.kind.value}
        if body.kind is FollowUpKind.ERASURE:
            facts |= ask_erasure(session, notice, opened, link=came.link.id, now=now)
        return facts

    return _acted(deps, came, "transfer.request-received", act, slot=slot, fingerprint=fingerprint)


def rate(deps: ApiDeps, came: Visit, body: TransferRatingBody, *, slot: KeySlot, fingerprint: str) -> str:
    """Rate, once by each customer. The score stands by itself: with the job and the day, nothing else.

    Raises:
        WrongState: it was rated before.
        KeyTaken: another request under this key was first.
    """

    def act(session: Session, notice: TransferNotice, now: datetime) -> dict[str, Any]:
        if notice.evidence.get(_RATED):
            raise WrongState(params={"state": _RATED})
        if not take_step(session, Step(notice=notice, course=course_of(notice), evidence={_RATED: True}), now=now):
            raise WrongState(params={"state": notice.state})
        session.add(
            TransferRating(
                id=new_token("trt"),
                tenant=notice.tenant,
                job=notice.job,
                score=body.score,
                on=shanghai_date(now),
            )
        )
        return {}  # neither score nor anything that leads to it

    return _acted(deps, came, "transfer.rated", act, slot=slot, fingerprint=fingerprint)


def _acted(
    deps: ApiDeps,
    came: Visit,
    action: str,
    act: Callable[[Session, TransferNotice, datetime], dict[str, Any]],
    *,
    slot: KeySlot,
    fingerprint: str,
) -> str:
    """One unit of work about the customer's notice, once per key. Returns the notice's id."""
    now = deps.clock()
    deed = deed_of(came.about.job, action, now, notice=came.notice.id, link=came.link.id)
    deed.actor = came.link.id
    with unit_of_work(deps.database, deed) as unit:
        open_key(
            unit.session,
            slot,
            fingerprint=fingerprint,
            resource_id=came.notice.id,
            now=now,
            status=HTTPStatus.CREATED,
        )
        notice = unit.session.get_one(TransferNotice, came.notice.id, with_for_update=True)
        deed.facts |= act(unit.session, notice, now)
    return came.notice.id
