"""The caller's run: one look-up for every route of batches."""

from sqlmodel import Session

from api.identity.principal import Principal
from models.domain.ids import CASE_TOKEN
from models.errors import NotFound
from models.queries.batches.run_list import run_for
from models.tables.batch_runs import BatchRun


def known_run(session: Session, principal: Principal, token: str) -> BatchRun:
    """A run of the caller's institution.

    Raises:
        NotFound: there is none, or it is another's.
    """
    run = run_for(session, token, tenant=principal.tenant) if CASE_TOKEN.match(token) is not None else None
    if run is None:
        raise NotFound
    return run
