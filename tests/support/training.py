"""Training grants (培训准入) for jobs of tests: without one neither a person nor a step opens anything."""

from datetime import UTC, datetime
from typing import Any, Final

from sqlmodel import Session

from models.database.engine import Database
from models.domain.tokens import named_token, new_token
from models.tables.staff import Staff
from models.tables.transfer_grants import TransferGrant

_LONG_AGO: Final = datetime(2020, 1, 1, tzinfo=UTC)
_FAR_OFF: Final = datetime(2090, 1, 1, tzinfo=UTC)


def sponsored(session: Session, job: str, *, tenant: str) -> str:
    """A sponsor on whose grant the job's own steps open; returns the person."""
    staff = named_token("stf", f"sponsor/{tenant}")
    if session.get(Staff, staff) is None:
        session.add(
            Staff(
                id=staff, tenant=tenant, person_id=named_token("prs", staff), login="sponsor", name="Sponsor",
                branch="hq", created_at=_LONG_AGO,
            )
        )  # fmt: skip
        session.flush()
    trained(session, job, staff, tenant=tenant, is_sponsor=True)
    return staff


def trained(session: Session, job: str, staff: str, *, tenant: str, **changes: Any) -> str:
    """A grant of one person that holds, unless the changes say otherwise; returns its id."""
    values: dict[str, Any] = {
        "id": new_token("tgr"),
        "tenant": tenant,
        "job": job,
        "staff_id": staff,
        "course": "data-transfer",
        "passed_at": _LONG_AGO,
        "valid_until": _FAR_OFF,
        "granted_by": "stf_x",
        "granted_at": _LONG_AGO,
    }
    grant = TransferGrant(**(values | changes))
    session.add(grant)
    session.flush()
    return grant.id


def train(database: Database, job: str, *staff: str, tenant: str = "main") -> None:
    """These people may open data of the job."""
    with database.write() as session:
        for each in staff:
            trained(session, job, each, tenant=tenant)
