"""Follow-ups of a transfer and their record tasks: opened once, decided once, the customer told of the answer."""

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, update

from models.domain.canonical import digest
from models.domain.ids import follow_up_of_transfer
from models.domain.privacy.erasing import UNDER_WAY
from models.domain.states import TaskState, TaskType
from models.domain.tokens import named_token
from models.domain.transfers.follow_ups import ASKED_BY_CUSTOMER, LONGEST, PRIORITY, ROLE, FollowUpKind
from models.domain.transfers.notice_ids import customer_message_id
from models.domain.transfers.notice_policy import NoticePolicy
from models.errors import WrongState
from models.operations.change_requests import end_call
from models.tables.erasure import ErasureRequest
from models.tables.tasks import Task
from models.tables.transfer_notices import TransferFollowUp, TransferNotice
from models.tables.transfer_telling import CustomerMessage
from models.tables.transfers import TransferJob

OPEN: Final = "open"
DONE: Final = "done"
_MESSAGE_LIVES: Final = timedelta(days=14)


def next_follow_up(session: Session, notice: str, kind: str) -> tuple[str, bool]:
    """The id under which a follow-up of this kind stands, and whether one is open already."""
    rows = session.exec(
        select(TransferFollowUp.id, TransferFollowUp.state).where(
            col(TransferFollowUp.id).in_([named_token("tfu", f"{notice}/{kind}/{serial}") for serial in range(1, 21)])
        )
    ).all()
    for found, state in rows:
        if state == OPEN:
            return found, True
    return named_token("tfu", f"{notice}/{kind}/{len(rows) + 1}"), False


def open_follow_up(
    session: Session,
    job: TransferJob,
    notice: TransferNotice,
    *,
    kind: str,
    policy: NoticePolicy,
    now: datetime,
    note_cell: bytes | None = None,
    facts: dict[str, Any] | None = None,
) -> str:
    """Open a follow-up with its task; while one of the kind is open for the customer, it stays the only one.

    Args:
        session: of the unit.
        job: whose customer it is.
        notice: of the customer.
        kind: a `FollowUpKind`.
        policy: its clock.
        now: when it is opened.
        note_cell: the customer's words, sealed for the id that `next_follow_up` gave.
        facts: codes for whoever decides.

    Returns:
        Its id.
    """
    about = FollowUpKind(kind)
    follow_up, is_open = next_follow_up(session, notice.id, kind)
    if is_open:
        return follow_up
    due_at = now + min(LONGEST[about], timedelta(days=policy.answer_days))
    task = _task(job, notice, about, follow_up, words=note_cell is not None, facts=facts or {}, now=now, due_at=due_at)
    values = TransferFollowUp(
        id=follow_up,
        tenant=job.tenant,
        job=job.token,
        row_number=notice.row_number,
        subject_id=notice.subject_id,
        kind=kind,
        state=OPEN,
        note_cell=note_cell,
        task_id=task.id,
        due_at=due_at,
        opened_at=now,
    )
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(Task).values(**task.model_dump()).on_conflict_do_nothing())
    session.execute(insert(TransferFollowUp).values(**values.model_dump()).on_conflict_do_nothing())
    return follow_up


def _task(
    job: TransferJob,
    notice: TransferNotice,
    about: FollowUpKind,
    follow_up: str,
    *,
    words: bool,
    facts: dict[str, Any],
    now: datetime,
    due_at: datetime,
) -> Task:
    key = follow_up_of_transfer(follow_up, notice.subject_id)
    shown = {
        "followUp": follow_up,
        "record": f"/v1/transfers/{job.token}/follow-ups/{follow_up}",
        "job": job.token,
        "row": notice.row_number,
        "kind": about.value,
        "noticeState": notice.state,
        "words": words,
        **facts,
    }
    return Task(
        id=named_token("tsk", key),
        tenant=job.tenant,
        workflow_id=key,
        task_no=1,
        type=TaskType.TRANSFER_FOLLOW_UP.value,
        state=TaskState.READY.value,
        candidate_role=ROLE[about].value,
        branch=job.branch,
        priority=PRIORITY[about],
        due_at=due_at,
        title_params={"kind": about.value, "job": job.token[-6:], "row": notice.row_number},
        shown=shown,
        shown_hash=digest(shown),
        created_at=now,
        updated_at=now,
    )


