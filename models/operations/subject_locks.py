"""Locks on data that a law keeps and no purpose needs any more (仅存储并采取必要的安全保护措施)."""

from datetime import date, datetime

from sqlmodel import Session

from models.tables.erasure import SubjectLock


def lock(session: Session, *, subject_id: str, tenant: str, rule: str, until: date, now: datetime) -> SubjectLock:
    """Lock a person's data until a day, or set a lock that is there anew."""
    found = session.get(SubjectLock, subject_id)
    if found is None:
        found = SubjectLock(subject_id=subject_id, tenant=tenant, rule=rule, until=until, locked_at=now)
    else:
        found.rule, found.until, found.locked_at = rule, until, now
    session.add(found)
    session.flush()
    return found
