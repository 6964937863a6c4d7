"""The queue of notices: put in once per business key, taken for one try at a time, marked once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import or_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from models.domain.notices import SPECS, TEMPLATE_VERSION, NoticeChannel, NoticeKind, NoticeState, check_params
from models.tables.notices import Notice

# How long a try may take before another may begin: longer than every time-out of a gateway together.
TRY_LEASE: Final = timedelta(seconds=60)
_FIRST_PAUSE: Final = timedelta(seconds=2)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
_DOUBLINGS: Final = 10
_TABLE: Final = Notice.__table__  # type: ignore[attr-defined]
_QUEUE: Final = {
    "sqlite": sqlite.insert(_TABLE).on_conflict_do_nothing(index_elements=["tenant", "business_key"]),
    "postgresql": postgresql.insert(_TABLE).on_conflict_do_nothing(index_elements=["tenant", "business_key"]),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class NewNotice:
    """A notice to be queued.

    Attributes:
        business_key: what makes it this notice and no other, e.g. `<case>/due-reminder/<row>`.
        params: as `models.domain.notices.SPECS` says for the kind.
        secrets_cell: `compliance.vault.notice_secrets.seal_secrets`, for a kind that has secrets.
        send_after: not before; now, if None.
    """

    id: str
    tenant: str
    subject_id: str
    business_key: str
    kind: NoticeKind
    channel: NoticeChannel
    params: dict[str, int | str] = field(default_factory=dict)
    case_token: str | None = None
    locale: str = "zh-CN"
    secrets_cell: bytes | None = field(default=None, repr=False)
    send_after: datetime | None = None


def queue_notice(session: Session, notice: NewNotice, *, now: datetime) -> str:
    """Queue a notice; under a business key that is there already nothing changes.

    Returns:
        The id of the notice that stands under the key.

    Raises:
        ValueError: parameters that the kind does not take, or words where a code belongs.
    """
    queue_notices(session, [notice], now=now)
    return session.exec(
        select(Notice.id).where(col(Notice.tenant) == notice.tenant, col(Notice.business_key) == notice.business_key)
    ).one()


def queue_notices(session: Session, notices: Sequence[NewNotice], *, now: datetime) -> None:
    """Queue many in one statement; under a business key that is there already nothing changes.

    Raises:
        ValueError: as `queue_notice`; then none is queued.
    """
    if notices:
        session.connection().execute(_QUEUE[session.get_bind().dialect.name], [_row(each, now) for each in notices])


def _row(notice: NewNotice, now: datetime) -> dict[str, Any]:
    check_params(notice.kind, notice.params)
    if (notice.secrets_cell is not None) != bool(SPECS[notice.kind].secrets):
        raise ValueError(f"a notice {notice.kind} seals {sorted(SPECS[notice.kind].secrets)}")
    start = max(now, notice.send_after or now)
    return {
        "id": notice.id,
        "tenant": notice.tenant,
        "subject_id": notice.subject_id,
        "case_token": notice.case_token,
        "business_key": notice.business_key,
        "kind": notice.kind.value,
        "channel": notice.channel.value,
        "locale": notice.locale,
        "template_version": TEMPLATE_VERSION,
        "params": notice.params,
        "secrets_cell": notice.secrets_cell,
        "state": NoticeState.QUEUED.value,
        "attempts": 0,
        "send_after": start,
        "expires_at": start + SPECS[notice.kind].lives_for,
        "created_at": now,
    }


def begin_try(session: Session, notice_id: str, *, now: datetime) -> bool:
    """Take the notice for one try; False while it is not due, another try is under way, or it is done with."""
    return _change(
        session,
        notice_id,
        attempts=Notice.attempts + 1,
        retry_at=now + TRY_LEASE,
        only_if=(
            col(Notice.send_after) <= now,
            col(Notice.expires_at) > now,
            or_(col(Notice.retry_at).is_(None), col(Notice.retry_at) <= now),
        ),
    )


def try_later(session: Session, notice_id: str, *, attempts: int, now: datetime) -> bool:
    """The provider did not answer: the next try comes after a pause that doubles with each."""
    pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(attempts - 1, _DOUBLINGS))
    return _change(session, notice_id, retry_at=now + pause)


def postpone(session: Session, notice_id: str, *, until: datetime) -> bool:
    """Not to be sent before an hour at which people may be asked for what is overdue."""
    return _change(session, notice_id, send_after=until)


def mark_sent(session: Session, notice_id: str, *, provider_ref: str | None, now: datetime) -> bool:
    """The provider has taken it. False if it had an end already."""
    return _change(
        session,
        notice_id,
        state=NoticeState.SENT,
        provider_ref=provider_ref,
        template_version=TEMPLATE_VERSION,
        sent_at=now,
        secrets_cell=None,
        retry_at=None,
    )


def mark_unsent(session: Session, notice_id: str, *, state: NoticeState, reason_code: str) -> bool:
    """It will not be sent (`FAILED` or `SKIPPED`), for this reason. False if it had an end already."""
    return _change(session, notice_id, state=state, reason_code=reason_code, secrets_cell=None, retry_at=None)


def _change(session: Session, notice_id: str, *, only_if: tuple[Any, ...] = (), **values: Any) -> bool:
    """Change a notice that has no end yet."""
    statement = (
        update(Notice)
        .where(col(Notice.id) == notice_id, col(Notice.state) == NoticeState.QUEUED, *only_if)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(session.exec(statement).rowcount)
