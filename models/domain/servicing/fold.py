"""From signed terms and events to the state of a day; and from an earlier state, recomputing only the tail.

`fold` is the meaning; `resume` is the short cut, and equals it. Neither depends on the order in which events are given.
A reversal takes its target away as if it had never been, on whichever day the reversal was booked: to know what was
believed on an earlier day, fold the events that were known then.
"""

from collections.abc import Iterable, Sequence
from datetime import date

from models.domain.servicing.allocation import AllocationLine, Trace
from models.domain.servicing.book import Book
from models.domain.servicing.events import REVISIONS, Event, EventKind
from models.domain.servicing.state import ReversalFact, State
from models.domain.servicing.terms import AgreementTerms


class UnknownTarget(ValueError):
    """A reversal names an event that is not among those given, or names it in a circle."""


def fold(terms: AgreementTerms, events: Iterable[Event], as_of: date) -> State:
    """The state at the end of a day.

    Args:
        terms: what was signed.
        events: all events known, in any order; those after `as_of` have no effect.
        as_of: business date; may lie ahead, then nothing more is assumed to happen.

    Raises:
        UnknownTarget: a reversal names an event that is not given.
    """
    return _run(Book.enter_into_force(terms), events, as_of, ())


def resume(terms: AgreementTerms, snapshot: State, tail: Iterable[Event], as_of: date) -> State:
    """The state at the end of a day, from an earlier state and the events after it.

    Args:
        terms: what was signed.
        snapshot: a state folded from the events up to its day.
        tail: every event that has effect after the snapshot's day, as `tail_after` picks them; or that `goes_on`.
        as_of: business date, not before the snapshot's.

    Raises:
        UnknownTarget: a reversal takes back an event before the snapshot, which is then too late to start from.
        ValueError: an event or `as_of` lies before the snapshot.
    """
    known = list(tail)
    if as_of < snapshot.as_of or any(
        not goes_on(snapshot, event) for event in known if event.kind is not EventKind.REVERSAL
    ):
        raise ValueError("a snapshot serves only days and events after its own")
    return _run(Book.resume(terms, snapshot), known, as_of, snapshot.reversals)


def goes_on(snapshot: State, event: Event) -> bool:
    """Whether an event that is no reversal has effect after all that the snapshot knows.

    On the snapshot's own day it has, where nothing else had effect on that day: money of a due date is told by the bank
    the morning after, when the books have come to that date.
    """
    return event.value_date > snapshot.as_of or (event.value_date == snapshot.as_of and snapshot.ends_quietly)


def tail_after(events: Iterable[Event], day: date) -> tuple[Event, ...]:
    """The events that have effect after a day: for `resume` from a state of that day."""
    known = list(events)
    dates = effect_dates(known)
    return tuple(event for event in known if dates[event.id] > day)


def effect_dates(events: Iterable[Event]) -> dict[str, date]:
    """The day from which each event changes the state, by id: for a reversal the value date of what it takes back.

    Snapshots of that day and later are out of date once the event is added.

    Raises:
        UnknownTarget: a reversal names an event that is not given.
    """
    by_id = {event.id: event for event in events}
    dates = {}
    for event in by_id.values():
        origin, steps = event, 0
        while origin.kind is EventKind.REVERSAL:
            found = by_id.get(origin.target or "")
            if found is None or steps > len(by_id):
                raise UnknownTarget(f"no event {origin.target} to take back")
            origin, steps = found, steps + 1
        dates[event.id] = origin.value_date
    return dates


def explain(terms: AgreementTerms, events: Iterable[Event], as_of: date) -> tuple[AllocationLine, ...]:
    """Why each cent of each payment up to a day went where it went, in the order of effect.

    The lines of a payment add up to it; lines without an event are waiting credit that was used later.
    """
    trace = Trace()
    _run(Book.enter_into_force(terms, trace=trace), events, as_of, ())
    return tuple(trace)


def preview(terms: AgreementTerms, state: State, *, amount_minor: int) -> tuple[AllocationLine, ...]:
    """Where a payment made at the end of this state's day would go."""
    trace = Trace()
    Book.resume(terms, state, trace=trace).receive(amount_minor)
    return tuple(trace)


def _run(book: Book, events: Iterable[Event], as_of: date, facts: tuple[ReversalFact, ...]) -> State:
    in_force, reversals = _in_force(list(events), as_of)
    for event in in_force:
        if event.value_date > as_of:
            break
        book.advance(event.value_date)
        if book.trace is not None:
            book.trace.event_id = event.id
        _apply(book, event)
        book.last_event_on = event.value_date
    book.advance(as_of)
    return book.state(facts + reversals if facts else reversals)


def _in_force(events: Sequence[Event], as_of: date) -> tuple[list[Event], tuple[ReversalFact, ...]]:
    """Events that were not taken back, in their order of effect, and the facts of those that were."""
    reversals = [event for event in events if event.kind is EventKind.REVERSAL]
    if not reversals:
        return sorted(events, key=_order), ()
    dates = effect_dates(events)
    # A reversal may itself be taken back: it counts if nothing in force names it. Chains end at an event.
    naming: dict[str, list[Event]] = {}
    for reversal in reversals:
        naming.setdefault(reversal.target or "", []).append(reversal)

    def in_force(event_id: str) -> bool:
        return not any(in_force(reversal.id) for reversal in naming.get(event_id, ()))

    backed = {event_id for event_id in naming if not in_force(event_id)}
    kept = [event for event in events if event.kind is not EventKind.REVERSAL and event.id not in backed]
    facts = sorted(
        (dates[event.id], ReversalFact(event.id, event.target or "", event.value_date))
        for event in reversals
        if dates[event.id] <= as_of
    )
    return sorted(kept, key=_order), tuple(fact for _, fact in facts)


def _order(event: Event) -> tuple[date, int, str]:
    return event.order


def _apply(book: Book, event: Event) -> None:
    kind = event.kind
    if kind is EventKind.PAYMENT:
        book.receive(event.amount_minor)
    elif kind is EventKind.SETTLEMENT:
        book.settle(event.amount_minor)
    elif kind is EventKind.PREPAYMENT:
        book.prepay(money=event.amount_minor, rows=event.rows)
    elif kind is EventKind.REFUND:
        book.refund(event.amount_minor)
    elif kind is EventKind.ACTIVATED:
        book.active = True
        book.advance(event.value_date)
    elif book.active:  # before it nothing is owed: there is nothing to concede, to revise or to default on
        _change(book, event)


def _change(book: Book, event: Event) -> None:
    kind = event.kind
    if kind is EventKind.WAIVER and event.component is not None:
        book.waive(event.component, event.amount_minor)
    elif kind in REVISIONS:
        if event.late_free_until is not None:
            book.late_free_until = max(event.late_free_until, book.late_free_until or date.min)
        book.replace_coming(event.rows, with_due=kind is EventKind.RE_AGE)
    elif kind is EventKind.DEFAULTED:
        book.defaulted, book.cured = True, False
    elif kind is EventKind.CURED:
        book.defaulted, book.cured = False, True
    elif kind is EventKind.WRITTEN_OFF:
        book.write_off()
