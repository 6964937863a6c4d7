"""Requests to erase a person's data (删除权): made, made one's own, decided by a second person, carried out.

Four-eyes (双人复核) holds as for reversals: the API asks before, the compare-and-set asks who made the request, and
`four_eyes` is unique over subject and person. Functions over a session; nothing here touches a key.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.privacy.erasing import ErasureState, Ground, commitment
from models.domain.privacy.retention import Obstacle, until_when
from models.errors import Conflict, NotFound, ShownChanged, WrongState
from models.operations.customer_erasure import erase_holder, held_of
from models.operations.erasure_tasks import sync_tasks
from models.operations.four_eyes import By, is_maker, stand_as_checker, stand_as_maker, why_not
from models.operations.transfers.erasure_follow_ups import settle_follow_up
from models.tables.agreements import Agreement
from models.tables.customer_holders import Holder, holder_of, subjects_under
from models.tables.daily import BankReply, DebitOrder
from models.tables.erasure import ErasureRequest, SubjectLock
from models.tables.installments import BureauReport, CaseContact, CaseDocument, InstallmentCase
from models.tables.notices import OneTimeCode
from models.tables.parties import ContactPoint, CustomerLink, Subject

_INDEX_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class NewErasure:
    """A request to be made. `by` is None where a duty proposes it under `proposer`."""

    id: str
    tenant: str
    subject_id: str
    ground: Ground
    note_cell: bytes | None = None
    by: By | None = None
    proposer: str = ""


def shown(new: NewErasure) -> dict[str, object]:
    """What both persons see; its hash is what the second one is bound to."""
    return {"erasure": new.id, "subject": new.subject_id, "ground": new.ground.value}


def told(obstacle: Obstacle) -> dict[str, Any]:
    """An obstacle as it is kept and told."""
    return {"rule": obstacle.rule, "until": obstacle.until.isoformat() if obstacle.until is not None else None}


def hold_person(session: Session, subject_id: str, *, erased_too: bool = False) -> Subject | Holder:
    """The person's row, held to the end of the transaction: a row that names them cannot come in beside us.

    A person is one of `subjects`, a customer's record, or a row of a transfer that has become none. What stands against
    an erasure is asked between this and what follows from the answer.

    Raises:
        NotFound: there is no such person.
        WrongState: the person's data are erased already, and that is not expected.
    """
    subject: Subject | Holder | None = session.exec(
        select(Subject).where(col(Subject.id) == subject_id).with_for_update()
    ).one_or_none() or holder_of(session, subject_id, lock=True)
    if subject is None:
        raise NotFound
    if subject.erased_at is not None and not erased_too:
        raise WrongState(params={"state": ErasureState.ERASED.value})
    return subject


def make(
    session: Session,
    new: NewErasure,
    *,
    shown_hash: str,
    standing: tuple[Obstacle, ...],
    now: datetime,
    periods: tuple[Obstacle, ...] = (),
) -> ErasureRequest:
    """Record a request, with its task; refused at once, with why and until when, if something stands against it.

    Call it with the person held. `periods`: the person's, over or not, for whoever decides to see.

    Raises:
        Conflict: a request for this person is under way.
    """
    state = ErasureState.PROPOSED if new.by is None else ErasureState.REQUESTED
    request = ErasureRequest(
        id=new.id,
        tenant=new.tenant,
        subject_id=new.subject_id,
        ground=new.ground.value,
        note_cell=new.note_cell,
        state=(ErasureState.REFUSED if standing else state).value,
        obstacles=[told(each) for each in standing],
        until=until_when(standing),
        shown_hash=shown_hash,
        nonce=os.urandom(16).hex(),
        requested_by=new.by.staff_id if new.by is not None else new.proposer,
        requested_at=now,
    )
    session.add(request)
    if new.by is not None and not standing:
        stand_as_maker(session, **_stand(request), person_id=new.by.person_id, now=now)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=new.subject_id) from None
    sync_tasks(session, request, now=now, periods=periods)
    return request


def endorse(session: Session, request: ErasureRequest, *, shown_hash: str, by: By, now: datetime) -> ErasureRequest:
    """Make a duty's proposal one's own: the first of the two persons.

    Raises:
        WrongState: it is no proposal any more.
        ShownChanged: the caller was shown something else.
    """
    endorsed = session.exec(
        update(ErasureRequest)
        .where(
            col(ErasureRequest.id) == request.id,
            col(ErasureRequest.state) == ErasureState.PROPOSED,
            col(ErasureRequest.shown_hash) == shown_hash,
        )
        .values(state=ErasureState.REQUESTED.value, endorsed_by=by.staff_id)
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(ErasureRequest, request.id, populate_existing=True)
    if not endorsed:
        raise WrongState(params={"state": after.state}) if after.state != ErasureState.PROPOSED else ShownChanged()
    stand_as_maker(session, **_stand(after), person_id=by.person_id, now=now)
    sync_tasks(session, after, now=now)
    return after


@dataclass(frozen=True, kw_only=True, slots=True)
class Word:
    """The second person's word: `reason_code` of a rejection, None of an approval.

    `standing`: what has come up since the request; it refuses an approval.
    """

    by: By
    shown_hash: str
    reason_code: str | None = None
    standing: tuple[Obstacle, ...] = ()


def waits_for_word(*, rejects: bool) -> tuple[ErasureState, ...]:
    """In which states somebody may decide: a proposal can be rejected, and approved only once somebody stands by it."""
    return (ErasureState.REQUESTED, ErasureState.PROPOSED) if rejects else (ErasureState.REQUESTED,)


def decide(session: Session, request: ErasureRequest, word: Word, *, now: datetime) -> ErasureRequest:
    """Approve as the second person, or reject, also what nobody has made their own. Call it with the person held.

    Raises:
        FourEyesViolation: the person asked for it.
        WrongState: it does not wait for a second person.
        ShownChanged: the caller was shown something else.
    """
    standing = word.standing if word.reason_code is None else ()
    waiting = waits_for_word(rejects=word.reason_code is not None)
    state = ErasureState.REJECTED if word.reason_code is not None else ErasureState.APPROVED
    decided = session.exec(
        update(ErasureRequest)
        .where(
            col(ErasureRequest.id) == request.id,
            col(ErasureRequest.state).in_(waiting),
            col(ErasureRequest.shown_hash) == word.shown_hash,
            ~is_maker(shown_hash=col(ErasureRequest.shown_hash), person_id=word.by.person_id),
        )
        .values(
            state=(ErasureState.REFUSED if standing else state).value,
            obstacles=[told(each) for each in standing],
            until=until_when(standing),
            reason_code=word.reason_code,
            decided_by=word.by.staff_id,
            decided_at=now,
        )
        .execution_options(synchronize_session=False)
    ).rowcount
    after = session.get_one(ErasureRequest, request.id, populate_existing=True)
    if not decided:
        raise why_not(
            session,
            state=after.state,
            waiting=after.state if after.state in waiting else ErasureState.REQUESTED,
            shown_hash=after.shown_hash,
            person_id=word.by.person_id,
        )
    stand_as_checker(session, **_stand(after), person_id=word.by.person_id, now=now)
    settle_follow_up(session, after, now=now)
    sync_tasks(session, after, now=now)
    return after


def refuse(session: Session, request: ErasureRequest, *, standing: tuple[Obstacle, ...], now: datetime) -> None:
    """Turn an approved request down before a key is destroyed: something has come up at the last look."""
    request.state = ErasureState.REFUSED.value
    request.obstacles = [told(each) for each in standing]
    request.until = until_when(standing)
    session.add(request)
    session.flush()
    settle_follow_up(session, request, now=now)
    sync_tasks(session, request, now=now)


def erase_tokens(session: Session, subject_id: str, *, tenant: str, now: datetime) -> dict[str, int]:
    """Remove what finds a person without a key: blind indexes, one-time codes, links; mark them erased. Repeatable.

    Returns:
        How many rows of each kind held one.
    """
    holder = holder_of(session, subject_id, lock=True)
    if holder is not None:
        return erase_holder(session, holder, now=now)
    accounts = select(col(DebitOrder.account_index)).where(
        col(DebitOrder.agreement_id).in_(_agreements(subject_id)), col(DebitOrder.account_index).is_not(None)
    )
    indexes = {each for each in session.exec(accounts).all() if each is not None}
    counts = {
        "idIndex": session.exec(
            update(Subject)
            .where(col(Subject.id) == subject_id, col(Subject.erased_at).is_(None))
            # Random bytes: the column stays unique and finds nobody.
            .values(id_index=os.urandom(_INDEX_BYTES), erased_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount,
        "contactIndexes": session.exec(
            update(ContactPoint)
            .where(col(ContactPoint.subject_id) == subject_id, col(ContactPoint.value_index).is_not(None))
            .values(value_index=None)
            .execution_options(synchronize_session=False)
        ).rowcount,
        "replyIndexes": session.exec(
            update(BankReply)
            .where(col(BankReply.tenant) == tenant, col(BankReply.account_index).in_(indexes))
            .values(account_index=None)
            .execution_options(synchronize_session=False)
        ).rowcount,
        "orderIndexes": session.exec(
            update(DebitOrder)
            .where(
                col(DebitOrder.agreement_id).in_(_agreements(subject_id)), col(DebitOrder.account_index).is_not(None)
            )
            .values(account_index=None)
            .execution_options(synchronize_session=False)
        ).rowcount,
        "oneTimeCodes": session.exec(delete(OneTimeCode).where(col(OneTimeCode.subject_id) == subject_id)).rowcount,
        "links": session.exec(
            update(CustomerLink)
            .where(col(CustomerLink.case_token).in_(_cases(subject_id)), col(CustomerLink.expires_at) > now)
            .values(expires_at=now)
            .execution_options(synchronize_session=False)
        ).rowcount,
    }
    session.exec(delete(SubjectLock).where(col(SubjectLock.subject_id) == subject_id))
    return counts


def reduce(session: Session, request: ErasureRequest, *, figures: dict[str, Any], now: datetime) -> ErasureRequest:
    """The last step: what is left of the request is a commitment. The nonce stays until the certificate has it."""
    if request.subject_id is None or request.nonce is None:
        raise NotFound(detail=request.id)
    request.commitment = commitment(
        tenant=request.tenant,
        request=request.id,
        subject=request.subject_id,
        ground=request.ground,
        requested_at=request.requested_at.isoformat(),
        nonce=request.nonce,
    )
    request.subject_id = None
    request.note_cell = None
    request.figures = figures
    request.state = ErasureState.ERASED.value
    request.erased_at = now
    session.add(request)
    session.flush()
    settle_follow_up(session, request, now=now)
    return request


def keys_of(session: Session, subject_id: str) -> Sequence[str]:
    """Every key that goes with a person: their own, and those of the rows that became their record."""
    holder = holder_of(session, subject_id)
    return [subject_id] if holder is None else subjects_under(session, holder)


def held_rows(session: Session, subject_id: str) -> dict[str, int]:
    """How much of a person's the store holds under their key: for the certificate."""
    holder = holder_of(session, subject_id)
    if holder is not None:
        return held_of(session, holder)
    cases = _cases(subject_id)
    counted = {
        "cases": select(func.count()).select_from(InstallmentCase).where(col(InstallmentCase.subject_id) == subject_id),
        "files": select(func.count()).select_from(CaseDocument).where(col(CaseDocument.subject_id) == subject_id),
        "contactPoints": select(func.count())
        .select_from(ContactPoint)
        .where(col(ContactPoint.subject_id) == subject_id),
        "contactNotes": select(func.count()).select_from(CaseContact).where(col(CaseContact.case_token).in_(cases)),
        "creditReports": select(func.count()).select_from(BureauReport).where(col(BureauReport.case_token).in_(cases)),
    }
    return {name: session.exec(statement).one() for name, statement in counted.items()}


