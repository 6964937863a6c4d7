"""Staff, their roles and authority, proposed role changes, and what log-in needs to remember."""

from datetime import datetime

from sqlalchemy import BigInteger, UniqueConstraint
from sqlmodel import Field

from models.tables.base import DataTable, document, instant


class Staff(DataTable, table=True):
    """One account of one natural person. Names of staff stand here and nowhere else."""

    __tablename__ = "staff"
    __table_args__ = (UniqueConstraint("tenant", "login"), UniqueConstraint("external_subject"))
    id: str = Field(primary_key=True, max_length=40)  # stf_…
    tenant: str = Field(foreign_key="tenants.code")
    person_id: str = Field(max_length=40, index=True)  # prs_…: two accounts of one person count as one pair of eyes
    login: str = Field(max_length=64)
    name: str = Field(max_length=100)
    branch: str = Field(max_length=40)
    locale: str = Field(default="zh-CN", max_length=10)
    password_hash: str | None = Field(default=None)  # argon2id; None where an outside issuer logs people in
    password_initial: bool = Field(default=False)  # set by another person: must be changed before anything else
    external_subject: str | None = Field(default=None, max_length=120)  # `sub` at the outside issuer
    active: bool = Field(default=True)
    authority_amount_minor: int = Field(default=0, sa_type=BigInteger)  # may approve up to this (审批权限)
    authority_concession_bps: int = Field(default=0)  # … and up to this concession, basis points
    not_before: datetime | None = Field(default=None, sa_column=instant(nullable=True))  # older tokens are void
    version: int = Field(default=1)
    created_at: datetime = Field(sa_column=instant())


class StaffRole(DataTable, table=True):
    """One role of one account; looked up at every request."""

    __tablename__ = "staff_roles"
    staff_id: str = Field(primary_key=True, foreign_key="staff.id")
    role: str = Field(primary_key=True, max_length=40)


class RoleChange(DataTable, table=True):
    """A change of roles or authority: proposed by one person, confirmed by another."""

    __tablename__ = "role_changes"
    id: str = Field(primary_key=True, max_length=40)  # rch_…
    tenant: str = Field(foreign_key="tenants.code", index=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    staff_version: int  # of the account as the proposer saw it: a change in between voids the proposal
    roles: list[str] = Field(sa_column=document())
    authority_amount_minor: int = Field(sa_type=BigInteger)
    authority_concession_bps: int
    shown_hash: str = Field(max_length=64)  # what the confirmer is bound to
    state: str = Field(max_length=16)  # PROPOSED | CONFIRMED | REJECTED
    proposed_by: str = Field(max_length=40)
    decided_by: str | None = Field(default=None, max_length=40)
    proposed_at: datetime = Field(sa_column=instant())
    decided_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class RefreshToken(DataTable, table=True):
    """A rotating refresh token, by hash. Use of a used one ends its whole family."""

    __tablename__ = "refresh_tokens"
    token_hash: str = Field(primary_key=True, max_length=64)
    family: str = Field(max_length=40, index=True)
    staff_id: str = Field(foreign_key="staff.id", index=True)
    auth_time: datetime = Field(sa_column=instant())  # when the password was given; rotation does not renew it
    expires_at: datetime = Field(sa_column=instant())
    used_at: datetime | None = Field(default=None, sa_column=instant(nullable=True))


class DeniedToken(DataTable, table=True):
    """A revoked access token, by `jti`, until it would have expired anyway."""

    __tablename__ = "denied_tokens"
    jti: str = Field(primary_key=True, max_length=64)
    until: datetime = Field(sa_column=instant(index=True))


class LoginThrottle(DataTable, table=True):
    """Failed tries per account or source; shared by all API processes."""

    __tablename__ = "login_throttles"
    bucket: str = Field(primary_key=True, max_length=100)  # "account:<hash>" or "source:<hash>"
    window_start: datetime = Field(sa_column=instant())
    failures: int = Field(default=0)
    consecutive: int = Field(default=0)
