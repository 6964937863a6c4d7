"""The next state of agreements: from yesterday's snapshot, from an earlier checkpoint, or from all of their events.

A snapshot serves what happens after its day, and on its day if nothing else did: a debit is valued on the day on which
the customer was asked, and told by the bank the morning after. Money that is valued further back is served by the
checkpoint, a state of some days or weeks before, with the few events since. Only what goes back further than that is
folded from the beginning, and leaves a new checkpoint. So a payment costs the same in the first month and in the
sixtieth. All ways give the same state.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from sqlalchemy import or_
from sqlmodel import Session, col, select

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import fold, goes_on, resume, tail_after
from models.domain.servicing.snapshot import state_from, state_json
from models.domain.servicing.state import State
from models.domain.servicing.stored import event_from_stored, terms_from_json
from models.domain.servicing.terms import AgreementTerms
from models.tables.agreements import Agreement, AgreementEvent

# A snapshot that stood for so long becomes the checkpoint: money for rows since then is valued after it.
_QUIET: Final = timedelta(days=7)
# Where a new checkpoint is laid when events have to be read anyway, and how old the one before it may grow.
_BACK: Final = timedelta(days=14)
_OLD: Final = timedelta(days=90)


@dataclass(frozen=True, kw_only=True, slots=True)
class Folded:
    """An agreement's state as it stood in the books and as it is now, and the checkpoint to keep."""

    before: State | None
    after: State
    checkpoint: str | None


def fold_on(session: Session, work: Collection[tuple[Agreement, Sequence[Event]]], *, as_of: date) -> dict[str, Folded]:
    """Bring agreements to a day with events that are not in the books yet; what has to be read is read for all at once.

    Raises:
        models.domain.servicing.fold.UnknownTarget: a reversal of what is not there.
    """
    before = {each.id: state_from(each.snapshot) if each.snapshot is not None else None for each, _ in work}
    late = [(each, new) for each, new in work if _is_late(before[each.id], new)]
    found = _fold_late(session, late, before, as_of) if late else {}
    for agreement, new in work:
        was = before[agreement.id]
        if agreement.id not in found and was is not None:
            after = resume(terms_from_json(agreement.terms), was, new, as_of)
            # Of a day that new events are about, what stood before them is no state to go on from.
            is_past = all(event.value_date > was.as_of for event in new)
            checkpoint = agreement.snapshot if is_past and as_of - was.as_of >= _QUIET else agreement.checkpoint
            found[agreement.id] = Folded(before=was, after=after, checkpoint=checkpoint)
    return found


def state_on(session: Session, agreement: Agreement, day: date) -> State:
    """The state at the end of a day as the books stand now; for a day ahead, as if nothing more happened."""
    terms = terms_from_json(agreement.terms)
    snapshot = state_from(agreement.snapshot) if agreement.snapshot is not None else None
    if snapshot is not None and day >= snapshot.as_of:
        return snapshot if day == snapshot.as_of else resume(terms, snapshot, (), day)
    checkpoint = state_from(agreement.checkpoint) if agreement.checkpoint is not None else None
    if checkpoint is None or day < checkpoint.as_of:
        return fold(terms, events_of(session, agreement.id), day)
    since = _stored(session, [agreement.id], checkpoint.as_of).get(agreement.id, ())
    return resume(terms, checkpoint, _tail_of(since, checkpoint), day)


def events_of(session: Session, agreement_id: str) -> list[Event]:
    """All events in the books, in order of arrival."""
    return _stored(session, [agreement_id], None).get(agreement_id, [])


def _is_late(before: State | None, new: Sequence[Event]) -> bool:
    return before is None or any(event.kind is EventKind.REVERSAL or not goes_on(before, event) for event in new)