def approved(session: Session, *, limit: int = 50) -> Sequence[ErasureRequest]:
    """Requests whose keys have to go, the oldest first."""
    return session.exec(
        select(ErasureRequest)
        .where(col(ErasureRequest.state) == ErasureState.APPROVED)
        .order_by(col(ErasureRequest.id))
        .limit(limit)
    ).all()


def uncertified(session: Session, *, limit: int = 50) -> Sequence[ErasureRequest]:
    """Requests that were carried out and have no certificate yet."""
    return session.exec(
        select(ErasureRequest)
        .where(col(ErasureRequest.state) == ErasureState.ERASED)
        .order_by(col(ErasureRequest.id))
        .limit(limit)
    ).all()


def certify(session: Session, request_id: str, *, certificate: str, now: datetime) -> bool:
    """Keep the certificate, once; the nonce is in it and goes from the row."""
    done = session.exec(
        update(ErasureRequest)
        .where(col(ErasureRequest.id) == request_id, col(ErasureRequest.state) == ErasureState.ERASED)
        .values(state=ErasureState.CERTIFIED.value, certificate=certificate, certified_at=now, nonce=None)
        .execution_options(synchronize_session=False)
    ).rowcount
    return bool(done)


def _cases(subject_id: str) -> Any:
    return select(col(InstallmentCase.token)).where(col(InstallmentCase.subject_id) == subject_id)


def _agreements(subject_id: str) -> Any:
    return select(col(Agreement.id)).where(col(Agreement.subject_id) == subject_id)


def _stand(request: ErasureRequest) -> dict[str, str]:
    return {"tenant": request.tenant, "subject": request.shown_hash, "record_id": request.id}
