"""The first layer of four-eyes (双人复核): the API asks before it tries."""

from api.deps import ApiDeps
from api.identity.principal import Principal
from models.errors import FourEyesViolation
from models.operations.four_eyes import By, makers


def by(principal: Principal) -> By:
    """Who acts."""
    return By(tenant=principal.tenant, staff_id=principal.staff_id, person_id=principal.person_id)


def refuse_maker(deps: ApiDeps, principal: Principal, *, shown_hash: str) -> None:
    """Refuse whoever made what is shown; blocking.

    Raises:
        FourEyesViolation: the caller is among them, under whichever account.
    """
    with deps.database.read() as session:
        if principal.person_id in makers(session, shown_hash=shown_hash):
            raise FourEyesViolation