def refuse_while_erasing(session: Session, follow_up: TransferFollowUp) -> None:
    """A follow-up that is linked to a request of erasure ends with it, not before.

    Raises:
        WrongState: the request is under way; its own routes decide it.
    """
    request = session.get(ErasureRequest, follow_up.erasure) if follow_up.erasure is not None else None
    if request is not None and request.state in UNDER_WAY:
        raise WrongState(detail=request.id, params={"state": request.state})


def end_follow_up(session: Session, task: Task, *, answer: str, staff_id: str, now: datetime) -> dict[str, Any]:
    """The task of a follow-up was decided: it is done, and who asked for it is told. Facts for the audit event.

    Raises:
        WrongState: it ends with a request of erasure that is under way.
    """
    follow_up = session.exec(select(TransferFollowUp).where(col(TransferFollowUp.task_id) == task.id)).one_or_none()
    if follow_up is None:  # the call after a single change request
        return end_call(session, task, now=now)
    refuse_while_erasing(session, follow_up)
    ended = session.exec(
        update(TransferFollowUp)
        .where(col(TransferFollowUp.id) == follow_up.id, col(TransferFollowUp.state) == OPEN)
        .values(state=DONE, answer=answer, done_at=now, done_by=staff_id)
        .execution_options(synchronize_session=False)
    )
    facts: dict[str, Any] = {"followUp": follow_up.id, "kind": follow_up.kind, "late": now > follow_up.due_at}
    if ended.rowcount and FollowUpKind(follow_up.kind) in ASKED_BY_CUSTOMER:
        facts["messages"] = tell_answer(session, follow_up, answer=answer, now=now)
    return facts


def tell_answer(session: Session, follow_up: TransferFollowUp, *, answer: str, now: datetime) -> int:
    """Queue the answer on both channels; the sender takes the first that reaches the customer."""
    notice = session.exec(
        select(TransferNotice).where(
            col(TransferNotice.job) == follow_up.job, col(TransferNotice.row_number) == follow_up.row_number
        )
    ).one()
    return queue_message(
        session,
        tenant=follow_up.tenant,
        subject_id=follow_up.subject_id,
        record_id=notice.record_id,
        business_key=f"follow-up/{follow_up.id}",
        kind="follow-up-answered",
        channel=notice.channel if notice.channel in {"sms", "email"} else "sms",
        language=notice.language,
        params={
            "kind": follow_up.kind,
            "answer": answer,
            "opened": follow_up.opened_at.date().isoformat(),
            "notice": notice.id,
        },
        now=now,
    )


def queue_message(
    session: Session,
    *,
    tenant: str,
    subject_id: str,
    record_id: str | None,
    business_key: str,
    kind: str,
    channel: str,
    language: str,
    params: dict[str, Any],
    now: datetime,
    to_cell: bytes | None = None,
) -> int:
    """Queue a message to a customer; under a key that is there already nothing changes. 1 if it is new, else 0."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    message = CustomerMessage(
        id=customer_message_id(tenant, business_key),
        tenant=tenant,
        subject_id=subject_id,
        record_id=record_id,
        business_key=business_key,
        kind=kind,
        channel=channel,
        language=language,
        params=params,
        to_cell=to_cell,
        state="QUEUED",
        due_at=now,
        expires_at=now + _MESSAGE_LIVES,
        created_at=now,
    )
    once = insert(CustomerMessage).values(**message.model_dump()).on_conflict_do_nothing()
    return len(session.execute(once.returning(col(CustomerMessage.id))).all())


def figures_of(session: Session, job: str) -> list[tuple[str, str, str | None, int]]:
    """Follow-ups by kind, state and answer."""
    rows = session.exec(
        select(col(TransferFollowUp.kind), col(TransferFollowUp.state), col(TransferFollowUp.answer), func.count())
        .where(col(TransferFollowUp.job) == job)
        .group_by(col(TransferFollowUp.kind), col(TransferFollowUp.state), col(TransferFollowUp.answer))
        .order_by(col(TransferFollowUp.kind), col(TransferFollowUp.state), col(TransferFollowUp.answer))
    ).all()
    return [(kind, state, answer, count) for kind, state, answer, count in rows]
