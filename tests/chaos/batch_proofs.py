"""What must hold when a besieged run is over: records, files, the bank's books, the audit log."""

import hashlib
import json
import sqlite3
from collections import Counter
from contextlib import closing
from typing import Any

from deploy.demo.mock_bank import MockBank
from models.domain.batches.states import FinalState
from tests.chaos.batches import BatchSiege, lines_of
from tests.chaos.proofs import command

_PAID = (FinalState.SETTLED, FinalState.RETURNED)


def prove_orders(siege: BatchSiege, *, ends: Counter[str]) -> None:
    """Each row has its orders, one for each try; each order one end, written once, as it was planned.

    Raises:
        AssertionError: one is lost, doubled, or ended otherwise.
    """
    token = siege.token
    members = siege.ask(
        "SELECT m.number FROM batch_members m JOIN batch_cohorts c ON c.id = m.cohort "
        "WHERE c.run = ? AND m.exclusion IS NULL ORDER BY m.number",
        token,
    )
    firsts = "SELECT member FROM batch_orders WHERE run = ? AND attempt = 1 ORDER BY member"
    assert siege.ask(firsts, token) == members
    found = siege.ask("SELECT final_state, count(*) FROM batch_orders WHERE run = ? GROUP BY final_state", token)
    assert dict(found) == dict(ends)
    # Of what the bank says and of what we do, each change stands once.
    twice = (
        "SELECT order_id, state, count(*) FROM batch_outcomes WHERE run = ? AND "
        "(cause LIKE 'reply/%' OR cause LIKE 'file/%' OR cause LIKE 'sent/%') "
        "GROUP BY order_id, state HAVING count(*) > 1"
    )
    assert siege.ask(twice, token) == []


def prove_money(siege: BatchSiege, bank: MockBank, told: dict[str, Any]) -> None:
    """File, ledger and statement are equal to the cent; each booking stands once, each line once at the bank.

    Raises:
        AssertionError: they are not.
    """
    token = siege.token
    orders = {
        name: (int(amount), str(end))
        for name, amount, end in siege.ask(
            "SELECT end_to_end_id, amount_minor, final_state FROM batch_orders "
            "WHERE run = ? AND final_state NOT IN ('barred', 'withdrawn')",
            token,
        )
    }
    in_files = [line for content in siege.files_at_bank().values() for line in lines_of(content)]
    assert len(in_files) == len(orders), "each order in one file, once"
    assert dict(in_files) == {name: amount for name, (amount, _) in orders.items()}
    debits = [
        (each.debit.end_to_end_id, each.debit.amount_minor, each.booked, each.returned) for each in bank.entries()
    ]
    wages = [(each.end_to_end_id, each.amount_minor, each.booked, each.returned) for each in bank.payments()]
    at_bank = [*debits, *wages]
    assert len(at_bank) == len(orders), "each order stands once at the bank"
    assert {name: (amount, booked, returned) for name, amount, booked, returned in at_bank} == {
        name: (amount, end in _PAID, end == FinalState.RETURNED) for name, (amount, end) in orders.items()
    }
    found = told["counts"]["reconciled"]
    assert not found["differs"]
    assert not found["waiting"]
    assert found["orders"] == len(orders)
    settled = sum(amount for amount, end in orders.values() if end == FinalState.SETTLED)
    assert found["bookedMinor"] == found["statementMinor"] == found["settledMinor"] == settled
    assert found["filesMinor"] == sum(amount for amount, _ in orders.values())
    [(booked,)] = siege.ask(
        "SELECT count(*) FROM (SELECT DISTINCT posting FROM batch_entries WHERE run = ? AND posting LIKE 'settled/%')",
        token,
    )
    assert booked == sum(end in _PAID for _, end in orders.values())
    [(clearing,)] = siege.ask("SELECT sum(amount_minor) FROM batch_entries WHERE account = 'clearing'")
    assert clearing == bank.balance_minor()


def prove_files(siege: BatchSiege) -> None:
    """What the bank holds is what was first written and marked, byte for byte.

    Raises:
        AssertionError: it is not.
    """
    written = siege.ask("SELECT message_id, digest, items, total_minor FROM bank_files WHERE direction = 'out'")
    held = siege.files_at_bank()
    assert {name: digest for name, digest, _, _ in written} == {
        name: hashlib.sha256(content).hexdigest() for name, content in held.items()
    }
    for name, _, items, total in written:
        lines = list(lines_of(held[name]))
        assert (len(lines), sum(amount for _, amount in lines)) == (items, total)
    assert not list(siege.folders.outbox.glob("*.xml")), "all is taken"
    assert not list(siege.folders.spool.glob("*.xml")), "nothing lies there in clear"


def prove_events(siege: BatchSiege) -> None:
    """No effect without its event: orders, tries, bookings, as many as the events say.

    Raises:
        AssertionError: an event is missing, or stands twice.
    """
    facts: dict[str, Counter[str]] = {}
    for action, body in siege.ask("SELECT action, body FROM audit_events WHERE target = ?", siege.token):
        for name, figure in json.loads(body)["facts"].items():
            if isinstance(figure, int):
                facts.setdefault(action, Counter())[name] += figure
    count = "SELECT count(*) FROM batch_orders WHERE run = ? AND attempt "
    assert siege.ask(f"{count} = 1", siege.token) == [(facts["batch.chunk-executed"]["orders"],)]
    again = facts.get("batch.retries-made", Counter())
    assert siege.ask(f"{count} > 1", siege.token) == [(again["orders"],)]
    booked = "SELECT count(DISTINCT posting) FROM batch_entries WHERE run = ? AND posting LIKE 'settled/%'"
    assert siege.ask(booked, siege.token) == [(facts["batch.replies-booked"]["settled"],)]


def prove_stores(siege: BatchSiege) -> None:
    """The audit log proves itself, and no store is broken; the stack must not run.

    Raises:
        AssertionError: otherwise.
    """
    report = command(siege.data.root, "audit", "verify", "--json")
    assert report.returncode == 0, report.stdout
    for path in (siege.data.database, siege.data.keys, siege.data.temporal):
        with closing(sqlite3.connect(path)) as store:
            assert store.execute("PRAGMA integrity_check").fetchall() == [("ok",)], path.name
