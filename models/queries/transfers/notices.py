"""Reads about a transfer's notices: who is to be told, what is due, what is left, figures."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Table, exists, func, or_
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from models.domain.transfers.notice_policy import Way
from models.domain.transfers.states import TOLD, NoticeState, RowOutcome
from models.tables.transfer_notices import TransferFollowUp, TransferNotice, TransferNoticeAttempt
from models.tables.transfer_telling import TransferNoticeText
from models.tables.transfers import TransferRow

_ROWS: Final[Table] = TransferRow.__table__  # type: ignore[attr-defined]
CUSTOMERS: Final = (RowOutcome.ACCEPTED, RowOutcome.MERGED)
_TOLD: Final = [state.value for state in TOLD]
ASKED: Final = "asked"


class RowToTell(NamedTuple):
    """What of a job's row its notice is planned from."""

    number: int
    subject_id: str
    row_cell: bytes
    target_record: str | None
    same_row: int | None
    outcome: str


def rows_to_tell(session: Session, job: str, *, after: int, limit: int) -> list[RowToTell]:
    """Rows that are customers of the job, and those who wait for their own consent, by number."""
    rows = session.connection().execute(
        columns(*(_ROWS.c[name] for name in RowToTell._fields))
        .where(_ROWS.c.job == job, _ROWS.c.number > after, _ROWS.c.outcome.in_(CUSTOMERS))
        .order_by(_ROWS.c.number)
        .limit(limit)
    )
    return [RowToTell(*row) for row in rows]


def told_rows(session: Session, job: str, numbers: Sequence[int]) -> list[RowToTell]:
    """The rows of some notices, in no order."""
    rows = session.connection().execute(
        columns(*(_ROWS.c[name] for name in RowToTell._fields)).where(_ROWS.c.job == job, _ROWS.c.number.in_(numbers))
    )
    return [RowToTell(*row) for row in rows]


def first_rows(session: Session, job: str) -> dict[str, int]:
    """Of each record that several rows of the job are about, the first of these rows: one walk over the whole job."""
    rows = session.connection().execute(
        columns(_ROWS.c.target_record, func.min(_ROWS.c.number))
        .where(_ROWS.c.job == job, _ROWS.c.outcome.in_(CUSTOMERS), _ROWS.c.target_record.is_not(None))
        .group_by(_ROWS.c.target_record)
        .having(func.count() > 1)
    )
    return {record: number for record, number in rows}  # noqa: C416 - a row is no pair for a type checker


def same_customers(rows: Iterable[RowToTell], first: Mapping[str, int]) -> dict[int, int]:
    """Which of these rows are the same person as an earlier row of the job: number → that row's number."""
    same: dict[int, int] = {}
    for row in rows:
        if row.outcome != RowOutcome.MERGED:
            continue
        earlier = first.get(row.target_record or "", row.number)
        if row.same_row is not None:
            same[row.number] = row.same_row
        elif earlier < row.number:
            same[row.number] = earlier
    return same


def due_notices(
    session: Session, job: str, *, now: datetime, limit: int, is_published: bool
) -> Sequence[TransferNotice]:
    """What is to be tried, then whose wait is over; of those left for the public notice only once it is out.

    One state after the other, in the order of the index: a sort over all that is due would be made for each part.
    """
    found: list[TransferNotice] = []
    for state in (NoticeState.PENDING, NoticeState.SENT):
        query = select(TransferNotice).where(
            col(TransferNotice.job) == job, col(TransferNotice.state) == state.value, col(TransferNotice.due_at) <= now
        )
        if not is_published:
            query = query.where(col(TransferNotice.channel) != Way.PUBLIC.value)
        found += session.exec(query.order_by(col(TransferNotice.due_at)).limit(limit - len(found))).all()
        if len(found) == limit:
            break
    return found


def newest_attempts(session: Session, notices: Sequence[TransferNotice]) -> dict[str, TransferNoticeAttempt]:
    """The newest attempt of each notice that has one."""
    rows = session.exec(
        select(TransferNoticeAttempt)
        .join(TransferNotice, col(TransferNotice.id) == col(TransferNoticeAttempt.notice))
        .where(
            col(TransferNotice.id).in_([notice.id for notice in notices]),
            col(TransferNoticeAttempt.number) == col(TransferNotice.attempts),
        )
    ).all()
    return {row.notice: row for row in rows}


