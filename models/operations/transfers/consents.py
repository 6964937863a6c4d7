"""Answers to the request for separate consent (单独同意): each is a row of the register and never changed."""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select, update

from models.domain.tokens import named_token
from models.errors import WrongState
from models.operations.transfers.notices import hold_row
from models.tables.transfer_notices import TransferNotice
from models.tables.transfer_telling import TransferConsent, TransferNoticeText


class Answer(StrEnum):
    """What a customer answers."""

    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


ASKED: Final = "asked"
NO_ANSWER: Final = "no-answer"
# What may follow what. A refusal is not asked about again (NDSR-22); the customer may still change their mind by the
# same link before anything has moved without it.
_MAY_FOLLOW: Final[dict[str, frozenset[Answer]]] = {
    ASKED: frozenset({Answer.GIVEN, Answer.REFUSED}),
    Answer.GIVEN: frozenset({Answer.WITHDRAWN}),
    Answer.REFUSED: frozenset(),
    Answer.WITHDRAWN: frozenset(),
    NO_ANSWER: frozenset(),
}


def answer_consent(
    session: Session, notice: TransferNotice, answer: Answer, *, text: TransferNoticeText, link: str, now: datetime
) -> bool:
    """Put an answer on record, and hold the customer's row if it is no consent. False: it stands already.

    Args:
        session: of the unit.
        notice: read, and held, in this transaction.
        answer: the customer's.
        text: the words that they read.
        link: by which they came.
        now: when.

    Raises:
        WrongState: consent is not asked for, or this cannot follow what was answered before.
    """
    if notice.consent == answer.value:
        return False
    if answer not in _MAY_FOLLOW.get(notice.consent or "", frozenset()):
        raise WrongState(params={"state": notice.consent or "not-needed"})
    serial = (
        1
        + session.exec(
            select(func.count()).select_from(TransferConsent).where(col(TransferConsent.notice) == notice.id)
        ).one()
    )
    session.add(
        TransferConsent(
            id=named_token("tcn", f"{notice.id}/{serial}"),
            tenant=notice.tenant,
            job=notice.job,
            notice=notice.id,
            row_number=notice.row_number,
            subject_id=notice.subject_id,
            serial=serial,
            answer=answer.value,
            text_version=text.version,
            text_hash=text.text_hash,
            evidence_ref=link,
            at=now,
        )
    )
    _mark(session, notice, answer.value)
    if answer is not Answer.GIVEN:
        hold_row(session, notice, reason_code=f"consent-{answer}")
    return True


def no_answer(session: Session, notice: TransferNotice) -> bool:
    """Nobody answered in time: no consent. False: somebody has answered meanwhile."""
    if not _mark(session, notice, NO_ANSWER):
        return False
    hold_row(session, notice, reason_code="consent-not-given")
    return True


def _mark(session: Session, notice: TransferNotice, consent: str) -> bool:
    changed = session.exec(
        update(TransferNotice)
        .where(col(TransferNotice.id) == notice.id, col(TransferNotice.version) == notice.version)
        .values(consent=consent, version=notice.version + 1)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount)


def register_figures(session: Session, job: str) -> dict[str, int]:
    """Rows of the register by answer."""
    rows = session.exec(
        select(col(TransferConsent.answer), func.count())
        .where(col(TransferConsent.job) == job)
        .group_by(col(TransferConsent.answer))
    ).all()
    return {answer: int(count) for answer, count in rows}
