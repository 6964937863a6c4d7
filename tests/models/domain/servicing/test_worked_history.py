"""The worked history of docs/servicing.md: its tables are what the code says."""

from datetime import date
from pathlib import Path

from models.domain.servicing.events import Event, EventKind
from models.domain.servicing.fold import explain, fold
from models.domain.servicing.ledger import postings
from models.domain.servicing.settlement import settlement_quote
from tests.models.domain.servicing.histories import ACTIVATED, even_terms, payment, reversal

_DOCUMENT = Path(__file__).parents[4] / "docs" / "servicing.md"
_SETTLED = date(2026, 4, 5)
_RETURNED = date(2026, 4, 6)


def _yuan(minor: int) -> str:
    return f"{minor / 100:,.2f}" if minor else "–"


def _history() -> list[Event]:
    events = [
        ACTIVATED,
        payment("debit-1", date(2026, 2, 15), 101_000),
        payment("transfer-1", date(2026, 3, 25), 50_000),
        payment("transfer-2", date(2026, 4, 4), 60_000),
    ]
    quote = settlement_quote(even_terms(), fold(even_terms(), events, _SETTLED), agreement="a")
    settled = Event(
        id="settle-1",
        kind=EventKind.SETTLEMENT,
        value_date=_SETTLED,
        amount_minor=quote.amount_minor,
        ref=quote.digest,
    )
    return [*events, settled, reversal("return-1", _RETURNED, "debit-1")]


def _days() -> list[str]:
    lines, known = [], []
    for event in _history():
        known.append(event)
        state = fold(even_terms(), known, event.value_date)
        quote = settlement_quote(even_terms(), state, agreement="a")
        cells = (
            event.value_date.isoformat(),
            event.id,
            _yuan(event.amount_minor),
            str(state.days_past_due),
            state.status.value,
            _yuan(state.owed_now_minor),
            _yuan(state.credit_minor),
            _yuan(quote.amount_minor),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _lines(events: list[Event]) -> list[str]:
    return [
        f"| {line.event_id} | {line.days_past_due} | {line.rule} | {line.component or 'credit'} | "
        f"{line.row_no or '–'} | {_yuan(line.amount_minor)} |"
        for line in explain(even_terms(), events, _RETURNED)
    ]


def _journal() -> list[str]:
    events = _history()
    before, after = (fold(even_terms(), known, _RETURNED) for known in (events[:-1], events))
    return [
        f"| {line.account} | {_yuan(max(0, line.amount_minor))} | {_yuan(max(0, -line.amount_minor))} |"
        for line in postings(before, after, business_date=_RETURNED)
    ]


def test_the_tables_of_the_document_are_what_the_code_says():
    document = _DOCUMENT.read_text(encoding="utf-8")
    blocks = (_days(), _lines(_history()[:4]), _lines(_history()), _journal())
    for block in blocks:
        assert "\n".join(block) in document