def notices_by_id(session: Session, ids: Sequence[str]) -> dict[str, TransferNotice]:
    """Notices as they stand now, by id, for whoever is about to change them."""
    rows = session.exec(
        select(TransferNotice)
        .where(col(TransferNotice.id).in_(ids))
        .order_by(col(TransferNotice.id))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    return {row.id: row for row in rows}


def attempts_by_id(session: Session, ids: Collection[str]) -> dict[str, TransferNoticeAttempt]:
    """Attempts by id, those that there are."""
    rows = session.exec(select(TransferNoticeAttempt).where(col(TransferNoticeAttempt.id).in_(list(ids)))).all()
    return {row.id: row for row in rows}


def jobs_of_notices(session: Session, ids: Collection[str]) -> dict[str, str]:
    """The job of each of these notices."""
    rows = session.exec(
        select(TransferNotice.id, TransferNotice.job).where(col(TransferNotice.id).in_(list(ids)))
    ).all()
    return dict(rows)


def attempts_of(session: Session, notice: str) -> Sequence[TransferNoticeAttempt]:
    """Every attempt of a notice, first one first."""
    return session.exec(
        select(TransferNoticeAttempt)
        .where(col(TransferNoticeAttempt.notice) == notice)
        .order_by(col(TransferNoticeAttempt.number))
    ).all()


def texts_of_job(session: Session, job: str) -> dict[tuple[str, str], TransferNoticeText]:
    """The words of a job by language and channel."""
    rows = session.exec(select(TransferNoticeText).where(col(TransferNoticeText.job) == job)).all()
    return {(row.language, row.channel): row for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class Left:
    """What of a job's notices is not settled.

    Attributes:
        untold: customers in no final state.
        unplanned: customers without a notice.
        unanswered: customers who were told, and whose answer is waited for.
        next_at: when the next of them is due; None: nothing but the public notice is left.
        for_public: of the untold, those whom no channel reached.
    """

    untold: int
    unplanned: int
    unanswered: int
    for_public: int
    next_at: datetime | None

    @property
    def count(self) -> int:
        """Customers without a final state."""
        return self.untold + self.unplanned + self.unanswered


def left_of_job(session: Session, job: str, *, consent_days: int) -> Left:
    """What is not settled."""
    untold = col(TransferNotice.state).not_in(_TOLD)
    mine = col(TransferNotice.job) == job
    by_way = session.exec(
        select(col(TransferNotice.channel), func.count(), func.min(col(TransferNotice.due_at)))
        .where(mine, untold)
        .group_by(col(TransferNotice.channel))
    ).all()
    unanswered, first_told = session.exec(
        select(func.count(), func.min(col(TransferNotice.told_at))).where(
            mine, ~untold, col(TransferNotice.consent) == ASKED
        )
    ).one()
    unplanned = session.exec(
        select(func.count())
        .select_from(TransferRow)
        .where(
            col(TransferRow.job) == job,
            col(TransferRow.outcome).in_(CUSTOMERS),
            ~exists().where(
                col(TransferNotice.job) == col(TransferRow.job),
                col(TransferNotice.row_number) == col(TransferRow.number),
            ),
        )
    ).one()
    due = [at for way, _, at in by_way if way != Way.PUBLIC and at is not None]
    if first_told is not None:
        due.append(first_told + timedelta(days=consent_days))
    return Left(
        untold=sum(count for _, count, _ in by_way),
        unplanned=unplanned,
        unanswered=unanswered,
        for_public=sum(count for way, count, _ in by_way if way == Way.PUBLIC),
        next_at=min(due) if due else None,
    )


def unanswered(session: Session, job: str, *, told_before: datetime, limit: int) -> Sequence[TransferNotice]:
    """Customers who were asked for consent, and told for so long that no answer counts as none."""
    return session.exec(
        select(TransferNotice)
        .where(
            col(TransferNotice.job) == job,
            col(TransferNotice.consent) == ASKED,
            or_(
                col(TransferNotice.told_at) <= told_before,
                # Whom only the public notice reached was never asked in person.
                col(TransferNotice.state) == NoticeState.PUBLIC_NOTICE.value,
            ),
            col(TransferNotice.state).in_(_TOLD),
        )
        .order_by(col(TransferNotice.id))
        .limit(limit)
    ).all()


def follow_ups_open(session: Session, job: str) -> int:
    """How many follow-ups wait for a person."""
    return session.exec(
        select(func.count())
        .select_from(TransferFollowUp)
        .where(col(TransferFollowUp.job) == job, col(TransferFollowUp.state) == "open")
    ).one()


def figures(session: Session, job: str) -> list[tuple[str, str | None, str | None, int]]:
    """Customers by state, channel and consent."""
    rows = session.exec(
        select(col(TransferNotice.state), col(TransferNotice.channel), col(TransferNotice.consent), func.count())
        .where(col(TransferNotice.job) == job)
        .group_by(col(TransferNotice.state), col(TransferNotice.channel), col(TransferNotice.consent))
        .order_by(col(TransferNotice.state), col(TransferNotice.channel), col(TransferNotice.consent))
    ).all()
    return [(state, channel, consent, count) for state, channel, consent, count in rows]


def untold(session: Session, job: str, *, after: int, limit: int) -> Sequence[TransferNotice]:
    """Customers in no final state, by row."""
    return session.exec(
        select(TransferNotice)
        .where(
            col(TransferNotice.job) == job,
            col(TransferNotice.state).not_in(_TOLD),
            col(TransferNotice.row_number) > after,
        )
        .order_by(col(TransferNotice.row_number))
        .limit(limit)
    ).all()


def notice_of_row(session: Session, job: str, row_number: int) -> TransferNotice | None:
    """The notice of one customer."""
    return session.exec(
        select(TransferNotice).where(col(TransferNotice.job) == job, col(TransferNotice.row_number) == row_number)
    ).one_or_none()


def gate_facts(session: Session, job: str, *, items: Sequence[str]) -> dict[str, object]:
    """What the gate of notices is asked about (`compliance.rules.transfers`): who was told, who has consented.

    Args:
        session: any.
        job: its token.
        items: what the notices of the job hold (`models.domain.transfers.notice_facts.ITEMS`).
    """
    moving = exists().where(
        col(TransferRow.job) == col(TransferNotice.job),
        col(TransferRow.number) == col(TransferNotice.row_number),
        col(TransferRow.outcome).in_(CUSTOMERS),
    )
    rows = session.exec(
        select(col(TransferNotice.state), col(TransferNotice.consent), func.count())
        .where(col(TransferNotice.job) == job, moving)
        .group_by(col(TransferNotice.state), col(TransferNotice.consent))
    ).all()
    return {
        "subjects": sum(count for _, _, count in rows),
        "subjects_told": sum(count for state, _, count in rows if state in _TOLD),
        "subjects_consented_apart": sum(count for _, consent, count in rows if consent == "given"),
        "recipient_notice_items": sorted(items),
    }
