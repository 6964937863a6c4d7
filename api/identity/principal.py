"""Who is asking: a member of staff, with roles and authority looked up at this request."""

from dataclasses import dataclass
from datetime import datetime

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from models.domain.roles import Permission, Role, permissions_of
from models.errors import PermissionMissing


@dataclass(frozen=True, kw_only=True, slots=True)
class Principal:
    """The authenticated caller.

    Attributes:
        auth_time: when the password was last given; a refresh does not renew it.
        session_id: the log-in that the token belongs to.
        authority_amount_minor: may approve up to this amount, minor units.
        authority_concession_bps: may approve up to this concession, basis points.
    """

    staff_id: str
    person_id: str
    tenant: str
    login: str
    branch: str
    locale: str
    roles: frozenset[Role]
    authority_amount_minor: int
    authority_concession_bps: int
    auth_time: datetime
    jti: str
    session_id: str

    @property
    def permissions(self) -> frozenset[Permission]:
        """What the roles grant."""
        return permissions_of(self.roles)

    def require(self, permission: Permission) -> None:
        """Refuse whoever lacks a permission.

        Raises:
            PermissionMissing: with the permission's name.
        """
        if permission not in self.permissions:
            raise PermissionMissing(params={"permission": permission.value})


Caller = NamedDependency[SkipValidation[Principal]]
"""How a handler asks for the principal: `principal: Caller`."""
