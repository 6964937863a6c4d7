"""Who looks at the inbox: what of a member of staff decides what may be seen and done."""

from dataclasses import dataclass
from typing import Final

from models.domain.roles import Role

ANY_BRANCH: Final = "*"  # of a viewer: head office, sees every branch; of a task: belongs to every branch


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """A member of staff as the inbox knows them; roles and authority are looked up at this request.

    Attributes:
        person_id: the natural person; two accounts of one person are one pair of eyes.
        authority_amount_minor: may approve up to this amount, minor units (审批权限).
        authority_concession_bps: may approve up to this concession, basis points.
    """

    staff_id: str
    person_id: str
    branch: str
    roles: frozenset[Role]
    authority_amount_minor: int = 0
    authority_concession_bps: int = 0

    @property
    def sees_every_role(self) -> bool:
        """Internal audit reads all tasks and works on none."""
        return Role.AUDITOR in self.roles
