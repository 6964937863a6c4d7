"""Shapes of staff administration (人员管理)."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, SecretStr

from api.bodies import Answer, BasisPoints, Body, Minor, Sha256Hex, Token
from models.domain.roles import Role
from models.queries.staff import StaffRecord
from models.tables.staff import RoleChange

Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\A[^\x00-\x1f\x7f]+\Z")]
Login = Annotated[str, Field(pattern=r"\A[a-z0-9][a-z0-9._-]{1,63}\Z")]
Branch = Annotated[str, Field(pattern=r"\A(?:\*|[a-z0-9][a-z0-9-]{0,39})\Z")]
"""A branch; `*` is the head office, which works for all of them."""


class CreateStaffBody(Body):
    """A new account; it has no role until two persons have given it one."""

    login: Login
    name: Name
    branch: Branch
    locale: Annotated[str, Field(pattern=r"\A(?:zh-CN|en)\Z")] = "zh-CN"
    person_id: Token | None = None
    initial_password: Annotated[SecretStr, Field(min_length=1, max_length=512)] | None = None
    external_subject: Annotated[str, Field(pattern=r"\A[A-Za-z0-9][A-Za-z0-9._:@|-]{0,119}\Z")] | None = None


class RoleChangeBody(Body):
    """All roles and authority that the account shall hold afterwards, and the version of it that was read."""

    roles: Annotated[tuple[Role, ...], Field(max_length=len(Role))]
    authority_amount_minor: Minor = 0
    authority_concession_bps: BasisPoints = 0
    staff_version: Annotated[int, Field(ge=1, le=2**31)]


class RoleChangeDecisionBody(Body):
    """What the second person was shown."""

    shown_hash: Sha256Hex


class StaffAnswer(Answer):
    """An account."""

    id: str
    person_id: str
    login: str
    name: str
    branch: str
    locale: str
    active: bool
    roles: list[str]
    authority_amount_minor: int
    authority_concession_bps: int
    password_change_required: bool
    version: int
    created_at: datetime

    @classmethod
    def of(cls, found: StaffRecord) -> Self:
        """The answer for an account."""
        row = found.row
        return cls(
            id=row.id,
            person_id=row.person_id,
            login=row.login,
            name=row.name,
            branch=row.branch,
            locale=row.locale,
            active=row.active,
            roles=sorted(found.roles),
            authority_amount_minor=row.authority_amount_minor,
            authority_concession_bps=row.authority_concession_bps,
            password_change_required=row.password_initial,
            version=row.version,
            created_at=row.created_at,
        )


class StaffPage(Answer):
    """Accounts by id; `endCursor` is null on the last page."""

    items: list[StaffAnswer]
    end_cursor: str | None


class RoleChangeAnswer(Answer):
    """A change of roles and authority: what is proposed, by whom, and what became of it."""

    id: str
    staff_id: str
    staff_version: int
    roles: list[str]
    authority_amount_minor: int
    authority_concession_bps: int
    shown_hash: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None

    @classmethod
    def of(cls, change: RoleChange) -> Self:
        """The answer for a change."""
        return cls(**{name: getattr(change, name) for name in cls.model_fields})


class RoleChangeList(Answer):
    """Changes that wait for a second person, oldest first; at most 200."""

    items: list[RoleChangeAnswer]
