"""What interrupts limitation of a debt (诉讼时效中断), by case: each debit and each contact about it, with its day.

SPC-CARD-3 (最高人民法院关于审理银行卡民事纠纷案件若干问题的规定 Art. 3): limitation is interrupted by an agreed
debit of principal or interest, and by SMS, letter or e-mail to the contacts that the holder left; 民法典 Art. 195: by a
demand. The events are read from the records that are never changed: postings, the contact log, notices that went out.
Strictly read, a debit that came back interrupts nothing, nor does a call that nobody answered or that the customer
made, nor one to a person who does not owe.
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from sqlmodel import Session, col, select

from models.domain.application import ContactChannel, ContactDirection
from models.domain.contact_rules import UNANSWERED
from models.domain.notices import NoticeKind, NoticeState
from models.domain.rule_words import ContactRole
from models.domain.servicing.events import EventKind, PaymentChannel
from models.domain.shanghai import shanghai_date
from models.tables.agreements import Agreement, AgreementEvent
from models.tables.installments import CaseContact
from models.tables.notices import Notice

# Notices that ask the customer to pay.
ASKING: Final = (
    NoticeKind.DUE_REMINDER,
    NoticeKind.DEBIT_FAILED,
    NoticeKind.MISSED_PAYMENT,
    NoticeKind.DEFAULT_WARNING,
)
_WRITTEN: Final = (ContactChannel.MESSAGE.value, ContactChannel.LETTER.value)
_OWING: Final = (ContactRole.DEBTOR.value, ContactRole.GUARANTOR.value)


class LimitationKind(StrEnum):
    """What interrupted it."""

    DEBIT = "debit"
    CONTACT = "contact"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitationEvent:
    """One interruption: its day in Shanghai, what it was, and the record that proves it."""

    on: date
    kind: LimitationKind
    record: str


def limitation_events(session: Session, case_token: str) -> list[LimitationEvent]:
    """Every interruption of a case, oldest first."""
    found = [*_debits(session, case_token), *_contacts(session, case_token), *_notices(session, case_token)]
    return sorted(found, key=lambda event: (event.on, event.kind, event.record))


def _debits(session: Session, case_token: str) -> list[LimitationEvent]:
    events = session.exec(
        select(AgreementEvent)
        .join(Agreement, col(Agreement.id) == col(AgreementEvent.agreement_id))
        .where(
            col(Agreement.case_token) == case_token,
            col(AgreementEvent.kind).in_((EventKind.PAYMENT.value, EventKind.REVERSAL.value)),
        )
    ).all()
    undone = {event.target for event in events if event.kind == EventKind.REVERSAL}
    return [
        LimitationEvent(on=event.value_date, kind=LimitationKind.DEBIT, record=event.id)
        for event in events
        if event.params.get("channel") == PaymentChannel.DEBIT and event.id not in undone
    ]


def _contacts(session: Session, case_token: str) -> list[LimitationEvent]:
    rows = session.exec(
        select(CaseContact).where(
            col(CaseContact.case_token) == case_token,
            col(CaseContact.direction) == ContactDirection.OUT.value,
            col(CaseContact.purpose).is_not(None),
            col(CaseContact.role).in_(_OWING),
        )
    ).all()
    return [
        LimitationEvent(on=shanghai_date(row.at), kind=LimitationKind.CONTACT, record=row.id)
        for row in rows
        if row.channel in _WRITTEN or row.result_code not in UNANSWERED
    ]


def _notices(session: Session, case_token: str) -> list[LimitationEvent]:
    sent = session.exec(
        select(Notice.id, Notice.sent_at).where(
            col(Notice.case_token) == case_token,
            col(Notice.kind).in_(ASKING),
            col(Notice.state) == NoticeState.SENT.value,
        )
    ).all()
    return [
        LimitationEvent(on=shanghai_date(at), kind=LimitationKind.NOTICE, record=notice_id)
        for notice_id, at in sent
        if at is not None
    ]
