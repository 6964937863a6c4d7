"""Payloads of the step that sends a notice (通知): ids only; who and what is read by the activity."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SendNoticeInput:
    """Send one queued notice."""

    notice_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class NoticeAnswer:
    """How the notice stands: `QUEUED` when its time has not come, else what became of it."""

    notice_id: str
    state: str  # models.domain.notices.NoticeState
    reason_code: str | None = None
