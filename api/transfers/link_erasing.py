"""A customer asks by their link to be erased: a request of erasure on the one path that there is for it (删除权)."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from compliance.audit.deeds import shown_hash
from models.domain.privacy.erasing import UNDER_WAY, ErasureState, Ground
from models.domain.shanghai import shanghai_date
from models.domain.tokens import new_token
from models.operations import erasure
from models.operations.erasure import NewErasure
from models.operations.transfers.erasure_follow_ups import link_request
from models.queries.retention import obstacles_of, periods_of
from models.tables.customer_holders import subject_of_row
from models.tables.erasure import ErasureRequest
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferRow

_WITHDRAWN = frozenset({"refused", "withdrawn"})


def ask_erasure(
    session: Session, notice: TransferNotice, follow_up: str, *, link: str, now: datetime
) -> dict[str, Any]:
    """Make the request that a follow-up ends with; facts for the audit event.

    While nothing stands against it, it waits to be made their own by a privacy officer, and for a second one
    (`PROPOSED`); what stands against it refuses it at once, and the follow-up with it.

    Raises:
        NotFound, WrongState: the customer is nobody of ours, or was erased.
    """
    row = session.get_one(TransferRow, (notice.job, notice.row_number))
    subject = subject_of_row(session, row)
    erasure.hold_person(session, subject)
    under_way = session.exec(
        select(ErasureRequest).where(
            col(ErasureRequest.subject_id) == subject,
            col(ErasureRequest.state).in_([each.value for each in UNDER_WAY]),
        )
    ).first()
    if under_way is not None:  # somebody of the staff asked before, for the same person
        link_request(session, follow_up, under_way, now=now)
        return {"erasure": under_way.id, "erasureState": under_way.state}
    new = NewErasure(
        id=new_token("era"),
        tenant=notice.tenant,
        subject_id=subject,
        ground=Ground.CONSENT_WITHDRAWN if notice.consent in _WITHDRAWN else Ground.PURPOSE_REACHED,
        proposer=link,
    )
    standing = obstacles_of(session, subject, tenant=notice.tenant, today=shanghai_date(now))
    bound = shown_hash(erasure.shown(new))
    periods = periods_of(session, subject, tenant=notice.tenant)
    made = erasure.make(session, new, shown_hash=bound, standing=standing, now=now, periods=periods)
    link_request(session, follow_up, made, now=now)
    facts: dict[str, Any] = {"erasure": made.id, "erasureState": made.state, "ground": made.ground}
    return facts | ({"obstacles": made.obstacles} if made.state == ErasureState.REFUSED else {})
