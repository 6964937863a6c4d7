"""The caller's job: one look-up for every route, and one for those that open data of persons (培训准入)."""

from sqlmodel import Session

from api.deps import ApiDeps
from api.identity.principal import Principal
from compliance.transfers.training import require_training
from models.domain.ids import CASE_TOKEN
from models.errors import NotFound
from models.queries.transfers.jobs import job_for
from models.tables.transfers import TransferJob


def known_job(session: Session, principal: Principal, token: str, *, own: bool = False) -> TransferJob:
    """A job that the caller's institution receives, or gives; with `own` only one that it receives.

    Raises:
        NotFound: there is none, or it is another's.
    """
    job = job_for(session, token, tenant=principal.tenant) if CASE_TOKEN.match(token) is not None else None
    if job is None or (own and job.tenant != principal.tenant):
        raise NotFound
    return job


def read_job(deps: ApiDeps, principal: Principal, token: str, *, own: bool = False) -> TransferJob:
    """As `known_job`, where nothing else is read with it; blocking.

    Raises:
        NotFound: as `known_job`.
    """
    with deps.database.read() as session:
        return known_job(session, principal, token, own=own)


def job_to_open(deps: ApiDeps, principal: Principal, token: str) -> TransferJob:
    """A job that the caller's institution receives, and whose persons the caller may be shown; blocking.

    Raises:
        NotFound: as `known_job`.
        TrainingMissing: the caller has not passed the course, or not in time; nothing may be opened.
    """
    job = read_job(deps, principal, token, own=True)
    may_open(deps, principal, job.token)
    return job


def may_open(deps: ApiDeps, principal: Principal, job: str) -> None:
    """Refuse who may not be shown a job's persons; blocking.

    Raises:
        TrainingMissing: as `job_to_open`.
    """
    require_training(deps.database, job=job, staff_id=principal.staff_id, now=deps.clock())
