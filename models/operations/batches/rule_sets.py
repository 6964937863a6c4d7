"""Versions of rule sets (规则集): drafted, tried on a sample, proposed, and decided by a second person. Over a session.

A version that is decided never changes; the next one has the next number. Of a set one waits at a time (constraint).
"""

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, or_, select, update

from models.domain.batches.kinds import KindName
from models.domain.batches.rulesets.version import RuleSet
from models.domain.batches.states import RuleSetState
from models.domain.canonical import digest
from models.domain.tokens import new_token
from models.errors import Conflict, FourEyesViolation, RuleSetNotTested, ShownChanged, WrongState
from models.operations.four_eyes import By, stand_as_checker, stand_as_maker
from models.tables.batch_rules import BatchRuleSet, BatchRuleVersion

_BEFORE_PROPOSAL: Final = (RuleSetState.DRAFT.value, RuleSetState.TESTED.value)


def set_named(session: Session, *, tenant: str, name: str, kind: KindName, now: datetime) -> BatchRuleSet:
    """The set of a name, made if there is none.

    Raises:
        Conflict: the name stands for a set of another kind.
    """
    named = select(BatchRuleSet).where(col(BatchRuleSet.tenant) == tenant, col(BatchRuleSet.name) == name)
    found = session.exec(named).one_or_none()
    if found is None:
        found = BatchRuleSet(id=new_token("brs"), tenant=tenant, name=name, kind=kind.value, created_at=now)
        session.add(found)
        _flush(session, name)
    if found.kind != kind:
        raise Conflict(detail=name, params={"field": "kind"})
    return found


def add_version(
    session: Session, rules: RuleSet, *, to: BatchRuleSet, number: int, by: By, now: datetime
) -> BatchRuleVersion:
    """Draft a version.

    Raises:
        Conflict: the number is taken, or the set has these very rules already.
    """
    version = BatchRuleVersion(
        rule_set=to.id,
        number=number,
        tenant=to.tenant,
        body=rules.as_record(),
        body_hash=rules.hash,
        valid_from=rules.valid_from,
        valid_to=rules.valid_to,
        state=RuleSetState.DRAFT.value,
        made_by=by.staff_id,
        made_by_person=by.person_id,
        created_at=now,
    )
    session.add(version)
    _flush(session, f"{to.name}/{number}")
    return version


def note_test(session: Session, version: BatchRuleVersion, *, expected: dict[str, Any], passed: bool) -> None:
    """Keep what a sample should hit, and whether it did.

    Raises:
        WrongState: the version was proposed already.
    """
    state = RuleSetState.TESTED if passed else RuleSetState.DRAFT
    _move(session, version, from_=_BEFORE_PROPOSAL, state=state.value, expected=expected)


def propose_version(session: Session, version: BatchRuleVersion, *, by: By, now: datetime) -> None:
    """Lay a tested version before a second person; who wrote it and who proposes it are its makers.

    Raises:
        RuleSetNotTested: no sample has hit what is expected.
        WrongState: it was proposed before.
        Conflict: another version of the set waits.
    """
    if version.state == RuleSetState.DRAFT:
        raise RuleSetNotTested(detail=version.rule_set)
    try:
        _move(session, version, from_=(RuleSetState.TESTED.value,), state=RuleSetState.PROPOSED.value)
    except IntegrityError:
        raise Conflict(detail=version.rule_set) from None
    for person in {version.made_by_person, by.person_id}:
        stand_as_maker(
            session,
            tenant=version.tenant,
            subject=shown_hash(version),
            person_id=person,
            record_id=f"{version.rule_set}/{version.number}",
            now=now,
        )
    session.flush()


def decide_version(
    session: Session,
    version: BatchRuleVersion,
    *,
    approve: bool,
    shown: str,
    reason_code: str | None,
    by: By,
    now: datetime,
) -> None:
    """A second person's word on what they were shown.

    Raises:
        ShownChanged: they were shown something else.
        FourEyesViolation: they made it, under whichever account.
        WrongState: it does not wait.
    """
    if shown != shown_hash(version):
        raise ShownChanged
    if version.made_by_person == by.person_id:
        raise FourEyesViolation
    state = RuleSetState.APPROVED if approve else RuleSetState.REFUSED
    _move(
        session,
        version,
        from_=(RuleSetState.PROPOSED.value,),
        state=state.value,
        decided_by=by.staff_id,
        decided_by_person=by.person_id,
        reason_code=reason_code,
        decided_at=now,
    )
    stand_as_checker(
        session,
        tenant=version.tenant,
        subject=shown,
        person_id=by.person_id,
        record_id=f"{version.rule_set}/{version.number}",
        now=now,
    )


def shown_hash(version: BatchRuleVersion) -> str:
    """What an approval is bound to: the version, its rules and what its sample had to hit."""
    return digest(
        {
            "ruleSet": version.rule_set,
            "number": version.number,
            "bodyHash": version.body_hash,
            "expected": version.expected,
        }
    )


def _move(session: Session, version: BatchRuleVersion, *, from_: tuple[str, ...], **values: Any) -> None:
    moved = session.exec(
        update(BatchRuleVersion)
        .where(
            col(BatchRuleVersion.rule_set) == version.rule_set,
            col(BatchRuleVersion.number) == version.number,
            col(BatchRuleVersion.state).in_(from_),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    ).rowcount
    if not moved:
        raise WrongState(detail=version.rule_set, params={"state": version.state})
    session.refresh(version)


def _flush(session: Session, detail: str) -> None:
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail=detail) from None


def has_approved(session: Session, named: str, *, tenant: str, kind: KindName, on: date) -> bool:
    """Whether a set, by name or id, is of the kind and has an approved version that holds on the date or later."""
    found = session.exec(
        select(BatchRuleVersion.number)
        .join(BatchRuleSet, col(BatchRuleSet.id) == col(BatchRuleVersion.rule_set))
        .where(
            col(BatchRuleSet.tenant) == tenant,
            col(BatchRuleSet.kind) == kind.value,
            or_(col(BatchRuleSet.id) == named, col(BatchRuleSet.name) == named),
            col(BatchRuleVersion.state) == RuleSetState.APPROVED.value,
            or_(col(BatchRuleVersion.valid_to).is_(None), col(BatchRuleVersion.valid_to) >= on),
        )
    )
    return found.first() is not None
