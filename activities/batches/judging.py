"""What each row of a batch comes to (逐笔判定): one function for the rehearsal and for the live run, free of effects.

Whoever rehearses writes the answers down as expected; whoever executes makes orders of them. Nothing else differs, so
that what was approved is what is done, unless the records have changed since: then the difference says what has.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Protocol

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from activities.daily.reminders import unpaid_minor
from compliance.desk.policy import blocking_under
from compliance.policy import policy_on
from compliance.rules.evaluate import RULE_SET_VERSION
from compliance.rules.results import Verdict
from compliance.verdicts import verdict_rows
from models.domain.batches.kinds import KINDS, KindName
from models.domain.batches.states import OrderReason, OrderState
from models.domain.states import Gate
from models.queries.bank_days import LONGEST_HOLIDAY, bank_days_of
from models.queries.batches.claim_books import ClaimBooks, claim_books
from models.queries.batches.debit_rows import DebitBooks, debit_books, debit_row_facts
from models.queries.batches.wage_rows import wage_books
from models.tables.batch_cohorts import BatchMember
from models.tables.batch_imports import BatchImport, BatchRow
from models.tables.batch_runs import BatchRun
from models.tables.daily import BusinessDate
from models.tables.installments import RuleVerdict

_ONCE: Final = "BATCH-ONCE"
# How the house calls what a rule says, where it has a word of its own; by rule and the rule's reason.
_REASONS: Final[dict[tuple[str, str], OrderReason]] = {
    ("CBL-29", "no-ground"): OrderReason.MANDATE_REVOKED,
    ("CCM-57a", "not-authorised"): OrderReason.MANDATE_REVOKED,
    (_ONCE, "answer-open"): OrderReason.ORDER_OPEN,
    (_ONCE, "settled-before"): OrderReason.NOTHING_DUE,
    ("BATCH-CUT", "disputed"): OrderReason.DISPUTED,
    ("BATCH-CUT", "row-paid"): OrderReason.NOTHING_DUE,
}


class OpenedRows(Protocol):
    """Fields of rows of an import by their numbers, opened from their cells; what was erased is left out."""

    def __call__(self, tenant: str, rows: Sequence[BatchRow]) -> Mapping[int, Mapping[str, str]]:
        """Open them; nothing of it is kept."""
        ...


def no_rows(tenant: str, rows: Sequence[BatchRow]) -> Mapping[int, Mapping[str, str]]:
    """Where nobody can open rows: what only the file says is unknown, and blocks."""
    del tenant, rows
    return {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What one row comes to.

    Attributes:
        state: `QUEUED` or `BARRED`.
        amount_minor: of the order; of a barred row what it would have been.
        reason_code, rule_id: why it is barred.
        requested_on: the bank day for which the order is made.
        verdicts: of the rules that stand against it.
    """

    member: BatchMember
    state: OrderState
    amount_minor: int
    requested_on: date
    reason_code: str | None = None
    rule_id: str | None = None
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Judge:
    """What a judgement is made with, whoever asks.

    Attributes:
        is_bank_day: of the years for which a tenant has no calendar of its own; `LookupError` for one nobody knows.
        opened: gives fields of imported rows.
    """

    is_bank_day: Callable[[date], bool]
    opened: OpenedRows = no_rows

    def expect(
        self,
        session: Session,
        run: BatchRun,
        members: Sequence[BatchMember],
        *,
        now: datetime,
        lock: bool = False,
        taken: Mapping[str, int] | None = None,
    ) -> list[Expected]:
        """What these rows come to, in their order, by the records as they are now; nothing is written.

        Args:
            session: of the transaction that acts on the answers, or only writes them down.
            run: whose rows.
            members: included ones of one chunk.
            now: kept on the verdicts.
            lock: keep the agreements as they are until the transaction ends.
            taken: by mandate, what rows before these would take on the same day and no order shows yet.
        """
        kind, on = KINDS[KindName(run.kind)], business_date(session, run)
        days = bank_days_of(session, run.tenant, otherwise=self.is_bank_day)
        if not kind.message:
            return [_queued(member, member.amount_minor, on) for member in members]
        if not kind.row_gate:
            claims, day = claim_books(session, run, members), collection_date(on, days)
            return [_paid_once(member, on, claims) or _queued(member, member.amount_minor, day) for member in members]
        asking = _Asking(session, run, Gate(kind.row_gate), on, collection_date(on, days), now)
        if kind.needs_mandate:
            books = debit_books(session, run, members, on=on, lock=lock)
            for mandate, total in (taken or {}).items():
                books.today[mandate] = books.today.get(mandate, 0) + total
            return [_debit(asking, books, member) for member in members]
        said = self._said(session, run, members)
        wages = wage_books(session, run, members, on=on, is_bank_day=days, said=said)
        return [
            _paid_once(member, on, wages.claims) or asking.ask(member, member.amount_minor, wages.facts_of(member))
            for member in members
        ]

    def _said(self, session: Session, run: BatchRun, members: Sequence[BatchMember]) -> Mapping[int, Mapping[str, str]]:
        rows = import_rows(session, run, members)
        fields = self.opened(run.tenant, list(rows.values()))
        return {number: fields[row.number] for number, row in rows.items() if row.number in fields}


