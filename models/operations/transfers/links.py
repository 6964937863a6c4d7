"""Links between the subjects of two companies (关联): made where a merged row has moved, taken away with it.

A person known to both is two subjects, each under keys of its own. The link says that they are one; it holds tokens
only, and opens nothing.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import Table, or_, select, update
from sqlmodel import Session, col

from models.database.bulk import insert_many
from models.domain.transfers.states import RowOutcome
from models.operations.transfers.wave_moves import RECORDS, ROWS
from models.tables.subject_links import SubjectLink

LINKS: Final[Table] = SubjectLink.__table__  # type: ignore[attr-defined]


def link_merged(
    session: Session, records: Mapping[int, tuple[str, str]], *, job: str, other_tenant: str, now: datetime
) -> int:
    """Link merged rows' records to those of the giving company; returns how many links are new.

    Args:
        session: of the unit.
        records: by row that has moved, the record and the subject at the giving company.
        job: whose rows they are.
        other_tenant: the giving company.
        now: when.
    """
    found = session.execute(
        select(ROWS.c.number, ROWS.c.tenant, RECORDS.c.id, RECORDS.c.subject_id)
        .join(RECORDS, RECORDS.c.id == ROWS.c.target_record)
        .where(
            ROWS.c.job == job,
            ROWS.c.number.in_(list(records)),
            ROWS.c.outcome == RowOutcome.MERGED.value,
            RECORDS.c.erased_at.is_(None),
        )
    ).all()
    rows = [
        {
            "job": job,
            "row_number": number,
            "tenant": tenant,
            "subject_id": subject,
            "record_id": record,
            "other_tenant": other_tenant,
            "other_subject": records[number][1],
            "other_record": records[number][0],
            "linked_at": now,
            "unlinked_at": None,
        }
        for number, tenant, record, subject in found
    ]
    if rows:
        numbers = [row["row_number"] for row in rows]
        session.execute(LINKS.delete().where(LINKS.c.job == job, LINKS.c.row_number.in_(numbers)))
        insert_many(session, LINKS, rows)
    return len(rows)


def unlink_rows(session: Session, job: str, numbers: Collection[int], *, now: datetime) -> None:
    """The rows are rolled back: nobody was merged. Repeatable."""
    session.execute(
        update(LINKS)
        .where(LINKS.c.job == job, LINKS.c.row_number.in_(list(numbers)), LINKS.c.unlinked_at.is_(None))
        .values(unlinked_at=now)
    )


def unlink_record(session: Session, record: str) -> None:
    """A record is erased, on either side: that it was somebody elsewhere is no longer known."""
    session.execute(LINKS.delete().where(or_(LINKS.c.record_id == record, LINKS.c.other_record == record)))


def links_of(session: Session, record: str, *, tenant: str) -> list[SubjectLink]:
    """The links of a record that stand, from whichever side the tenant looks."""
    mine = (col(SubjectLink.tenant) == tenant) & (col(SubjectLink.record_id) == record)
    theirs = (col(SubjectLink.other_tenant) == tenant) & (col(SubjectLink.other_record) == record)
    statement = (
        select(SubjectLink)
        .where(or_(mine, theirs), col(SubjectLink.unlinked_at).is_(None))
        .order_by(col(SubjectLink.linked_at), col(SubjectLink.job), col(SubjectLink.row_number))
    )
    return list(session.execute(statement).scalars())