def _fold_late(
    session: Session,
    late: Sequence[tuple[Agreement, Sequence[Event]]],
    before: Mapping[str, State | None],
    as_of: date,
) -> dict[str, Folded]:
    starts = {each.id: state_from(each.checkpoint) for each, _ in late if each.checkpoint is not None}
    since = min((state.as_of for state in starts.values()), default=None)
    recent = _stored(session, sorted(starts), since) if since is not None else {}
    tails: dict[str, list[Event] | None] = {}
    for agreement, new in late:
        start = starts.get(agreement.id)
        tails[agreement.id] = _tail(recent.get(agreement.id, ()), new, start) if start is not None else None
    whole = _stored(session, sorted(name for name, tail in tails.items() if tail is None), None)
    found = {}
    for agreement, new in late:
        tail = tails[agreement.id]
        start = starts.get(agreement.id) if tail is not None else None
        events = tail if tail is not None else [*whole.get(agreement.id, ()), *new]
        found[agreement.id] = _refolded(agreement, start, events, before[agreement.id], as_of)
    return found


def _refolded(
    agreement: Agreement, start: State | None, events: Sequence[Event], before: State | None, as_of: date
) -> Folded:
    """From a checkpoint, or from nothing; on the way a new checkpoint is laid if there is none, or only an old one."""
    terms, checkpoint, mark = terms_from_json(agreement.terms), agreement.checkpoint, as_of - _BACK
    if start is None:
        checkpoint = None  # what came now has effect before it
    if before is not None and (start is None or start.as_of < as_of - _OLD) and mark > agreement.start:
        start = _go(terms, start, events, mark)
        checkpoint, events = state_json(start), tail_after(events, mark)
    return Folded(before=before, after=_go(terms, start, events, as_of), checkpoint=checkpoint)


def _go(terms: AgreementTerms, start: State | None, events: Sequence[Event], as_of: date) -> State:
    return fold(terms, events, as_of) if start is None else resume(terms, start, events, as_of)


def _tail(stored: Sequence[Event], new: Sequence[Event], start: State) -> list[Event] | None:
    """The events with effect after a state's day, the new ones among them; None if one of these has effect before."""
    if any(event.kind is not EventKind.REVERSAL and event.value_date <= start.as_of for event in new):
        return None
    tail = _tail_of([*stored, *new], start)
    return tail if {event.id for event in new} <= {event.id for event in tail} else None


def _tail_of(events: Sequence[Event], start: State) -> list[Event]:
    """Of events that hold all those valued after a state's day, and all reversals: those with effect after it.

    A reversal whose target is not valued after that day takes back what the state knows: it is in the state already.
    """
    known = {event.id: event for event in events if event.kind is EventKind.REVERSAL or event.value_date > start.as_of}
    while gone := [
        event.id for event in known.values() if event.kind is EventKind.REVERSAL and event.target not in known
    ]:
        for event_id in gone:
            del known[event_id]
    return list(known.values())


_COLUMNS: Final[tuple[Any, ...]] = (
    col(AgreementEvent.agreement_id),
    col(AgreementEvent.id),
    col(AgreementEvent.kind),
    col(AgreementEvent.value_date),
    col(AgreementEvent.amount_minor),
    col(AgreementEvent.target),
    col(AgreementEvent.params),
)


def _stored(session: Session, agreement_ids: Collection[str], since: date | None) -> dict[str, list[Event]]:
    """Events in the books in order of arrival, by agreement: all, or those valued after a day and all reversals."""
    if not agreement_ids:
        return {}
    statement = select(*_COLUMNS).where(col(AgreementEvent.agreement_id).in_(agreement_ids))
    if since is not None:
        is_reversal = col(AgreementEvent.kind) == EventKind.REVERSAL
        statement = statement.where(or_(col(AgreementEvent.value_date) > since, is_reversal))
    found: dict[str, list[Event]] = {}
    ordered = statement.order_by(col(AgreementEvent.agreement_id), col(AgreementEvent.seq))
    for agreement_id, event_id, kind, value_date, amount_minor, target, params in session.execute(ordered):
        event = event_from_stored(
            event_id=event_id, kind=kind, value_date=value_date, amount_minor=amount_minor, target=target, params=params
        )
        found.setdefault(agreement_id, []).append(event)
    return found
