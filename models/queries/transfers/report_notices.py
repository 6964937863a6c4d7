"""How the customers of a job were told, for its report: counted from the notices, one row each."""

from sqlmodel import Session, and_, col, func, or_, select

from models.domain.transfers.report import NoticeFact
from models.domain.transfers.states import CONSENT_FIRST, TOLD, MoveState, NoticeState
from models.tables.transfer_notices import TransferNotice, TransferNoticeAttempt
from models.tables.transfers import TransferJob, TransferRow

_WITH_RECEIPT = tuple(sorted(state.value for state in TOLD - {NoticeState.EXEMPT}))
COUNTERS = frozenset({"tries", "seen", "row"})  # kept beside the evidence; they show nothing
_CONSENTED = ("given", "not-needed")
_NO_CHANNEL = "none"


def notices_of(session: Session, job: TransferJob) -> NoticeFact:
    """States, channels, attempts and consents; and what must not be: told without proof, moved without either."""
    of_job = col(TransferNotice.job) == job.token
    states = session.exec(
        select(TransferNotice.state, func.count()).where(of_job).group_by(col(TransferNotice.state))
    ).all()
    channels = session.exec(
        select(TransferNotice.channel, TransferNotice.state, func.count())
        .where(of_job)
        .group_by(col(TransferNotice.channel), col(TransferNotice.state))
    ).all()
    attempts = session.exec(
        select(TransferNoticeAttempt.channel, TransferNoticeAttempt.state, func.count())
        .join(TransferNotice, col(TransferNotice.id) == col(TransferNoticeAttempt.notice))
        .where(of_job)
        .group_by(col(TransferNoticeAttempt.channel), col(TransferNoticeAttempt.state))
    ).all()
    consents = session.exec(
        select(TransferNotice.consent, func.count()).where(of_job).group_by(col(TransferNotice.consent))
    ).all()
    return NoticeFact(
        states=tuple(sorted((state, count) for state, count in states)),
        by_channel=tuple(sorted((channel or _NO_CHANNEL, state, count) for channel, state, count in channels)),
        attempts=tuple(sorted((channel, state, count) for channel, state, count in attempts)),
        consents=tuple(sorted((consent or _NO_CHANNEL, count) for consent, count in consents)),
        without_evidence=_without_evidence(session, job.token),
        without_notice=_without_notice(session, job.token),
        moved_without_consent=_without_consent(session, job),
    )


def untold(session: Session, job: str) -> int:
    """Customers who moved and are in no final state of notice, or have no notice at all."""
    told = [state.value for state in TOLD]
    open_notices = session.exec(
        select(func.count())
        .select_from(TransferNotice)
        .where(TransferNotice.job == job, col(TransferNotice.state).not_in(told))
    ).one()
    return open_notices + _without_notice(session, job)


def _without_evidence(session: Session, job: str) -> int:
    """Told, they say, but nothing shows it."""
    return sum(
        told_at is None or not evidence.keys() - COUNTERS
        for evidence, told_at in session.exec(
            select(TransferNotice.evidence, TransferNotice.told_at)
            .where(TransferNotice.job == job, col(TransferNotice.state).in_(_WITH_RECEIPT))
            .execution_options(yield_per=1000)
        )
    )


_NOTICE_OF_ROW = and_(
    col(TransferNotice.job) == col(TransferRow.job), col(TransferNotice.row_number) == col(TransferRow.number)
)


def _without_notice(session: Session, job: str) -> int:
    return session.exec(
        select(func.count())
        .select_from(TransferRow)
        .outerjoin(TransferNotice, _NOTICE_OF_ROW)
        .where(
            TransferRow.job == job,
            TransferRow.move == MoveState.MOVED,
            col(TransferRow.same_row).is_(None),  # the earlier row of the same person has the notice
            col(TransferNotice.id).is_(None),
        )
    ).one()


def _without_consent(session: Session, job: TransferJob) -> int:
    """Moved though the class wants the person's consent and it is not on record (PIPL Art. 23)."""
    if not CONSENT_FIRST & set(job.classes):
        return 0
    return session.exec(
        select(func.count())
        .select_from(TransferRow)
        .join(TransferNotice, _NOTICE_OF_ROW)
        .where(
            TransferRow.job == job.token,
            TransferRow.move == MoveState.MOVED,
            or_(col(TransferNotice.consent).is_(None), col(TransferNotice.consent).not_in(_CONSENTED)),
        )
    ).one()