def import_rows(session: Session, run: BatchRun, members: Sequence[BatchMember]) -> dict[int, BatchRow]:
    """The row of the file behind each member, as it was last corrected, by number of the member."""
    lines = [each.import_line for each in members if each.import_line is not None]
    found = session.exec(
        select(BatchRow)
        .join(BatchImport, col(BatchImport.id) == col(BatchRow.import_id))
        .where(col(BatchImport.run) == run.token, col(BatchRow.line).in_(lines))
        .order_by(col(BatchRow.line), col(BatchRow.attempt))
    ).all()
    by_line = {row.line: row for row in found}
    return {each.number: by_line[each.import_line] for each in members if each.import_line in by_line}


def business_date(session: Session, run: BatchRun) -> date:
    """The tenant's business date now, on which the run acts; the run's own where its books have none."""
    row = session.get(BusinessDate, run.tenant)
    return row.today if row is not None else run.business_date


def collection_date(on: date, is_bank_day: Callable[[date], bool]) -> date:
    """The day or the next bank day after it; the day itself where a table is missing: nothing is moved by guess."""
    try:
        return next(day for day in (on + timedelta(days=at) for at in range(LONGEST_HOLIDAY)) if is_bank_day(day))
    except (LookupError, StopIteration):
        return on


@dataclass(slots=True)
class _Asking:
    """The gate over one chunk."""

    session: Session
    run: BatchRun
    gate: Gate
    on: date
    collected: date
    now: datetime
    _policy: Any = field(init=False)

    def __post_init__(self) -> None:
        self._policy = policy_on(self.session, self.run.tenant, on=self.on)

    def ask(self, member: BatchMember, amount_minor: int, facts: Mapping[str, object]) -> Expected:
        against = blocking_under(self._policy, self.gate, facts, as_of=self.on, evaluated_at=self.now)
        if not against:
            return _queued(member, amount_minor, self.collected)
        first = against[0]
        reason = _REASONS.get((first.rule_id, first.reason), OrderReason.BLOCKED_BY_RULE)
        if self.gate is Gate.BATCH_RUN_ROW and "debit_basis" not in facts:
            reason = OrderReason.NO_MANDATE
        return Expected(
            member=member,
            state=OrderState.BARRED,
            amount_minor=amount_minor,
            requested_on=self.collected,
            reason_code=reason.value,
            rule_id=first.rule_id,
            verdicts=against,
        )


def _debit(asking: _Asking, books: DebitBooks, member: BatchMember) -> Expected:
    due = _due_minor(books, member, asking.on)
    amount = min(member.amount_minor, due)  # part was paid since it was chosen: what is left is taken, and no more
    facts = debit_row_facts(
        books, asking.run, member, amount_minor=amount, due_minor=due, on=asking.on, collected=asking.collected
    )
    expected = asking.ask(member, amount, facts)
    if expected.state is OrderState.QUEUED and member.mandate_id is not None:
        books.today[member.mandate_id] = books.today.get(member.mandate_id, 0) + amount
    return expected


def _due_minor(books: DebitBooks, member: BatchMember, on: date) -> int:
    """What of the claim is due and unpaid on the date."""
    if member.agreement_id is None:
        return max(0, member.amount_minor - books.paid_minor[member.claim_key])
    row = books.row_of(member)
    if row is None or row.due > on:
        return 0
    agreement = books.agreement_of(member)
    unpaid = max(0, unpaid_minor(row))
    if agreement is not None and agreement.folded_to == on:  # money that waits as credit counts as paid
        return min(unpaid, max(0, agreement.owed_minor))
    return unpaid


def _paid_once(member: BatchMember, on: date, claims: ClaimBooks) -> Expected | None:
    """No second payment of a claim that was paid, or whose order is under way."""
    key = member.claim_key
    if not claims.opened[key] and not claims.settled[key]:
        return None
    reason = OrderReason.ORDER_OPEN if claims.opened[key] else OrderReason.NOTHING_DUE
    return Expected(
        member=member,
        state=OrderState.BARRED,
        amount_minor=member.amount_minor,
        requested_on=on,
        reason_code=reason.value,
        rule_id=_ONCE,
    )


def _queued(member: BatchMember, amount_minor: int, on: date) -> Expected:
    return Expected(member=member, state=OrderState.QUEUED, amount_minor=amount_minor, requested_on=on)


def keep_verdicts(
    session: Session,
    run: BatchRun,
    answers: Sequence[Expected],
    *,
    now: datetime,
    attempts: Mapping[int, int] | None = None,
) -> dict[str, Any]:
    """Keep what stands against barred rows, once for each attempt; returns what the event says of the chunk.

    Args:
        session: of the transaction that acts on the answers.
        run: whose rows.
        answers: of its gate.
        now: when it was asked.
        attempts: by number of the member; left out, the first.
    """
    gate = KINDS[KindName(run.kind)].row_gate
    barred = [each for each in answers if each.verdicts]
    rows = [
        row.model_dump()
        for each in barred
        for row in verdict_rows(
            each.verdicts,
            gate=Gate(gate),
            case_token=run.token,
            key=_asked_as(f"{run.token}/{gate}/{each.member.number}", (attempts or {}).get(each.member.number, 1)),
            now=now,
        )
    ]
    if rows:
        insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
        session.execute(insert(RuleVerdict).on_conflict_do_nothing(index_elements=["gate_key", "rule_id"]), rows)
    told = Counter(one.rule_id for each in barred for one in each.verdicts)
    return {"gate": gate, "ruleSet": RULE_SET_VERSION, "asked": len(answers), "barred": dict(sorted(told.items()))}


def _asked_as(key: str, attempt: int) -> str:
    return key if attempt == 1 else f"{key}/{attempt}"
