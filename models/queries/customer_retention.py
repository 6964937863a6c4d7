"""What stands against erasing a customer's record, or a row of a transfer that has become none (保存期限).

A relation that stands is a purpose of its own: nothing is erased. Where it has ended, or went to another company,
identity is kept for ten years from then (反洗钱法 Art. 34). A row that never became a record served no relation:
nothing but a legal hold keeps it.
"""

from datetime import date

from sqlmodel import Session, col, func, select

from models.domain.customers.showing import CustomerState
from models.domain.privacy.erasing import STANDING
from models.domain.privacy.retention import RULES, Bar, Obstacle, RetentionPolicy, last_day
from models.domain.shanghai import shanghai_date
from models.queries.transfers.departures import departure_of
from models.tables.customer_holders import Holder, holder_of, subjects_under
from models.tables.customers import CustomerRecord
from models.tables.erasure import LegalHold

_IDENTITY = "AML-34c-identity"


def customer_obstacles(
    session: Session, subject_id: str, *, today: date, policy: RetentionPolicy
) -> tuple[Obstacle, ...] | None:
    """What stands against it today; None if the subject is no customer and no row."""
    holder = holder_of(session, subject_id)
    if holder is None:
        return None
    bars = [Obstacle(rule=Bar.LEGAL_HOLD.value)] if _holds(session, holder) else []
    record = holder.record
    if record is None:
        return tuple(bars)
    if record.state == CustomerState.ACTIVE:
        return (*bars, Obstacle(rule=Bar.RELATION.value))
    running = [each for each in _periods(session, record, policy) if each.until is not None and each.until >= today]
    return (*bars, *running)


def customer_periods(session: Session, subject_id: str, *, policy: RetentionPolicy) -> tuple[Obstacle, ...] | None:
    """Every period that runs, or ran, over or not; None if the subject is no customer and no row."""
    holder = holder_of(session, subject_id)
    if holder is None:
        return None
    if holder.record is None or holder.record.state == CustomerState.ACTIVE:
        return ()
    return _periods(session, holder.record, policy)


def _periods(session: Session, record: CustomerRecord, policy: RetentionPolicy) -> tuple[Obstacle, ...]:
    ended_on = _ended_on(session, record)
    return (Obstacle(rule=_IDENTITY, until=last_day(RULES[_IDENTITY], ended_on, policy), event_on=ended_on),)


def _ended_on(session: Session, record: CustomerRecord) -> date:
    """When the relation went to another company, or the record was locked: nothing else has changed it since."""
    left = departure_of(session, record.id)
    return shanghai_date(record.updated_at if left is None else left.left_at)


def _holds(session: Session, holder: Holder) -> int:
    subjects = [holder.subject_id, *subjects_under(session, holder)]
    return session.exec(
        select(func.count())
        .select_from(LegalHold)
        .where(col(LegalHold.subject_id).in_(subjects), col(LegalHold.state).in_(STANDING))
    ).one()
