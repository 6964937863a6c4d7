"""What the notices and consents of a job say to the rules (告知与同意)."""

from datetime import datetime
from typing import Any, Final

from sqlmodel import Session, col, func, select

from models.domain.transfers.states import CONSENT_FIRST, TOLD, NoticeState
from models.tables.transfer_notices import TransferNotice
from models.tables.transfers import TransferJob

_PROVEN: Final = TOLD - {NoticeState.EXEMPT}


def told_facts(session: Session, job: TransferJob, stated: dict[str, Any], *, now: datetime) -> dict[str, object]:
    """Who was told with proof, and who consented, of those who had to be; the law exempts the others."""
    states: dict[str, int] = {}
    consents: dict[str, int] = {}
    for state, consent, count in session.exec(
        select(TransferNotice.state, TransferNotice.consent, func.count())
        .where(col(TransferNotice.job) == job.token)
        .group_by(col(TransferNotice.state), col(TransferNotice.consent))
    ):
        states[state] = states.get(state, 0) + int(count)
        if state != NoticeState.EXEMPT and consent is not None:
            consents[consent] = consents.get(consent, 0) + int(count)
    owed = sum(states.values()) - states.get(NoticeState.EXEMPT, 0)
    refused = consents.get("refused", 0)  # they stay behind: nobody moves them, and nobody asks them again
    given = consents.get("given", 0)
    facts: dict[str, object] = {
        "subjects": owed,
        "subjects_told": sum(states.get(state, 0) for state in _PROVEN),
        "subjects_consented_apart": given + refused,
        "subjects_consented_anew": given,
    }
    told_at = session.exec(select(func.max(TransferNotice.told_at)).where(col(TransferNotice.job) == job.token)).one()
    if told_at is not None:
        facts |= {
            "notice_entered_at": told_at,
            "notice_known_at": told_at,
            "notice_relied_on_at": max(now, told_at),
            "notice_channel_designated": True,  # every channel goes to a contact that the customer has left
            "assignment_notice_at": told_at,
            "creditor_change_told": states.get(NoticeState.PENDING, 0) + states.get(NoticeState.SENT, 0) == 0,
        }
    if "assignee_demand_at" not in stated:
        facts["assignee_demand_at"] = now  # none yet: the gate stands before the first
    rests = bool(set(job.classes) & {each.value for each in CONSENT_FIRST}) and not stated.get("notice_only_opinion")
    return facts | {"rests_on_consent": rests, "consented_apart": given + refused >= owed}
