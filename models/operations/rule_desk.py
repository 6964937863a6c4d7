"""Drafts about the rules: written by one person, approved or rejected by another, neither ever changed.

Four-eyes (双人复核) holds in three layers here, besides the API: who decides is compared with who drafted, the row of
the decision cannot be written with both the same, and `four_eyes` is unique over subject and person.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from models.domain.rule_desk import DraftKind, DraftState
from models.errors import Conflict, FieldFault, FormInvalid, FourEyesViolation, NotFound, ShownChanged, WrongState
from models.operations.four_eyes import stand_as_checker, stand_as_maker
from models.tables.rule_desk import RuleDraft, RuleDraftDecision


@dataclass(frozen=True, kw_only=True, slots=True)
class NewDraft:
    """What one person proposes."""

    id: str
    tenant: str
    kind: DraftKind
    version: str
    valid_from: date
    definition: dict[str, Any]

    def shown(self) -> dict[str, object]:
        """What both persons see; its hash is what the second one is bound to."""
        return {
            "draft": self.id,
            "kind": self.kind.value,
            "version": self.version,
            "validFrom": self.valid_from.isoformat(),
            "definition": self.definition,
        }


def add_draft(
    session: Session, new: NewDraft, *, shown_hash: str, by_staff: str, by_person: str, now: datetime
) -> RuleDraft:
    """Write a draft that waits for a second person.

    Raises:
        Conflict: the version has been used for this kind before.
    """
    draft = RuleDraft(
        id=new.id,
        tenant=new.tenant,
        kind=new.kind.value,
        version=new.version,
        valid_from=new.valid_from,
        definition=new.definition,
        shown_hash=shown_hash,
        drafted_by=by_staff,
        drafted_by_person=by_person,
        drafted_at=now,
    )
    session.add(draft)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=f"{new.kind} {new.version}") from None
    stand_as_maker(session, **_stand(draft), person_id=by_person, now=now)
    session.flush()
    return draft


def decide_draft(
    session: Session,
    *,
    tenant: str,
    draft_id: str,
    shown_hash: str,
    approve: bool,
    by_staff: str,
    by_person: str,
    earliest: date,
    now: datetime,
) -> RuleDraftDecision:
    """The second person's word on a draft. `earliest` is the first day on which nothing was judged yet.

    Raises:
        NotFound: there is no such draft.
        ShownChanged: the caller was shown something else.
        WrongState: it was decided before.
        FourEyesViolation: the person drafted it.
        FormInvalid: a policy would begin on a day that has begun: what was judged by another stays so.
        Conflict: another policy has been approved for the same first day, or another calendar at the same moment.
    """
    draft = session.get(RuleDraft, draft_id)
    if draft is None or draft.tenant != tenant:
        raise NotFound
    if draft.shown_hash != shown_hash:
        raise ShownChanged
    if session.get(RuleDraftDecision, draft_id) is not None:
        raise WrongState(params={"state": state_of(session, draft_id).value})
    if by_person == draft.drafted_by_person:
        raise FourEyesViolation
    if approve and draft.kind == DraftKind.POLICY:
        check_begins(draft.valid_from, earliest=earliest)
    decision = RuleDraftDecision(
        draft_id=draft.id,
        tenant=tenant,
        kind=draft.kind,
        slot=_slot(session, draft) if approve else None,
        approved=approve,
        drafted_by_person=draft.drafted_by_person,
        decided_by=by_staff,
        decided_by_person=by_person,
        decided_at=now,
    )
    session.add(decision)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=draft_id) from None
    stand_as_checker(session, **_stand(draft), person_id=by_person, now=now)
    return decision


def check_begins(valid_from: date, *, earliest: date) -> None:
    """Refuse a policy for a day that has begun.

    Raises:
        FormInvalid: with the earliest day.
    """
    if valid_from < earliest:
        params: dict[str, str | int] = {"min": earliest.isoformat()}
        raise FormInvalid(faults=(FieldFault(pointer="/validFrom", code="date-past", params=params),))


def state_of(session: Session, draft_id: str) -> DraftState:
    """What became of a draft."""
    approved = session.exec(
        select(RuleDraftDecision.approved).where(col(RuleDraftDecision.draft_id) == draft_id)
    ).one_or_none()
    if approved is None:
        return DraftState.DRAFTED
    return DraftState.APPROVED if approved else DraftState.REJECTED


def _slot(session: Session, draft: RuleDraft) -> str:
    """What only one approved draft may hold: a policy its first day, a calendar its place in the order of its year."""
    if draft.kind == DraftKind.POLICY:
        return draft.valid_from.isoformat()
    year = draft.valid_from.year
    before = session.exec(
        select(func.count())
        .select_from(RuleDraftDecision)
        .where(
            col(RuleDraftDecision.tenant) == draft.tenant,
            col(RuleDraftDecision.kind) == draft.kind,
            col(RuleDraftDecision.slot).like(f"{year}/%"),
        )
    ).one()
    return f"{year}/{before + 1:06d}"


def _stand(draft: RuleDraft) -> dict[str, str]:
    return {"tenant": draft.tenant, "subject": draft.shown_hash, "record_id": draft.id}
