"""Reading staff: who a token stands for, and lists for administrators."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import exists
from sqlmodel import Session, col, select

from models.domain.roles import Role
from models.tables.staff import DeniedToken, RoleChange, Staff, StaffRole

_KNOWN_ROLES = frozenset(role.value for role in Role)


@dataclass(frozen=True, kw_only=True, slots=True)
class StaffRecord:
    """One account with its roles as they are now."""

    row: Staff
    roles: frozenset[Role]


def staff_of_token(
    session: Session, *, subject: str, from_outside: bool, token_ids: tuple[str, ...]
) -> StaffRecord | None:
    """The active account a token speaks for, with its roles; None if it is gone, inactive or the token was revoked.

    Args:
        session: a read session.
        subject: `sub` of the token.
        from_outside: whether an outside issuer signed it; then `subject` is the name it knows the person by.
        token_ids: the token's `jti`, and the id of the session it belongs to.
    """
    denied = exists().where(col(DeniedToken.jti).in_(token_ids))
    named = col(Staff.external_subject) == subject if from_outside else col(Staff.id) == subject
    statement = (
        select(Staff, StaffRole.role)
        .outerjoin(StaffRole, col(StaffRole.staff_id) == col(Staff.id))
        .where(named, col(Staff.active).is_(True), ~denied)
    )
    return _one(session.exec(statement).all())


def staff_by_id(session: Session, *, tenant: str, staff_id: str) -> StaffRecord | None:
    """One account of a tenant."""
    statement = (
        select(Staff, StaffRole.role)
        .outerjoin(StaffRole, col(StaffRole.staff_id) == col(Staff.id))
        .where(col(Staff.tenant) == tenant, col(Staff.id) == staff_id)
    )
    return _one(session.exec(statement).all())


def staff_by_login(session: Session, *, tenant: str, login: str) -> Staff | None:
    """The account with this log-in name."""
    return session.exec(select(Staff).where(col(Staff.tenant) == tenant, col(Staff.login) == login)).one_or_none()


def list_staff(session: Session, *, tenant: str, after: str | None, limit: int) -> list[StaffRecord]:
    """Accounts of a tenant by id; at most `limit`, those that follow the id `after`."""
    statement = select(Staff).where(col(Staff.tenant) == tenant)
    if after is not None:
        statement = statement.where(col(Staff.id) > after)
    rows = session.exec(statement.order_by(col(Staff.id)).limit(limit)).all()
    roles: dict[str, set[Role]] = {row.id: set() for row in rows}
    for staff_id, role in session.exec(
        select(col(StaffRole.staff_id), col(StaffRole.role)).where(col(StaffRole.staff_id).in_(list(roles)))
    ):
        roles[staff_id] |= _known([role])
    return [StaffRecord(row=row, roles=frozenset(roles[row.id])) for row in rows]


def role_change(session: Session, *, tenant: str, change_id: str) -> RoleChange | None:
    """One proposed or decided change of roles."""
    statement = select(RoleChange).where(col(RoleChange.tenant) == tenant, col(RoleChange.id) == change_id)
    return session.exec(statement).one_or_none()


def open_role_changes(session: Session, *, tenant: str, limit: int) -> list[RoleChange]:
    """Changes that wait for a second person, oldest first."""
    statement = (
        select(RoleChange)
        .where(col(RoleChange.tenant) == tenant, col(RoleChange.state) == "PROPOSED")
        .order_by(col(RoleChange.proposed_at), col(RoleChange.id))
        .limit(limit)
    )
    return list(session.exec(statement))


def _one(rows: Sequence[tuple[Staff, str | None]]) -> StaffRecord | None:
    if not rows:
        return None
    return StaffRecord(row=rows[0][0], roles=_known([role for _, role in rows if role is not None]))


def _known(roles: Iterable[str]) -> frozenset[Role]:
    # A role that a newer version wrote grants nothing here.
    return frozenset(Role(role) for role in roles if role in _KNOWN_ROLES)
