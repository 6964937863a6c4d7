"""Changes around a signing (签约): a document is opened and confirmed, the customer signs and may give a mandate."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from models.errors import NotRead
from models.tables.agreements import AgreementText, DocumentReading, Mandate

READING_SECONDS: Final = 10  # AIC26-ONLINE


def open_reading(session: Session, text: AgreementText, *, document_id: str, now: datetime) -> bool:
    """The customer has a document before them; the first time counts. False if it was open before."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"text_id": text.id, "document_id": document_id, "tenant": text.tenant, "opened_at": now}
    opened = session.exec(insert(DocumentReading).values(**values).on_conflict_do_nothing())
    return bool(opened.rowcount)


def seconds_read(reading: DocumentReading | None, *, claimed: int, now: datetime) -> int:
    """How long a document counts as read: what the page says, at most what has passed since it was first opened."""
    if reading is None:
        return 0
    return max(0, min(claimed, int((now - reading.opened_at).total_seconds())))


def confirm_reading(
    session: Session,
    reading: DocumentReading | None,
    *,
    kind: str,
    claimed: int,
    now: datetime,
    least: int = READING_SECONDS,
) -> bool:
    """The customer confirms that they have read a document; the first confirmation stands.

    Returns:
        False if it was confirmed before; then nothing is changed.

    Raises:
        NotRead: it was not open for `least` seconds.
    """
    if reading is not None and reading.confirmed_at is not None:
        return False
    seconds = seconds_read(reading, claimed=claimed, now=now)
    if reading is None or seconds < least:
        raise NotRead(params={"document": kind, "seconds": seconds, "least": least})
    confirmed = session.exec(
        update(DocumentReading)
        .where(
            col(DocumentReading.text_id) == reading.text_id,
            col(DocumentReading.document_id) == reading.document_id,
            col(DocumentReading.confirmed_at).is_(None),
        )
        .values(seconds=seconds, confirmed_at=now)
        .execution_options(synchronize_session=False)
    )
    return bool(confirmed.rowcount)


@dataclass(frozen=True, kw_only=True, slots=True)
class Read:
    """Both documents were read: the shorter time of the two, and when the cost statement was confirmed."""

    seconds: int
    cost_confirmed_at: datetime


def both_read(text: AgreementText, readings: dict[str, DocumentReading]) -> Read:
    """What the customer has read of a text.

    Raises:
        NotRead: one of the documents is not confirmed.
    """
    seconds, confirmed = [], None
    for kind, document_id in (("cost-statement", text.cost_document_id), ("agreement", text.agreement_document_id)):
        reading = readings.get(document_id)
        if reading is None or reading.seconds is None or reading.confirmed_at is None:
            raise NotRead(params={"document": kind, "seconds": 0, "least": READING_SECONDS})
        seconds.append(reading.seconds)
        confirmed = confirmed or reading.confirmed_at
    assert confirmed is not None
    return Read(seconds=min(seconds), cost_confirmed_at=confirmed)


def revoke_mandates(session: Session, *, case_token: str, now: datetime) -> None:
    """A new signing says anew whether rows are debited: what was given before counts no more."""
    session.exec(
        update(Mandate)
        .where(col(Mandate.case_token) == case_token, col(Mandate.revoked_at).is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )
