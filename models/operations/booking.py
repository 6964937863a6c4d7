"""Booking: events onto agreements, and all that follows from them, in one transaction for as many as a chunk holds.

What is booked is the difference between the state that stood in the books and the state now: rows, figures, postings.
How the state now is found, `models.operations.folding` tells.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import bindparam, delete, insert, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from models.domain.servicing.events import Event
from models.domain.servicing.ledger import postings
from models.domain.servicing.snapshot import state_json
from models.domain.servicing.state import ENDED, RowState, State
from models.domain.servicing.stored import event_params
from models.domain.tokens import uuid7
from models.operations.folding import fold_on
from models.tables.agreements import Agreement, AgreementEvent, AgreementRow, LedgerEntry

_EVENTS: Final = insert(AgreementEvent.__table__)  # type: ignore[attr-defined]
_ENTRIES: Final = insert(LedgerEntry.__table__)  # type: ignore[attr-defined]
_ROWS: Final = AgreementRow.__table__  # type: ignore[attr-defined]
_NEW_ROWS: Final = insert(_ROWS)
_HEADS: Final = Agreement.__table__  # type: ignore[attr-defined]
_HEAD: Final = (
    update(_HEADS)
    .where(_HEADS.c.id == bindparam("of_agreement"))
    .values(
        {
            name: bindparam(f"new_{name}")
            for name in (
                "status", "next_due", "oldest_unpaid_due", "days_past_due", "owed_minor", "late_minor",
                "principal_left_minor", "credit_minor", "snapshot", "checkpoint", "folded_to", "last_seq", "version",
            )
        }
    )
)  # fmt: skip
_PAID: Final = (
    "paid_principal_minor", "paid_interest_minor", "paid_fee_minor",
    "waived_principal_minor", "waived_interest_minor", "waived_fee_minor",
)  # fmt: skip
_PAY_ROW: Final = (
    update(_ROWS)
    .where(_ROWS.c.agreement_id == bindparam("of_agreement"), _ROWS.c.no == bindparam("row_no"))
    .values({name: bindparam(f"new_{name}") for name in _PAID})
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEvent:
    """An event that is not in the books yet; under its business key it can be booked once."""

    event: Event
    business_key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Booked:
    """What one agreement's booking changed. `before` is None when the agreement comes into force."""

    agreement: Agreement
    before: State | None
    after: State


@dataclass(slots=True)
class _Batch:
    """What a chunk writes, gathered for one statement each."""

    events: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, Any]] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    paid_rows: list[dict[str, Any]] = field(default_factory=list)
    new_rows: list[dict[str, Any]] = field(default_factory=list)


def book(
    session: Session, work: Iterable[tuple[Agreement, Sequence[NewEvent]]], *, as_of: date, now: datetime
) -> list[Booked]:
    """Bring agreements to a business date, with the events that came in for them.

    Args:
        session: of a unit of work.
        work: each agreement once, with its new events; none where only the date moves on.
        as_of: the open business date, on which everything is posted.
        now: wall clock, for the record.

    Raises:
        sqlalchemy.exc.IntegrityError: a business key is in the books already.
        models.domain.servicing.fold.UnknownTarget: a reversal of what is not there.
    """
    batch, booked, chunk = _Batch(), [], list(work)
    session.flush()  # what others changed of these agreements
    folded = fold_on(session, [(each, [one.event for one in new]) for each, new in chunk], as_of=as_of)
    for agreement, new in chunk:
        before, after = folded[agreement.id].before, folded[agreement.id].after
        _gather(batch, agreement, new, before, after, as_of=as_of, now=now)
        _write_rows(session, batch, agreement, before, after)
        head = _head(agreement, after, checkpoint=folded[agreement.id].checkpoint, events=len(new))
        _write_head(batch, agreement, head)
        booked.append(Booked(agreement=agreement, before=before, after=after))
    _execute(session, batch)
    return booked


def known_keys(session: Session, keys: Sequence[str]) -> set[str]:
    """Which of these business keys are in the books."""
    return set(
        session.exec(select(AgreementEvent.business_key).where(col(AgreementEvent.business_key).in_(keys))).all()
    )


def _gather(
    batch: _Batch,
    agreement: Agreement,
    new: Sequence[NewEvent],
    before: State | None,
    after: State,
    *,
    as_of: date,
    now: datetime,
) -> None:
    for offset, each in enumerate(new, start=1):
        batch.events.append(
            {
                "id": each.event.id,
                "tenant": agreement.tenant,
                "agreement_id": agreement.id,
                "seq": agreement.last_seq + offset,
                "kind": each.event.kind.value,
                "business_key": each.business_key,
                "value_date": each.event.value_date,
                "booked_on": as_of,
                "amount_minor": each.event.amount_minor,
                "target": each.event.target,
                "params": event_params(each.event),
                "created_at": now,
            }
        )
    journal = f"{agreement.id}/{as_of.isoformat()}/{agreement.last_seq + len(new)}"
    batch.entries.extend(
        {
            "id": uuid7(now),
            "tenant": agreement.tenant,
            "agreement_id": agreement.id,
            "journal": journal,
            "account": line.account.value,
            "amount_minor": line.amount_minor,
            "booked_on": line.business_date,
            "created_at": now,
        }
        for line in postings(before, after, business_date=as_of)
    )


def _write_rows(session: Session, batch: _Batch, agreement: Agreement, before: State | None, after: State) -> None:
    """Rows that were paid on are updated; when the plan itself changed, the rows are written anew."""
    old = before.rows if before is not None else ()
    if [row[:5] for row in old] == [row[:5] for row in after.rows]:
        batch.paid_rows.extend(
            {"of_agreement": agreement.id, "row_no": row.no}
            | {f"new_{name}": value for name, value in zip(_PAID, row[5:], strict=True)}
            for was, row in zip(old, after.rows, strict=True)
            if was != row
        )
        return
    if old:
        session.execute(delete(_ROWS).where(_ROWS.c.agreement_id == agreement.id))
    batch.new_rows.extend(_row(agreement, row) for row in after.rows)


def _row(agreement: Agreement, row: RowState) -> dict[str, Any]:
    return {
        "agreement_id": agreement.id,
        "no": row.no,
        "tenant": agreement.tenant,
        "due": row.due,
        "principal_minor": row.principal_minor,
        "interest_minor": row.interest_minor,
        "fee_minor": row.fee_minor,
        **dict(zip(_PAID, row[5:], strict=True)),
    }


def _head(agreement: Agreement, after: State, *, checkpoint: str | None, events: int) -> dict[str, Any]:
    next_due = after.rows[after.due_count].due if after.due_count < len(after.rows) else None
    return {
        "status": after.status.value,
        "next_due": None if after.status in ENDED and agreement.closed_on is None else next_due,
        "oldest_unpaid_due": after.oldest_unpaid_due,
        "days_past_due": after.days_past_due,
        "owed_minor": after.owed_now_minor,
        "late_minor": after.late_unpaid_minor,
        "principal_left_minor": after.unpaid_principal_minor,
        "credit_minor": after.credit_minor,
        "snapshot": state_json(after),
        "checkpoint": checkpoint,
        "folded_to": after.as_of,
        "last_seq": agreement.last_seq + events,
        "version": agreement.version + 1,
    }


def _write_head(batch: _Batch, agreement: Agreement, head: dict[str, Any]) -> None:
    """Told to the object as what is stored, and stored with the others of the chunk: one statement for all heads."""
    for name, value in head.items():
        set_committed_value(agreement, name, value)
    batch.heads.append({f"new_{name}": value for name, value in head.items()} | {"of_agreement": agreement.id})


def _execute(session: Session, batch: _Batch) -> None:
    for statement, values in (
        (_HEAD, batch.heads),
        (_EVENTS, batch.events),
        (_NEW_ROWS, batch.new_rows),
        (_PAY_ROW, batch.paid_rows),
        (_ENTRIES, batch.entries),
    ):
        if values:
            session.connection().execute(statement, values)
