"""Changes to staff: accounts, passwords, and changes of roles that take two persons. Functions over a session.

Four-eyes (双人复核) on a change of roles holds in three layers: the API asks before, the compare-and-set of
`decide_role_change` asks who made it and whom it is for, and `four_eyes` is unique over subject and person. The person
the change is for has a row of his own in that table, so that he cannot be the second person either.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import UpdateBase, delete, exists, false, insert, or_, true, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from models.domain.roles import Role
from models.domain.tokens import new_token
from models.errors import (
    Conflict,
    FieldFault,
    FormInvalid,
    FourEyesViolation,
    NotFound,
    ShownChanged,
    StaleVersion,
    WrongState,
)
from models.operations.four_eyes import MAKER, stand_as_checker, stand_as_maker
from models.tables.staff import LoginThrottle, RoleChange, Staff, StaffRole
from models.tables.tasks import FourEyes

PROPOSED: Final = "PROPOSED"
CONFIRMED: Final = "CONFIRMED"
REJECTED: Final = "REJECTED"
CONCERNED: Final = "target"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewStaff:
    """An account to be made.

    Attributes:
        person_id: of a person who has an account already; None for a new person.
        password_hash: of a first password, which its owner must change; None where an outside issuer logs people in.
    """

    tenant: str
    login: str
    name: str
    branch: str
    locale: str
    person_id: str | None = None
    password_hash: str | None = None
    external_subject: str | None = None


def create_staff(session: Session, new: NewStaff, *, staff_id: str, now: datetime) -> Staff:
    """Make an account without any role.

    Raises:
        Conflict: the log-in name, or the outside issuer's name for the person, is taken.
        FormInvalid: there is no such person.
    """
    if new.person_id is not None:
        known = session.scalar(
            select(col(Staff.id)).where(col(Staff.tenant) == new.tenant, col(Staff.person_id) == new.person_id).limit(1)
        )
        if known is None:
            raise FormInvalid(faults=(FieldFault(pointer="/personId", code="unknown-person"),))
    staff = Staff(
        id=staff_id,
        tenant=new.tenant,
        person_id=new.person_id or new_token("prs"),
        login=new.login,
        name=new.name,
        branch=new.branch,
        locale=new.locale,
        password_hash=new.password_hash,
        password_initial=new.password_hash is not None,
        external_subject=new.external_subject,
        created_at=now,
    )
    session.add(staff)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict(detail="staff login or external subject") from None
    return staff


def seed_staff(
    session: Session,
    new: NewStaff,
    *,
    roles: frozenset[Role],
    authority_amount_minor: int = 0,
    authority_concession_bps: int = 0,
    now: datetime,
) -> Staff:
    """Make an account with roles, past four-eyes: for the operator who sets an installation up.

    Raises:
        Conflict, FormInvalid: as `create_staff`.
    """
    staff = create_staff(session, new, staff_id=new_token("stf"), now=now)
    staff.password_initial = False
    staff.authority_amount_minor = authority_amount_minor
    staff.authority_concession_bps = authority_concession_bps
    session.add_all(StaffRole(staff_id=staff.id, role=role.value) for role in sorted(roles))
    session.flush()
    return staff


def set_password(session: Session, *, staff_id: str, password_hash: str) -> None:
    """Keep a password that its owner chose."""
    _execute(
        session,
        update(Staff)
        .where(col(Staff.id) == staff_id)
        .values(password_hash=password_hash, password_initial=False, version=col(Staff.version) + 1),
    )


def deactivate_staff(session: Session, *, tenant: str, staff_id: str, read_version: int, now: datetime) -> None:
    """Shut an account; its tokens are void from the next request on.

    Raises:
        NotFound: there is no such account.
        WrongState: it is shut already.
        StaleVersion: it has changed since it was read.
    """
    done = _execute(
        session,
        update(Staff)
        .where(
            col(Staff.tenant) == tenant,
            col(Staff.id) == staff_id,
            col(Staff.version) == read_version,
            col(Staff.active).is_(True),
        )
        .values(active=False, not_before=now, version=col(Staff.version) + 1),
    )
    if done:
        return
    staff = session.get(Staff, staff_id, populate_existing=True)
    if staff is None or staff.tenant != tenant:
        raise NotFound
    if not staff.active:
        raise WrongState(params={"state": "inactive"})
    raise StaleVersion(params={"currentVersion": staff.version})


def unlock_login(session: Session, *, bucket: str) -> None:
    """Open an account again that came to the hard stop of failed log-ins."""
    _execute(
        session, update(LoginThrottle).where(col(LoginThrottle.bucket) == bucket).values(failures=0, consecutive=0)
    )


# Changes of roles -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """What an account shall hold afterwards: all its roles and authority, not a difference."""

    change_id: str
    tenant: str
    staff_id: str
    staff_version: int
    roles: frozenset[Role]
    authority_amount_minor: int
    authority_concession_bps: int

    def shown(self) -> dict[str, object]:
        """What both persons see; its hash is what the second one is bound to."""
        return {
            "change": self.change_id,
            "staff": self.staff_id,
            "staffVersion": self.staff_version,
            "roles": sorted(role.value for role in self.roles),
            "authorityAmountMinor": self.authority_amount_minor,
            "authorityConcessionBps": self.authority_concession_bps,
        }


def propose_role_change(
    session: Session, proposal: Proposal, *, shown_hash: str, by_staff: str, by_person: str, now: datetime
) -> RoleChange:
    """Write a change that waits for a second person.

    Raises:
        NotFound: there is no such account.
        StaleVersion: it has changed since it was read.
    """
    staff = session.get(Staff, proposal.staff_id)
    if staff is None or staff.tenant != proposal.tenant:
        raise NotFound
    if staff.version != proposal.staff_version:
        raise StaleVersion(params={"currentVersion": staff.version})
    change = RoleChange(
        id=proposal.change_id,
        tenant=proposal.tenant,
        staff_id=proposal.staff_id,
        staff_version=proposal.staff_version,
        roles=sorted(role.value for role in proposal.roles),
        authority_amount_minor=proposal.authority_amount_minor,
        authority_concession_bps=proposal.authority_concession_bps,
        shown_hash=shown_hash,
        state=PROPOSED,
        proposed_by=by_staff,
        proposed_at=now,
    )
    session.add(change)
    stand_as_maker(session, **_stand(change), person_id=by_person, now=now)
    if staff.person_id != by_person:
        stand_as_maker(session, **_stand(change), person_id=staff.person_id, now=now, side=CONCERNED)
    session.flush()
    return change


def persons_barred(session: Session, *, shown_hash: str) -> frozenset[str]:
    """Who may not be the second person of a change: who made it, and whom it is for."""
    rows = session.exec(
        select(col(FourEyes.person_id)).where(
            col(FourEyes.subject) == shown_hash, col(FourEyes.side).in_((MAKER, CONCERNED))
        )
    )
    return frozenset(rows)


def decide_role_change(
    session: Session,
    *,
    tenant: str,
    change_id: str,
    shown_hash: str,
    confirm: bool,
    by_staff: str,
    by_person: str,
    now: datetime,
) -> RoleChange:
    """Confirm or reject a change as the second person. A confirmed one holds at the next request of the account.

    Raises:
        NotFound: there is no such change.
        FourEyesViolation: the person made it, or it is for him.
        WrongState: it was decided before.
        ShownChanged: the caller was shown something else, or the account has changed since the change was proposed.
    """
    barred = exists().where(
        col(FourEyes.subject) == col(RoleChange.shown_hash),
        col(FourEyes.person_id) == by_person,
        col(FourEyes.side).in_((MAKER, CONCERNED)),
    )
    as_proposed = exists().where(
        col(Staff.id) == col(RoleChange.staff_id),
        col(Staff.person_id) != by_person,
        or_(col(Staff.version) == col(RoleChange.staff_version), false() if confirm else true()),
    )
    decided = _execute(
        session,
        update(RoleChange)
        .where(
            col(RoleChange.tenant) == tenant,
            col(RoleChange.id) == change_id,
            col(RoleChange.state) == PROPOSED,
            col(RoleChange.shown_hash) == shown_hash,
            ~barred,
            as_proposed,
        )
        .values(state=CONFIRMED if confirm else REJECTED, decided_by=by_staff, decided_at=now),
    )
    change = session.get(RoleChange, change_id, populate_existing=True)
    if change is None or change.tenant != tenant:
        raise NotFound
    if decided == 0:
        raise _why_not(session, change, shown_hash=shown_hash, by_person=by_person)
    stand_as_checker(session, **_stand(change), person_id=by_person, now=now)
    if confirm:
        _apply(session, change)
    return change


def _why_not(session: Session, change: RoleChange, *, shown_hash: str, by_person: str) -> Exception:
    if change.state != PROPOSED:
        return WrongState(params={"state": change.state})
    staff = session.get_one(Staff, change.staff_id)
    if by_person == staff.person_id or by_person in persons_barred(session, shown_hash=change.shown_hash):
        return FourEyesViolation()
    assert shown_hash != change.shown_hash or staff.version != change.staff_version
    return ShownChanged()


def _apply(session: Session, change: RoleChange) -> None:
    _execute(session, delete(StaffRole).where(col(StaffRole.staff_id) == change.staff_id))
    if change.roles:
        _execute(
            session, insert(StaffRole).values([{"staff_id": change.staff_id, "role": role} for role in change.roles])
        )
    _execute(
        session,
        update(Staff)
        .where(col(Staff.id) == change.staff_id)
        .values(
            authority_amount_minor=change.authority_amount_minor,
            authority_concession_bps=change.authority_concession_bps,
            version=col(Staff.version) + 1,
        ),
    )


def _stand(change: RoleChange) -> dict[str, str]:
    return {"tenant": change.tenant, "subject": change.shown_hash, "record_id": change.id}


def _execute(session: Session, statement: UpdateBase) -> int:
    return session.exec(statement.execution_options(synchronize_session=False)).rowcount
