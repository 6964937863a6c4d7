"""Feedback on a run (反馈) by customers and staff, linked to the version of the rules that it ran under.

The words are sealed by the caller: under the customer's key, or of staff under the row's own. Functions over a session.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlmodel import Session

from models.errors import FieldFault, FormInvalid, NotFound
from models.tables.batch_books import BatchFeedback
from models.tables.batch_runs import BatchOrder, BatchRun

BEST: Final = 5


class FeedbackOrigin(StrEnum):
    """Whose it is."""

    CUSTOMER = "customer"
    STAFF = "staff"


class FeedbackTopic(StrEnum):
    """What it is about."""

    TIMING = "timing"
    AMOUNT = "amount"
    NOTICE = "notice"
    RETRIES = "retries"
    SERVICE = "service"
    OPERATIONS = "operations"


def new_feedback(
    session: Session,
    *,
    feedback_id: str,
    run: str,
    tenant: str,
    origin: FeedbackOrigin,
    topic: str,
    score: int | None,
    text_cell: bytes | None,
    given_by: str,
    now: datetime,
    order_id: str | None = None,
) -> BatchFeedback:
    """Keep one piece; a repeated id is the same piece.

    Args:
        session: of the unit.
        feedback_id: made by the caller before the words were sealed.
        run: that it is about, of this tenant.
        tenant: of the caller.
        origin: a customer's is about an order of theirs.
        topic: one of `FeedbackTopic`.
        score: 1 to 5, or none.
        text_cell: the sealed words, or none.
        given_by: staff id, or the link by which the customer came.
        now: when.
        order_id: of the run.

    Raises:
        NotFound: no such run or order of this tenant.
        FormInvalid: topic or score are none, or a customer names no order, or nothing is said at all.
    """
    kept = session.get(BatchFeedback, feedback_id)
    if kept is not None and kept.tenant == tenant:
        return kept
    found = session.get(BatchRun, run)
    order = session.get(BatchOrder, order_id) if order_id is not None else None
    if found is None or found.tenant != tenant or (order_id is not None and (order is None or order.run != run)):
        raise NotFound(detail=run)
    faults = _faults(origin, topic, score, text_cell, order_id)
    if faults:
        raise FormInvalid(faults=faults)
    feedback = BatchFeedback(
        id=feedback_id,
        tenant=tenant,
        run=run,
        rule_version=found.rule_version,
        order_id=order_id,
        origin=origin,
        subject_id=order.subject_id if origin is FeedbackOrigin.CUSTOMER and order is not None else feedback_id,
        topic=topic,
        score=score,
        text_cell=text_cell,
        given_by=given_by,
        at=now,
    )
    session.add(feedback)
    session.flush()
    return feedback


def _faults(
    origin: FeedbackOrigin, topic: str, score: int | None, text_cell: bytes | None, order_id: str | None
) -> tuple[FieldFault, ...]:
    found = []
    if topic not in list(FeedbackTopic):
        found.append(FieldFault(pointer="/topic", code="not-one-of", params={"allowed": ", ".join(FeedbackTopic)}))
    if score is not None and not 1 <= score <= BEST:
        code = "too-small" if score < 1 else "too-large"
        found.append(FieldFault(pointer="/score", code=code, params={"limit": 1 if score < 1 else BEST}))
    if score is None and text_cell is None:
        found.append(FieldFault(pointer="/score", code="required"))
    if origin is FeedbackOrigin.CUSTOMER and order_id is None:
        found.append(FieldFault(pointer="/orderId", code="required"))
    return tuple(found)
